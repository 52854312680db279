//! What the tests of this crate share.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

mod clock;
mod journal;
mod person;
mod truth;

use std::sync::Arc;

use connector_core::{
    Batch, BatchBuilder, Connector, Decimal, Event, Field, Identity, Op, ReadRequest, Rejection, Schema,
    Selection, State, SyncMode, TaskId, Value, WriteMode, WriteRequest,
};
use connector_core::{DataType, Error};
use connector_salesforce::{Auth, Config, Salesforce};
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::salesforce::{FakeSalesforce, SalesforceConfig};

pub use clock::TestClock;
pub use journal::MemoryJournal;
pub use person::Person;
pub use truth::{assert_lead, lead_number};

/// A fake org, and a connection to it.
pub struct Bench {
    pub org: FakeSalesforce,
    pub clock: FakeClock,
    pub crm: Salesforce,
}

impl Bench {
    pub async fn start(config: SalesforceConfig) -> Self {
        let clock = config.clock.clone();
        let org = FakeSalesforce::start(config).await.unwrap();
        let crm = connect(&org, &clock);
        Self { org, clock, crm }
    }

    pub async fn with_leads(leads: u64) -> Self {
        Self::start(SalesforceConfig {
            leads,
            ..SalesforceConfig::default()
        })
        .await
    }

    /// A connection of another process.
    pub fn reconnect(&self) -> Salesforce {
        connect(&self.org, &self.clock)
    }

    pub async fn identity(&self) -> Identity {
        self.crm.identity().await.unwrap()
    }

    /// How often the org was asked so, such as `POST jobs/query`.
    pub fn asked(&self, what: &str) -> u64 {
        self.org.stats()["by_kind"][what].as_u64().unwrap_or_default()
    }
}

fn connect(org: &FakeSalesforce, clock: &FakeClock) -> Salesforce {
    let client_secret = connector_core::Secret::new(org.client_secret());
    connect_with(
        org,
        clock,
        Auth::ClientCredentials {
            client_id: org.client_id(),
            client_secret,
        },
    )
}

pub fn connect_with(org: &FakeSalesforce, clock: &FakeClock, auth: Auth) -> Salesforce {
    let config = Config::new(auth).with_login_url(&org.url()).unwrap();
    Salesforce::new(&config, Arc::new(TestClock(clock.clone()))).unwrap()
}

/// What a read brought.
#[derive(Default)]
pub struct Harvest {
    pub batches: Vec<Batch>,
    pub rejected: Vec<Rejection>,
    pub states: Vec<State>,
    pub urgent: usize,
}

impl Harvest {
    pub fn rows(&self) -> usize {
        self.batches.iter().map(Batch::len).sum()
    }

    pub fn take(&mut self, event: Event) {
        match event {
            Event::Records(batch) => self.batches.push(batch),
            Event::Rejected(rejected) => self.rejected.extend(rejected),
            Event::Checkpoint { state, urgent } => {
                self.states.push(state);
                self.urgent += usize::from(urgent);
            }
            Event::Unchanged(_) => {}
        }
    }

    /// The ids of all records, with what each does.
    pub fn ids(&self) -> Vec<(String, Op)> {
        let records = self.batches.iter().flat_map(Batch::records);
        records
            .map(|record| (record.get("Id").to_string(), record.op()))
            .collect()
    }
}

pub fn request(sync: SyncMode, state: Option<State>) -> ReadRequest {
    ReadRequest::new(Selection::stream("Lead"), TaskId::new("test", "Lead"))
        .with_sync(sync)
        .with_state(state)
}

/// Reads to the end, acknowledging every checkpoint.
pub async fn read_all(crm: &Salesforce, request: ReadRequest) -> Result<Harvest, Error> {
    let mut reader = crm.as_source().unwrap().reader(request).await?;
    let mut harvest = Harvest::default();
    while let Some(event) = reader.next().await? {
        let state = if let Event::Checkpoint { state, .. } = &event {
            Some(state.clone())
        } else {
            None
        };
        harvest.take(event);
        if let Some(state) = state {
            reader.acknowledge(&state).await?;
        }
    }
    Ok(harvest)
}

/// The shape of scores.
pub fn score_schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("Id", DataType::TEXT),
        Field::new("LeadScore__c", DataType::decimal(5, 2)),
    ];
    Arc::new(Schema::new(fields, ["Id"]).unwrap())
}

/// The score that tests give lead `n`.
pub fn score(n: u64) -> i64 {
    i64::try_from(n * 7 % 99_999).unwrap()
}

/// Scores for leads.
pub fn scores(org: &FakeSalesforce, leads: impl IntoIterator<Item = u64>) -> Batch {
    let mut builder = BatchBuilder::new(score_schema(), 0);
    for n in leads {
        builder.push(Value::Text(&org.lead_id(n)));
        builder.push(Value::Decimal(Decimal::new(score(n), 2)));
        builder.end_record(Op::Put);
    }
    builder.finish()
}

pub fn update(schema: Arc<Schema>) -> WriteRequest {
    WriteRequest::new(
        "Lead".into(),
        schema,
        WriteMode::Update,
        TaskId::new("test", "Lead"),
    )
    .with_match_on(vec!["Id".to_owned()])
}

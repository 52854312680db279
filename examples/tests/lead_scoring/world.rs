//! Both fakes and a database of a test's own, and the program that runs jobs between them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::Decimal;
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::bigcommerce::{BigCommerceConfig, FakeBigCommerce};
use connector_testkit::fakes::salesforce::{FakeSalesforce, FieldValue, SalesforceConfig};
use connector_testkit::postgres::Postgres;
use tokio_postgres::{Client, NoTls};

/// One server for all tests of this program; its watchdog ends it with the process.
fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::from_env().unwrap())
}

/// Everything outside the libraries.
pub(crate) struct World {
    pub(crate) clock: FakeClock,
    pub(crate) salesforce: FakeSalesforce,
    pub(crate) store: FakeBigCommerce,
    pub(crate) database: Client,
    database_url: String,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new(leads: u64, customers: u64) -> Self {
        let config = SalesforceConfig {
            leads,
            ..SalesforceConfig::default()
        };
        Self::with(config, customers).await
    }

    pub(crate) async fn with(config: SalesforceConfig, customers: u64) -> Self {
        let clock = config.clock.clone();
        let salesforce = FakeSalesforce::start(config).await.unwrap();
        let store = BigCommerceConfig {
            customers,
            clock: clock.clone(),
            ..BigCommerceConfig::default()
        };
        let store = FakeBigCommerce::start(store).await.unwrap();
        let database_url = create_database().await;
        let database = connect(&database_url).await;
        let folder = tempfile::tempdir().unwrap();
        Self {
            clock,
            salesforce,
            store,
            database,
            database_url,
            folder,
        }
    }

    /// The example's own job file, its script beside it.
    pub(crate) fn use_example_jobs(&self) {
        self.use_jobs(include_str!("../../src/bin/lead_scoring/jobs.toml"));
        let script = include_str!("../../src/bin/lead_scoring/score.sql");
        std::fs::write(self.folder.path().join("score.sql"), script).unwrap();
    }

    /// Leads in, scores made up from `seed`, scores out; many small commits.
    pub(crate) fn use_small_commits(&self, seed: u32) {
        self.use_jobs_of_example(&format!(
            r#"
[[jobs]]
name = "leads"
source = "crm"
destination = "warehouse"
tasks = [{{ stream = "Lead", into = "lead_reverse", keep = ["LeadScore__c"], commit_every = "1 B" }}]

[[jobs]]
name = "score"
connection = "warehouse"
sql = '''UPDATE lead_reverse SET "LeadScore__c" = (abs(hashtext("Id")::bigint) + {seed}) % 10000 / 100.0'''
after = ["leads"]

[[jobs]]
name = "write-back"
source = "warehouse"
destination = "crm"
after = ["score"]
tasks = [{{ stream = "lead_reverse", into = "Lead", write = "update", match_on = ["Id"], fields = {{ LeadScore__c = "LeadScore__c" }} }}]
"#
        ));
    }

    /// Other jobs between the example's connections.
    pub(crate) fn use_jobs_of_example(&self, jobs: &str) {
        let example = include_str!("../../src/bin/lead_scoring/jobs.toml");
        let connections = example.split("[[jobs]]").next().unwrap();
        self.use_jobs(&format!("{connections}{jobs}"));
    }

    pub(crate) fn use_jobs(&self, text: &str) {
        std::fs::write(self.folder.path().join("jobs.toml"), text).unwrap();
    }

    /// The program, ready to be started on the job file.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lead_scoring"));
        command
            .arg("--config")
            .arg(self.folder.path().join("jobs.toml"))
            .env("SALESFORCE_LOGIN_URL", self.salesforce.url())
            .env("SALESFORCE_CLIENT_ID", self.salesforce.client_id())
            .env("SALESFORCE_CLIENT_SECRET", self.salesforce.client_secret())
            .env("BIGCOMMERCE_API_URL", self.store.url())
            .env("BIGCOMMERCE_STORE_ID", self.store.store_hash())
            .env("BIGCOMMERCE_ACCESS_TOKEN", self.store.access_token())
            .env("DATABASE_URL", &self.database_url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self) -> Outcome {
        self.run_program(self.program()).await
    }

    pub(crate) async fn run_program(&self, mut command: Command) -> Outcome {
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        Outcome {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program to its end, which must be a success.
    pub(crate) async fn run_well(&self) -> Outcome {
        let outcome = self.run().await;
        assert_eq!(
            outcome.status.code(),
            Some(0),
            "{}\n{}",
            outcome.stdout,
            outcome.stderr
        );
        outcome
    }

    /// How often the task has committed.
    pub(crate) async fn commits(&self, task: &str) -> i64 {
        let there = self
            .database
            .query_one("SELECT to_regclass('sync.task') IS NOT NULL", &[])
            .await
            .unwrap();
        if !there.get::<_, bool>(0) {
            return 0;
        }
        let row = self
            .database
            .query_opt("SELECT commit_no FROM sync.task WHERE task = $1", &[&task])
            .await
            .unwrap();
        row.map_or(0, |row| row.get(0))
    }

    /// Every cell of `lead_reverse` is what the org holds, but for `except`.
    pub(crate) async fn assert_leads_equal(&self, except: &[&str]) {
        let fields: Vec<String> = self
            .salesforce
            .lead(1)
            .into_iter()
            .filter(|(name, value)| {
                !matches!(value, FieldValue::Compound(_))
                    && name != "Address"
                    && !except.contains(&name.as_str())
            })
            .map(|(name, _)| name)
            .collect();
        let columns: Vec<String> = fields
            .iter()
            .map(|name| match is_instant(name) {
                true => format!("(extract(epoch FROM \"{name}\") * 1000000)::bigint::text"),
                false => format!("\"{name}\"::text"),
            })
            .collect();
        let sql = format!("SELECT \"Id\", {} FROM lead_reverse", columns.join(", "));
        let rows = self.database.query(&sql, &[]).await.unwrap();
        assert_eq!(rows.len() as u64, self.salesforce.lead_count());
        for row in rows {
            let number = self.salesforce.lead_number(row.get(0)).unwrap();
            let truth = self.salesforce.lead(number);
            for (i, name) in fields.iter().enumerate() {
                let cell: Option<&str> = row.get(i + 1);
                assert!(
                    same(cell, &truth[name]),
                    "lead {number}, {name}: {cell:?} is not {:?}",
                    truth[name]
                );
            }
        }
    }

    /// Every score in the table is the one the org holds.
    pub(crate) async fn assert_scores_equal(&self) {
        for (number, score) in self.scores().await {
            let held = &self.salesforce.lead(number)["LeadScore__c"];
            assert!(
                same(score.as_deref(), held),
                "lead {number}: {score:?} is not {held:?}"
            );
        }
    }

    /// The scores in the table, by the lead's number.
    pub(crate) async fn scores(&self) -> Vec<(u64, Option<String>)> {
        let sql = "SELECT \"Id\", \"LeadScore__c\"::text FROM lead_reverse ORDER BY 1";
        let rows = self.database.query(sql, &[]).await.unwrap();
        rows.iter()
            .map(|row| (self.salesforce.lead_number(row.get(0)).unwrap(), row.get(1)))
            .collect()
    }
}

/// Whether a cell's text is the org's value.
fn same(cell: Option<&str>, truth: &FieldValue) -> bool {
    let (mut a, mut b) = (String::new(), String::new());
    match (cell, truth) {
        (None, FieldValue::Null) => true,
        (Some(cell), FieldValue::Bool(truth)) => cell == truth.to_string(),
        (Some(cell), FieldValue::Text(truth)) => cell == truth,
        (Some(cell), FieldValue::DateTime(micros)) => cell == micros.to_string(),
        (Some(cell), FieldValue::Number(truth)) => {
            Decimal::parse(cell, &mut a).unwrap() == Decimal::parse(truth, &mut b).unwrap()
        }
        _ => false,
    }
}

fn is_instant(name: &str) -> bool {
    matches!(
        name,
        "CreatedDate"
            | "LastModifiedDate"
            | "SystemModstamp"
            | "LastViewedDate"
            | "LastReferencedDate"
            | "EmailBouncedDate"
    )
}

/// What a run of the program came to.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The numbers of a job's line in the table: read, written, unchanged, echo, rejected.
    pub(crate) fn job(&self, name: &str) -> Vec<u64> {
        let line = self.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace()
            .skip(2)
            .take(5)
            .map(|number| number.parse().unwrap())
            .collect()
    }
}

/// Starts `command` and waits for `trigger`, which is asked after each line of standard error and every few
/// milliseconds, then kills it. False if the program ended first.
pub(crate) fn kill_when(mut command: Command, mut trigger: impl FnMut(&[String]) -> bool) -> bool {
    let mut child = command.spawn().unwrap();
    let lines = lines_of(&mut child);
    let mut seen = Vec::new();
    loop {
        while let Ok(line) = lines.recv_timeout(std::time::Duration::from_millis(1)) {
            seen.push(line);
            if trigger(&seen) {
                return kill(child);
            }
        }
        if trigger(&seen) {
            return kill(child);
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
    }
}

fn kill(mut child: Child) -> bool {
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    !ended
}

fn lines_of(child: &mut Child) -> std::sync::mpsc::Receiver<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

async fn create_database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = tokio::task::spawn_blocking(|| server().url().to_owned())
        .await
        .unwrap();
    let name = format!(
        "lead_scoring_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::SeqCst)
    );
    let client = connect(&url).await;
    client
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    let (before, parameters) = url
        .split_once('?')
        .map_or((url.as_str(), ""), |(before, after)| (before, after));
    let server = before.rsplit_once('/').unwrap().0;
    if parameters.is_empty() {
        format!("{server}/{name}")
    } else {
        format!("{server}/{name}?{parameters}")
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

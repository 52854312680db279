//! The demonstration: both SaaS systems and the database are this program's own.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{Clock, Error, ErrorKind, Result, SystemClock};
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::bigcommerce::{BigCommerceConfig, FakeBigCommerce};
use connector_testkit::fakes::salesforce::{FakeSalesforce, FieldValue, SalesforceConfig};
use connector_testkit::postgres::Postgres;
use sync_engine::{JobFile, RunOptions, RunReport};

use crate::args::Args;
use crate::leads;
use crate::progress::Display;
use crate::{connectors, table};

/// Runs two rounds; the exit code.
pub(crate) async fn run(args: &Args) -> Result<u8> {
    println!("Starting a fake Salesforce org, a fake BigCommerce store and a PostgreSQL ...");
    let world = World::start(args).await?;
    let file = world.job_file()?;
    let crm = file
        .connections
        .get("crm")
        .ok_or_else(|| Error::new(ErrorKind::Bug, "the job file has no `crm`"))?;

    let ids = world.interesting_leads();
    let before = leads::read(crm.as_ref(), &ids).await?;
    let first = round(&file, "First round: everything is new").await;
    if first.exit_code() != 0 {
        return Ok(first.exit_code());
    }
    let after = leads::read(crm.as_ref(), &ids).await?;
    println!("\n{}", leads::compare(&before, &after));

    let changed = world.change_something()?;
    println!("\n{changed}");
    let second = round(&file, "Second round: what changed since").await;
    if second.exit_code() == 0 {
        println!(
            "\n{}",
            leads::compare(&after, &leads::read(crm.as_ref(), &ids).await?)
        );
    }
    world.end(args.keep)?;
    Ok(second.exit_code())
}

async fn round(file: &JobFile, title: &str) -> RunReport {
    println!("\n{title}\n");
    let display = Display::new();
    let report = sync_engine::run(&file.jobs, &RunOptions::default(), &display).await;
    println!("{}", table::jobs(&report));
    print!("{}", table::usage(&report));
    table::print_errors(&report);
    report
}

/// Everything outside the libraries.
struct World {
    clock: FakeClock,
    salesforce: FakeSalesforce,
    store: FakeBigCommerce,
    postgres: Postgres,
}

impl World {
    async fn start(args: &Args) -> Result<Self> {
        let clock = FakeClock::new();
        let port_taken = |error: std::io::Error| {
            Error::new(ErrorKind::Unavailable, "a fake server cannot listen on 127.0.0.1").with_source(error)
        };
        let salesforce = SalesforceConfig {
            leads: args.leads,
            clock: clock.clone(),
            ..SalesforceConfig::default()
        };
        let salesforce = FakeSalesforce::start(salesforce).await.map_err(port_taken)?;
        let store = BigCommerceConfig {
            customers: args.customers,
            clock: clock.clone(),
            ..BigCommerceConfig::default()
        };
        let store = FakeBigCommerce::start(store).await.map_err(port_taken)?;
        let postgres = tokio::task::spawn_blocking(Postgres::from_env)
            .await
            .map_err(|error| Error::new(ErrorKind::Bug, "PostgreSQL was not started").with_source(error))?
            .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
        Ok(Self {
            clock,
            salesforce,
            store,
            postgres,
        })
    }

    fn job_file(&self) -> Result<JobFile> {
        let secret = |name: &str| {
            Some(match name {
                "SALESFORCE_LOGIN_URL" => self.salesforce.url(),
                "SALESFORCE_CLIENT_ID" => self.salesforce.client_id(),
                "SALESFORCE_CLIENT_SECRET" => self.salesforce.client_secret(),
                "BIGCOMMERCE_API_URL" => self.store.url(),
                "BIGCOMMERCE_STORE_ID" => self.store.store_hash(),
                "BIGCOMMERCE_ACCESS_TOKEN" => self.store.access_token(),
                "DATABASE_URL" => self.postgres.url().to_owned(),
                _ => return None,
            })
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        JobFile::parse(
            include_str!("jobs.toml"),
            &connectors::registry(&clock),
            secret,
            |_| Ok(include_str!("score.sql").to_owned()),
        )
    }

    /// Ten leads that have an e-mail address, so that a customer can be theirs.
    fn interesting_leads(&self) -> Vec<String> {
        let has_email = |n: &u64| {
            self.salesforce
                .lead(*n)
                .get("Email")
                .is_some_and(|email| !email.is_null())
        };
        (1..=self.salesforce.lead_count())
            .filter(has_email)
            .take(10)
            .map(|n| self.salesforce.lead_id(n))
            .collect()
    }

    /// A few people edit leads, a few orders are cancelled; then enough time passes for both to be read.
    fn change_something(&self) -> Result<String> {
        let numbers: Vec<u64> = (1..=self.salesforce.lead_count()).step_by(97).take(20).collect();
        for &n in &numbers {
            self.salesforce
                .edit_lead(n, &[("Title", FieldValue::from("Head of Purchasing 部長"))])
                .map_err(|error| Error::new(ErrorKind::Bug, format!("{error:?}")))?;
        }
        let orders = self.some_orders();
        for &order in &orders {
            let cancelled = [("status_id", 5.into()), ("status", "Cancelled".into())];
            self.store.edit_order(
                order,
                cancelled
                    .map(|(name, value)| (name.to_owned(), value))
                    .into_iter()
                    .collect(),
            );
        }
        self.clock.advance(Duration::from_secs(3600));
        Ok(format!(
            "{} leads were edited, {} orders cancelled, and an hour has passed.",
            numbers.len(),
            orders.len()
        ))
    }

    /// Every hundredth order, and one of each lead that is shown, so that there is something to see.
    fn some_orders(&self) -> Vec<u64> {
        let ids = self.store.order_ids();
        let email = |order: u64| {
            let order = self.store.order(order)?;
            Some(order["billing_address"]["email"].as_str()?.to_lowercase())
        };
        let shown = self.interesting_leads().into_iter().filter_map(|id| {
            let lead = self.salesforce.lead(self.salesforce.lead_number(&id)?);
            lead.get("Email")?.text().map(|email| email.to_lowercase())
        });
        let shown: Vec<String> = shown.collect();
        let theirs = ids
            .iter()
            .copied()
            .take(500)
            .filter(|&order| email(order).is_some_and(|email| shown.contains(&email)));
        let mut orders: Vec<u64> = ids
            .iter()
            .copied()
            .step_by(100)
            .take(20)
            .chain(theirs.take(5))
            .collect();
        orders.sort_unstable();
        orders.dedup();
        orders
    }

    fn end(self, keep: bool) -> Result<()> {
        if keep {
            let kept = self
                .postgres
                .keep()
                .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
            println!("\nThe database stays up:\n  psql '{}'", kept.url);
            if let Some(stop) = kept.stop {
                println!("Stop it with:\n  {stop}");
            }
        }
        Ok(())
    }
}

//! Both fakes as one process, for tests that kill the client and for trying things by hand.
//!
//! Prints where they are as one line of JSON, then serves until its standard input ends (so that it ends with the
//! process that started it) or it gets SIGTERM or ctrl-c.

use std::io::{Read, Write};

use clap::Parser;
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::bigcommerce::{BigCommerceConfig, FakeBigCommerce};
use connector_testkit::fakes::salesforce::{FakeSalesforce, SalesforceConfig};
use serde_json::json;

/// A fake Salesforce org and a fake BigCommerce store that share one clock.
#[derive(Debug, Parser)]
struct Options {
    /// Number of leads.
    #[arg(long, default_value_t = 1_000)]
    leads: u64,
    /// Number of customers; the n-th customer and the n-th lead are the same person.
    #[arg(long, default_value_t = 1_000)]
    customers: u64,
    /// Orders per customer on average.
    #[arg(long, default_value_t = 2)]
    orders_per_customer: u64,
    /// Orders without a customer; a tenth of the customers if not given.
    #[arg(long)]
    guest_orders: Option<u64>,
    /// Port of the Salesforce org; 0 for any free one.
    #[arg(long, default_value_t = 0)]
    salesforce_port: u16,
    /// Port of the BigCommerce store; 0 for any free one.
    #[arg(long, default_value_t = 0)]
    bigcommerce_port: u16,
    /// BigCommerce requests per 30 seconds; 150 is the Standard plan.
    #[arg(long, default_value_t = 7_000_000)]
    quota: u32,
    /// Every how-many-th lead is converted and refuses updates; 0 for none.
    #[arg(long, default_value_t = 0)]
    converted_every: u64,
    /// Keep serving when standard input ends.
    #[arg(long)]
    detached: bool,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(options))
}

async fn run(options: Options) -> std::io::Result<()> {
    // Signals are caught before anybody learns that the fakes are up.
    let stop = stop_signal()?;
    let clock = FakeClock::new();
    let salesforce = FakeSalesforce::start(SalesforceConfig {
        leads: options.leads,
        converted_every: options.converted_every,
        clock: clock.clone(),
        port: options.salesforce_port,
        ..SalesforceConfig::default()
    })
    .await?;
    let bigcommerce = FakeBigCommerce::start(BigCommerceConfig {
        customers: options.customers,
        orders_per_customer: options.orders_per_customer,
        guest_orders: options.guest_orders,
        quota: options.quota,
        clock,
        port: options.bigcommerce_port,
        ..BigCommerceConfig::default()
    })
    .await?;

    announce(&salesforce, &bigcommerce)?;
    let orders = bigcommerce.order_count();
    eprintln!(
        "fakes: Salesforce at {} ({} leads), BigCommerce at {} ({} customers, {orders} orders)",
        salesforce.url(),
        options.leads,
        bigcommerce.url(),
        options.customers
    );
    if options.detached {
        stop.await;
    } else {
        tokio::select! {
            () = stop => {}
            _ = input_end() => {}
        }
    }
    Ok(())
}

/// The one line on standard output.
fn announce(salesforce: &FakeSalesforce, bigcommerce: &FakeBigCommerce) -> std::io::Result<()> {
    let line = json!({
        "salesforce": {
            "url": salesforce.url(),
            "client_id": salesforce.client_id(),
            "client_secret": salesforce.client_secret(),
            "access_token": salesforce.access_token(),
            "org_id": salesforce.org_id(),
        },
        "bigcommerce": {
            "url": bigcommerce.url(),
            "store_hash": bigcommerce.store_hash(),
            "access_token": bigcommerce.access_token(),
        },
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Done when standard input has ended. The thread that reads it ends with the process.
fn input_end() -> tokio::sync::oneshot::Receiver<()> {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1_024];
        let mut input = std::io::stdin().lock();
        while matches!(input.read(&mut buffer), Ok(1..)) {}
        let _ = ended.send(());
    });
    end
}

/// Done at ctrl-c, or at SIGTERM where there is one.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done at ctrl-c, or at SIGTERM where there is one.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

//! Clients that others wrote, against the fake org: what they are content with is no invention of ours.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use connector_testkit::fakes::salesforce::{FakeSalesforce, FieldSpec, ObjectSpec, SalesforceConfig};

/// Installs a client into the build's own folder, once, and tells where it is.
fn install(kind: &str) -> PathBuf {
    let output = run(Command::new("sh")
        .arg(script("install.sh"))
        .arg(kind)
        .arg(env!("CARGO_TARGET_TMPDIR")));
    PathBuf::from(output.trim())
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/others")
        .join(name)
}

/// What the program printed; it must end well.
fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {stdout}{stderr}");
    stdout.into_owned()
}

async fn org(https: bool, bulk_page_size: usize) -> FakeSalesforce {
    let invoice = ObjectSpec::new("Invoice__c", "a01")
        .field(FieldSpec::string("Code__c", 10).external_id().unique())
        .field(FieldSpec::currency("Amount__c", 18, 2));
    let config = SalesforceConfig {
        leads: 25,
        page_size: 10,
        bulk_page_size,
        objects: vec![invoice],
        https,
        ..SalesforceConfig::default()
    };
    FakeSalesforce::start(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn simple_salesforce_signs_in_reads_and_writes() {
    let folder = tokio::task::spawn_blocking(|| install("python")).await.unwrap();
    let org = org(true, 10).await;
    let authority = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authority.pem");
    std::fs::write(&authority, org.authority().unwrap()).unwrap();
    let (url, username, token) = (org.url(), org.username(), org.security_token());
    let password = org.password().strip_suffix(&token).unwrap().to_owned();
    let done = tokio::task::spawn_blocking(move || {
        run(Command::new(folder.join("bin/python"))
            .arg(script("drive.py"))
            .args([url, username, password, token])
            .env("REQUESTS_CA_BUNDLE", authority))
    });
    assert_eq!(done.await.unwrap(), "done\n");
    assert!(!org.ledger().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn jsforce_signs_in_reads_and_writes() {
    let folder = tokio::task::spawn_blocking(|| install("node")).await.unwrap();
    // Of a Bulk result of several pages this version writes the second one into a stream that it has ended.
    let org = org(false, 100).await;
    let (url, username, password) = (org.url(), org.username(), org.password());
    let done = tokio::task::spawn_blocking(move || {
        run(Command::new("node")
            .arg(script("drive.cjs"))
            .arg(folder)
            .args([url, username, password]))
    });
    assert_eq!(done.await.unwrap(), "done\n");
    assert!(!org.ledger().is_empty());
}

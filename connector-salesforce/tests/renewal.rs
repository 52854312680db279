//! Refresh tokens: rotated, shared, lost and ended.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use common::TestClock;
use connector_core::{Connector, Error, ErrorKind, Retry, Secret};
use connector_salesforce::{
    Auth, Config, FileTokenStore, MemoryTokenStore, Salesforce, TokenLease, TokenStore,
};
use connector_testkit::fakes::FakeClock;
use connector_testkit::fakes::salesforce::{FakeSalesforce, Fault, FaultAction, SalesforceConfig};

struct World {
    org: FakeSalesforce,
    clock: FakeClock,
    first: Secret,
}

impl World {
    async fn start() -> Self {
        let config = SalesforceConfig {
            leads: 1,
            rotate_refresh_tokens: true,
            ..SalesforceConfig::default()
        };
        let clock = config.clock.clone();
        let org = FakeSalesforce::start(config).await.unwrap();
        let first = Secret::new(org.refresh_token());
        Self { org, clock, first }
    }

    fn config(&self, refresh_token: &Secret) -> Config {
        let auth = Auth::RefreshToken {
            client_id: self.org.client_id(),
            client_secret: Some(Secret::new(self.org.client_secret())),
            refresh_token: refresh_token.clone(),
        };
        Config::new(auth).with_login_url(&self.org.url()).unwrap()
    }

    fn connect(&self, store: Arc<dyn TokenStore>) -> Salesforce {
        let config = self.config(&self.first).with_token_store(store);
        Salesforce::new(&config, Arc::new(TestClock(self.clock.clone()))).unwrap()
    }

    /// A connection of another process.
    fn process(&self, path: &Path) -> Salesforce {
        self.connect(Arc::new(FileTokenStore::new(path)))
    }

    fn asked(&self) -> u64 {
        self.org.stats()["by_kind"]["token"].as_u64().unwrap_or_default()
    }

    /// Long enough for nobody to trust a stored access token.
    fn an_hour_later(&self) {
        self.org.expire_tokens();
        self.clock.advance(std::time::Duration::from_secs(3_600));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_outlives_its_process() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    for _ in 0..4 {
        let crm = world.process(&path);
        crm.streams().await.unwrap();
        world.org.expire_tokens();
        crm.streams().await.unwrap();
        world.an_hour_later();
    }
    assert_eq!(world.asked(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_break_each_other() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let processes: Vec<Salesforce> = (0..4).map(|_| world.process(&path)).collect();
    for round in 1..=5 {
        let all = processes.iter().map(|crm| async {
            let calls = (0..4).map(|_| crm.streams());
            futures::future::try_join_all(calls).await
        });
        futures::future::try_join_all(all).await.unwrap();
        assert_eq!(
            world.asked(),
            round,
            "one of them renews, the others take what it stored"
        );
        world.an_hour_later();
    }
}

/// Fails to save while it is told to.
#[derive(Clone, Debug, Default)]
struct Full {
    inner: MemoryTokenStore,
    full: Arc<AtomicBool>,
}

struct FullLease(Box<dyn TokenLease>, Arc<AtomicBool>);

#[async_trait]
impl TokenStore for Full {
    async fn lock(&self) -> Result<Box<dyn TokenLease>, Error> {
        let lease = self.inner.lock().await?;
        Ok(Box::new(FullLease(lease, Arc::clone(&self.full))))
    }
}

#[async_trait]
impl TokenLease for FullLease {
    async fn load(&mut self) -> Result<Option<Secret>, Error> {
        self.0.load().await
    }

    async fn save(&mut self, tokens: &Secret) -> Result<(), Error> {
        if self.1.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::State, "the disk is full"));
        }
        self.0.save(tokens).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_stored_before_they_are_used() {
    let world = World::start().await;
    let store = Full::default();
    let crm = world.connect(Arc::new(store.clone()));
    crm.streams().await.unwrap();
    world.org.expire_tokens();
    store.full.store(true, Ordering::SeqCst);
    let calls = world.org.calls();
    for _ in 0..2 {
        let error = crm.streams().await.unwrap_err();
        assert_eq!(error.message(), "the disk is full");
    }
    assert_eq!(world.org.calls(), calls, "the new access token was not used");
    store.full.store(false, Ordering::SeqCst);
    crm.streams().await.unwrap();
    assert_eq!(world.asked(), 2, "what could not be saved was not lost");
    world.an_hour_later();
    world.connect(Arc::new(store)).streams().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_has_ended_ends_at_once() {
    let world = World::start().await;
    let crm = world.connect(Arc::new(MemoryTokenStore::default()));
    crm.streams().await.unwrap();
    world.org.revoke_refresh_tokens();
    world.org.expire_tokens();
    let before = world.asked();
    let all = futures::future::join_all((0..8).map(|_| crm.streams())).await;
    for outcome in all {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
        assert_eq!(
            error.message(),
            "the sign-in is refused: the refresh token has ended or was revoked (invalid_grant)"
        );
    }
    assert_eq!(world.asked(), before + 1, "of many that wait, one asks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_token_in_the_configuration_wins() {
    let world = World::start().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryTokenStore::default());
    world.connect(Arc::clone(&store)).streams().await.unwrap();
    world.org.revoke_refresh_tokens();
    world.an_hour_later();
    assert!(world.connect(Arc::clone(&store)).streams().await.is_err());
    let anew = Secret::new(world.org.refresh_token());
    let config = world.config(&anew).with_token_store(Arc::clone(&store));
    let crm = Salesforce::new(&config, Arc::new(TestClock(world.clock.clone()))).unwrap();
    crm.streams().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_belongs_to_one_app() {
    let world = World::start().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryTokenStore::default());
    world.connect(Arc::clone(&store)).streams().await.unwrap();
    let auth = Auth::Device {
        client_id: "another".into(),
        client_secret: None,
    };
    let config = Config::new(auth)
        .with_login_url(&world.org.url())
        .unwrap()
        .with_token_store(store);
    let crm = Salesforce::new(&config, Arc::new(TestClock(world.clock.clone()))).unwrap();
    let asked = world.asked();
    assert_eq!(crm.streams().await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(world.asked(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_failure_of_the_token_endpoint_is_waited_out() {
    let world = World::start().await;
    for _ in 0..2 {
        let action = FaultAction::Answer {
            status: 503,
            headers: vec![],
            body: String::new(),
        };
        world.org.fail_next(Fault::next("/services/oauth2/token", action));
    }
    world
        .connect(Arc::new(MemoryTokenStore::default()))
        .streams()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_new_token_cures_is_not_renewed() {
    let world = World::start().await;
    let crm = world.connect(Arc::new(MemoryTokenStore::default()));
    crm.streams().await.unwrap();
    for words in [
        "This session is not valid for use with the REST API",
        "Connected app is not attached to Agent",
    ] {
        let action = FaultAction::Answer {
            status: 401,
            headers: vec![],
            body: format!("[{{\"errorCode\":\"INVALID_SESSION_ID\",\"message\":\"{words}\"}}]"),
        };
        let asked = world.asked();
        world.org.fail_next(Fault::next("/sobjects", action));
        let error = crm.streams().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
        assert!(error.help().is_some());
        assert_eq!(world.asked(), asked);
    }
    crm.streams().await.unwrap();
}

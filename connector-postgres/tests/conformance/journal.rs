//! States and journals, looked up in their tables.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Connector, Journal, Key, Standing, StateStore, Target};
use connector_testkit::conformance::{JournalSystem, StateStoreSystem};

use crate::system::{Database, PASSWORD};

impl StateStoreSystem for Database {
    fn store(&self) -> Arc<dyn StateStore> {
        self.connector().state_store().unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}

#[async_trait]
impl JournalSystem for Database {
    fn store(&self) -> Arc<dyn StateStore> {
        self.connector().state_store().unwrap()
    }

    fn journal(&self) -> Arc<dyn Journal> {
        self.connector().journal().unwrap()
    }

    async fn standing(&self, target: &Target, key: &Key) -> Option<Standing> {
        let sql = "SELECT i.state FROM sync.intent i JOIN sync.target t USING (target)
                   WHERE t.identity = $1 AND t.object = $2 AND i.key = $3";
        let rows = self
            .client
            .query(sql, &[&target.identity.as_str(), &target.object, &key.as_str()])
            .await
            .unwrap();
        rows.first().map(|row| match row.get::<_, &str>(0) {
            "planned" => Standing::Planned,
            "sent" => Standing::Sent,
            "confirmed" => Standing::Confirmed,
            "unconfirmed" => Standing::Unconfirmed,
            other => panic!("a record stands as {other}"),
        })
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}

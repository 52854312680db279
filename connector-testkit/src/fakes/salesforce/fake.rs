//! The handle of a running org.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::value::RawValue;

use super::config::SalesforceConfig;
use super::error::EditError;
use super::fault::{Fault, RowFault};
use super::json_in::Input;
use super::org::Org;
use super::value::FieldValue;
use super::{admin, id, oauth, router, timestamp};
use crate::fakes::{Ledger, Server};

/// A running fake org on 127.0.0.1; dropping it stops it.
#[derive(Debug)]
pub struct FakeSalesforce {
    pub(super) org: Arc<Org>,
    server: Server,
}

impl FakeSalesforce {
    /// Starts an org.
    pub async fn start(config: SalesforceConfig) -> std::io::Result<Self> {
        let port = config.port;
        let org = Arc::new(Org::new(config));
        let router = Router::new()
            .fallback(router::handle)
            .with_state(Arc::clone(&org));
        let server = Server::start(router, port).await?;
        org.url.get_or_init(|| server.url());
        Ok(Self { org, server })
    }

    /// `http://127.0.0.1:PORT`: login host and instance in one.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Consumer key for the token endpoint.
    pub fn client_id(&self) -> String {
        oauth::CLIENT_ID.to_owned()
    }

    /// Consumer secret for the token endpoint.
    pub fn client_secret(&self) -> String {
        oauth::CLIENT_SECRET.to_owned()
    }

    /// User for the password grant.
    pub fn username(&self) -> String {
        oauth::USERNAME.to_owned()
    }

    /// Password with the security token behind it, for the password grant.
    pub fn password(&self) -> String {
        oauth::PASSWORD.to_owned()
    }

    /// The org's 18-character id.
    pub fn org_id(&self) -> String {
        self.org.org_id()
    }

    /// A new access token, good at once.
    pub fn access_token(&self) -> String {
        self.org.sessions.issue_access(&self.org.org_id(), self.org.now())
    }

    /// A new refresh token.
    pub fn refresh_token(&self) -> String {
        self.org.sessions.issue_refresh()
    }

    /// Expires every access token issued so far: they answer 401 `INVALID_SESSION_ID`.
    pub fn expire_tokens(&self) {
        self.org.sessions.expire();
    }

    /// Revokes every refresh token issued so far: they answer `invalid_grant`.
    pub fn revoke_refresh_tokens(&self) {
        self.org.sessions.revoke_refresh();
    }

    /// Every write the API applied. Numbers stand in it as texts, exact and without needless zeros.
    pub fn ledger(&self) -> Ledger {
        self.org.ledger.clone()
    }

    /// Number of seeded leads, the recycle bin included; they are numbered from 1.
    pub fn lead_count(&self) -> u64 {
        self.org.leads()
    }

    /// What lead `n` holds now, field by field, the compound `Address` included; late commits count once they are
    /// visible.
    ///
    /// # Panics
    ///
    /// If there is no lead `n`.
    pub fn lead(&self, n: u64) -> BTreeMap<String, FieldValue> {
        let id = self.lead_id(n);
        self.record("Lead", &id)
            .unwrap_or_else(|| panic!("there is no lead {n}"))
    }

    /// The 18-character id of lead `n`.
    pub fn lead_id(&self, n: u64) -> String {
        id::make("00Q", n)
    }

    /// The number of the lead with this id of 15 or 18 characters.
    pub fn lead_number(&self, id: &str) -> Option<u64> {
        self.record("Lead", id).and_then(|_| id::number("00Q", id))
    }

    /// A person's edit: sets the fields, moves `SystemModstamp` and `LastModifiedDate` to the clock's now and
    /// `LastModifiedById` to a person. It isn't in the ledger.
    ///
    /// # Errors
    ///
    /// An unknown lead or field, or a value the org would refuse from a client.
    pub fn edit_lead(&self, n: u64, fields: &[(&str, FieldValue)]) -> Result<(), EditError> {
        self.org.human_edit(n, &inputs(fields), None).map_err(EditError)
    }

    /// A person's edit that carries the stamp of now but becomes visible only when the clock has moved on by
    /// `visible_after`.
    ///
    /// # Errors
    ///
    /// As of [`edit_lead`](Self::edit_lead).
    pub fn edit_lead_late(
        &self,
        n: u64,
        fields: &[(&str, FieldValue)],
        visible_after: Duration,
    ) -> Result<(), EditError> {
        let after = i64::try_from(visible_after.as_micros()).unwrap_or(i64::MAX);
        let visible_at = self.org.now().saturating_add(after);
        self.org
            .human_edit(n, &inputs(fields), Some(visible_at))
            .map_err(EditError)
    }

    /// A person's deletion: the lead moves to the recycle bin, where only `queryAll` sees it, and its stamp moves.
    ///
    /// # Errors
    ///
    /// An unknown lead.
    pub fn delete_lead(&self, n: u64) -> Result<(), EditError> {
        self.org.human_delete(n).map_err(EditError)
    }

    /// Scripts misbehaviour of coming requests.
    pub fn fail_next(&self, fault: Fault) {
        self.org.faults.add(fault);
    }

    /// Scripts the refusal of writes to one lead.
    pub fn fail_row(&self, fault: RowFault) {
        self.org.faults.add_row(fault);
    }

    /// Makes the next ingest job end as `Failed` after it applied this many rows; the others stay unprocessed.
    pub fn stop_next_ingest(&self, rows: u64) {
        self.org.faults.stop_ingest(rows);
    }

    /// Number of API calls that counted against the daily limit.
    pub fn calls(&self) -> u64 {
        self.org.stats.calls()
    }

    /// What `/__admin/stats` answers: `calls`, `by_kind`, `auto_assign` (values of the header `Sforce-Auto-Assign` on
    /// writes, `ABSENT` for none), `open_query_jobs`, `open_ingest_jobs`, `clock_micros`, `leads`.
    pub fn stats(&self) -> serde_json::Value {
        admin::stats(&self.org)
    }
}

fn inputs(fields: &[(&str, FieldValue)]) -> Vec<(String, Input)> {
    let input = |value: &FieldValue| match value {
        FieldValue::Null | FieldValue::Compound(_) => Input::Null,
        FieldValue::Bool(value) => Input::Bool(*value),
        FieldValue::Number(text) => Input::Number(text.clone().into_owned()),
        FieldValue::Text(text) => Input::Text(text.clone().into_owned()),
        FieldValue::DateTime(micros) => Input::Text(timestamp::rest(*micros)),
        FieldValue::Json(text) => {
            RawValue::from_string(text.clone().into_owned()).map_or(Input::Null, Input::Nested)
        }
    };
    fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), input(value)))
        .collect()
}

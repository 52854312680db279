//! Intents, fates and fingerprints of writes to other systems.

use async_trait::async_trait;
use connector_core::{
    Counts, Error, ErrorKind, Fate, Fence, Intent, Journal, Key, Outcome, Rest, Result, Standing, Target,
    Ticket,
};
use deadpool_postgres::Transaction;
use tokio_postgres::types::ToSql;

use crate::connector::Postgres;
use crate::error::failed;
use crate::state_store::hold_fence;

/// The journal kept by one connection.
#[derive(Clone, Debug)]
pub(crate) struct PostgresJournal(pub(crate) Postgres);

#[async_trait]
impl Journal for PostgresJournal {
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()> {
        let doing = "store what is about to be sent";
        let sync = self.0.sync();
        let mut session = self.0.bare_session().await?;
        let transaction = session
            .transaction()
            .await
            .map_err(|error| failed(doing, error))?;
        hold_fence(&transaction, &sync, fence).await?;
        let target = target_id(&transaction, &sync, target).await?;
        let ticket = intent.ticket.map(Ticket::as_str);
        if let Some(ticket) = ticket {
            let sql = format!(
                "INSERT INTO {sync}.ticket (task, target, ticket) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
            );
            transaction
                .execute(&sql, &[&fence.task.as_str(), &target, &ticket])
                .await
                .map_err(|error| failed(doing, error))?;
        }
        let keys: Vec<&str> = intent.keys.iter().map(Key::as_str).collect();
        // What was confirmed is known no longer: an unanswered request may have changed it.
        let sql = format!(
            "INSERT INTO {sync}.intent AS i (target, key, state, ticket) SELECT $1, key, 'sent', $3 FROM unnest($2::text[]) AS key
             ON CONFLICT (target, key) DO UPDATE SET state = 'sent', confirmed = NULL, ticket = $3"
        );
        transaction
            .execute(&sql, &[&target, &keys, &ticket])
            .await
            .map_err(|error| failed(doing, error))?;
        transaction.commit().await.map_err(|error| failed(doing, error))
    }

    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        let doing = "store what became of records";
        let sync = self.0.sync();
        let mut session = self.0.bare_session().await?;
        let transaction = session
            .transaction()
            .await
            .map_err(|error| failed(doing, error))?;
        hold_fence(&transaction, &sync, fence).await?;
        let target = target_id(&transaction, &sync, target).await?;
        // The run that is under way may have stored one rejection of each record: of this epoch, one row a key.
        let refused: Vec<(&str, &str, &str, &[String])> = fates
            .iter()
            .filter_map(|fate| match &fate.outcome {
                Outcome::Rejected {
                    code,
                    message,
                    fields,
                } => Some((
                    fate.key.as_str(),
                    code.as_str(),
                    message.as_str(),
                    fields.as_slice(),
                )),
                _ => None,
            })
            .collect();
        if !refused.is_empty() {
            let (keys, codes): (Vec<&str>, Vec<&str>) =
                refused.iter().map(|&(key, code, ..)| (key, code)).unzip();
            let (messages, fields): (Vec<&str>, Vec<String>) = refused
                .iter()
                .map(|&(_, _, message, fields)| (message, fields.join(",")))
                .unzip();
            let sql = format!(
                "INSERT INTO {sync}.rejection (task, epoch, sequence, key, code, message, fields, payload)
                 SELECT $1, $2, -1, r.key, code, message, string_to_array(fields, ','), i.payload
                 FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS r (key, code, message, fields)
                 LEFT JOIN {sync}.intent i ON $8 AND i.target = $7 AND i.key = r.key"
            );
            // What the record was to be, as long as its intent knows.
            let parameters: [&(dyn ToSql + Sync); 8] = [
                &fence.task.as_str(),
                &fence.epoch,
                &keys,
                &codes,
                &messages,
                &fields,
                &target,
                &self.0.keeps_payload(),
            ];
            transaction
                .execute(&sql, &parameters)
                .await
                .map_err(|error| failed(doing, error))?;
        }
        let keys: Vec<&str> = fates.iter().map(|fate| fate.key.as_str()).collect();
        let states: Vec<&str> = fates.iter().map(|fate| state_after(&fate.outcome)).collect();
        let sql = format!(
            "INSERT INTO {sync}.intent AS i (target, key, state)
                SELECT $1, key, state FROM unnest($2::text[], $3::text[]) AS fate (key, state)
             ON CONFLICT (target, key) DO UPDATE SET state = excluded.state, ticket = NULL,
                confirmed = CASE WHEN excluded.state = 'confirmed' THEN i.payload END,
                payload = CASE WHEN excluded.state IN ('planned', 'sent') THEN i.payload END"
        );
        transaction
            .execute(&sql, &[&target, &keys, &states])
            .await
            .map_err(|error| failed(doing, error))?;
        transaction.commit().await.map_err(|error| failed(doing, error))
    }

    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        let doing = "store that a job has ended";
        let sync = self.0.sync();
        let mut session = self.0.bare_session().await?;
        let transaction = session
            .transaction()
            .await
            .map_err(|error| failed(doing, error))?;
        hold_fence(&transaction, &sync, fence).await?;
        let target = target_id(&transaction, &sync, target).await?;
        let set = match rest {
            Rest::Updated => "state = 'confirmed', confirmed = payload, payload = NULL, ticket = NULL",
            Rest::Released => "state = 'planned', ticket = NULL",
        };
        let sql = format!("UPDATE {sync}.intent SET {set} WHERE target = $1 AND ticket = $2");
        let rows = transaction
            .execute(&sql, &[&target, &ticket.as_str()])
            .await
            .map_err(|error| failed(doing, error))?;
        let sql = format!("DELETE FROM {sync}.ticket WHERE task = $1 AND ticket = $2");
        transaction
            .execute(&sql, &[&fence.task.as_str(), &ticket.as_str()])
            .await
            .map_err(|error| failed(doing, error))?;
        transaction.commit().await.map_err(|error| failed(doing, error))?;
        let mut counts = Counts::default();
        if rest == Rest::Updated {
            counts.updated = rows;
        }
        Ok(counts)
    }

    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        let doing = "look up what became of records";
        let sync = self.0.sync();
        let session = self.0.bare_session().await?;
        let sql = format!(
            "SELECT i.state FROM unnest($3::text[]) WITH ORDINALITY AS asked (key, place)
             LEFT JOIN {sync}.target AS t ON t.identity = $1 AND t.object = $2
             LEFT JOIN {sync}.intent AS i ON i.target = t.target AND i.key = asked.key
             ORDER BY asked.place"
        );
        let keys: Vec<&str> = keys.iter().map(Key::as_str).collect();
        let parameters: [&(dyn ToSql + Sync); 3] = [&target.identity.as_str(), &target.object, &keys];
        let rows = session
            .query(&sql, &parameters)
            .await
            .map_err(|error| failed(doing, error))?;
        Ok(rows.iter().map(|row| standing(row.get(0))).collect())
    }
}

fn standing(state: Option<&str>) -> Option<Standing> {
    Some(match state? {
        "confirmed" => Standing::Confirmed,
        "unconfirmed" => Standing::Unconfirmed,
        "sent" => Standing::Sent,
        _ => Standing::Planned,
    })
}

fn state_after(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created { .. } | Outcome::Updated | Outcome::Deleted => "confirmed",
        Outcome::Rejected { .. } => "unconfirmed",
        Outcome::Ambiguous => "sent",
        // `Released`, and whatever may come: still to be done.
        _ => "planned",
    }
}

/// The number of a target; it is there since the difference was stored, or is made now.
async fn target_id(transaction: &Transaction<'_>, sync: &str, target: &Target) -> Result<i32> {
    ensure_target(transaction, sync, target, &[], &[]).await
}

/// The number of a target, whose records are found by `match_on` and whose fingerprints hold at least `fields`.
pub(crate) async fn ensure_target(
    transaction: &Transaction<'_>,
    sync: &str,
    target: &Target,
    match_on: &[&str],
    fields: &[&str],
) -> Result<i32> {
    let doing = "look the target up";
    let sql = format!(
        "SELECT target FROM {sync}.target
         WHERE identity = $1 AND object = $2 AND fields @> $4::text[] AND ($3::text[] = '{{}}' OR match_on = $3)"
    );
    let parameters: [&(dyn ToSql + Sync); 4] =
        [&target.identity.as_str(), &target.object, &match_on, &fields];
    let found = transaction
        .query_opt(&sql, &parameters)
        .await
        .map_err(|error| failed(doing, error))?;
    if let Some(row) = found {
        return Ok(row.get(0));
    }
    // Keys of another kind would not be found again: what was confirmed under them is forgotten.
    let sql = format!(
        "WITH forgotten AS (
            DELETE FROM {sync}.intent USING {sync}.target AS t
            WHERE intent.target = t.target AND t.identity = $1 AND t.object = $2 AND t.match_on <> $3::text[] AND $3::text[] <> '{{}}')
         INSERT INTO {sync}.target AS t (identity, object, match_on, fields) VALUES ($1, $2, $3, $4)
         ON CONFLICT (identity, object) DO UPDATE
            SET match_on = CASE WHEN excluded.match_on = '{{}}' THEN t.match_on ELSE excluded.match_on END,
                fields = ARRAY(SELECT DISTINCT unnest(t.fields || excluded.fields)) RETURNING target"
    );
    let row = transaction
        .query_opt(&sql, &parameters)
        .await
        .map_err(|error| failed(doing, error))?;
    row.map(|row| row.get(0))
        .ok_or_else(|| Error::new(ErrorKind::Bug, "a target was not stored"))
}

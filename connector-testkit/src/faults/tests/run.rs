//! Small users of a connector: one call of each kind, and a run as an engine makes it.

use connector_core::{
    CommitReport, Connector, Event, Holder, Intent, Rest, Result, Selection, TaskId, Ticket,
};

use super::sample::{batch, fence, read_request, state, target, write_request};
use crate::faults::Operation;

/// One call of `operation`, and whatever must come before it.
pub(super) async fn call(connector: &dyn Connector, operation: Operation) -> Result<()> {
    let source = connector.as_source().unwrap();
    let destination = connector.as_destination().unwrap();
    let store = connector.state_store().unwrap();
    let journal = connector.journal().unwrap();
    match operation {
        Operation::Identity => connector.identity().await.map(drop),
        Operation::Check => connector.check().await.map(drop),
        Operation::Streams => connector.streams().await.map(drop),
        Operation::Describe => connector.describe(&Selection::stream("Lead")).await.map(drop),
        Operation::PlanRead => source.plan_read(&read_request()).await.map(drop),
        Operation::OpenReader => source.reader(read_request()).await.map(drop),
        Operation::Next => source.reader(read_request()).await?.next().await.map(drop),
        Operation::Acknowledge => source.reader(read_request()).await?.acknowledge(&state(1)).await,
        Operation::PlanWrite => destination.plan_write(&write_request()).await.map(drop),
        Operation::OpenWriter => destination.writer(write_request()).await.map(drop),
        Operation::Write => {
            let mut writer = destination.writer(write_request()).await?;
            writer.write(batch(&["a"])).await
        }
        Operation::Reject => {
            destination
                .writer(write_request())
                .await?
                .reject(Vec::new())
                .await
        }
        Operation::Commit => {
            let mut writer = destination.writer(write_request()).await?;
            writer.commit(None).await.map(drop)
        }
        Operation::Finish => {
            let writer = destination.writer(write_request()).await?;
            writer.finish(None).await.map(drop)
        }
        Operation::Claim => store
            .claim(&TaskId::new("job", "Lead"), &Holder::new("test"))
            .await
            .map(drop),
        Operation::Save => store.save(&fence(), &state(1)).await,
        Operation::Intend => {
            let intent = Intent {
                keys: &[],
                ticket: None,
            };
            journal.intend(&fence(), &target(), &intent).await
        }
        Operation::Settle => journal.settle(&fence(), &target(), &[]).await,
        Operation::Close => journal
            .close(&fence(), &target(), &Ticket::new("750"), Rest::Updated)
            .await
            .map(drop),
        Operation::Standings => journal.standings(&target(), &[]).await.map(drop),
        Operation::Execute => connector.statements().unwrap().execute("x").await.map(drop),
    }
}

/// From claim to finish, with a commit at each checkpoint.
pub(super) async fn run(connector: &dyn Connector) -> Result<CommitReport> {
    let store = connector.state_store().unwrap();
    let task = TaskId::new("job", "Lead");
    let claim = store.claim(&task, &Holder::new("test")).await?;
    let mut writer = connector
        .as_destination()
        .unwrap()
        .writer(write_request())
        .await?;
    let mut reader = connector.as_source().unwrap().reader(read_request()).await?;
    while let Some(event) = reader.next().await? {
        match event {
            Event::Records(batch) => writer.write(batch).await?,
            Event::Checkpoint { state, .. } => {
                writer.commit(Some(&state)).await?;
                store.save(&claim.fence, &state).await?;
                reader.acknowledge(&state).await?;
            }
            Event::Rejected(_) | Event::Unchanged(_) => {}
        }
    }
    writer.finish(None).await
}

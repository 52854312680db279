//! One task's rows, rejections and checkpoint, a transaction at a time.

mod counters;
mod fence;
mod keys;
mod known;
mod payload;
mod publish;
mod reason;
mod refused;
mod rejections;
mod settle;
mod sweep;
mod transaction;
mod unfit;

use async_trait::async_trait;
use bytes::BytesMut;
use connector_core::{
    Batch, CommitReport, Deletes, Error, ErrorKind, Fence, Key, Op, Record, Rejection, Result, State,
    WriteMode, WriteRequest, Writer,
};

use self::known::Known;
use self::rejections::Rejections;
use self::sweep::Sweep;
use self::transaction::{Path, Transaction};
use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::copy::Text;
use crate::fingerprint::Fingerprinted;
use crate::ident::Table;
use crate::load::encode_row;
use crate::shadow::{Purpose, Shadow};
use crate::shape::{Shape, Unset};
use crate::state_schema;
use crate::table::Layout;

/// Writes one table.
///
/// A transaction begins with the first record after a commit and holds a COPY open; [`commit`](Writer::commit) ends
/// the COPY, merges, stores rejections, moves the task's row, and commits. Dropped within one, it ends the session,
/// and with it the transaction.
pub(crate) struct TableWriter {
    postgres: Postgres,
    request: WriteRequest,
    /// Of the table that rows are written into: an overwrite's and a prune's is the shadow.
    layout: Layout,
    /// Of the table whose place the shadow takes.
    overwritten: Option<Layout>,
    /// The request's table as it was planned for, or as this writer has made it.
    known: Option<Known>,
    /// What a prune knows beyond the names.
    sweep: Option<Sweep>,
    /// What abandoned writes have left: dropped within the first transaction, and so only by who may commit.
    stale: Vec<Table>,
    fingerprinted: Option<Fingerprinted>,
    /// Moves with each commit.
    fence: Option<Fence>,
    transaction: Option<Transaction>,
    rejections: Rejections,
    report: CommitReport,
}

impl TableWriter {
    pub(crate) async fn open(postgres: Postgres, request: WriteRequest) -> Result<Self> {
        if request.fence.is_some() {
            state_schema::ensure(&postgres).await?;
        }
        let session = postgres.session().await?;
        // Before it is planned for: what is changed from now on is noticed.
        let known = Known::of(&session, &postgres.table(request.stream.as_str())?).await?;
        let target = Layout::plan(&session, &postgres, &request).await?;
        if request.resumes && !target.exists && !request.mode.is_of_everything() {
            let message = format!(
                "there is no table {} any more, and the records would go on after those that it held",
                target.table
            );
            return Err(Error::new(ErrorKind::State, message).with_help(
                "bring the table back, or reset the state of this task, so that everything is read anew",
            ));
        }
        // A version that has ended holds old values, and a name holds none.
        let compares = !request.mode.is_naming() && request.mode != WriteMode::History;
        let fingerprinted = if request.fence.is_some() && compares {
            Fingerprinted::find(&session, &postgres, &request, &target).await?
        } else {
            None
        };
        let mut stale = Vec::new();
        let (mut layout, mut overwritten, mut sweep) = (target.clone(), None, None);
        for purpose in Purpose::ALL {
            let is_ours = Purpose::of(request.mode) == Some(purpose);
            if !is_ours && request.fence.is_none() {
                continue;
            }
            let shadow = Shadow::find(&session, &postgres, &request, &target.table, purpose).await?;
            if is_ours && purpose == Purpose::Overwrite {
                layout = shadow.layout(&session, &postgres, &request, &target).await?;
                overwritten = Some(target.clone());
            } else if is_ours {
                layout = target.named_in(shadow.table.clone(), request.resumes);
                sweep = Some(Sweep::begin(&session, &request, &shadow, target.clone()).await?);
            }
            if shadow.is_there() && !(is_ours && request.resumes) {
                stale.push(shadow.table);
            }
        }
        let fence = request.fence.clone();
        Ok(Self {
            rejections: Rejections::new(&postgres, &request.task, fence.as_ref()),
            postgres,
            request,
            layout,
            overwritten,
            known,
            sweep,
            stale,
            fingerprinted,
            fence,
            transaction: None,
            report: CommitReport::default(),
        })
    }

    async fn begin(&mut self) -> Result<Transaction> {
        let transaction = Transaction::begin(Guarded::new(self.postgres.bare_session().await?)).await?;
        for stale in self.stale.drain(..) {
            let sql = format!("DROP TABLE IF EXISTS {stale}");
            transaction
                .run("drop what an abandoned write has left", &sql)
                .await?;
        }
        Ok(transaction)
    }

    /// Commits; with `last`, what an overwrite has built is published.
    async fn conclude(&mut self, checkpoint: Option<&State>, last: bool) -> Result<CommitReport> {
        let mut transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => self.begin().await?,
        };
        // Nothing may have come: at the end the table is there all the same, and who goes on from a checkpoint finds
        // what was built.
        let has_shadow = self.overwritten.is_some() || self.sweep.is_some();
        let is_due = last || has_shadow || checkpoint.is_some();
        if !self.layout.exists && transaction.load.is_none() && is_due {
            self.start_rows(&mut transaction, &Unset::default()).await?;
        }
        self.settle_rows(&mut transaction).await?;
        self.mark_incomplete(&transaction).await?;
        let mut refused = None;
        if last {
            self.publish(&mut transaction).await?;
            refused = self.prune(&transaction).await?;
        }
        // Of a sweep that is refused, what was rejected is kept nevertheless: with it the reason.
        let checkpoint = checkpoint.filter(|_| refused.is_none());
        let client = transaction.session.client()?;
        let known = match &self.overwritten {
            None if transaction.shaped && self.sweep.is_none() => {
                Known::of(client, &self.layout.table).await?
            }
            _ => self.known.clone(),
        };
        self.rejections.store(client).await?;
        if let Some(fence) = &self.fence {
            fence::advance(client, &self.postgres.sync(), fence, checkpoint).await?;
        }
        if let Err(error) = client.batch_execute("COMMIT").await {
            fence::read_back(&self.postgres, self.fence.as_ref(), error).await?;
        } else {
            // The session is clean: back to the pool.
            transaction.session.release();
        }
        if transaction.shaped {
            self.layout.settled();
        }
        self.known = known;
        if let Some(fence) = &mut self.fence {
            fence.commit_no += 1;
        }
        match refused {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut self.report)),
        }
    }

    /// Encodes a batch into the COPY under way, or into a new one.
    async fn load(&mut self, batch: Batch) -> Result<()> {
        let batch = self.request.leave_nulls(batch);
        let batch = match &self.layout.overflow {
            Some(overflow) => batch.fold(&overflow.fold)?,
            None => batch,
        };
        // Beyond its key, what names a row says nothing.
        let unset = match self.layout.names_only {
            true => Unset::default(),
            false => Unset::of(&batch, self.layout.rest()),
        };
        let mut transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => self.begin().await?,
        };
        if transaction.load.is_some() {
            self.adapt(&mut transaction, &unset).await?;
        } else {
            self.start_rows(&mut transaction, &unset).await?;
        }
        let known = match batch.may_hold_nul() {
            true => Text::Unchecked,
            false => Text::WithoutNul,
        };
        for record in batch.records() {
            self.take(&mut transaction, &record, known)?;
            if let Some(load) = &mut transaction.load {
                load.flush().await?;
            }
        }
        if self.rejections.are_many()
            && let Some(load) = transaction.load.take()
        {
            // The session cannot do two things at once: end the COPY, store, and start another.
            load.finish().await?;
            self.rejections.store(transaction.session.client()?).await?;
            transaction.start_load(&self.layout).await?;
        }
        self.transaction = Some(transaction);
        Ok(())
    }

    /// Makes sure that nobody has changed the table that rows go into; one that was just made is nobody else's yet.
    async fn hold_table(&self, transaction: &Transaction) -> Result<()> {
        match &self.known {
            Some(known) if self.overwritten.is_none() && self.sweep.is_none() && !transaction.shaped => {
                known
                    .hold(transaction.session.client()?, &self.layout.table)
                    .await
            }
            _ => Ok(()),
        }
    }

    /// Says of a failure that it comes of a takeover, if it does.
    async fn explained<T>(&self, result: Result<T>) -> Result<T> {
        match (result, &self.fence) {
            (Err(error), Some(fence)) => Err(fence::explain(&self.postgres, fence, error).await),
            (result, _) => result,
        }
    }

    /// Encodes one record into the COPY, or rejects it.
    fn take(&mut self, transaction: &mut Transaction, record: &Record<'_>, known: Text) -> Result<()> {
        let Some(load) = &mut transaction.load else {
            return Err(Error::new(ErrorKind::Bug, "a transaction lost its COPY"));
        };
        let deleted = record.op() == Op::Delete;
        if deleted && (self.request.deletes == Deletes::Ignore || self.sweep.is_some()) {
            // Of what is gone, a sweep names nothing.
            self.report.counts.unchanged += 1;
            return Ok(());
        }
        let key = || Key::from_values(self.layout.key.iter().map(|&position| record.value(position)));
        let taken = if deleted && self.request.mode == WriteMode::Insert {
            let message = "a write in the mode insert deletes nothing";
            Err(Rejection::new(
                record.sequence(),
                record.source_key(),
                "delete_refused",
                message,
            ))
        } else if deleted && transaction.path == Path::New {
            let mut row = BytesMut::new();
            let shape = Shape {
                staged: true,
                ..Shape::direct()
            };
            encode_row(record, &self.layout, &shape, known, &mut row)
                .map(|_| drop(transaction.direct_deletes.insert(key(), row)))
        } else {
            load.push(record, &self.layout, &transaction.shape, known)
                .map(|digest| transaction.keys.add(digest))
        };
        match taken {
            Ok(()) if deleted => transaction.deletes += 1,
            Ok(()) => {
                transaction.rows += 1;
                if !transaction.direct_deletes.is_empty() {
                    transaction.direct_deletes.remove(&key());
                }
            }
            Err(rejection) => self
                .rejections
                .add_record(record, &self.layout, rejection, &mut self.report),
        }
        Ok(())
    }
}

#[async_trait]
impl Writer for TableWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        let written = self.load(batch).await;
        self.explained(written).await
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        for rejection in rejected {
            self.rejections.add(rejection, None, &mut self.report);
        }
        Ok(())
    }

    async fn commit(&mut self, checkpoint: Option<&State>) -> Result<CommitReport> {
        let committed = self.conclude(checkpoint, false).await;
        self.explained(committed).await
    }

    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        let finished = self.conclude(checkpoint, true).await;
        self.explained(finished).await
    }
}

//! Writers of a program's own type.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use crate::batch::{BatchBuilder, Op};
use crate::destination::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::report::CommitReport;
use crate::schema::Schema;

/// The most bytes of a batch, where nothing else is said: as many as a read cuts.
const BATCH_BYTES: usize = 1 << 20;

/// Ways to write, for every [`Writer`] and for one in a box.
pub trait WriterExt: Sized {
    /// The writer in a box.
    fn into_box(self) -> Box<dyn Writer>;

    /// Writes a program's own type as records of `schema`, which is that of the write's request.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use connector_core::{CommitReport, Destination, Result, WriteRequest, WriterExt};
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Score {
    ///     #[serde(rename = "Id")]
    ///     id: String,
    ///     #[serde(rename = "LeadScore__c")]
    ///     score: Option<f64>,
    /// }
    ///
    /// async fn store(to: &dyn Destination, request: WriteRequest, scores: &[Score]) -> Result<CommitReport> {
    ///     let schema = Arc::clone(&request.schema);
    ///     let mut writer = to.writer(request).await?.typed::<Score>(schema);
    ///     for score in scores {
    ///         writer.write(score).await?;
    ///     }
    ///     writer.finish().await
    /// }
    /// ```
    fn typed<T>(self, schema: Arc<Schema>) -> TypedWriter<T> {
        TypedWriter {
            writer: self.into_box(),
            builder: BatchBuilder::new(schema, 0),
            batch_bytes: BATCH_BYTES,
            spent: false,
            taken: PhantomData,
        }
    }
}

impl<W: Writer + 'static> WriterExt for W {
    fn into_box(self) -> Box<dyn Writer> {
        Box::new(self)
    }
}

impl WriterExt for Box<dyn Writer> {
    fn into_box(self) -> Self {
        self
    }
}

/// A writer of a program's own type, which puts records together in batches.
///
/// Dropping it abandons what was not committed. After an error of the writer beneath, or a call that was dropped before
/// it returned, it is spent: every further call fails, so that no record is lost in silence.
pub struct TypedWriter<T> {
    writer: Box<dyn Writer>,
    builder: BatchBuilder,
    batch_bytes: usize,
    spent: bool,
    taken: PhantomData<fn(&T)>,
}

impl<T> TypedWriter<T> {
    /// The same with batches of another size; one mebibyte where nothing is said.
    #[must_use]
    pub fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Makes everything so far durable, and reports the fate of every record since the last commit.
    ///
    /// # Errors
    /// What the writer beneath says; the writer is spent.
    pub async fn commit(&mut self) -> Result<CommitReport> {
        self.flush().await?;
        self.spent = true;
        let report = self.writer.commit(None).await?;
        self.spent = false;
        Ok(report)
    }

    /// The last commit; publishes what an overwrite has built.
    ///
    /// # Errors
    /// What the writer beneath says.
    pub async fn finish(mut self) -> Result<CommitReport> {
        self.flush().await?;
        self.writer.finish(None).await
    }

    /// Hands over what has been put together.
    async fn flush(&mut self) -> Result<()> {
        self.check()?;
        if self.builder.is_empty() {
            return Ok(());
        }
        self.spent = true;
        self.writer.write(self.builder.finish()).await?;
        self.spent = false;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        if self.spent {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "the writer is spent: an earlier call failed, or was dropped before it returned",
            ));
        }
        Ok(())
    }
}

impl<T: Serialize + Sync> TypedWriter<T> {
    /// Takes a record, as [`BatchBuilder::push_typed`] makes it; a batch that is full is handed over.
    ///
    /// # Errors
    /// What `push_typed` says of a record that does not fit: it is not written, and the next one may be. What the
    /// writer beneath says: then the writer is spent.
    pub async fn write(&mut self, record: &T) -> Result<()> {
        self.push(record, Op::Put).await
    }

    /// Takes the removal of a record, of which only the key counts.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub async fn delete(&mut self, record: &T) -> Result<()> {
        self.push(record, Op::Delete).await
    }

    async fn push(&mut self, record: &T, op: Op) -> Result<()> {
        self.check()?;
        self.builder.push_typed(record, op)?;
        if self.builder.is_full(self.batch_bytes) {
            self.flush().await?;
        }
        Ok(())
    }
}

impl<T> fmt::Debug for TypedWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedWriter")
            .field("records", &self.builder.len())
            .field("spent", &self.spent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use futures::FutureExt;

    use super::*;
    use crate::batch::Batch;
    use crate::report::Rejection;
    use crate::schema::{DataType, Field};
    use crate::state::State;

    #[derive(Clone, Default)]
    struct Recorded {
        calls: Arc<Mutex<Vec<String>>>,
        broken: bool,
    }

    impl Recorded {
        fn note(&self, call: String) {
            self.calls.lock().unwrap().push(call);
        }
    }

    #[async_trait]
    impl Writer for Recorded {
        async fn write(&mut self, batch: Batch) -> Result<()> {
            if self.broken {
                std::future::pending::<()>().await;
            }
            let sequences: Vec<u64> = batch.records().map(|record| record.sequence()).collect();
            self.note(format!("write {sequences:?}"));
            Ok(())
        }

        async fn reject(&mut self, _: Vec<Rejection>) -> Result<()> {
            Ok(())
        }

        async fn commit(&mut self, _: Option<&State>) -> Result<CommitReport> {
            self.note("commit".to_owned());
            Ok(CommitReport::default())
        }

        async fn finish(self: Box<Self>, _: Option<&State>) -> Result<CommitReport> {
            self.note("finish".to_owned());
            Ok(CommitReport::default())
        }
    }

    #[derive(Serialize)]
    struct Score<'a> {
        id: &'a str,
        score: i32,
    }

    fn schema() -> Arc<Schema> {
        let fields = vec![
            Field::new("id", DataType::TEXT),
            Field::new("score", DataType::Int16),
        ];
        Arc::new(Schema::new(fields, ["id"]).unwrap())
    }

    #[test]
    fn records_are_put_together_and_a_broken_one_is_passed() {
        let recorded = Recorded::default();
        let mut writer = recorded.clone().typed::<Score<'_>>(schema()).with_batch_bytes(80);
        let id = "a";
        for score in [1, 40_000, 2, 3] {
            let written = writer.write(&Score { id, score }).now_or_never().unwrap();
            assert_eq!(written.is_err(), score == 40_000);
        }
        writer.commit().now_or_never().unwrap().unwrap();
        writer
            .delete(&Score { id, score: 4 })
            .now_or_never()
            .unwrap()
            .unwrap();
        writer.finish().now_or_never().unwrap().unwrap();
        assert_eq!(
            *recorded.calls.lock().unwrap(),
            ["write [0, 2]", "write [3]", "commit", "write [4]", "finish"]
        );
    }

    #[test]
    fn a_call_that_was_dropped_spends_the_writer() {
        fn sent<T: Send>(value: T) -> T {
            value
        }
        let broken = Recorded {
            broken: true,
            ..Recorded::default()
        };
        let boxed: Box<dyn Writer> = Box::new(broken);
        let mut writer = boxed.typed::<Score<'_>>(schema()).with_batch_bytes(0);
        let score = Score { id: "a", score: 1 };
        assert!(sent(writer.write(&score)).now_or_never().is_none());
        let error = sent(writer.commit()).now_or_never().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(sent(writer.finish()).now_or_never().unwrap().is_err());
    }
}

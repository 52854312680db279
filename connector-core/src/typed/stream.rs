//! Readers as streams.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{BoxStream, Stream, StreamExt, try_unfold};
use serde::de::DeserializeOwned;

use crate::batch::{Batch, Op, Record};
use crate::error::{Error, ErrorKind, Result};
use crate::report::Rejection;
use crate::source::{Event, Reader};
use crate::state::State;

/// Ways to read on, for every [`Reader`] and for one in a box.
pub trait ReaderExt: Sized {
    /// The reader in a box.
    fn into_box(self) -> Box<dyn Reader>;

    /// The events as a stream, which ends after an error. Nothing is acknowledged to the source.
    fn into_stream(self) -> impl Stream<Item = Result<Event>> + Send + Unpin + 'static {
        events(self.into_box())
    }

    /// The records as a stream of a program's own type, as [`Record::deserialize`] makes it.
    ///
    /// ```
    /// use connector_core::{ReadRequest, ReaderExt, Result, Source};
    /// use futures::TryStreamExt;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Lead {
    ///     #[serde(rename = "Id")]
    ///     id: String,
    ///     #[serde(rename = "Email")]
    ///     email: Option<String>,
    /// }
    ///
    /// async fn without_email(source: &dyn Source, request: ReadRequest) -> Result<Vec<String>> {
    ///     let mut leads = source.reader(request).await?.typed::<Lead>();
    ///     let mut ids = Vec::new();
    ///     while let Some(lead) = leads.try_next().await? {
    ///         if lead.email.is_none() {
    ///             ids.push(lead.id);
    ///         }
    ///     }
    ///     Ok(ids)
    /// }
    /// ```
    fn typed<T: DeserializeOwned>(self) -> Typed<T> {
        Typed {
            events: events(self.into_box()),
            records: None,
            rejected: Vec::new().into_iter(),
            state: None,
            made: PhantomData,
        }
    }
}

impl<R: Reader + 'static> ReaderExt for R {
    fn into_box(self) -> Box<dyn Reader> {
        Box::new(self)
    }
}

impl ReaderExt for Box<dyn Reader> {
    fn into_box(self) -> Self {
        self
    }
}

fn events(reader: Box<dyn Reader>) -> BoxStream<'static, Result<Event>> {
    try_unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Ok(event.map(|event| (event, reader)))
    })
    .boxed()
}

/// A reader's records as a stream of a program's own type.
///
/// - A record that the source rejected, and one that does not become a `T`, is an `Err` that names its key and the
///   reason; the stream goes on with the next record.
/// - Records that are gone ([`Op::Delete`]) are left out: they have no values to make a `T` of. Where they matter, read
///   [`Event`]s.
/// - Records that are unchanged are counted by the source, and are not there to be made into a `T`.
/// - After an error of the reader itself the stream ends.
///
/// Nothing is acknowledged to the source.
pub struct Typed<T> {
    events: BoxStream<'static, Result<Event>>,
    /// The batch being handed out, and the next record of it.
    records: Option<(Batch, usize)>,
    rejected: std::vec::IntoIter<Rejection>,
    state: Option<State>,
    made: PhantomData<fn() -> T>,
}

impl<T> Typed<T> {
    /// The last checkpoint that was passed: it covers only records that were handed out, so that reading on from it
    /// may repeat records, and never skips one.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }
}

impl<T: DeserializeOwned> Typed<T> {
    /// The next record of the current batch.
    fn next_record(&mut self) -> Option<Result<T>> {
        let (batch, next) = self.records.as_mut()?;
        while let Some(record) = batch.get(*next) {
            *next += 1;
            if record.op() == Op::Put {
                let made = record.deserialize();
                return Some(made.map_err(|error| error.with_context("record", name_of(&record))));
            }
        }
        self.records = None;
        None
    }
}

/// What a record is called in an error.
fn name_of(record: &Record<'_>) -> String {
    record.source_key().map_or_else(
        || format!("number {}", record.sequence()),
        |key| key.as_str().to_owned(),
    )
}

fn refusal(rejection: &Rejection) -> Error {
    let Rejection {
        sequence,
        key,
        code,
        message,
        ..
    } = rejection;
    let message = match key {
        Some(key) => format!("the record `{key}` was rejected: {message}"),
        None => format!("the record number {sequence} was rejected: {message}"),
    };
    Error::new(ErrorKind::Data, message).with_context("code", code)
}

impl<T: DeserializeOwned> Stream for Typed<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = &mut *self;
        loop {
            if let Some(record) = this.next_record() {
                return Poll::Ready(Some(record));
            }
            if let Some(rejection) = this.rejected.next() {
                return Poll::Ready(Some(Err(refusal(&rejection))));
            }
            match ready!(this.events.poll_next_unpin(context)) {
                Some(Ok(Event::Records(batch))) => this.records = Some((batch, 0)),
                Some(Ok(Event::Rejected(rejected))) => this.rejected = rejected.into_iter(),
                Some(Ok(Event::Checkpoint { state, .. })) => this.state = Some(state),
                Some(Ok(Event::Unchanged(_))) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;

    use async_trait::async_trait;
    use futures::FutureExt;

    use super::*;
    use crate::batch::BatchBuilder;
    use crate::connector::Identity;
    use crate::key::Key;
    use crate::schema::{DataType, Field, Schema};

    struct Scripted(VecDeque<Result<Event>>);

    #[async_trait]
    impl Reader for Scripted {
        async fn next(&mut self) -> Result<Option<Event>> {
            self.0.pop_front().transpose()
        }
    }

    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Lead {
        id: String,
        score: u8,
    }

    fn script() -> Scripted {
        let fields = vec![
            Field::new("id", DataType::TEXT),
            Field::new("score", DataType::Int32),
        ];
        let mut builder = BatchBuilder::new(Arc::new(Schema::new(fields, ["id"]).unwrap()), 0);
        for (json, op) in [
            (r#"{"id":"a","score":1}"#, Op::Put),
            (r#"{"id":"b","score":256}"#, Op::Put),
            (r#"{"id":"c"}"#, Op::Delete),
            (r#"{"id":"d","score":4}"#, Op::Put),
        ] {
            builder.push_json_record(json, op).unwrap();
        }
        let rejection = Rejection::new(9, Some(Key::new("e")), "BAD", "too long");
        let state = State::new(Identity::new("crm", "here"), "leads", 1, &7).unwrap();
        Scripted(VecDeque::from([
            Ok(Event::Records(builder.finish())),
            Ok(Event::Unchanged(3)),
            Ok(Event::Rejected(vec![rejection])),
            Ok(Event::Checkpoint { state, urgent: false }),
            Err(Error::new(ErrorKind::Unavailable, "gone")),
            Ok(Event::Unchanged(1)),
        ]))
    }

    #[test]
    fn broken_records_are_passed_and_a_broken_reader_ends_the_stream() {
        let mut leads = script().typed::<Lead>();
        let mut found = Vec::new();
        while let Some(lead) = leads.next().now_or_never().unwrap() {
            found.push(match lead {
                Ok(lead) => format!("{} {}", lead.id, lead.score),
                Err(error) => error.report().to_string(),
            });
        }
        assert_eq!(
            found,
            [
                "a 1",
                "the field `score` should be u8, found another integer\n  record: b",
                "d 4",
                "the record `e` was rejected: too long\n  code: BAD",
                "gone",
            ]
        );
        assert!(leads.state().is_some());
        assert!(leads.next().now_or_never().unwrap().is_none());
    }

    #[test]
    fn a_reader_in_a_box_is_a_stream_that_can_be_sent() {
        fn sent<T: Send>(value: T) -> T {
            value
        }
        let boxed: Box<dyn Reader> = Box::new(script());
        let events = sent(boxed.into_stream());
        let kinds: Vec<bool> = events
            .map(|event| event.is_ok())
            .collect()
            .now_or_never()
            .unwrap();
        assert_eq!(kinds, [true, true, true, true, false]);
        sent(script().typed::<Lead>());
    }
}

//! The rows of one read, by one or several sessions that see the same moment.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use connector_core::{
    BatchBuilder, Connector, Error, ErrorKind, Event, Filter, Identity, Op, ReadRequest, Reader, Result,
};

use super::course::{Chunks, Course};
use super::decoder::RowDecoder;
use super::lane::{Lane, Work};
use super::progress::{Of, Point, Progress, Within, key_list, key_texts};
use super::reading::{Reading, Way};
use super::since::{New, Since};
use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::copy::Raw;
use crate::error::failed;

/// What every session begins with. Nothing that is read can write.
const AS_OF_ONE_MOMENT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Reads rows as of one moment.
pub(crate) struct RowReader {
    reading: Arc<Reading>,
    course: Course,
    marks: Marks,
    lanes: Vec<Lane>,
    /// The lane that is looked at first: each in its turn.
    turn: usize,
    decoder: RowDecoder,
    batch_bytes: usize,
    /// What is to be emitted.
    out: VecDeque<Event>,
    /// Every row was read; the transactions are still open.
    read: bool,
    ended: bool,
}

/// How states are made of how far a read has come.
struct Marks {
    identity: Identity,
    filter: Option<Filter>,
    of: Option<Mark>,
}

/// Whose progress it is.
enum Mark {
    Full,
    Changes {
        cursor: Option<String>,
        since: Option<Since>,
        then: Since,
    },
}

impl Marks {
    /// The checkpoint after everything up to a point, or after everything; `None` where there is no progress to
    /// remember.
    fn checkpoint(&self, after: Option<Point>, reading: &Reading) -> Result<Option<Event>> {
        let of = match &self.of {
            None => return Ok(None),
            Some(Mark::Full) => Of::Full { after },
            Some(Mark::Changes { cursor, since, then }) => Of::Changes {
                cursor: cursor.clone(),
                within: after.map(|after| Within {
                    since: since.clone(),
                    after,
                }),
                then: then.clone(),
            },
        };
        let state = Progress::new(self.filter.as_ref(), of).state(&self.identity, &reading.relation)?;
        Ok(Some(Event::Checkpoint { state, urgent: false }))
    }
}

impl RowReader {
    pub(crate) async fn open(postgres: &Postgres, request: &ReadRequest) -> Result<Self> {
        let identity = postgres.identity().await?;
        let session = postgres.streaming_session().await?;
        let client = session.client()?;
        client
            .batch_execute(&format!("{}; {AS_OF_ONE_MOMENT}", session.begin()?))
            .await
            .map_err(|error| failed("begin to read", error))?;
        let (reading, way) = Reading::of(client, postgres, request).await?;
        let filter = request.filter.clone();
        let opened = match &request.state {
            Some(state) => {
                let progress = Progress::open(state, &identity, &reading.relation)?;
                progress.read_with(filter.as_ref())
            }
            None => None,
        };
        let (course, of) = match way {
            Way::Keys(keys) => (Course::Keys(keys), None),
            Way::Full => {
                let after = match opened {
                    Some(Of::Full { after }) => after,
                    _ => None,
                };
                let course = everything(client, postgres, &reading, after).await?;
                (course, reading.resumes().then_some(Mark::Full))
            }
            Way::Changes(advance) => {
                let cursor = request.cursor.clone();
                if let Some(of) = &opened {
                    of.check_cursor(cursor.as_deref())?;
                }
                let seen = advance.look(client, &reading.relation).await?;
                let (since, after, then) = match opened {
                    Some(Of::Changes {
                        within: Some(within),
                        then,
                        ..
                    }) if within.after.is_of(&reading.relation) => (within.since, Some(within.after), then),
                    Some(Of::Changes {
                        within: Some(within), ..
                    }) => (within.since, None, seen.since.clone()),
                    Some(Of::Changes { then, .. }) => (Some(then), None, seen.since.clone()),
                    _ => (None, None, seen.since.clone()),
                };
                let new = match &since {
                    Some(since) => advance.new_to(since, &seen)?,
                    None => New::All,
                };
                let course = match new {
                    New::All => everything(client, postgres, &reading, after).await?,
                    New::Where(new) => ordered(&reading, new, after),
                    New::Nothing => Course::Once(None),
                };
                (course, Some(Mark::Changes { cursor, since, then }))
            }
        };
        let mut sessions = vec![session];
        if matches!(&course, Course::Chunks(chunks) if chunks.are_many()) {
            join(postgres, &mut sessions).await?;
        }
        let builder = BatchBuilder::new(Arc::clone(&reading.shape.wide), 0);
        Ok(Self {
            decoder: RowDecoder::new(
                reading.columns.clone(),
                builder.with_max_records(request.batch_records),
            ),
            reading: Arc::new(reading),
            course,
            marks: Marks { identity, filter, of },
            lanes: sessions.into_iter().map(Lane::new).collect(),
            turn: 0,
            batch_bytes: request.batch_bytes,
            out: VecDeque::new(),
            read: false,
            ended: false,
        })
    }

    /// Moves what has come together to what is to be emitted.
    fn flush(&mut self) {
        while let Some(event) = self.decoder.finish() {
            self.out.push_back(self.reading.shape.narrow(event));
        }
    }

    /// Emits what has come together, then a checkpoint.
    fn mark(&mut self, after: Option<Point>) -> Result<()> {
        self.flush();
        self.out.extend(self.marks.checkpoint(after, &self.reading)?);
        Ok(())
    }

    /// Reads until there is something to emit, or nothing more to read.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.turn += 1;
        loop {
            let mut others_may_go = false;
            for i in 0..self.lanes.len() {
                let lane = (self.turn + i) % self.lanes.len();
                match self.poll_lane(lane, context)? {
                    Moved::Emits => return Poll::Ready(Ok(())),
                    Moved::LooksNoMore => others_may_go = true,
                    Moved::Waits => {}
                }
            }
            if self.lanes.iter().all(Lane::is_idle) && self.course.is_over() {
                self.read = true;
                return Poll::Ready(Ok(()));
            }
            if !others_may_go {
                return Poll::Pending;
            }
        }
    }

    /// Takes one session as far as it goes.
    fn poll_lane(&mut self, lane: usize, context: &mut Context<'_>) -> Result<Moved> {
        let mut moved = Moved::Waits;
        loop {
            let Self {
                reading,
                course,
                decoder,
                lanes,
                batch_bytes,
                ..
            } = self;
            let lane = &mut lanes[lane];
            match &mut lane.work {
                Work::Idle => match course.next(reading)? {
                    Some(next) => lane.begin(next, reading),
                    None => return Ok(moved),
                },
                Work::Looking(looking) => match looking.as_mut().poll(context)? {
                    Poll::Pending => return Ok(moved),
                    Poll::Ready(bound) => {
                        course.found(bound);
                        lane.work = Work::Idle;
                        moved = Moved::LooksNoMore;
                    }
                },
                Work::Opening { opening, number } => match opening.as_mut().poll(context)? {
                    Poll::Pending => return Ok(moved),
                    Poll::Ready(rows) => {
                        lane.work = Work::Reading {
                            rows,
                            number: *number,
                        };
                    }
                },
                Work::Reading { rows, number } => match rows.poll_row(context, &reading.relation)? {
                    Poll::Pending => return Ok(moved),
                    Poll::Ready(true) => {
                        let behind = course.behind(reading);
                        if rows.width() != decoder.width() + behind {
                            return Err(Error::new(
                                ErrorKind::Bug,
                                "a row has more cells than were asked for",
                            ));
                        }
                        decoder.push_cells(Op::Put, |position| Ok(Some(Raw(rows.cell(position)))))?;
                        if decoder.is_full(*batch_bytes) {
                            let point = (behind > 0)
                                .then(|| {
                                    point(reading, (decoder.width()..rows.width()).map(|i| rows.cell(i)))
                                })
                                .transpose()?;
                            match point {
                                Some(point) => self.mark(Some(point))?,
                                None => self.flush(),
                            }
                            return Ok(Moved::Emits);
                        }
                    }
                    Poll::Ready(false) => {
                        let number = *number;
                        lane.work = Work::Idle;
                        if let Some(point) = course.ended(number) {
                            self.mark(Some(point))?;
                            return Ok(Moved::Emits);
                        }
                    }
                },
            }
        }
    }

    /// Ends the transactions, and hands the sessions back.
    async fn close(&mut self) -> Result<()> {
        while let Some(lane) = self.lanes.last_mut() {
            // Where this is repeated, the transaction has ended already, which is a warning.
            lane.session
                .client()?
                .batch_execute("COMMIT")
                .await
                .map_err(|error| failed("end the read", error))?;
            if let Some(session) = Arc::get_mut(&mut lane.session) {
                session.release();
            }
            self.lanes.pop();
        }
        Ok(())
    }
}

/// What became of a session that was looked at.
enum Moved {
    /// It waits for the server, or has nothing to do.
    Waits,
    /// The same, but what others wait for is found.
    LooksNoMore,
    /// There is something to emit.
    Emits,
}

#[async_trait]
impl Reader for RowReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.out.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            if self.read {
                self.close().await?;
                self.ended = true;
                self.mark(None)?;
            } else {
                poll_fn(|context| self.poll(context)).await?;
            }
        }
    }
}

/// The way through everything beyond a point, or through everything.
async fn everything(
    client: &tokio_postgres::Client,
    postgres: &Postgres,
    reading: &Reading,
    after: Option<Point>,
) -> Result<Course> {
    if !reading.resumes() {
        return Ok(Course::Once(Some(reading.select(&[], []))));
    }
    let after = after.filter(|after| after.is_of(&reading.relation));
    if after.is_none() && reading.relation.scattered {
        return Ok(Course::Once(Some(reading.select(&[], []))));
    }
    Chunks::begin(client, &reading.relation, after, postgres.read_chunk())
        .await
        .map(Course::Chunks)
}

/// The way through what a condition finds, in the order of the key where there is one.
fn ordered(reading: &Reading, new: String, after: Option<Point>) -> Course {
    let relation = &reading.relation;
    if !reading.resumes() {
        return Course::Once(Some(reading.select(&[], [new])));
    }
    let beyond = after.map(|after| after.condition(">", relation));
    let select = reading.select(&key_texts(relation), [new].into_iter().chain(beyond));
    Course::Ordered(Some(format!("{select} ORDER BY {}", key_list(relation))))
}

/// The key of a row, of which these are the texts.
fn point<'a>(reading: &Reading, texts: impl Iterator<Item = Option<&'a [u8]>>) -> Result<Point> {
    let texts = texts
        .map(|text| {
            text.and_then(|text| std::str::from_utf8(text).ok())
                .map(str::to_owned)
        })
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| Error::new(ErrorKind::Data, "a key of the table is null, or no text"))?;
    Ok(Point::new(&reading.relation, texts))
}

/// Adds sessions that see what the first one sees.
async fn join(postgres: &Postgres, sessions: &mut Vec<Guarded>) -> Result<()> {
    let doing = "read by several sessions at once";
    let Some(first) = sessions.first() else {
        return Ok(());
    };
    if postgres.read_sessions() == 1 {
        return Ok(());
    }
    let snapshot: String = first
        .client()?
        .query_one("SELECT pg_export_snapshot()", &[])
        .await
        .map_err(|error| failed(doing, error))?
        .get(0);
    while sessions.len() < postgres.read_sessions() {
        let session = postgres.streaming_session().await?;
        let begin = format!(
            "{}; {AS_OF_ONE_MOMENT}; SET TRANSACTION SNAPSHOT {}",
            session.begin()?,
            crate::ident::Literal(&snapshot)
        );
        session
            .client()?
            .batch_execute(&begin)
            .await
            .map_err(|error| failed(doing, error))?;
        sessions.push(session);
    }
    Ok(())
}

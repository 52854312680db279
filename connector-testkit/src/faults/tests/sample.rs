//! A connector in every role that lists what it has carried out, and does nothing else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{
    Batch, BatchBuilder, Capabilities, CheckReport, Claim, CommitReport, Connector, Counts, DataType,
    Destination, Error, ErrorKind, Event, Fate, Fence, Field, Holder, Identity, Intent, Journal, Key, Op,
    ReadCapabilities, ReadPlan, ReadRequest, Reader, Rejection, Rest, Result, Schema, Selection, Source,
    Standing, State, StateStore, Statements, StepReport, StreamSpec, StreamSummary, Target, TaskId, Ticket,
    Value, WriteMode, WritePlan, WriteRequest, Writer,
};

/// Three records in two batches, each with its checkpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    log: Arc<Mutex<Vec<&'static str>>>,
    prints: bool,
}

impl Sample {
    /// One that says on standard output too what it has carried out: for a test that looks on from outside.
    pub(super) fn printing() -> Self {
        Self {
            prints: true,
            ..Self::default()
        }
    }

    /// What was carried out, in order.
    pub(super) fn applied(&self) -> Vec<&'static str> {
        self.log.lock().unwrap().clone()
    }

    fn apply(&self, what: &'static str) {
        if self.prints {
            println!("applied: {what}");
        }
        self.log.lock().unwrap().push(what);
    }
}

pub(super) fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![Field::new("Id", DataType::TEXT).not_null()], ["Id"]).unwrap())
}

pub(super) fn batch(ids: &[&str]) -> Batch {
    let mut builder = BatchBuilder::new(schema(), 0);
    for id in ids {
        builder.push(Value::Text(id));
        builder.end_record(Op::Put);
    }
    builder.finish()
}

pub(super) fn state(position: u32) -> State {
    State::new(Identity::new("sample", 1), "Lead", 1, &position).unwrap()
}

pub(super) fn fence() -> Fence {
    Fence {
        task: TaskId::new("job", "Lead"),
        epoch: 1,
        commit_no: 0,
    }
}

pub(super) fn target() -> Target {
    Target {
        identity: Identity::new("sample", 1),
        object: "Lead".to_owned(),
    }
}

pub(super) fn read_request() -> ReadRequest {
    ReadRequest::new(Selection::stream("Lead"), TaskId::new("job", "Lead"))
}

pub(super) fn write_request() -> WriteRequest {
    let task = TaskId::new("job", "Lead");
    WriteRequest::new("Lead".into(), schema(), WriteMode::Insert, task)
}

#[async_trait]
impl Connector for Sample {
    fn name(&self) -> &'static str {
        "sample"
    }

    async fn identity(&self) -> Result<Identity> {
        self.apply("identity");
        Ok(Identity::new("sample", 1))
    }

    async fn check(&self) -> Result<CheckReport> {
        self.apply("check");
        Ok(CheckReport::new())
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        self.apply("streams");
        Ok(vec![StreamSummary::new("Lead".into())])
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        if *what == Selection::stream("Nothing") {
            return Err(Error::new(ErrorKind::NotFound, "no stream `Nothing`"));
        }
        self.apply("describe");
        Ok(StreamSpec::new(what.clone(), schema()))
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        Some(self)
    }

    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        Some(Arc::new(self.clone()))
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        Some(Arc::new(self.clone()))
    }

    fn statements(&self) -> Option<&dyn Statements> {
        Some(self)
    }
}

#[async_trait]
impl Source for Sample {
    fn read_capabilities(&self) -> ReadCapabilities {
        ReadCapabilities::new().with_keys()
    }

    async fn plan_read(&self, _: &ReadRequest) -> Result<ReadPlan> {
        self.apply("plan read");
        Ok(ReadPlan::new("reads"))
    }

    async fn reader(&self, _: ReadRequest) -> Result<Box<dyn Reader>> {
        self.apply("open reader");
        let checkpoint = |position, urgent| Event::Checkpoint {
            state: state(position),
            urgent,
        };
        let events = [
            Event::Records(batch(&["a", "b"])),
            checkpoint(1, true),
            Event::Records(batch(&["c"])),
            checkpoint(2, false),
        ];
        Ok(Box::new(SampleReader(self.clone(), events.into())))
    }
}

struct SampleReader(Sample, VecDeque<Event>);

#[async_trait]
impl Reader for SampleReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        self.0.apply("next");
        Ok(self.1.pop_front())
    }

    async fn acknowledge(&mut self, _: &State) -> Result<()> {
        self.0.apply("acknowledge");
        Ok(())
    }
}

#[async_trait]
impl Destination for Sample {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(vec![WriteMode::Insert]).journalled()
    }

    async fn plan_write(&self, _: &WriteRequest) -> Result<WritePlan> {
        self.apply("plan write");
        Ok(WritePlan::new("writes"))
    }

    async fn writer(&self, _: WriteRequest) -> Result<Box<dyn Writer>> {
        self.apply("open writer");
        Ok(Box::new(SampleWriter(self.clone())))
    }
}

struct SampleWriter(Sample);

#[async_trait]
impl Writer for SampleWriter {
    async fn write(&mut self, _: Batch) -> Result<()> {
        self.0.apply("write");
        Ok(())
    }

    async fn reject(&mut self, _: Vec<Rejection>) -> Result<()> {
        self.0.apply("reject");
        Ok(())
    }

    async fn commit(&mut self, _: Option<&State>) -> Result<CommitReport> {
        self.0.apply("commit");
        Ok(CommitReport::default())
    }

    async fn finish(self: Box<Self>, _: Option<&State>) -> Result<CommitReport> {
        self.0.apply("finish");
        Ok(CommitReport::default())
    }
}

#[async_trait]
impl StateStore for Sample {
    async fn claim(&self, _: &TaskId, _: &Holder) -> Result<Claim> {
        self.apply("claim");
        Ok(Claim::new(fence(), None, Vec::new()))
    }

    async fn save(&self, _: &Fence, _: &State) -> Result<()> {
        self.apply("save");
        Ok(())
    }
}

#[async_trait]
impl Journal for Sample {
    async fn intend(&self, _: &Fence, _: &Target, _: &Intent<'_>) -> Result<()> {
        self.apply("intend");
        Ok(())
    }

    async fn settle(&self, _: &Fence, _: &Target, _: &[Fate]) -> Result<()> {
        self.apply("settle");
        Ok(())
    }

    async fn close(&self, _: &Fence, _: &Target, _: &Ticket, _: Rest) -> Result<Counts> {
        self.apply("close");
        Ok(Counts::default())
    }

    async fn standings(&self, _: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        self.apply("standings");
        Ok(vec![None; keys.len()])
    }
}

#[async_trait]
impl Statements for Sample {
    async fn execute(&self, _: &str) -> Result<StepReport> {
        self.apply("execute");
        Ok(StepReport::new(1))
    }
}

/// A connector in no role.
#[derive(Debug)]
pub(super) struct Bare;

#[async_trait]
impl Connector for Bare {
    fn name(&self) -> &'static str {
        "bare"
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(Identity::new("bare", 1))
    }

    async fn check(&self) -> Result<CheckReport> {
        Ok(CheckReport::new())
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        Ok(Vec::new())
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        Ok(StreamSpec::new(what.clone(), schema()))
    }
}

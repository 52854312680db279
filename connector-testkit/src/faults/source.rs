//! The source's calls, and its readers'.

use async_trait::async_trait;
use connector_core::{
    Connector, Error, ErrorKind, Event, ReadCapabilities, ReadPlan, ReadRequest, Reader, Result, Source,
    State,
};

use super::connector::Faulty;
use super::operation::Operation;
use super::passage::Gate;

#[async_trait]
impl<C: Connector + ?Sized> Source for Faulty<C> {
    fn read_capabilities(&self) -> ReadCapabilities {
        self.inner
            .as_source()
            .map_or_else(ReadCapabilities::new, Source::read_capabilities)
    }

    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan> {
        let source = self.inner.as_source().ok_or_else(|| self.lacks("source"))?;
        let stream = request.selection.to_string();
        self.gate
            .pass(Operation::PlanRead, stream, source.plan_read(request))
            .await
    }

    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let source = self.inner.as_source().ok_or_else(|| self.lacks("source"))?;
        let stream = request.selection.to_string();
        let inner = self
            .gate
            .pass(Operation::OpenReader, &*stream, source.reader(request))
            .await?;
        Ok(Box::new(FaultyReader {
            inner,
            gate: self.gate.clone(),
            stream,
            held: None,
            spent: false,
        }))
    }
}

struct FaultyReader {
    inner: Box<dyn Reader>,
    gate: Gate,
    stream: String,
    /// What the inner reader has given away already, while the call that asked for it waits: a call that is dropped
    /// there loses nothing.
    held: Option<Result<Option<Event>>>,
    spent: bool,
}

impl FaultyReader {
    fn unspent(&self) -> Result<()> {
        if self.spent {
            let message = format!("the reader of `{}` was used after its error", self.stream);
            return Err(Error::new(ErrorKind::Bug, message));
        }
        Ok(())
    }

    fn spend_on_error<T>(&mut self, answer: Result<T>) -> Result<T> {
        self.spent |= answer.is_err();
        answer
    }

    async fn ask(&mut self) -> Result<Option<Event>> {
        if let Some(answer) = self.held.take() {
            return answer;
        }
        let passage = self.gate.enter(Operation::Next, self.stream.clone()).await?;
        let answer = self.inner.next().await;
        let came = answer
            .as_ref()
            .ok()
            .map(|event| format!("{}: {}", self.stream, describe(event.as_ref())));
        let (answer, pause) = self.gate.leave(passage, answer, came);
        self.held = Some(answer);
        self.gate.events.wait(pause).await;
        self.held.take().unwrap_or(Ok(None))
    }
}

#[async_trait]
impl Reader for FaultyReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        self.unspent()?;
        let answer = self.ask().await;
        self.spend_on_error(answer)
    }

    async fn acknowledge(&mut self, state: &State) -> Result<()> {
        self.unspent()?;
        let call = self.inner.acknowledge(state);
        let answer = self
            .gate
            .pass(Operation::Acknowledge, self.stream.clone(), call)
            .await;
        self.spend_on_error(answer)
    }
}

fn describe(event: Option<&Event>) -> String {
    match event {
        None => "end".to_owned(),
        Some(Event::Records(batch)) => format!("{} records", batch.len()),
        Some(Event::Rejected(rejected)) => format!("{} rejected", rejected.len()),
        Some(Event::Unchanged(records)) => format!("{records} unchanged"),
        Some(Event::Checkpoint { urgent: false, .. }) => "checkpoint".to_owned(),
        Some(Event::Checkpoint { urgent: true, .. }) => "urgent checkpoint".to_owned(),
    }
}

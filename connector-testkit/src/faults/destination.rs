//! The destination's calls, and its writers'.

use async_trait::async_trait;
use connector_core::{
    Batch, Capabilities, CommitReport, Connector, Destination, Error, ErrorKind, Rejection, Result, State,
    WritePlan, WriteRequest, Writer,
};

use super::connector::Faulty;
use super::operation::Operation;
use super::passage::Gate;

#[async_trait]
impl<C: Connector + ?Sized> Destination for Faulty<C> {
    fn capabilities(&self) -> Capabilities {
        self.inner
            .as_destination()
            .map_or_else(|| Capabilities::new(Vec::new()), Destination::capabilities)
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        let destination = self
            .inner
            .as_destination()
            .ok_or_else(|| self.lacks("destination"))?;
        let stream = request.stream.as_str();
        self.gate
            .pass(Operation::PlanWrite, stream, destination.plan_write(request))
            .await
    }

    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let destination = self
            .inner
            .as_destination()
            .ok_or_else(|| self.lacks("destination"))?;
        let stream = request.stream.as_str().to_owned();
        let inner = self
            .gate
            .pass(Operation::OpenWriter, &*stream, destination.writer(request))
            .await?;
        Ok(Box::new(FaultyWriter {
            inner,
            gate: self.gate.clone(),
            stream,
            spent: false,
        }))
    }
}

struct FaultyWriter {
    inner: Box<dyn Writer>,
    gate: Gate,
    stream: String,
    spent: bool,
}

impl FaultyWriter {
    fn unspent(&self) -> Result<()> {
        if self.spent {
            let message = format!("the writer of `{}` was used after its error", self.stream);
            return Err(Error::new(ErrorKind::Bug, message));
        }
        Ok(())
    }

    fn spend_on_error<T>(&mut self, answer: Result<T>) -> Result<T> {
        self.spent |= answer.is_err();
        answer
    }
}

#[async_trait]
impl Writer for FaultyWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        self.unspent()?;
        let detail = format!("{}: {} records", self.stream, batch.len());
        let call = self.inner.write(batch);
        let answer = self.gate.pass(Operation::Write, detail, call).await;
        self.spend_on_error(answer)
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        self.unspent()?;
        let detail = format!("{}: {} rejected", self.stream, rejected.len());
        let call = self.inner.reject(rejected);
        let answer = self.gate.pass(Operation::Reject, detail, call).await;
        self.spend_on_error(answer)
    }

    async fn commit(&mut self, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.unspent()?;
        let detail = describe(&self.stream, checkpoint);
        let call = self.inner.commit(checkpoint);
        let answer = self.gate.pass(Operation::Commit, detail, call).await;
        self.spend_on_error(answer)
    }

    async fn finish(self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        self.unspent()?;
        let detail = describe(&self.stream, checkpoint);
        let Self { inner, gate, .. } = *self;
        gate.pass(Operation::Finish, detail, inner.finish(checkpoint))
            .await
    }
}

fn describe(stream: &str, checkpoint: Option<&State>) -> String {
    let with = match checkpoint {
        Some(_) => "with",
        None => "without",
    };
    format!("{stream}: {with} a checkpoint")
}

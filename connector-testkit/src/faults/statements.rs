//! The calls that run statements.

use async_trait::async_trait;
use connector_core::{Connector, Result, Statements, StepReport};

use super::connector::Faulty;
use super::operation::Operation;

#[async_trait]
impl<C: Connector + ?Sized> Statements for Faulty<C> {
    async fn execute(&self, script: &str) -> Result<StepReport> {
        let statements = self
            .inner
            .statements()
            .ok_or_else(|| self.lacks("place for statements"))?;
        self.gate
            .pass(Operation::Execute, "", statements.execute(script))
            .await
    }
}

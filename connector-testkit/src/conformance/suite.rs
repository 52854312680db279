//! A list of checks over one kind of system, each with a system of its own.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::timeout;

use super::need::Need;
use super::verdict::{Failure, Verdict};

/// How long a check may take before it counts as hanging, unless told.
const PATIENCE: Duration = Duration::from_secs(120);

/// Checks of one connector in one role, ready to run.
pub struct Suite {
    pub(super) name: String,
    pub(super) checks: Vec<Check>,
    declared: BTreeSet<Need>,
    patience: Duration,
}

/// One promise of the contract.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) needs: &'static [Need],
    run: Box<dyn Fn() -> BoxFuture<'static, Verdict> + Send + Sync>,
}

/// A check as a suite over `D` lists it: its name, what it needs, and how to run it.
pub(super) type Listed<D> = (
    &'static str,
    &'static [Need],
    for<'a> fn(&'a D) -> BoxFuture<'a, Verdict>,
);

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The promise is kept.
    Passed,
    /// It is broken.
    Failed(Failure),
    /// The connector does not declare this, which the check needs.
    Ignored(Need),
}

impl Check {
    fn new(
        name: &'static str,
        needs: &'static [Need],
        run: impl Fn() -> BoxFuture<'static, Verdict> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            needs,
            run: Box::new(run),
        }
    }
}

impl Suite {
    /// `checks` of a connector called `name`, which declares what `declare` finds.
    fn assemble(
        name: String,
        checks: Vec<Check>,
        declare: BoxFuture<'_, Result<BTreeSet<Need>, Failure>>,
    ) -> Self {
        // Where even this fails, every check is run, and says why itself.
        let all = || {
            checks
                .iter()
                .flat_map(|check| check.needs)
                .copied()
                .collect::<BTreeSet<_>>()
        };
        let declared = block_on(PATIENCE, declare)
            .and_then(std::convert::identity)
            .unwrap_or_else(|_| all());
        Self {
            name,
            checks,
            declared,
            patience: PATIENCE,
        }
    }

    /// The suite of `checks` over systems that `system` makes, which declare what `declare` finds.
    pub(super) fn over<D: ?Sized + Send + Sync + 'static>(
        name: String,
        checks: &'static [Listed<D>],
        system: impl Fn() -> BoxFuture<'static, Box<D>> + Clone + Send + Sync + 'static,
        declare: impl for<'a> FnOnce(&'a D) -> BoxFuture<'a, Result<BTreeSet<Need>, Failure>> + Send + 'static,
    ) -> Self {
        let check = |&(name, needs, run): &Listed<D>| {
            let system = system.clone();
            Check::new(name, needs, move || {
                let starting = system();
                Box::pin(async move { run(&*starting.await).await })
            })
        };
        let list = checks.iter().map(check).collect();
        let starting = system();
        Self::assemble(
            name,
            list,
            Box::pin(async move { declare(&*starting.await).await }),
        )
    }

    /// The same, but a check counts as hanging after `patience`; 120 seconds unless told.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The names of its checks, in order.
    pub fn checks(&self) -> impl Iterator<Item = &'static str> {
        self.checks.iter().map(|check| check.name)
    }

    /// Runs the check called `name`; `None` where there is none.
    pub fn run(&self, name: &str) -> Option<Outcome> {
        let check = self.checks.iter().find(|check| check.name == name)?;
        Some(self.outcome(check))
    }

    /// What keeps a check from being run.
    pub(super) fn missing(&self, check: &Check) -> Option<Need> {
        check
            .needs
            .iter()
            .copied()
            .find(|need| !self.declared.contains(need))
    }

    pub(super) fn outcome(&self, check: &Check) -> Outcome {
        if let Some(need) = self.missing(check) {
            return Outcome::Ignored(need);
        }
        match block_on(self.patience, (check.run)()) {
            Ok(Ok(())) => Outcome::Passed,
            Ok(Err(failure)) | Err(failure) => Outcome::Failed(failure),
        }
    }
}

/// A check as a suite lists it: its name, what it needs, and how to run it.
macro_rules! check {
    ($module:ident :: $name:ident $(, $need:ident)*) => {
        (
            stringify!($name),
            &[$($crate::conformance::Need::$need),*],
            |system| Box::pin($module::$name(system)),
        )
    };
}

pub(crate) use check;

/// Runs a future on a runtime of its own; a panic and a hang are failures like any other.
fn block_on<T>(patience: Duration, future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    let done = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { timeout(patience, future).await })
    }));
    // What a check left running must not keep the trial from ending.
    runtime.shutdown_background();
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) => Err(Failure::new(format!("hangs: no end after {patience:?}"))),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Failure::new(format!(
                "panicked: {}",
                text.unwrap_or("without a text")
            )))
        }
    }
}

//! Connectors by name, filled by the host.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use connector_core::{Connector, Error, ErrorKind, Result, Secret, nearest};

/// A connection's keys and values, secrets filled in.
pub type Properties = Vec<(String, Secret)>;

type Make = Box<dyn Fn(Properties) -> Result<Arc<dyn Connector>> + Send + Sync>;

/// Which connectors there are, and how to make a connection of each.
#[derive(Default)]
pub struct Registry {
    connectors: BTreeMap<&'static str, Make>,
    pub(super) state_folder: PathBuf,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector by the name that job files call it.
    #[must_use]
    pub fn register(
        mut self,
        name: &'static str,
        make: impl Fn(Properties) -> Result<Arc<dyn Connector>> + Send + Sync + 'static,
    ) -> Self {
        self.connectors.insert(name, Box::new(make));
        self
    }

    /// Takes the paths of `state = "file:PATH"` from `folder`, such as that of the job file; without it they are taken
    /// from the working folder of the process.
    #[must_use]
    pub fn with_state_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_folder = folder.into();
        self
    }

    /// Makes a connection.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: there is no such connector, or it refuses the properties.
    pub fn connect(&self, connector: &str, properties: Properties) -> Result<Arc<dyn Connector>> {
        let make = self.connectors.get(connector).ok_or_else(|| {
            let error = Error::new(ErrorKind::Config, format!("there is no connector `{connector}`"));
            match nearest(connector, self.connectors.keys().copied()).as_slice() {
                [] => error.with_help(format!(
                    "the connectors are {}",
                    self.connectors.keys().copied().collect::<Vec<_>>().join(", ")
                )),
                near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
            }
        })?;
        make(properties)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.connectors.keys()).finish()
    }
}

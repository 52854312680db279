//! The job file's shape, key by key.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) connections: BTreeMap<String, BTreeMap<String, toml::Value>>,
    #[serde(default)]
    pub(super) jobs: Vec<JobEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobEntry {
    pub(super) name: String,
    pub(super) source: Option<String>,
    pub(super) destination: Option<String>,
    #[serde(default)]
    pub(super) tasks: Vec<TaskEntry>,
    pub(super) connection: Option<String>,
    pub(super) sql: Option<String>,
    pub(super) sql_file: Option<String>,
    #[serde(default)]
    pub(super) after: Vec<String>,
    pub(super) state: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskEntry {
    pub(super) stream: Option<String>,
    pub(super) query: Option<String>,
    pub(super) into: Option<String>,
    pub(super) sync: Option<SyncWord>,
    pub(super) filter: Option<String>,
    pub(super) cursor: Option<String>,
    pub(super) write: Option<WriteWord>,
    #[serde(default)]
    pub(super) match_on: Vec<String>,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) keep: Vec<String>,
    pub(super) nulls: Option<NullsWord>,
    #[serde(default)]
    pub(super) nulls_of: BTreeMap<String, NullsWord>,
    pub(super) deletes: Option<DeletesWord>,
    pub(super) max_delete: Option<f64>,
    pub(super) drift: Option<DriftWord>,
    pub(super) settle: Option<String>,
    pub(super) commit_every: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SyncWord {
    Incremental,
    Full,
    Changed,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WriteWord {
    Insert,
    Update,
    Upsert,
    Overwrite,
    History,
    Delete,
    Prune,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NullsWord {
    Clear,
    Leave,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeletesWord {
    Ignore,
    Soft,
    Hard,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DriftWord {
    Overwrite,
    Report,
}

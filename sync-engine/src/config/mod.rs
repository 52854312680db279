//! Job files: TOML into jobs, through a registry of connectors and a look-up for secrets, both the host's.

mod file;
mod registry;
mod state;
mod units;

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_core::{
    Connector, Deletes, Drift, Error, ErrorKind, Filter, Nulls, Result, Secret, WriteMode, nearest,
    parse_connection_string,
};

use self::file::{DeletesWord, DriftWord, File, JobEntry, NullsWord, SyncWord, TaskEntry, WriteWord};
pub use self::registry::{Properties, Registry};
use self::state::{StateFolders, keep_state};
use crate::job::{Job, Sync, Task};

/// A job file, read and connected: its jobs are ready to run.
#[derive(Debug)]
pub struct JobFile {
    /// The jobs in the order they stand.
    pub jobs: Vec<Job>,
    /// The connections by name.
    pub connections: BTreeMap<String, Arc<dyn Connector>>,
}

impl JobFile {
    /// Reads `text`.
    ///
    /// `secret` is asked for each `${NAME}`; `read_file` for the text of each `sql_file`, as the job file spells its
    /// path. `$${` stands for `${`. A job's `state` names another
    /// place for its states than the one it would have by itself: a connection, or `file:PATH` for a
    /// [`FileStore`](crate::FileStore) in that folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the text is no job file; the message says line and key. Values are never shown.
    pub fn parse(
        text: &str,
        registry: &Registry,
        secret: impl Fn(&str) -> Option<String>,
        read_file: impl Fn(&str) -> std::io::Result<String>,
    ) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        let mut connections = BTreeMap::new();
        for (name, properties) in file.connections {
            let context = |error: Error| error.with_context("connection", name.clone());
            let (connector, properties) = resolve(properties, &secret).map_err(context)?;
            let connection = registry.connect(&connector, properties).map_err(context)?;
            connections.insert(name, connection);
        }
        let mut folders = StateFolders::new(&registry.state_folder);
        let jobs = file
            .jobs
            .into_iter()
            .map(|entry| {
                let name = entry.name.clone();
                job(entry, &connections, &mut folders, &read_file)
                    .map_err(|error| error.with_context("job", name))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { jobs, connections })
    }
}

/// A TOML error by line, without the line itself: it may hold a secret.
fn unreadable(text: &str, error: &toml::de::Error) -> Error {
    let line = error
        .span()
        .map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    let message = error.message().lines().next().unwrap_or_default().to_owned();
    let mut wrapped = Error::new(
        ErrorKind::Config,
        format!("the job file cannot be read: {message}"),
    );
    if let Some(line) = line {
        wrapped = wrapped.with_context("line", line.to_string());
    }
    // "unknown field `strem`, expected one of `stream`, `into`, …"
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    let unknown = error
        .message()
        .starts_with("unknown")
        .then(|| quoted.next())
        .flatten();
    match unknown.map(|name| nearest(name, quoted)) {
        Some(near) if !near.is_empty() => {
            wrapped.with_help(format!("did you mean `{}`?", near.join("` or `")))
        }
        _ => wrapped,
    }
}

/// The connector's name and the properties, with `${NAME}` replaced. A connection string is split first, so that a
/// secret that holds a `;` stays one value.
fn resolve(
    properties: BTreeMap<String, toml::Value>,
    secret: &impl Fn(&str) -> Option<String>,
) -> Result<(String, Properties)> {
    let mut connector = None;
    let mut resolved = Properties::new();
    for (key, value) in properties {
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            _ => {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("`{key}` is neither text, a whole number nor true or false"),
                ));
            }
        };
        if key == "connector" {
            connector = Some(text);
        } else if key == "connection_string" {
            for (key, value) in parse_connection_string(&text)? {
                let value = substitute(&key, value.reveal(), secret)?;
                resolved.push((key, value));
            }
        } else {
            let value = substitute(&key, &text, secret)?;
            resolved.push((key, value));
        }
    }
    let connector = connector.ok_or_else(|| {
        Error::new(ErrorKind::Config, "the connection does not say its `connector`")
            .with_help("add connector = \"salesforce\", \"bigcommerce\" or \"postgres\"")
    })?;
    Ok((connector, resolved))
}

fn substitute(key: &str, text: &str, secret: &impl Fn(&str) -> Option<String>) -> Result<Secret> {
    let mut value = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            value.push_str(&rest[..start - 1]);
            value.push_str("${");
            rest = &rest[start + 2..];
            continue;
        }
        value.push_str(&rest[..start]);
        let end = rest[start..].find('}').ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("a `${{` in `{key}` has no `}}`"))
                .with_help("write `$${` for a literal one")
        })?;
        let name = &rest[start + 2..start + end];
        let found = secret(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("`{key}` needs `{name}`, which is not set"),
            )
            .with_help(format!("set the environment variable {name}"))
        })?;
        value.push_str(&found);
        rest = &rest[start + end + 1..];
    }
    value.push_str(rest);
    Ok(Secret::new(value))
}

fn job(
    entry: JobEntry,
    connections: &BTreeMap<String, Arc<dyn Connector>>,
    folders: &mut StateFolders<'_>,
    read_file: &impl Fn(&str) -> std::io::Result<String>,
) -> Result<Job> {
    let connection = |name: &String| {
        connections.get(name).cloned().ok_or_else(|| {
            let error = Error::new(ErrorKind::Config, format!("there is no connection `{name}`"));
            match nearest(name, connections.keys().map(String::as_str)).as_slice() {
                [] => error.with_help("add it under [connections]"),
                near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
            }
        })
    };
    let mut builder = keep_state(Job::builder(&entry.name), &entry, folders, connection)?;
    for after in entry.after {
        builder = builder.after(after);
    }
    if let Some(name) = &entry.source {
        builder = builder.source(connection(name)?);
    }
    if let Some(name) = &entry.destination {
        builder = builder.destination(connection(name)?);
    }
    let script = match (entry.sql, entry.sql_file) {
        (Some(_), Some(_)) => {
            return Err(Error::new(
                ErrorKind::Config,
                "a job has `sql` or `sql_file`, not both",
            ));
        }
        (sql, None) => sql,
        (None, Some(path)) => Some(read_file(&path).map_err(|error| {
            Error::new(
                ErrorKind::Config,
                format!("the `sql_file` {path} cannot be read: {error}"),
            )
            .with_help("the path is taken from the folder of the job file")
        })?),
    };
    if let Some(script) = script {
        let name = entry.connection.ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "a job with `sql` does not say on which `connection`",
            )
        })?;
        builder = builder.script(connection(&name)?, script);
    }
    for task in entry.tasks {
        builder = builder.task(self::task(task)?);
    }
    builder.build()
}

fn task(entry: TaskEntry) -> Result<Task> {
    let task = match (entry.stream, entry.query) {
        (Some(stream), None) => Task::new(stream),
        (None, Some(query)) if entry.into.is_some() => Task::new("query").query(query),
        (None, Some(_)) => {
            return Err(Error::new(
                ErrorKind::Config,
                "a task with `query` does not say where it goes",
            )
            .with_help("name a table with `into`"));
        }
        (None, None) => {
            return Err(Error::new(ErrorKind::Config, "a task does not say what it reads")
                .with_help("name a `stream`, or give a `query`"));
        }
        (Some(_), Some(_)) => {
            return Err(Error::new(
                ErrorKind::Config,
                "a task has a `stream` or a `query`, not both",
            ));
        }
    };
    let mut task = task.match_on(entry.match_on).keep(entry.keep);
    if let Some(filter) = entry.filter {
        task = task.filter(Filter::parse(&filter)?);
    }
    if let Some(cursor) = entry.cursor {
        task = task.cursor(cursor);
    }
    if let Some(into) = entry.into {
        task = task.into(into);
    }
    if let Some(sync) = entry.sync {
        task = task.sync(match sync {
            SyncWord::Incremental => Sync::Incremental,
            SyncWord::Full => Sync::Full,
            SyncWord::Changed => Sync::Changed,
        });
    }
    if let Some(write) = entry.write {
        task = task.write(match write {
            WriteWord::Insert => WriteMode::Insert,
            WriteWord::Update => WriteMode::Update,
            WriteWord::Upsert => WriteMode::Upsert,
            WriteWord::Overwrite => WriteMode::Overwrite,
            WriteWord::History => WriteMode::History,
            WriteWord::Delete => WriteMode::Delete,
            WriteWord::Prune => WriteMode::Prune,
        });
    }
    let nulls = |word| match word {
        NullsWord::Clear => Nulls::Clear,
        NullsWord::Leave => Nulls::Leave,
    };
    if let Some(word) = entry.nulls {
        task = task.nulls(nulls(word));
    }
    for (field, word) in entry.nulls_of {
        task = task.nulls_of(field, nulls(word));
    }
    if let Some(deletes) = entry.deletes {
        task = task.deletes(match deletes {
            DeletesWord::Ignore => Deletes::Ignore,
            DeletesWord::Soft => Deletes::Soft,
            DeletesWord::Hard => Deletes::Hard,
        });
    }
    if let Some(part) = entry.max_delete {
        task = task.max_delete(part);
    }
    for (to, from) in entry.fields {
        task = task.field(to, from);
    }
    if let Some(drift) = entry.drift {
        task = task.drift(match drift {
            DriftWord::Overwrite => Drift::Overwrite,
            DriftWord::Report => Drift::Report,
        });
    }
    if let Some(settle) = entry.settle {
        task = task.settle(units::duration(&settle)?);
    }
    if let Some(every) = entry.commit_every {
        task = task.commit_every(units::commit_every(&every)?);
    }
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let secret = |name: &str| (name == "TOKEN").then(|| "hunter2".to_owned());
        let registry =
            Registry::new().register("postgres", |_| Err(Error::new(ErrorKind::Config, "refused")));
        let error = JobFile::parse(text, &registry, secret, |_| {
            Err(std::io::ErrorKind::NotFound.into())
        })
        .unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        error.report().to_string()
    }

    #[test]
    fn mistakes_are_named_with_line_and_nearest_key() {
        let text = "[[jobs]]\nname = \"a\"\ntasks = [{ strem = \"Lead\" }]\n";
        let said = error(text);
        assert!(
            said.contains("unknown field `strem`") && said.contains("line: 3"),
            "{said}"
        );
        assert!(said.ends_with("help: did you mean `stream`?"), "{said}");
        let said = error("[connections.w]\nconnector = \"postgre\"\npassword = \"${TOKEN}\"\n");
        assert_eq!(
            said,
            "there is no connector `postgre`\n  connection: w\nhelp: did you mean `postgres`?"
        );
        let said = error("[connections.w]\nconnector = \"postgres\"\npassword = \"${PGPASS}\"\n");
        assert_eq!(
            said,
            "`password` needs `PGPASS`, which is not set\n  connection: w\nhelp: set the environment variable PGPASS"
        );
        assert!(
            error("[[jobs]]\nname = \"a\"\nsource = \"crm\"\n")
                .starts_with("there is no connection `crm`\n  job: a")
        );
    }

    #[test]
    fn a_task_reads_a_stream_or_a_query_of_which_a_filter_lets_through_some() {
        let said = |task: &str| error(&format!("[[jobs]]\nname = \"a\"\ntasks = [{{ {task} }}]\n"));
        for (task, message) in [
            ("into = \"x\"", "a task does not say what it reads"),
            (
                "query = \"SELECT 1 AS a\"",
                "a task with `query` does not say where it goes",
            ),
            (
                "stream = \"x\", query = \"y\"",
                "a task has a `stream` or a `query`, not both",
            ),
            (
                "stream = \"x\", filter = \"a = b\"",
                "the filter is wrong at character 5: a literal ('text', a number, true or false) was expected, not `b`",
            ),
        ] {
            let said = said(task);
            assert!(said.starts_with(message), "{said}");
        }
    }

    #[test]
    fn secrets_are_put_in_per_value() {
        let secret = |name: &str| (name == "P").then(|| "a;b=${Q}".to_owned());
        assert_eq!(
            substitute("k", "x${P}y$${P}", &secret).unwrap(),
            Secret::new("xa;b=${Q}y${P}")
        );
        let properties = BTreeMap::from([
            ("connector".to_owned(), toml::Value::String("postgres".to_owned())),
            (
                "connection_string".to_owned(),
                toml::Value::String("Password=${P};Port=1".to_owned()),
            ),
        ]);
        let (_, resolved) = resolve(properties, &secret).unwrap();
        assert_eq!(resolved[0], ("Password".to_owned(), Secret::new("a;b=${Q}")));
    }
}

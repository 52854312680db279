//! What PostgreSQL says, as the core's errors.

use std::error::Error as StdError;
use std::io;

use connector_core::{Error, ErrorKind, Retry};
use tokio_postgres::error::SqlState;

/// A statement failed while doing `what`.
pub(crate) fn failed(what: &str, error: tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return broken(what, error);
    };
    let state = db.code();
    let kind = kind_of(state);
    let mut wrapped = Error::new(kind, format!("PostgreSQL refused to {what}: {}", db.message()))
        .with_context("sqlstate", state.code());
    if is_transient(state) {
        wrapped = wrapped.with_retry(Retry::Backoff);
    }
    if let Some(detail) = db.detail().filter(|_| !holds_values(state)) {
        wrapped = wrapped.with_context("detail", detail);
    }
    match help_for(state).or(db.hint().map(str::to_owned)) {
        Some(help) => wrapped.with_help(help),
        None => wrapped,
    }
}

/// The connection broke while doing `what`: whether the server did it is not known.
fn broken(what: &str, error: tokio_postgres::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("the connection to PostgreSQL broke, trying to {what}"),
    )
    .with_help("see the server's log: it was restarted, or it ended the session")
    .with_source(error)
}

/// No connection could be made to `address`.
pub(crate) fn no_connection(address: &str, error: tokio_postgres::Error) -> Error {
    if let Some(db) = error.as_db_error() {
        let kind = kind_of(db.code());
        let message = format!("PostgreSQL at {address} refused the connection: {}", db.message());
        let help = help_for(db.code()).unwrap_or_else(|| "see the server's log".to_owned());
        return Error::new(kind, message)
            .with_context("sqlstate", db.code().code())
            .with_help(help);
    }
    if error
        .source()
        .is_some_and(|source| source.to_string() == "password missing")
    {
        return Error::new(
            ErrorKind::Config,
            format!("PostgreSQL at {address} asks for a password, and there is none"),
        )
        .with_help("give the connection a `password`");
    }
    let refused = io_kind(&error) == Some(io::ErrorKind::ConnectionRefused);
    let message = if refused {
        format!("nobody answers at {address} (connection refused)")
    } else {
        format!("no connection to PostgreSQL at {address}")
    };
    Error::new(ErrorKind::Unavailable, message)
        .with_help("check server and port, that PostgreSQL runs there, and what ssl_mode it can do")
        .with_source(error)
}

fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        cause = error.source();
    }
    None
}

fn kind_of(state: &SqlState) -> ErrorKind {
    match state.code() {
        "28P01" | "28000" => ErrorKind::Auth,
        "42501" => ErrorKind::Forbidden,
        "3D000" | "42P01" | "3F000" => ErrorKind::NotFound,
        "42703" | "42804" | "42601" | "0A000" => ErrorKind::Schema,
        "25006" => ErrorKind::Forbidden,
        code => match &code[..2] {
            "08" | "53" | "57" => ErrorKind::Unavailable,
            "40" | "55" => ErrorKind::Conflict,
            "22" | "23" => ErrorKind::Data,
            "42" => ErrorKind::Schema,
            _ => ErrorKind::Unavailable,
        },
    }
}

/// Whether the same transaction may pass when it is tried again.
fn is_transient(state: &SqlState) -> bool {
    matches!(state.code(), "40001" | "40P01" | "55P03" | "57014")
        || matches!(&state.code()[..2], "08" | "53" | "57")
}

/// Details of these name the values of a row.
fn holds_values(state: &SqlState) -> bool {
    matches!(&state.code()[..2], "22" | "23")
}

fn help_for(state: &SqlState) -> Option<String> {
    let help = match state.code() {
        "28P01" => "check `user` and `password`",
        "28000" => {
            "pg_hba.conf does not let this user in from here with this encryption: add a line, or set `ssl_mode`"
        }
        "3D000" => "check `database`; left out, it is the user's own name",
        "42501" => "grant the user the right that is missing",
        "25006" => "this server is a read-only replica: name the primary as `server`",
        "53300" => "raise max_connections, or close other sessions",
        "53100" => "free space on the database server's disk; nothing of this commit was kept",
        "42P01" => "check the table's name and schema; `streams` lists what there is",
        _ => return None,
    };
    Some(help.to_owned())
}

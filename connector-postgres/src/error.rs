//! What PostgreSQL says, as the core's errors.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Retry};
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::tls;

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

/// Whether the server has not said what became of a statement: the connection broke, or its last word was that it ends
/// the session.
pub(crate) fn is_unanswered(error: &tokio_postgres::Error) -> bool {
    error
        .as_db_error()
        .is_none_or(|db| matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)))
}

/// A COMMIT that ends `what` failed: without an answer, it may have taken place.
pub(crate) fn not_committed(what: &str, error: tokio_postgres::Error) -> Error {
    let unanswered = is_unanswered(&error);
    let error = failed(what, error);
    if unanswered {
        error.with_may_have_applied()
    } else {
        error
    }
}

/// No connection could be made to `address`, which is called `server` in certificates.
pub(crate) fn no_connection(address: &str, server: &str, error: tokio_postgres::Error) -> Error {
    if let Some(db) = error.as_db_error() {
        return refused(address, db);
    }
    if let Some(error) = tls::explain(&format!("PostgreSQL at {address}"), server, &error) {
        return error;
    }
    if let Some(error) = error.source().and_then(|source| no_sign_in(address, source)) {
        return error;
    }
    let message = if io_kind(&error) == Some(io::ErrorKind::ConnectionRefused) {
        format!("nobody answers at {address} (connection refused)")
    } else {
        format!("no connection to PostgreSQL at {address}")
    };
    Error::new(ErrorKind::Unavailable, message)
        .with_help("check `server` and `port`, and that PostgreSQL runs there")
        .with_source(error)
}

/// Whoever is at `address` did not answer in time.
pub(crate) fn no_answer(address: &str, limit: Duration) -> Error {
    let message = format!("PostgreSQL at {address} did not answer within {limit:?}");
    Error::new(ErrorKind::Unavailable, message)
        .with_help("check `server` and `port`, and the firewalls on the way; `timeout` gives it more time")
}

fn refused(address: &str, db: &DbError) -> Error {
    // A pooler's own words: it keeps no settings of a session.
    if db.code().code() == "08P01" && db.message().contains("startup parameter") {
        return Error::new(
            ErrorKind::Unsupported,
            format!("the pooler at {address} passes no settings on: {}", db.message()),
        )
        .with_help("set `pool_mode` to `transaction`; or name PostgreSQL itself as `server`, or a pool that keeps a session for each client");
    }
    let message = format!("PostgreSQL at {address} refused the connection: {}", db.message());
    let help = help_for(db.code()).unwrap_or_else(|| "see the server's log".to_owned());
    Error::new(kind_of(db.code()), message)
        .with_context("sqlstate", db.code().code())
        .with_help(help)
}

/// What the client itself said before the server could.
fn no_sign_in(address: &str, source: &(dyn StdError + 'static)) -> Option<Error> {
    match source.to_string().as_str() {
        "password missing" => Some(
            Error::new(
                ErrorKind::Config,
                format!("PostgreSQL at {address} asks for a password, and there is none"),
            )
            .with_help("give the connection a `password`"),
        ),
        "server did not use channel binding" => Some(
            Error::new(
                ErrorKind::Config,
                format!("PostgreSQL at {address} does not bind signing in to its certificate"),
            )
            .with_help(
                "it takes TLS and a password stored as SCRAM; set `channel_binding` to `prefer` to do without",
            ),
        ),
        _ => None,
    }
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
        "57P04" => ErrorKind::NotFound,
        code => match &code[..2] {
            "08" | "53" | "57" => ErrorKind::Unavailable,
            "40" | "55" => ErrorKind::Conflict,
            // Values, constraints, triggers and functions, limits of a row.
            "21" | "22" | "23" | "38" | "39" | "44" | "54" | "P0" => ErrorKind::Data,
            "2B" | "42" => ErrorKind::Schema,
            _ => ErrorKind::Unavailable,
        },
    }
}

/// Whether the same transaction may pass when it is tried again.
fn is_transient(state: &SqlState) -> bool {
    matches!(state.code(), "40001" | "40P01" | "55006" | "55P03")
        || (matches!(&state.code()[..2], "08" | "53" | "57") && state.code() != "57P04")
}

/// Details of these name the values of a row.
fn holds_values(state: &SqlState) -> bool {
    matches!(&state.code()[..2], "22" | "23")
}

fn help_for(state: &SqlState) -> Option<String> {
    let help = match state.code() {
        "28P01" => "check `user` and `password`",
        "28000" => {
            "pg_hba.conf does not let this user in from here with this encryption: add a line, or set `ssl_mode`; \
             if it asks for a certificate, give `ssl_client_cert` and `ssl_client_key`"
        }
        "3D000" => "check `database`; left out, it is the user's own name",
        "42501" => "grant the user the right that is missing",
        "25006" => {
            "name the primary as `server` if this is a replica, which only reads; \
             otherwise take default_transaction_read_only from the server, the database or the user"
        }
        "40001" | "40P01" => "try again: other sessions, or the replay of a replica, were at the same rows",
        "53300" => {
            "close other sessions, or raise max_connections, or the CONNECTION LIMIT of the user or the database; \
             a task takes up to four sessions at once"
        }
        "53100" => "free space on the database server's disk; nothing of this commit was kept",
        "53200" => "give the database server more memory, or close other sessions",
        "53400" => "raise the limit that the message names",
        "55P03" => "another session holds a lock: pg_locks says which; `lock_timeout` gives it more time",
        "57014" => "`statement_timeout` gives a statement more time, and smaller commits need less of it",
        "57P01" | "57P02" => "see the server's log: it was stopped, or somebody ended the session",
        "57P03" => "wait until the server has started",
        "57P04" => "the database was dropped: check `database`",
        "42P01" => "check the table's name and schema; `streams` lists what there is",
        _ => return None,
    };
    Some(help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_who_can_do_something() {
        let told = |code: &str| {
            let state = SqlState::from_code(code);
            let error = Error::new(kind_of(&state), "");
            let passes = error.retry() != Retry::Never || is_transient(&state);
            (error.kind(), passes, help_for(&state).is_some())
        };
        for (code, kind, passes, helps) in [
            // The session ended, or was never had.
            ("08006", ErrorKind::Unavailable, true, false),
            ("57P01", ErrorKind::Unavailable, true, true),
            ("57P02", ErrorKind::Unavailable, true, true),
            ("57P03", ErrorKind::Unavailable, true, true),
            ("57P04", ErrorKind::NotFound, false, true),
            // The server is short of something.
            ("53100", ErrorKind::Unavailable, true, true),
            ("53200", ErrorKind::Unavailable, true, true),
            ("53300", ErrorKind::Unavailable, true, true),
            ("53400", ErrorKind::Unavailable, true, true),
            ("57014", ErrorKind::Unavailable, true, true),
            ("58030", ErrorKind::Unavailable, true, false),
            // Others are in the way.
            ("40001", ErrorKind::Conflict, true, true),
            ("40P01", ErrorKind::Conflict, true, true),
            ("55006", ErrorKind::Conflict, true, false),
            ("55P03", ErrorKind::Conflict, true, true),
            // The server is the wrong one, or the user.
            ("25006", ErrorKind::Forbidden, false, true),
            ("42501", ErrorKind::Forbidden, false, true),
            ("28P01", ErrorKind::Auth, false, true),
            // The table, or its rows.
            ("42P01", ErrorKind::NotFound, false, true),
            ("42703", ErrorKind::Schema, false, false),
            ("2BP01", ErrorKind::Schema, false, false),
            ("22003", ErrorKind::Data, false, false),
            ("23505", ErrorKind::Data, false, false),
            ("44000", ErrorKind::Data, false, false),
            ("54000", ErrorKind::Data, false, false),
            ("P0001", ErrorKind::Data, false, false),
        ] {
            assert_eq!(told(code), (kind, passes, helps), "{code}");
        }
    }
}

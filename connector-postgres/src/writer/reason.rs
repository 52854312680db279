//! Why the server refused a row, in words that hold none of its values.

use tokio_postgres::error::{DbError, SqlState};

/// Why the server refused a row; holds none of its values.
pub(super) struct Refused {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) column: Option<String>,
}

/// Whether the server answered: its session goes on.
pub(super) fn is_answer(error: &tokio_postgres::Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|db| *db.code() == SqlState::CARDINALITY_VIOLATION || is_about_a_row(db.code()))
}

/// Whether a refusal is about values: constraints, triggers, domains, and rows that are too large.
fn is_about_a_row(state: &SqlState) -> bool {
    matches!(&state.code()[..2], "22" | "23" | "44" | "P0" | "54")
}

/// The reason for people: the server's words where they are known to hold no values.
pub(super) fn reason(error: &tokio_postgres::Error) -> Option<Refused> {
    let db: &DbError = error.as_db_error().filter(|db| is_about_a_row(db.code()))?;
    let state = db.code().code();
    let code = match state {
        "23502" => "not_null_violation",
        "23503" => "foreign_key_violation",
        "23505" => "unique_violation",
        "23514" => "check_violation",
        "23P01" => "exclusion_violation",
        "44000" => "with_check_option_violation",
        other => other,
    };
    let message = match &state[..2] {
        "23" | "44" => db.message().to_owned(),
        "P0" => "a trigger or function of the table refused the row".to_owned(),
        "54" => "the row or one of its index entries is too large".to_owned(),
        _ => "the server refused one of the row's values".to_owned(),
    };
    Some(Refused {
        code: code.to_owned(),
        message,
        column: db.column().map(str::to_owned),
    })
}

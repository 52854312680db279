//! Whether two rows of values differ: SQL as text, and nothing else.

use crate::types::PgType;

/// The type of two values, the one and the other.
pub(crate) type Compared<'a> = (&'a PgType, String, String);

/// The condition that a row's values differ from another's, as they are stored: `1.0` is not `1.00`, a month is not 30
/// days, and `json`, which has no `=` at all, can be compared.
///
/// Comparing rows as they are stored makes a record of each, which costs more than all the rest of a merge. So it is
/// done only for types whose `=` takes different values for the same; for the others their `=` says it, the quick ones
/// first.
pub(crate) fn differ<'a>(compared: impl IntoIterator<Item = Compared<'a>>) -> String {
    let mut quick = (Vec::new(), Vec::new());
    let mut texts = (Vec::new(), Vec::new());
    let mut stored = (Vec::new(), Vec::new());
    for (pg_type, old, new) in compared {
        let (side, collate) = match equality(pg_type) {
            Equality::Quick => (&mut quick, ""),
            Equality::Text => (&mut texts, " COLLATE \"C\""),
            Equality::Loose => (&mut stored, ""),
        };
        side.0.push(format!("{old}{collate}"));
        side.1.push(format!("{new}{collate}"));
    }
    let row = |values: Vec<String>| format!("ROW({})", values.join(", "));
    let mut conditions = Vec::new();
    for (old, new) in [quick, texts] {
        if !old.is_empty() {
            conditions.push(format!("{} IS DISTINCT FROM {}", row(old), row(new)));
        }
    }
    if !stored.0.is_empty() {
        // Without the casts, PostgreSQL would compare column by column.
        conditions.push(format!("{}::record *<> {}::record", row(stored.0), row(stored.1)));
    }
    if conditions.is_empty() {
        return "false".to_owned();
    }
    format!("({})", conditions.join(" OR "))
}

/// Whether a type's `=` is true of identical values only, given a collation that knows bytes.
pub(crate) fn is_exact(pg_type: &PgType) -> bool {
    !matches!(equality(pg_type), Equality::Loose)
}

/// What a type's `=` is worth.
enum Equality {
    /// It is true of identical values only, and looks at a few bytes.
    Quick,
    /// It is true of identical values only, once the collation is one that knows bytes.
    Text,
    /// It is true of different values, or there is none.
    Loose,
}

fn equality(pg_type: &PgType) -> Equality {
    match pg_type {
        PgType::Bool
        | PgType::Int2
        | PgType::Int4
        | PgType::Int8
        | PgType::Date
        | PgType::Time
        | PgType::Timestamp
        | PgType::Timestamptz
        | PgType::Uuid
        | PgType::Bytea
        | PgType::Enum { .. } => Equality::Quick,
        PgType::Text { .. } => Equality::Text,
        PgType::Narrow { of, .. } => equality(of),
        PgType::Float4
        | PgType::Float8
        | PgType::Numeric(_)
        | PgType::Interval
        | PgType::Json
        | PgType::Jsonb
        | PgType::Char { .. }
        | PgType::Citext(_)
        | PgType::Array { .. }
        | PgType::Other(_) => Equality::Loose,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_core::DataType;

    #[test]
    fn only_what_equals_cannot_tell_apart_is_compared_as_stored() {
        let types = [
            DataType::TEXT,
            DataType::Float64,
            DataType::Date,
            DataType::decimal(9, 2),
        ]
        .map(PgType::for_core);
        let compared = types
            .iter()
            .zip(["name", "rate", "born", "sum"])
            .map(|(pg_type, name)| (pg_type, format!("t.{name}"), format!("s.{name}")));
        assert_eq!(
            differ(compared),
            "(ROW(t.born) IS DISTINCT FROM ROW(s.born) OR ROW(t.name COLLATE \"C\") IS DISTINCT FROM ROW(s.name COLLATE \"C\") \
             OR ROW(t.rate, t.sum)::record *<> ROW(s.rate, s.sum)::record)"
        );
        assert_eq!(differ([]), "false");
    }
}

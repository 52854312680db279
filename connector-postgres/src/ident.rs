//! Names in SQL.

use std::borrow::Cow;
use std::fmt;

use connector_core::{Error, ErrorKind, Result};

/// PostgreSQL cuts longer names off in silence, so that two of them can become one: a table's is refused instead, a
/// column's is made shorter so that it stays its own.
const MAX_BYTES: usize = 63;

/// A name, quoted when printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ident<'a>(pub(crate) &'a str);

impl fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A text literal, quoted when printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal<'a>(pub(crate) &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An E'' string reads the same whatever `standard_conforming_strings` says.
        write!(f, "E'{}'", self.0.replace('\\', "\\\\").replace('\'', "''"))
    }
}

/// A table by schema and name; prints quoted and qualified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
}

impl Table {
    /// `name`, or `schema.name`; an unqualified one is in `default_schema`, never found by the search path.
    pub(crate) fn parse(text: &str, default_schema: &str) -> Result<Self> {
        let (schema, name) = text.split_once('.').unwrap_or((default_schema, text));
        check(schema)?;
        check(name)?;
        Ok(Self {
            schema: schema.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Ident(&self.schema), Ident(&self.name))
    }
}

/// Refuses a name that PostgreSQL would change or cannot hold.
pub(crate) fn check(name: &str) -> Result<()> {
    let wrong = if name.is_empty() {
        "an empty name cannot be used in PostgreSQL".to_owned()
    } else if name.contains('\0') {
        "a name with a NUL character cannot be used in PostgreSQL".to_owned()
    } else if name.len() > MAX_BYTES {
        format!(
            "the name `{name}` has {} bytes; PostgreSQL keeps {MAX_BYTES}",
            name.len()
        )
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Schema, wrong).with_help("give it another name with `into` or `fields`"))
}

/// The name of the column that holds a field: the field's own, or, where PostgreSQL would cut that off, as much of it
/// as there is room for and eight digits made of all of it. The same field has the same column always.
///
/// # Errors
/// PostgreSQL cannot hold the name at all.
pub(crate) fn column_name(field: &str) -> Result<Cow<'_, str>> {
    if field.len() <= MAX_BYTES {
        check(field)?;
        return Ok(Cow::Borrowed(field));
    }
    let end = (0..=MAX_BYTES - 9)
        .rev()
        .find(|&end| field.is_char_boundary(end))
        .unwrap_or_default();
    let digest = digest(field);
    let short = format!("{}_{:08x}", &field[..end], (digest ^ (digest >> 32)) as u32);
    check(&short)?;
    Ok(Cow::Owned(short))
}

/// A number that stays the same for the same text, in every version of this program (FNV-1a).
pub(crate) fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_qualified() {
        let table = Table::parse("we\"ird table", "pub lic").unwrap();
        assert_eq!(table.to_string(), r#""pub lic"."we""ird table""#);
        assert_eq!(
            Table::parse("crm.Lead", "public").unwrap().to_string(),
            r#""crm"."Lead""#
        );
        assert_eq!(Literal("it's \\").to_string(), r"E'it''s \\'");
    }

    #[test]
    fn names_that_would_be_cut_are_refused() {
        assert!(Table::parse(&"あ".repeat(21), "public").is_ok());
        assert!(Table::parse(&"あ".repeat(22), "public").is_err());
        assert!(Table::parse("", "public").is_err());
    }

    #[test]
    fn long_columns_are_cut_so_that_they_stay_apart() {
        let long = "A_name_that_somebody_made_up_who_was_paid_by_the_letter_and_did_not_stop";
        let names = ["short", long, &format!("{long}_1"), &"長".repeat(30)]
            .map(|name| column_name(name).unwrap().into_owned());
        assert_eq!(names[0], "short");
        assert_eq!(
            names[1],
            "A_name_that_somebody_made_up_who_was_paid_by_the_lette_21b57a1a"
        );
        assert_ne!(names[1], names[2]);
        assert!(names.iter().all(|name| name.len() <= MAX_BYTES), "{names:?}");
        assert!(column_name("").is_err() && column_name("a\0b").is_err());
    }
}

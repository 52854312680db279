//! Names in SQL.

use std::fmt;

use connector_core::{Error, ErrorKind, Result};

/// PostgreSQL cuts longer names off in silence, so that two of them can become one: they are refused instead.
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
}

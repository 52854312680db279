//! SOQL over REST.

use std::borrow::Cow;

use connector_core::value::ParseError;
use connector_core::{Error, ErrorKind, Result};
use connector_http::{Request, Response};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::org::Org;
use crate::reader::Row;

/// The longest address that is sent; the server takes 16,384 bytes of address and headers.
pub(crate) const MAX_URI: usize = 16_000;

/// One page of a query's answer; borrows from it.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<'a> {
    /// Rows of all pages together.
    #[serde(rename = "totalSize")]
    pub(crate) total: u64,
    /// Whether this is the last one.
    pub(crate) done: bool,
    /// Where the next one is.
    #[serde(rename = "nextRecordsUrl", borrow, default)]
    pub(crate) next: Option<Cow<'a, str>>,
    /// The rows, unread.
    #[serde(borrow)]
    pub(crate) records: Vec<&'a RawValue>,
}

/// The request for the first page of `soql`; with `all`, the recycle bin is looked into.
pub(crate) async fn request(org: &Org, soql: &str, all: bool) -> Result<Request> {
    let url = org.url(if all { "queryAll" } else { "query" }).await?;
    Ok(Request::get(url).query("q", soql))
}

/// The bytes of a request's address, host left out.
pub(crate) fn uri_len(request: &Request) -> usize {
    request.url.path().len() + request.url.query().map_or(0, |query| query.len() + 1)
}

/// The number of rows that a `SELECT COUNT()` finds.
pub(crate) async fn count(org: &Org, soql: &str, all: bool) -> Result<u64> {
    let response = org.send(&request(org, soql, all).await?).await?;
    Ok(page(&response)?.total)
}

/// Reads an answer as a page.
pub(crate) fn page(response: &Response) -> Result<Page<'_>> {
    response.json()
}

/// One row of JSON: its values by column.
#[derive(Debug)]
pub(crate) struct JsonRow<'a> {
    cells: Vec<Option<&'a RawValue>>,
}

impl<'a> JsonRow<'a> {
    /// A row of `columns` values, to be read into again and again.
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            cells: vec![None; columns],
        }
    }

    /// Reads a record; every name of `names` must be there. One such as `Owner.Name` is looked for in the object that
    /// stands under `Owner`.
    ///
    /// # Errors
    /// [`ErrorKind::Data`]: it is no object, or a column is missing.
    pub(crate) fn read(&mut self, names: &[String], record: &'a RawValue) -> Result<()> {
        self.clear();
        self.fill(names, record)?;
        self.complete(names)
    }

    /// Forgets what was read.
    pub(crate) fn clear(&mut self) {
        self.cells.fill(None);
    }

    /// Reads what a record has of `names`, beside what was read before.
    ///
    /// # Errors
    /// [`ErrorKind::Data`]: it is no object.
    pub(crate) fn fill(&mut self, names: &[String], record: &'a RawValue) -> Result<()> {
        let seed = Fill {
            names,
            prefix: "",
            cells: &mut self.cells,
        };
        let filled = seed.deserialize(&mut serde_json::Deserializer::from_str(record.get()));
        filled.map_err(|_| Error::new(ErrorKind::Data, "a record of the answer is no JSON object"))
    }

    /// Says whether every name has been read.
    ///
    /// # Errors
    /// [`ErrorKind::Data`]: a column is missing.
    pub(crate) fn complete(&self, names: &[String]) -> Result<()> {
        match self.cells.iter().position(Option::is_none) {
            Some(missing) => Err(Error::new(
                ErrorKind::Data,
                format!("a record of the answer lacks `{}`", names[missing]),
            )),
            None => Ok(()),
        }
    }
}

impl Row for JsonRow<'_> {
    fn cell<'a>(
        &'a self,
        position: usize,
        scratch: &'a mut String,
    ) -> std::result::Result<Option<&'a str>, ParseError> {
        let text = self
            .cells
            .get(position)
            .copied()
            .flatten()
            .map_or("null", RawValue::get);
        match text.as_bytes() {
            [b'n', ..] => Ok(None),
            [b'"', .., b'"'] if text.contains('\\') => {
                // Half a surrogate pair is legal JSON and no text.
                *scratch = serde_json::from_str(text).map_err(|_| ParseError::new("text in Unicode"))?;
                Ok(Some(scratch))
            }
            [b'"', .., b'"'] => Ok(text.get(1..text.len() - 1)),
            _ => Ok(Some(text)),
        }
    }
}

/// Puts an object's values where their columns are.
struct Fill<'s, 'a> {
    names: &'s [String],
    /// What leads to the object, with a point at its end; empty for the record itself.
    prefix: &'s str,
    cells: &'s mut [Option<&'a RawValue>],
}

impl<'a> Fill<'_, 'a> {
    /// Reads `value`, which stands under `name`, for the columns of which `name` is the beginning.
    fn descend(&mut self, name: &str, value: &'a RawValue) -> std::result::Result<(), serde_json::Error> {
        let prefix = format!("{}{name}.", self.prefix);
        if !self.names.iter().any(|known| known.starts_with(&prefix)) {
            return Ok(());
        }
        if value.get() == "null" {
            // No parent, no fields of it.
            for (known, cell) in self.names.iter().zip(&mut *self.cells) {
                if known.starts_with(&prefix) {
                    *cell = Some(value);
                }
            }
            return Ok(());
        }
        let parent = Fill {
            names: self.names,
            prefix: &prefix,
            cells: self.cells,
        };
        parent.deserialize(&mut serde_json::Deserializer::from_str(value.get()))
    }
}

impl<'a> DeserializeSeed<'a> for Fill<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Fill<'_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        // Columns come in the order they were asked for: the next one is where it is looked for first.
        let mut expected = 0;
        let prefix = self.prefix;
        while let Some(name) = map.next_key::<Cow<'a, str>>()? {
            let value: &'a RawValue = map.next_value()?;
            let is = |known: &String| known.strip_prefix(prefix).is_some_and(|rest| *rest == *name);
            let fits = |place: &usize| self.names.get(*place).is_some_and(is);
            let place = Some(expected)
                .filter(fits)
                .or_else(|| self.names.iter().position(is));
            if let Some(place) = place {
                self.cells[place] = Some(value);
                expected = place + 1;
            } else if name != "attributes" {
                self.descend(&name, value).map_err(serde::de::Error::custom)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_by_name_and_exactly() {
        let names = ["Id", "Amount", "Note", "Open"].map(str::to_owned);
        let json = r#"{"attributes":{"type":"X"},"Note":"a\"b\u00e9\n","Id":"00Q1","Open":null,"Amount":1234567890123456.78}"#;
        let record: &RawValue = serde_json::from_str(json).unwrap();
        let mut row = JsonRow::new(4);
        row.read(&names, record).unwrap();
        let mut scratch = String::new();
        assert_eq!(row.cell(0, &mut scratch), Ok(Some("00Q1")));
        assert_eq!(row.cell(1, &mut scratch), Ok(Some("1234567890123456.78")));
        assert_eq!(row.cell(2, &mut scratch), Ok(Some("a\"bé\n")));
        assert_eq!(row.cell(3, &mut scratch), Ok(None));
    }

    #[test]
    fn a_record_that_lacks_a_column_is_an_error() {
        let record: &RawValue = serde_json::from_str(r#"{"Id":"00Q1"}"#).unwrap();
        let error = JsonRow::new(2)
            .read(&["Id", "Name"].map(str::to_owned), record)
            .unwrap_err();
        assert_eq!(error.to_string(), "a record of the answer lacks `Name`");
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_and_not_changed() {
        let record: &RawValue = serde_json::from_str(r#"{"Id":"a\ud800b"}"#).unwrap();
        let mut row = JsonRow::new(1);
        row.read(&["Id".to_owned()], record).unwrap();
        assert!(row.cell(0, &mut String::new()).is_err());
    }

    #[test]
    fn fields_of_parents_are_found_where_they_nest() {
        let names = ["Id", "Owner.Name", "Owner.Manager.Email", "Account.Name"].map(str::to_owned);
        let json = r#"{"attributes":{"type":"X"},"Id":"1","Owner":{"attributes":{"Name":"no"},"Name":"Ada","Manager":
            {"Email":null}},"Account":null}"#;
        let record: &RawValue = serde_json::from_str(json).unwrap();
        let mut row = JsonRow::new(4);
        row.read(&names, record).unwrap();
        let mut scratch = String::new();
        assert_eq!(row.cell(1, &mut scratch), Ok(Some("Ada")));
        assert_eq!(row.cell(2, &mut scratch), Ok(None));
        assert_eq!(row.cell(3, &mut scratch), Ok(None));
    }
}

//! What plans say of a column whose type has no exact counterpart, or takes less than what may come.

use connector_core::DataType;

use super::PgType;
use crate::catalog::ColumnInfo;

impl PgType {
    /// Why values of `from` go into such a column as they do; `None` where they go in as they are.
    pub(crate) fn reason(&self, from: DataType) -> Option<String> {
        let reason = match (self, from) {
            (Self::Other(name), _) => {
                return Some(format!(
                    "PostgreSQL's `{name}` has no type of its own here: the server reads the text, and a row whose text it refuses is rejected"
                ));
            }
            (Self::Enum { .. }, _) => "a text that is none of the labels is rejected",
            (Self::Char { .. }, _) => {
                "a text that is longer, or ends with a blank, which such a column does not keep, is rejected"
            }
            (Self::Narrow { .. }, _) => "a value that the column would round or cut is rejected",
            (Self::Array { element, .. }, DataType::Array(from)) => return element.reason(from.data_type()),
            (Self::Jsonb, DataType::Json) => "the value is kept, not its spaces, order and repeated keys",
            (Self::Json | Self::Jsonb | Self::Text { .. }, DataType::Array(_)) => {
                "the array is written as JSON"
            }
            (Self::Text { .. }, DataType::Json) => "the JSON is written as text",
            (Self::Text { max_chars: Some(_) }, _) if self.takes(from) == Some(false) => {
                "a longer text is rejected"
            }
            _ if self.takes(from) == Some(false) => "a number that does not fit is rejected",
            _ => return None,
        };
        Some(reason.to_owned())
    }

    /// How values of such a column are read, where that is not as they are.
    fn note(&self) -> Option<String> {
        let note = match self {
            Self::Other(name) if name == super::MONEY => {
                "read as text, the number in plain digits: PostgreSQL's `money` has no type of its own here".to_owned()
            }
            Self::Other(name) => {
                format!("read as text: PostgreSQL's `{name}` has no type of its own here")
            }
            Self::Enum { name, .. } => format!("read as text: the labels of `{name}`"),
            Self::Citext(_) => "read as text: PostgreSQL compares it without regard to case".to_owned(),
            Self::Char { .. } => "read without the blanks at its end, which do not count".to_owned(),
            Self::Array { .. } => {
                "read as an array; a row whose array has several dimensions, or does not begin at 1, is rejected"
                    .to_owned()
            }
            _ => return None,
        };
        Some(note)
    }
}

/// What a plan says of the columns that are not read as they are: a sentence each.
pub(crate) fn read_notes<'a>(columns: impl IntoIterator<Item = &'a ColumnInfo>) -> Vec<String> {
    let note = |column: &ColumnInfo| {
        let note = column.pg_type.note()?;
        Some(format!("`{}` is {note}", column.field))
    };
    columns.into_iter().filter_map(note).collect()
}

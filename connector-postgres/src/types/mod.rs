//! Between the core's types and PostgreSQL's: two total functions.
//!
//! | core | PostgreSQL column made for it | also written into |
//! |---|---|---|
//! | `bool` | `boolean` | |
//! | `int16` `int32` `int64` | `smallint` `integer` `bigint` | wider integers, `numeric` |
//! | `float32` `float64` | `real` `double precision` | |
//! | `decimal(p,s)` `decimal` | `numeric(p,s)` `numeric` | any `numeric`; whole numbers into integers |
//! | `text(n)` `text` | `text` | `varchar` |
//! | `bytes` | `bytea` | |
//! | `date` `time` `timestamp` `instant` | `date` `time` `timestamp` `timestamptz` | |
//! | `interval` | `interval` | |
//! | `uuid` | `uuid` | |
//! | `json` | `jsonb` | `json`, `text` |
//! | arrays of these | arrays of these | `jsonb`, `json`, `text`, as JSON |
//!
//! Text also goes into `char(n)`, `citext` and enums, and into a column of any other type: PostgreSQL reads the text as
//! it reads a literal, and a row whose text it refuses is rejected. A value that its column cannot hold unchanged is
//! rejected, never rounded or cut.
//!
//! In the other direction:
//!
//! | PostgreSQL | core |
//! |---|---|
//! | the types above, and domains over them | the types above |
//! | `varchar(n)` `name` `citext` `char(n)` enums | text; of `char(n)` without the blanks at its end, which do not count |
//! | `timestamp(3)`, `interval day to minute`, `numeric(3,-2)` | the same type without the limit |
//! | arrays of the types above | arrays; one of several dimensions, or that does not begin at 1, is rejected |
//! | `money` | text: the number, in plain digits |
//! | `timetz` `inet` `cidr` `macaddr` `bit` `xml` ranges, composites, and whatever else there is | PostgreSQL's own text |

mod narrow;
mod reasons;
mod takes;

use std::sync::Arc;

use connector_core::{DataType, DecimalSize, ElementType};

pub(crate) use narrow::Limit;
pub(crate) use reasons::read_notes;

/// The type of a column, as far as values are encoded and decoded by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PgType {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric(Option<DecimalSize>),
    /// `text`, `varchar(n)`, `name`.
    Text {
        max_chars: Option<u32>,
    },
    Bytea,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Interval,
    Uuid,
    Json,
    Jsonb,
    /// `char(n)`: blanks at the end do not count.
    Char {
        max_chars: Option<u32>,
    },
    /// `citext`, by its name with its schema where that is needed.
    Citext(String),
    Enum {
        name: String,
        /// In the order of their bytes.
        labels: Arc<[String]>,
    },
    Array {
        element: Box<Self>,
        /// The number of the element's type, which stands in each value.
        oid: u32,
    },
    /// One of the above that holds only some of its values, as SQL declares it.
    Narrow {
        of: Box<Self>,
        limit: Limit,
        declared: String,
    },
    /// Any other, by its name: read as text, and written as text that the server reads.
    Other(String),
}

/// The numbers of types and of the arrays of them.
const ARRAYS: [(u32, u32); 20] = [
    (16, 1000),
    (17, 1001),
    (19, 1003),
    (20, 1016),
    (21, 1005),
    (23, 1007),
    (25, 1009),
    (114, 199),
    (700, 1021),
    (701, 1022),
    (1042, 1014),
    (1043, 1015),
    (1082, 1182),
    (1083, 1183),
    (1114, 1115),
    (1184, 1185),
    (1186, 1187),
    (1700, 1231),
    (2950, 2951),
    (3802, 3807),
];

impl PgType {
    /// The type of the column made for a core type.
    pub(crate) fn for_core(data_type: DataType) -> Self {
        match data_type {
            DataType::Bool => Self::Bool,
            DataType::Int16 => Self::Int2,
            DataType::Int32 => Self::Int4,
            DataType::Int64 => Self::Int8,
            DataType::Float32 => Self::Float4,
            DataType::Float64 => Self::Float8,
            DataType::Decimal(size) => Self::Numeric(size),
            DataType::Text { .. } => Self::Text { max_chars: None },
            DataType::Bytes => Self::Bytea,
            DataType::Date => Self::Date,
            DataType::Time => Self::Time,
            DataType::Timestamp => Self::Timestamp,
            DataType::Instant => Self::Timestamptz,
            DataType::Interval => Self::Interval,
            DataType::Uuid => Self::Uuid,
            DataType::Json => Self::Jsonb,
            DataType::Array(element) => {
                let element = Self::for_core(element.data_type());
                Self::Array {
                    oid: element.oid(),
                    element: Box::new(element),
                }
            }
        }
    }

    /// The number of a type that [`for_core`](Self::for_core) gives to an element.
    fn oid(&self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::Bytea => 17,
            Self::Int8 => 20,
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Json => 114,
            Self::Float4 => 700,
            Self::Float8 => 701,
            Self::Date => 1082,
            Self::Time => 1083,
            Self::Timestamp => 1114,
            Self::Timestamptz => 1184,
            Self::Interval => 1186,
            Self::Numeric(_) => 1700,
            Self::Uuid => 2950,
            Self::Jsonb => 3802,
            _ => 25,
        }
    }

    /// The type of a column from the catalog: its type's number, modifier and printed name.
    pub(crate) fn from_catalog(oid: u32, typmod: i32, printed: &str) -> Self {
        // The modifier of a length-limited type counts a header of four bytes.
        let limit = u32::try_from(typmod - 4).ok();
        let narrow = |of: Self, limit: Option<Limit>| match limit {
            None => of,
            Some(limit) => Self::Narrow {
                of: Box::new(of),
                limit,
                declared: printed.to_owned(),
            },
        };
        match oid {
            16 => Self::Bool,
            17 => Self::Bytea,
            19 => narrow(Self::Text { max_chars: None }, Some(Limit::NAME)),
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            25 => Self::Text { max_chars: None },
            114 => Self::Json,
            700 => Self::Float4,
            701 => Self::Float8,
            1042 => Self::Char { max_chars: limit },
            1043 => Self::Text { max_chars: limit },
            1082 => Self::Date,
            1083 => narrow(Self::Time, Limit::of_time(typmod)),
            1114 => narrow(Self::Timestamp, Limit::of_time(typmod)),
            1184 => narrow(Self::Timestamptz, Limit::of_time(typmod)),
            1186 => narrow(Self::Interval, Limit::of_interval(typmod)),
            1700 => match limit.map(Limit::digits) {
                None => Self::Numeric(None),
                Some((precision, scale)) if (0..=precision).contains(&scale) => {
                    Self::Numeric(Some(DecimalSize {
                        precision: precision as u16,
                        scale: scale as u16,
                    }))
                }
                // Since PostgreSQL 15 a scale may be negative or exceed the precision.
                Some((precision, scale)) => {
                    narrow(Self::Numeric(None), Some(Limit::Digits { precision, scale }))
                }
            },
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => match ARRAYS.iter().find(|(_, array)| *array == oid) {
                Some(&(oid, _)) => Self::Array {
                    element: Box::new(Self::from_catalog(oid, typmod, printed.trim_end_matches("[]"))),
                    oid,
                },
                None => Self::Other(printed.to_owned()),
            },
        }
    }

    /// `column` as it is selected: a type that has no core counterpart comes as its text. So does one whose number
    /// differs from database to database: the client would ask about it, and keep a statement for that in the session.
    pub(crate) fn selected(&self, column: &str) -> String {
        match self {
            // Its text depends on the session's locale, its number does not.
            Self::Other(name) if name == MONEY => format!("{column}::numeric::text"),
            Self::Other(_) | Self::Enum { .. } | Self::Citext(_) => format!("{column}::text"),
            _ => column.to_owned(),
        }
    }

    /// Whether its values are sent as text that the server reads.
    pub(crate) fn is_sent_as_text(&self) -> bool {
        matches!(self, Self::Other(_))
    }

    /// The type of the column through which its values pass on their way into a table.
    pub(crate) fn staged_sql(&self) -> String {
        if self.is_sent_as_text() {
            "text".to_owned()
        } else {
            self.sql()
        }
    }

    /// `text` that was sent, as the server reads it.
    pub(crate) fn read_by_server(&self, text: &str) -> String {
        match self {
            Self::Other(name) if name == MONEY => format!("{text}::numeric::money"),
            Self::Other(name) => format!("{text}::{name}"),
            _ => text.to_owned(),
        }
    }

    /// The core type of the values read from such a column.
    pub(crate) fn to_core(&self) -> DataType {
        match self {
            Self::Bool => DataType::Bool,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric(size) => DataType::Decimal(*size),
            Self::Text { max_chars } | Self::Char { max_chars } => DataType::Text {
                max_chars: *max_chars,
            },
            Self::Bytea => DataType::Bytes,
            Self::Date => DataType::Date,
            Self::Time => DataType::Time,
            Self::Timestamp => DataType::Timestamp,
            Self::Timestamptz => DataType::Instant,
            Self::Interval => DataType::Interval,
            Self::Uuid => DataType::Uuid,
            Self::Json | Self::Jsonb => DataType::Json,
            Self::Array { element, .. } => DataType::Array(element.to_element()),
            Self::Narrow { of, .. } => of.to_core(),
            Self::Citext(_) | Self::Enum { .. } | Self::Other(_) => DataType::TEXT,
        }
    }

    fn to_element(&self) -> ElementType {
        match self.to_core() {
            DataType::Bool => ElementType::Bool,
            DataType::Int16 => ElementType::Int16,
            DataType::Int32 => ElementType::Int32,
            DataType::Int64 => ElementType::Int64,
            DataType::Float32 => ElementType::Float32,
            DataType::Float64 => ElementType::Float64,
            DataType::Decimal(_) => ElementType::Decimal,
            DataType::Bytes => ElementType::Bytes,
            DataType::Date => ElementType::Date,
            DataType::Time => ElementType::Time,
            DataType::Timestamp => ElementType::Timestamp,
            DataType::Instant => ElementType::Instant,
            DataType::Interval => ElementType::Interval,
            DataType::Uuid => ElementType::Uuid,
            DataType::Json => ElementType::Json,
            // An array's elements are no arrays, so that text is left.
            DataType::Text { .. } | DataType::Array(_) => ElementType::Text,
        }
    }

    /// As SQL writes it.
    pub(crate) fn sql(&self) -> String {
        match self {
            Self::Bool => "boolean".to_owned(),
            Self::Int2 => "smallint".to_owned(),
            Self::Int4 => "integer".to_owned(),
            Self::Int8 => "bigint".to_owned(),
            Self::Float4 => "real".to_owned(),
            Self::Float8 => "double precision".to_owned(),
            Self::Numeric(Some(DecimalSize { precision, scale })) => format!("numeric({precision},{scale})"),
            Self::Numeric(None) => "numeric".to_owned(),
            Self::Text { max_chars: Some(max) } => format!("varchar({max})"),
            Self::Text { max_chars: None } => "text".to_owned(),
            Self::Bytea => "bytea".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Timestamptz => "timestamptz".to_owned(),
            Self::Interval => "interval".to_owned(),
            Self::Uuid => "uuid".to_owned(),
            Self::Json => "json".to_owned(),
            Self::Jsonb => "jsonb".to_owned(),
            Self::Char { max_chars: Some(max) } => format!("char({max})"),
            Self::Char { max_chars: None } => "bpchar".to_owned(),
            Self::Array { element, .. } => format!("{}[]", element.sql()),
            Self::Narrow { declared, .. } => declared.clone(),
            Self::Citext(name) | Self::Enum { name, .. } | Self::Other(name) => name.clone(),
        }
    }
}

const MONEY: &str = "money";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalog_modifiers_are_read() {
        assert_eq!(
            PgType::from_catalog(1700, ((18 << 16) | 2) + 4, "numeric(18,2)"),
            PgType::Numeric(Some(DecimalSize {
                precision: 18,
                scale: 2
            }))
        );
        assert_eq!(PgType::from_catalog(1700, -1, "numeric"), PgType::Numeric(None));
        assert_eq!(
            PgType::from_catalog(1043, 84, "character varying(80)"),
            PgType::Text { max_chars: Some(80) }
        );
        assert_eq!(
            PgType::from_catalog(869, -1, "inet"),
            PgType::Other("inet".to_owned())
        );
    }

    #[test]
    fn what_an_existing_type_leaves_out_is_known() {
        let narrow = |oid, typmod| match PgType::from_catalog(oid, typmod, "printed") {
            PgType::Narrow { limit, declared, .. } => (limit, declared),
            other => panic!("{other:?}"),
        };
        let declared = "printed".to_owned();
        assert_eq!(narrow(1114, 3), (Limit::Time { micros: 1_000 }, declared.clone()));
        // numeric(3,-2) and numeric(2,4).
        for (precision, scale) in [(3, -2), (2, 4)] {
            let typmod = ((precision << 16) | (scale & 0x7FF)) + 4;
            assert_eq!(narrow(1700, typmod).0, Limit::Digits { precision, scale });
        }
        assert_eq!(PgType::from_catalog(1184, 6, "printed"), PgType::Timestamptz);
        assert_eq!(
            PgType::from_catalog(1015, 7, "character varying(3)[]").sql(),
            "varchar(3)[]"
        );
        assert_eq!(
            PgType::from_catalog(1115, 3, "timestamp(3) without time zone[]").sql(),
            "timestamp(3) without time zone[]"
        );
    }
}

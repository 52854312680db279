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
//! | arrays | `jsonb` | `json`, `text` |
//!
//! A value that its column cannot hold unchanged is rejected, never rounded or cut. In the other direction a type
//! that is not in the table is read as PostgreSQL's own text for it, as `text`.

use connector_core::{DataType, DecimalSize};

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
    /// Any other, by its name: read as text, not written.
    Other(String),
}

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
            DataType::Json | DataType::Array(_) => Self::Jsonb,
        }
    }

    /// The type of a column from the catalog: its type's number, modifier and printed name.
    pub(crate) fn from_catalog(oid: u32, typmod: i32, printed: &str) -> Self {
        // The modifier of a length-limited type counts a header of four bytes.
        let limit = u32::try_from(typmod - 4).ok();
        match oid {
            16 => Self::Bool,
            17 => Self::Bytea,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            25 | 19 => Self::Text { max_chars: None },
            114 => Self::Json,
            700 => Self::Float4,
            701 => Self::Float8,
            1043 => Self::Text { max_chars: limit },
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::Timestamptz,
            1186 => Self::Interval,
            1700 => match limit.map(|limit| (limit >> 16, limit & 0x7FF)) {
                None => Self::Numeric(None),
                // Since PostgreSQL 15 a scale may be negative or exceed the precision: such a column has no core
                // counterpart that says as much, and is read as a decimal of any size.
                Some((precision, scale)) if scale <= precision => Self::Numeric(Some(DecimalSize {
                    precision: precision as u16,
                    scale: scale as u16,
                })),
                Some(_) => Self::Other(printed.to_owned()),
            },
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => Self::Other(printed.to_owned()),
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
            Self::Text { max_chars } => DataType::Text {
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
            Self::Other(_) => DataType::TEXT,
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
            Self::Other(name) => name.clone(),
        }
    }

    /// Whether values of `from` can be written into such a column at all, and if so, whether every one of them can.
    pub(crate) fn takes(&self, from: DataType) -> Option<bool> {
        let natural = Self::for_core(from).to_core();
        let here = self.to_core();
        match (self, from) {
            (Self::Other(_), _) => None,
            (Self::Text { max_chars }, DataType::Json | DataType::Array(_)) => Some(max_chars.is_none()),
            (Self::Json | Self::Jsonb, DataType::Json | DataType::Array(_)) => Some(true),
            (Self::Int2 | Self::Int4 | Self::Int8 | Self::Numeric(_), _) => {
                let number = matches!(
                    from,
                    DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Decimal(_)
                );
                number.then(|| from.widens_to(here))
            }
            (Self::Float8, DataType::Float32) => Some(true),
            (Self::Text { .. }, DataType::Text { .. }) => Some(from.widens_to(here)),
            _ => (natural == here).then_some(true),
        }
    }

    /// The type of the same kind that holds every value of this column and every value of `from`; `None` where this
    /// one does already, or no such type is known.
    pub(crate) fn widened_for(&self, from: DataType) -> Option<Self> {
        if self.takes(from) == Some(true) {
            return None;
        }
        let wider = match (self, from) {
            (Self::Int2, DataType::Int32) => Self::Int4,
            (Self::Int2 | Self::Int4, DataType::Int64) => Self::Int8,
            (Self::Float4, DataType::Float64) => Self::Float8,
            (Self::Text { .. }, DataType::Text { max_chars }) => Self::Text { max_chars },
            (Self::Text { .. }, DataType::Json | DataType::Array(_)) => Self::Text { max_chars: None },
            (Self::Numeric(Some(_)), DataType::Decimal(None)) => Self::Numeric(None),
            (Self::Numeric(Some(here)), DataType::Decimal(Some(there))) => Self::Numeric(union(*here, there)),
            (Self::Numeric(Some(here)), DataType::Int16 | DataType::Int32 | DataType::Int64) => {
                let precision = match from {
                    DataType::Int16 => 5,
                    DataType::Int32 => 10,
                    _ => 19,
                };
                Self::Numeric(union(*here, DecimalSize { precision, scale: 0 }))
            }
            _ => return None,
        };
        Some(wider)
    }
}

/// The smallest size that holds the numbers of both; `None` where a declared one does not reach that far.
fn union(a: DecimalSize, b: DecimalSize) -> Option<DecimalSize> {
    let whole = |size: DecimalSize| size.precision.saturating_sub(size.scale);
    let scale = a.scale.max(b.scale);
    let precision = whole(a).max(whole(b)).saturating_add(scale);
    (precision <= MAX_PRECISION).then_some(DecimalSize { precision, scale })
}

/// The most digits a `numeric` can be declared with.
const MAX_PRECISION: u16 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_widen_and_never_narrow() {
        let numeric = |precision, scale| PgType::Numeric(Some(DecimalSize { precision, scale }));
        for (here, from, wider) in [
            (PgType::Int2, DataType::Int64, Some(PgType::Int8)),
            (PgType::Int8, DataType::Int32, None),
            (PgType::Int4, DataType::decimal(5, 2), None),
            (numeric(5, 2), DataType::decimal(6, 4), Some(numeric(7, 4))),
            (numeric(18, 2), DataType::decimal(5, 2), None),
            (numeric(18, 2), DataType::Int64, Some(numeric(21, 2))),
            (
                numeric(18, 2),
                DataType::Decimal(None),
                Some(PgType::Numeric(None)),
            ),
            (
                numeric(900, 0),
                DataType::decimal(900, 900),
                Some(PgType::Numeric(None)),
            ),
            (PgType::Numeric(None), DataType::decimal(5, 2), None),
            (PgType::Float4, DataType::Float64, Some(PgType::Float8)),
            (
                PgType::Text { max_chars: Some(3) },
                DataType::TEXT,
                Some(PgType::Text { max_chars: None }),
            ),
            (
                PgType::Text { max_chars: Some(3) },
                DataType::Text { max_chars: Some(9) },
                Some(PgType::Text { max_chars: Some(9) }),
            ),
            (
                PgType::Text { max_chars: Some(9) },
                DataType::Text { max_chars: Some(3) },
                None,
            ),
            (PgType::Date, DataType::TEXT, None),
        ] {
            assert_eq!(here.widened_for(from), wider, "{here:?} for {from}");
        }
    }

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
    fn a_table_made_from_a_schema_takes_it_without_loss() {
        for data_type in [
            DataType::Bool,
            DataType::Int16,
            DataType::Int64,
            DataType::Float32,
            DataType::decimal(18, 2),
            DataType::Decimal(None),
            DataType::Text { max_chars: Some(80) },
            DataType::Bytes,
            DataType::Date,
            DataType::Instant,
            DataType::Json,
            DataType::Uuid,
        ] {
            assert_eq!(
                PgType::for_core(data_type).takes(data_type),
                Some(true),
                "{data_type}"
            );
        }
        assert_eq!(PgType::Int4.takes(DataType::decimal(5, 2)), Some(false));
        assert_eq!(PgType::Date.takes(DataType::TEXT), None);
        assert_eq!(
            PgType::Text { max_chars: Some(10) }.takes(DataType::TEXT),
            Some(false)
        );
    }
}

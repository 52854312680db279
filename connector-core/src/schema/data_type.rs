//! The closed list of data types.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a field. The list is closed on purpose: a new type must make every connector decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DataType {
    /// True or false.
    Bool,
    /// 16-bit integer.
    Int16,
    /// 32-bit integer.
    Int32,
    /// 64-bit integer.
    Int64,
    /// IEEE 754 single.
    Float32,
    /// IEEE 754 double.
    Float64,
    /// Exact decimal; `None` is of any size.
    Decimal(Option<DecimalSize>),
    /// Unicode text; `max_chars` where the system limits it.
    Text {
        /// Most characters (Unicode scalar values), if limited.
        max_chars: Option<u32>,
    },
    /// Binary data.
    Bytes,
    /// Calendar date, or an infinity.
    Date,
    /// Time of day without a zone.
    Time,
    /// Date and time without a zone, or an infinity.
    Timestamp,
    /// A point in time, or an infinity.
    Instant,
    /// Months, days and microseconds.
    Interval,
    /// UUID.
    Uuid,
    /// One JSON value as text.
    Json,
    /// One-dimensional array.
    Array(ElementType),
}

/// The digits a decimal field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DecimalSize {
    /// Digits in all.
    pub precision: u16,
    /// Digits behind the point.
    pub scale: u16,
}

/// What an array may hold: every type but an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the DataType of the same name")]
pub enum ElementType {
    Bool,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    Instant,
    Interval,
    Uuid,
    Json,
}

impl DataType {
    /// Text without a limit.
    pub const TEXT: Self = Self::Text { max_chars: None };

    /// A decimal of `precision` digits, `scale` of them behind the point.
    pub const fn decimal(precision: u16, scale: u16) -> Self {
        Self::Decimal(Some(DecimalSize { precision, scale }))
    }

    /// Whether every value of `self` is a value of `wider`, unchanged.
    pub fn widens_to(self, wider: Self) -> bool {
        use DataType::{Decimal, Float32, Float64, Int16, Int32, Int64, Text};
        if self == wider {
            return true;
        }
        match (self, wider) {
            (Int16, Int32 | Int64 | Float32 | Float64) | (Int32, Int64 | Float64) | (Float32, Float64) => {
                true
            }
            (Int16 | Int32 | Int64, Decimal(None)) | (Decimal(_), Decimal(None)) => true,
            (Int16 | Int32 | Int64, Decimal(Some(size))) => {
                let digits = match self {
                    Int16 => 5,
                    Int32 => 10,
                    _ => 19,
                };
                size.precision.saturating_sub(size.scale) >= digits
            }
            (Decimal(Some(narrow)), Decimal(Some(wide))) => {
                let whole = |size: DecimalSize| size.precision.saturating_sub(size.scale);
                narrow.scale <= wide.scale && whole(narrow) <= whole(wide)
            }
            (Text { .. }, Text { max_chars: None }) => true,
            (
                Text {
                    max_chars: Some(narrow),
                },
                Text {
                    max_chars: Some(wide),
                },
            ) => narrow <= wide,
            _ => false,
        }
    }

    /// Whether values of this type can be, or be part of, a record's key: their text is unmistakable.
    pub fn can_be_key(self) -> bool {
        matches!(
            self,
            Self::Int16
                | Self::Int32
                | Self::Int64
                | Self::Decimal(_)
                | Self::Text { .. }
                | Self::Uuid
                | Self::Date
        )
    }
}

impl ElementType {
    /// The type of a field that holds one such element; text and decimals are of any size.
    pub const fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Bool,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal => DataType::Decimal(None),
            Self::Text => DataType::TEXT,
            Self::Bytes => DataType::Bytes,
            Self::Date => DataType::Date,
            Self::Time => DataType::Time,
            Self::Timestamp => DataType::Timestamp,
            Self::Instant => DataType::Instant,
            Self::Interval => DataType::Interval,
            Self::Uuid => DataType::Uuid,
            Self::Json => DataType::Json,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal(Some(DecimalSize { precision, scale })) => {
                write!(f, "decimal({precision},{scale})")
            }
            Self::Decimal(None) => f.write_str("decimal"),
            Self::Text { max_chars: Some(max) } => write!(f, "text({max})"),
            Self::Text { max_chars: None } => f.write_str("text"),
            Self::Array(element) => write!(f, "{}[]", format!("{element:?}").to_lowercase()),
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_never_loses() {
        assert!(DataType::Int32.widens_to(DataType::decimal(10, 0)));
        assert!(!DataType::Int32.widens_to(DataType::decimal(10, 1)));
        assert!(!DataType::Int32.widens_to(DataType::Float32));
        assert!(!DataType::Int64.widens_to(DataType::Float64));
        assert!(DataType::decimal(18, 2).widens_to(DataType::decimal(20, 4)));
        assert!(!DataType::decimal(18, 2).widens_to(DataType::decimal(18, 4)));
        assert!(!DataType::TEXT.widens_to(DataType::Text { max_chars: Some(80) }));
    }

    #[test]
    fn names_are_short() {
        assert_eq!(DataType::decimal(18, 2).to_string(), "decimal(18,2)");
        assert_eq!(DataType::Array(ElementType::Int64).to_string(), "int64[]");
        assert_eq!(DataType::Instant.to_string(), "instant");
    }
}

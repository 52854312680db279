//! How BigCommerce's types become those of the core.

use connector_core::DataType;

/// The type of a field, as the store means it.
///
/// JSON's own types are only a hint here: the same field comes as a number in one record and as text in the next.
///
/// | the store's type | core type | taken as well | null |
/// |---|---|---|---|
/// | integer: ids, counts | `Int64` | digits as text, `3.0` | `""`, `[]`, `{}` |
/// | boolean | `Bool` | `"true"`, `"false"`, `1`, `0`, also as text | `""`, `[]`, `{}` |
/// | money, rates | `Decimal`, of any size, with all digits and trailing zeros | text or number | `""`, `[]`, `{}` |
/// | text | `Text`; an empty text stays one | numbers and containers, as they stand | |
/// | date | `Instant` | ISO 8601, RFC 2822, a bare date, unix seconds | `""`, `[]`, `{}` |
/// | object, array | `Json`, the text as it stood | anything | |
///
/// `null` is null everywhere, and so is a field that a record does not have. Ids that are texts, `cart_id` among
/// them, stay texts: nothing promises their form. No mapping loses anything; a value that fits none of it rejects its
/// record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Integer,
    Boolean,
    Decimal,
    Text,
    Instant,
    Json,
}

impl FieldType {
    /// The type that the core knows it by.
    pub(crate) const fn data_type(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Boolean => DataType::Bool,
            Self::Decimal => DataType::Decimal(None),
            Self::Text => DataType::TEXT,
            Self::Instant => DataType::Instant,
            Self::Json => DataType::Json,
        }
    }
}

//! What can be written into a column, and how the column would have to grow for it.

use connector_core::{DataType, DecimalSize};

use super::PgType;

impl PgType {
    /// Whether values of `from` can be written into such a column at all, and if so, whether every one of them can.
    pub(crate) fn takes(&self, from: DataType) -> Option<bool> {
        let natural = Self::for_core(from).to_core();
        let here = self.to_core();
        match (self, from) {
            (Self::Narrow { of, .. }, _) => of.takes(from).map(|_| false),
            (Self::Array { element, .. }, DataType::Array(from)) => element.takes(from.data_type()),
            (Self::Citext(_), DataType::Text { .. }) => Some(true),
            // What it takes, only the server or its labels tell.
            (Self::Char { .. } | Self::Enum { .. } | Self::Other(_), DataType::Text { .. }) => Some(false),
            (Self::Char { .. } | Self::Citext(_) | Self::Enum { .. } | Self::Other(_), _) => None,
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
    use connector_core::ElementType;

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
            DataType::Array(ElementType::Decimal),
            DataType::Array(ElementType::Json),
        ] {
            assert_eq!(
                PgType::for_core(data_type).takes(data_type),
                Some(true),
                "{data_type}"
            );
        }
        assert_eq!(PgType::Int4.takes(DataType::decimal(5, 2)), Some(false));
        assert_eq!(PgType::Date.takes(DataType::TEXT), None);
        let array = DataType::Array(ElementType::Int32);
        assert_eq!(
            PgType::for_core(array).takes(DataType::Array(ElementType::Int64)),
            Some(false)
        );
        assert_eq!(PgType::for_core(array).takes(DataType::Json), None);
        assert_eq!(PgType::Jsonb.takes(array), Some(true));
        assert_eq!(
            PgType::Other("inet".to_owned()).takes(DataType::TEXT),
            Some(false)
        );
        assert_eq!(PgType::Other("inet".to_owned()).takes(DataType::Int32), None);
        let milliseconds = PgType::from_catalog(1114, 3, "timestamp(3)");
        assert_eq!(milliseconds.takes(DataType::Timestamp), Some(false));
        assert_eq!(milliseconds.takes(DataType::Instant), None);
        assert_eq!(milliseconds.widened_for(DataType::Timestamp), None);
        assert_eq!(
            PgType::Text { max_chars: Some(10) }.takes(DataType::TEXT),
            Some(false)
        );
    }
}

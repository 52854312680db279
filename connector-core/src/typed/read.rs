//! From a record to a program's own type.

use serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess, Unexpected, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use super::fault::Fault;
use crate::batch::Record;
use crate::error::Result;
use crate::value::{Decimal, Value};

impl<'a> Record<'a> {
    /// The record as a program's own type: a struct with the schema's field names, or a map.
    ///
    /// A field that is unset is left out, so that an `Option` is `None` and `#[serde(default)]` applies; null is `None`
    /// or `()`, and a [`Patch`](crate::Patch) keeps the two apart. Fields that the type does not name are passed over.
    ///
    /// - Integers become integers of any width, within their range, and the nearest float where the type asks for one.
    /// - A decimal becomes a `String` with all its digits, an integer where it has no fraction, and the nearest `f64`
    ///   where the type asks for one. A type that asks for nothing, such as `serde_json::Value`, gets text.
    /// - Text becomes `String`, `&str`, `char` or an enum without data.
    /// - Dates, times, intervals and UUIDs become their ISO text; types of other crates that read themselves from such
    ///   text work.
    /// - Bytes become bytes, a list of `u8`, or hexadecimal text.
    /// - JSON becomes whatever `serde_json` makes of it: nested structs, `serde_json::Value`, `Box<RawValue>`.
    /// - Arrays become lists, with `Option` for elements that may be null.
    ///
    /// # Errors
    /// [`Data`](crate::ErrorKind::Data): a field is not what the type asks for; the error names the field, what is
    /// asked for and the kind of what was found, never the value. [`Schema`](crate::ErrorKind::Schema): the type asks
    /// for a field that the schema does not have.
    ///
    /// ```
    /// use connector_core::{Record, Result};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// #[serde(rename_all = "PascalCase")]
    /// struct Lead {
    ///     id: String,
    ///     email: Option<String>,
    ///     annual_revenue: Option<f64>,
    ///     status: Status,
    /// }
    ///
    /// #[derive(Deserialize, PartialEq)]
    /// enum Status {
    ///     Open,
    ///     #[serde(rename = "Closed - Won")]
    ///     Won,
    /// }
    ///
    /// fn is_open(record: &Record<'_>) -> Result<bool> {
    ///     let lead: Lead = record.deserialize()?;
    ///     Ok(lead.status == Status::Open)
    /// }
    /// ```
    pub fn deserialize<T: Deserialize<'a>>(&self) -> Result<T> {
        let fields = Fields {
            record: *self,
            next: 0,
            value: Value::Unset,
        };
        T::deserialize(fields).map_err(|fault| fault.of_record(self.schema()))
    }
}

/// The fields of a record that are set.
struct Fields<'a> {
    record: Record<'a>,
    next: usize,
    /// The value of the field before `next`.
    value: Value<'a>,
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        while let Some(field) = self.record.schema().fields().get(self.next) {
            self.value = self.record.value(self.next);
            self.next += 1;
            if !matches!(self.value, Value::Unset) {
                return seed
                    .deserialize(BorrowedStrDeserializer::new(&field.name))
                    .map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(Cell(self.value)).map_err(|fault| {
            let field = &self.record.schema().fields()[self.next - 1];
            fault.at_cell(field, &self.value)
        })
    }
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// One value.
struct Cell<'a>(Value<'a>);

impl<'a> IntoDeserializer<'a, Fault> for Cell<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'a> Cell<'a> {
    fn any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Unset | Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::Float32(value) => visitor.visit_f32(value),
            Value::Float64(value) => visitor.visit_f64(value),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Array(array) => {
                // It refuses a list with more elements than the visitor takes.
                SeqDeserializer::new(array.iter().map(Cell)).deserialize_any(visitor)
            }
            Value::Decimal(_)
            | Value::Bytes(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::Timestamp(_)
            | Value::Instant(_)
            | Value::Interval(_)
            | Value::Uuid(_)
            | Value::Json(_) => visitor.visit_string(self.0.to_string()),
        }
    }

    fn integer<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Decimal(decimal) => visit_whole(&decimal, visitor),
            _ => self.any(visitor),
        }
    }

    fn f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Decimal(decimal) => match decimal.to_string().parse() {
                Ok(nearest) => visitor.visit_f32(nearest),
                Err(_) => self.any(visitor),
            },
            _ => self.any(visitor),
        }
    }

    fn f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Decimal(decimal) => match decimal.to_string().parse() {
                Ok(nearest) => visitor.visit_f64(nearest),
                Err(_) => self.any(visitor),
            },
            _ => self.any(visitor),
        }
    }

    fn bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::Uuid(bytes) => visitor.visit_bytes(&bytes),
            _ => self.any(visitor),
        }
    }

    fn list<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Bytes(bytes) => SeqDeserializer::new(bytes.iter().copied()).deserialize_any(visitor),
            _ => self.any(visitor),
        }
    }
}

/// A decimal without a fraction, as the narrowest integer that serde knows.
fn visit_whole<'a, V: Visitor<'a>>(decimal: &Decimal<'_>, visitor: V) -> Result<V::Value, Fault> {
    if let Some(number) = decimal.to_i64() {
        return visitor.visit_i64(number);
    }
    let text = decimal.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    if decimal.significant_scale() > 0 || !decimal.is_finite() {
        Err(Fault::Other {
            wanted: (&visitor as &dyn Expected).to_string(),
            found: "a decimal with a fraction",
        })
    } else if let Ok(number) = whole.parse() {
        visitor.visit_u64(number)
    } else if let Ok(number) = whole.parse() {
        visitor.visit_i128(number)
    } else if let Ok(number) = whole.parse() {
        visitor.visit_u128(number)
    } else {
        Err(Fault::invalid_value(Unexpected::Signed(0), &visitor))
    }
}

/// What `read` makes of the text of a JSON value.
fn in_json<'a, T>(
    text: &'a str,
    read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> Result<T, serde_json::Error>,
) -> Result<T, Fault> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = read(&mut json)?;
    json.end()?;
    Ok(value)
}

/// Each method, for a JSON value as `serde_json` has it, for others as ours.
macro_rules! methods {
    ($($method:ident => $ours:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0 {
                Value::Json(text) => in_json(text, |json| json.$method(visitor)),
                _ => self.$ours(visitor),
            }
        })*
    };
}

impl<'a> Deserializer<'a> for Cell<'a> {
    type Error = Fault;

    methods! {
        deserialize_any => any,
        deserialize_bool => any,
        deserialize_i8 => integer,
        deserialize_i16 => integer,
        deserialize_i32 => integer,
        deserialize_i64 => integer,
        deserialize_i128 => integer,
        deserialize_u8 => integer,
        deserialize_u16 => integer,
        deserialize_u32 => integer,
        deserialize_u64 => integer,
        deserialize_u128 => integer,
        deserialize_f32 => f32,
        deserialize_f64 => f64,
        deserialize_char => any,
        deserialize_str => any,
        deserialize_string => any,
        deserialize_bytes => bytes,
        deserialize_byte_buf => bytes,
        deserialize_unit => any,
        deserialize_seq => list,
        deserialize_map => any,
        deserialize_identifier => any,
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Unset | Value::Null => visitor.visit_none(),
            Value::Json(text) => in_json(text, |json| json.deserialize_option(visitor)),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Json(text) => in_json(text, |json| json.deserialize_unit_struct(name, visitor)),
            _ => self.any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Json(text) => in_json(text, |json| json.deserialize_newtype_struct(name, visitor)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Json(text) => in_json(text, |json| json.deserialize_tuple(len, visitor)),
            _ => self.list(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Json(text) => in_json(text, |json| json.deserialize_tuple_struct(name, len, visitor)),
            _ => self.list(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Json(text) => in_json(text, |json| json.deserialize_struct(name, fields, visitor)),
            _ => self.any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Json(text) => in_json(text, |json| json.deserialize_enum(name, variants, visitor)),
            Value::Text(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            _ => self.any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::batch::{Batch, BatchBuilder, Op};
    use crate::schema::{DataType, ElementType, Field, Schema};

    fn one(data_type: DataType, json: &str) -> Batch {
        let fields = vec![Field::new("It", data_type), Field::new("Other", DataType::TEXT)];
        let mut builder = BatchBuilder::new(Arc::new(Schema::new(fields, []).unwrap()), 0);
        builder.push_json_record(json, Op::Put).unwrap();
        builder.finish()
    }

    fn it<T: serde::de::DeserializeOwned>(data_type: DataType, json: &str) -> Result<T, String> {
        let batch = one(data_type, &format!("{{\"It\":{json}}}"));
        let made: Result<BTreeMap<String, T>> = batch.get(0).unwrap().deserialize();
        let made = made.map(|mut map| map.remove("It").unwrap());
        made.map_err(|error| error.to_string())
    }

    #[test]
    fn a_decimal_becomes_what_is_asked_for() {
        const DECIMAL: DataType = DataType::Decimal(None);
        assert_eq!(it(DECIMAL, "12.50"), Ok("12.50".to_owned()));
        assert_eq!(it(DECIMAL, "12.00"), Ok(12_u8));
        assert_eq!(it(DECIMAL, "0.1"), Ok(0.1_f64));
        assert_eq!(it(DECIMAL, "18446744073709551615.0"), Ok(u64::MAX));
        assert_eq!(it(DECIMAL, &i128::MIN.to_string()), Ok(i128::MIN));
        assert_eq!(
            it::<u8>(DECIMAL, "12.5"),
            Err("the field `It` should be u8, found a decimal with a fraction".to_owned())
        );
        assert_eq!(
            it::<i128>(DECIMAL, &"9".repeat(60)),
            Err("the field `It` should be i128, found another integer".to_owned())
        );
    }

    #[test]
    fn a_refusal_says_what_was_wanted_and_what_was_found() {
        for (found, wanted) in [
            (
                it::<u8>(DataType::Int16, "256").err(),
                "the field `It` should be u8, found another integer",
            ),
            (
                it::<String>(DataType::Int16, "1").err(),
                "the field `It` should be a string, found an integer",
            ),
            (
                it::<String>(DataType::TEXT, "null").err(),
                "the field `It` should be a string, found null",
            ),
            (
                it::<u8>(DataType::Date, "\"2024-02-29\"").err(),
                "the field `It` should be u8, found a date",
            ),
            (
                it::<std::net::Ipv4Addr>(DataType::TEXT, "\"secret\"").err(),
                "the text of the field `It` was refused by its type",
            ),
            (
                it::<(i16, i16)>(DataType::Array(ElementType::Int16), "[1,2,3]").err(),
                "the field `It` should be 2 elements in sequence, found a list of another length",
            ),
            (
                it::<Vec<i16>>(DataType::Array(ElementType::Text), "[\"secret\"]").err(),
                "the field `It` should be i16, found text",
            ),
            (
                it::<BTreeMap<String, u8>>(DataType::Json, "{\"a\":\"secret\"}").err(),
                "the JSON of the field `It` is not what its type asks for, at line 1 column 13",
            ),
        ] {
            assert_eq!(found.as_deref(), Some(wanted));
        }
    }

    #[test]
    fn a_flattened_struct_is_read_and_written() {
        #[derive(serde::Deserialize, serde::Serialize)]
        struct Outer<T> {
            #[serde(rename = "Other")]
            other: String,
            #[serde(flatten)]
            inner: Inner<T>,
        }
        #[derive(serde::Deserialize, serde::Serialize)]
        struct Inner<T> {
            #[serde(rename = "It")]
            it: T,
        }
        let batch = one(DataType::Int32, r#"{"It":7,"Other":"a"}"#);
        let record = batch.get(0).unwrap();
        let outer: Outer<Option<u8>> = record.deserialize().unwrap();
        let mut builder = BatchBuilder::new(Arc::clone(batch.schema()), 0);
        builder.push_typed(&outer, Op::Put).unwrap();
        let written = builder.finish();
        assert!(written.get(0).unwrap().values().eq(record.values()));
        assert_eq!(
            record.deserialize::<Outer<String>>().err().unwrap().to_string(),
            "a field of a record should be a string, found an integer"
        );
    }

    #[test]
    fn what_is_unset_is_left_out() {
        #[derive(serde::Deserialize, Debug, PartialEq)]
        #[serde(rename_all = "PascalCase")]
        struct Optional {
            it: Option<i32>,
            #[serde(default)]
            other: crate::Patch<String>,
        }
        #[derive(serde::Deserialize, Debug)]
        #[expect(dead_code, reason = "only asked for")]
        struct Strict {
            #[serde(rename = "Other")]
            other: String,
        }
        #[derive(serde::Deserialize, Debug)]
        #[expect(dead_code, reason = "only asked for")]
        struct Misspelt {
            others: String,
        }
        let batch = one(DataType::Int32, "{}");
        let record = batch.get(0).unwrap();
        assert_eq!(
            record.deserialize::<Optional>().unwrap(),
            Optional {
                it: None,
                other: crate::Patch::Unset
            }
        );
        let unset = record.deserialize::<Strict>().unwrap_err();
        assert_eq!(unset.to_string(), "the field `Other` is unset");
        let misspelt = record.deserialize::<Misspelt>().unwrap_err();
        assert_eq!(
            misspelt.report().to_string(),
            "there is no field `others`\nhelp: did you mean `Other`?"
        );
        let list = record.deserialize::<Vec<u8>>().unwrap_err();
        assert_eq!(list.to_string(), "a record should be a sequence, found an object");
    }
}

//! From a program's own type to a record.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct};

use super::fault::Fault;
use super::scalars::{Never, Scalars, Sink};
use crate::batch::{BatchBuilder, Op};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::DataType;
use crate::value::fit::{Scalar, Scratch, fit};
use crate::value::{ArrayBuf, Mismatch, Value};

impl BatchBuilder {
    /// Adds a whole record from a program's own type: a struct or a map, whose fields find those of the schema by name.
    ///
    /// A field of the schema that it lacks is unset, `None` and `()` are null, and a [`Patch`](crate::Patch) says which
    /// of the two. Each value becomes one of the field's type exactly, or is refused:
    ///
    /// - Numbers become integers, floats and decimals that are the same number; a float becomes the shortest decimal
    ///   that no other float of its width is nearer to. A decimal may stand in text.
    /// - Text and enums without data become text; ISO text becomes dates, times, intervals and UUIDs.
    /// - Bytes, lists of `u8` and hexadecimal text become bytes.
    /// - Lists become arrays; whatever is not null becomes JSON, as `serde_json` writes it.
    ///
    /// The cells of an unfinished record are taken back first.
    ///
    /// # Errors
    /// [`Schema`](ErrorKind::Schema): the type has a field that the schema lacks; the help names the nearest one.
    /// [`Data`](ErrorKind::Data): a value does not become one of its field's type, or what is given is no struct and no
    /// map. Then the record is cancelled: its number, `next_sequence() - 1`, is used up. The error names the field, its
    /// type and the kind of what was found, never the value.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use connector_core::{BatchBuilder, DataType, Field, Op, Result, Schema};
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Score<'a> {
    ///     #[serde(rename = "LeadScore__c")]
    ///     score: f64,
    ///     #[serde(rename = "Id")]
    ///     id: &'a str,
    /// }
    ///
    /// fn main() -> Result<()> {
    ///     let fields = vec![
    ///         Field::new("Id", DataType::TEXT),
    ///         Field::new("LeadScore__c", DataType::decimal(18, 2)),
    ///     ];
    ///     let mut builder = BatchBuilder::new(Arc::new(Schema::new(fields, ["Id"])?), 0);
    ///     builder.push_typed(&Score { id: "00Q1", score: 46.53 }, Op::Put)?;
    ///
    ///     let error = builder.push_typed(&Score { id: "00Q2", score: 46.535 }, Op::Put).unwrap_err();
    ///     assert_eq!(
    ///         error.to_string(),
    ///         "the field `LeadScore__c` should be decimal(18,2), found a number with more digits"
    ///     );
    ///     assert_eq!(builder.len(), 1);
    ///     Ok(())
    /// }
    /// ```
    pub fn push_typed<T: Serialize + ?Sized>(&mut self, record: &T, op: Op) -> Result<()> {
        self.begin_record();
        match record.serialize(Scalars(RecordSink(self))) {
            Ok(()) => {
                self.end_record(op);
                Ok(())
            }
            Err(fault) => {
                self.cancel_record();
                Err(fault.of_record(self.schema()))
            }
        }
    }
}

/// Takes a record: an object and nothing else.
struct RecordSink<'b>(&'b mut BatchBuilder);

impl<'b> Sink for RecordSink<'b> {
    type Ok = ();
    type List = Never<()>;
    type Object = FieldsSink<'b>;

    fn scalar(self, _: Scalar<'_>) -> Result<(), Fault> {
        Err(no_record("a single value"))
    }

    fn list(self) -> Result<Never<()>, Fault> {
        Err(no_record("a list"))
    }

    fn object(self) -> Result<FieldsSink<'b>, Fault> {
        Ok(FieldsSink {
            builder: self.0,
            next: 0,
        })
    }
}

fn no_record(found: &'static str) -> Fault {
    Fault::Done(Error::new(
        ErrorKind::Data,
        format!("a record should be a struct or a map, found {found}"),
    ))
}

/// Takes the fields of a record, in any order.
struct FieldsSink<'b> {
    builder: &'b mut BatchBuilder,
    /// The position after that of the last field; while a map's value is awaited, its own.
    next: usize,
}

impl FieldsSink<'_> {
    fn set<T: Serialize + ?Sized>(&mut self, position: usize, value: &T) -> Result<(), Fault> {
        let field = &self.builder.schema().fields()[position];
        if self.builder.is_set(position) {
            return Err(Fault::Done(Error::new(
                ErrorKind::Data,
                format!("the field `{}` stands twice in a record", field.name),
            )));
        }
        let to = field.data_type;
        self.next = position + 1;
        write(value, to, Target::Cell(self.builder, position))
            .map_err(|fault| fault.at_field(&self.builder.schema().fields()[position]))
    }
}

/// The position of the field called `name`.
fn find(builder: &BatchBuilder, name: &str, expected: usize) -> Result<usize, Fault> {
    builder
        .position(name, expected)
        .ok_or_else(|| Fault::Done(builder.schema().unknown_field(name)))
}

impl SerializeStruct for FieldsSink<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        let position = find(self.builder, key, self.next)?;
        self.set(position, value)
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}

impl SerializeMap for FieldsSink<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.next = key.serialize(Scalars(NameSink {
            builder: self.builder,
            expected: self.next,
        }))?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.set(self.next, value)
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Takes a map's key: the name of a field.
struct NameSink<'b> {
    builder: &'b BatchBuilder,
    expected: usize,
}

impl Sink for NameSink<'_> {
    type Ok = usize;
    type List = Never<usize>;
    type Object = Never<usize>;

    fn scalar(self, scalar: Scalar<'_>) -> Result<usize, Fault> {
        match scalar {
            Scalar::Text(name) => find(self.builder, name, self.expected),
            _ => Err(no_record("a map whose keys are no text")),
        }
    }
}

/// Where a value goes.
enum Target<'b> {
    Cell(&'b mut BatchBuilder, usize),
    Element(&'b mut ArrayBuf, &'b mut Scratch),
}

impl Target<'_> {
    fn put(self, value: Value<'_>) {
        match self {
            Self::Cell(builder, position) => builder.set(position, value),
            Self::Element(elements, _) => elements.push(&value),
        }
    }

    fn fit(self, to: DataType, scalar: Scalar<'_>) -> Result<(), Mismatch> {
        match self {
            Self::Cell(builder, position) => {
                let mut scratch = std::mem::take(&mut builder.scratch);
                let Scratch { digits, bytes, .. } = &mut scratch;
                let set = fit(to, scalar, digits, bytes).map(|value| builder.set(position, value));
                builder.scratch = scratch;
                set
            }
            Self::Element(elements, Scratch { digits, bytes, .. }) => {
                fit(to, scalar, digits, bytes).map(|value| elements.push(&value))
            }
        }
    }
}

/// Puts a value of type `to` where it goes.
fn write<T: Serialize + ?Sized>(value: &T, to: DataType, target: Target<'_>) -> Result<(), Fault> {
    if to != DataType::Json {
        return value.serialize(Scalars(ValueSink { to, target }));
    }
    match value.serialize(Scalars(Probe)) {
        Ok(Presence::Unset) => target.put(Value::Unset),
        Ok(Presence::Null) => target.put(Value::Null),
        // Lists and objects come here as refusals.
        Ok(Presence::Value) | Err(_) => {
            let json = serde_json::to_string(value).map_err(|_| Fault::Refused)?;
            target.put(Value::Json(&json));
        }
    }
    Ok(())
}

/// Tells whether there is a value at all.
struct Probe;

enum Presence {
    Unset,
    Null,
    Value,
}

impl Sink for Probe {
    type Ok = Presence;
    type List = Never<Presence>;
    type Object = Never<Presence>;

    fn scalar(self, scalar: Scalar<'_>) -> Result<Presence, Fault> {
        Ok(match scalar {
            Scalar::Unset => Presence::Unset,
            Scalar::Null => Presence::Null,
            _ => Presence::Value,
        })
    }
}

/// Takes one value of a type other than JSON.
struct ValueSink<'b> {
    to: DataType,
    target: Target<'b>,
}

impl<'b> Sink for ValueSink<'b> {
    type Ok = ();
    type List = ListSink<'b>;
    type Object = Never<()>;

    fn scalar(self, scalar: Scalar<'_>) -> Result<(), Fault> {
        Ok(self.target.fit(self.to, scalar)?)
    }

    fn list(self) -> Result<ListSink<'b>, Fault> {
        let element = match self.to {
            DataType::Array(element) => Some(element.data_type()),
            DataType::Bytes => None,
            _ => return Err(Mismatch::new("a list").into()),
        };
        Ok(ListSink {
            element,
            target: self.target,
            elements: ArrayBuf::new(),
            bytes: Vec::new(),
            scratch: Scratch::default(),
        })
    }
}

/// Takes the elements of an array, or the bytes of a list that stands for bytes.
struct ListSink<'b> {
    /// The type of an element; `None`: a byte.
    element: Option<DataType>,
    target: Target<'b>,
    elements: ArrayBuf,
    bytes: Vec<u8>,
    scratch: Scratch,
}

impl ListSink<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let pushed = match self.element {
            Some(element) => write(
                value,
                element,
                Target::Element(&mut self.elements, &mut self.scratch),
            ),
            None => value
                .serialize(Scalars(ByteSink))
                .map(|byte| self.bytes.push(byte)),
        };
        pushed.map_err(|fault| match fault {
            Fault::Mismatch(mismatch) => mismatch.in_list().into(),
            other => other,
        })
    }

    fn finish(self) {
        self.target.put(match self.element {
            Some(_) => Value::Array(self.elements.as_array()),
            None => Value::Bytes(&self.bytes),
        });
    }
}

/// Takes one byte.
struct ByteSink;

impl Sink for ByteSink {
    type Ok = u8;
    type List = Never<u8>;
    type Object = Never<u8>;

    fn scalar(self, scalar: Scalar<'_>) -> Result<u8, Fault> {
        match scalar {
            Scalar::Int(number) => {
                u8::try_from(number).map_err(|_| Mismatch::new("a number out of range").into())
            }
            _ => Err(Mismatch::new("what is no byte").into()),
        }
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident),*) => {
        $(impl $trait for ListSink<'_> {
            type Ok = ();
            type Error = Fault;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.push(value)
            }

            fn end(self) -> Result<(), Fault> {
                self.finish();
                Ok(())
            }
        })*
    };
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::schema::{ElementType, Field, Schema};

    fn put(data_type: DataType, value: impl Serialize) -> Result<String, String> {
        let schema = Arc::new(Schema::new(vec![Field::new("It", data_type)], []).unwrap());
        let mut builder = BatchBuilder::new(schema, 0);
        builder
            .push_typed(&BTreeMap::from([("It", value)]), Op::Put)
            .map_err(|error| error.to_string())?;
        Ok(format!("{:?}", builder.finish().get(0).unwrap().value(0)))
    }

    #[test]
    fn a_number_stays_the_same_number() {
        let decimal = DataType::decimal(18, 2);
        for (found, wanted) in [
            (put(decimal, 46.53_f64), Ok("Decimal(46.53)")),
            (put(decimal, 0.1_f32), Ok("Decimal(0.1)")),
            (put(decimal, "336.3200"), Ok("Decimal(336.3200)")),
            (
                put(decimal, u64::MAX),
                Err("decimal(18,2), found a number with more digits"),
            ),
            (
                put(decimal, 0.125_f64),
                Err("decimal(18,2), found a number with more digits"),
            ),
            (put(decimal, "secret"), Err("decimal(18,2), found text")),
            (
                put(DataType::Decimal(None), u128::MAX),
                Ok("Decimal(340282366920938463463374607431768211455)"),
            ),
            (
                put(DataType::Decimal(None), f64::NEG_INFINITY),
                Ok("Decimal(-Infinity)"),
            ),
            (put(DataType::Int16, 7.0_f64), Ok("Int(7)")),
            (
                put(DataType::Int16, 7.5_f64),
                Err("int16, found a number with a fraction"),
            ),
            (
                put(DataType::Int16, 40_000),
                Err("int16, found a number out of range"),
            ),
            (
                put(DataType::Int64, u128::MAX),
                Err("int64, found a number out of range"),
            ),
            (
                put(DataType::Float64, (1_i64 << 53) + 1),
                Err("float64, found a number with more digits"),
            ),
            (
                put(DataType::Float64, i128::MAX),
                Err("float64, found a number with more digits"),
            ),
            (put(DataType::Float32, 0.5_f64), Ok("Float32(0.5)")),
            (
                put(DataType::Float32, 0.1_f64),
                Err("float32, found a number with more digits"),
            ),
            (put(DataType::Int32, "7"), Err("int32, found text")),
            (put(DataType::TEXT, 7), Err("text, found an integer")),
            (put(DataType::TEXT, [7]), Err("text, found a list")),
            (
                put(DataType::TEXT, BTreeMap::from([("a", 1)])),
                Err("text, found an object"),
            ),
        ] {
            let wanted = wanted
                .map(str::to_owned)
                .map_err(|wanted| format!("the field `It` should be {wanted}"));
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn every_shape_of_bytes_json_and_lists_is_taken() {
        let list = DataType::Array(ElementType::Json);
        for (found, wanted) in [
            (put(DataType::Bytes, "00fF"), Ok("Bytes([0, 255])")),
            (put(DataType::Bytes, [0, 255]), Ok("Bytes([0, 255])")),
            (
                put(DataType::Bytes, [256]),
                Err("bytes, found a list with a number out of range in it"),
            ),
            (put(DataType::Json, "a\""), Ok(r#"Json("\"a\\\"\"")"#)),
            (put(DataType::Json, [Some(1), None]), Ok(r#"Json("[1,null]")"#)),
            (put(DataType::Json, None::<i32>), Ok("Null")),
            (put(DataType::Json, crate::Patch::<i32>::Unset), Ok("Unset")),
            (
                put(list, (1, "a", None::<()>)),
                Ok(r#"Array([Json("1"), Json("\"a\""), Null])"#),
            ),
            (
                put(DataType::Array(ElementType::Date), ["2024-02-30"]),
                Err("date[], found a list with other text in it"),
            ),
        ] {
            let wanted = wanted
                .map(str::to_owned)
                .map_err(|wanted| format!("the field `It` should be {wanted}"));
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn what_is_no_record_is_refused_and_a_name_that_is_not_there_too() {
        let schema = Schema::new(vec![Field::new("Email", DataType::TEXT)], []).unwrap();
        let mut builder = BatchBuilder::new(Arc::new(schema), 0);
        let error = |builder: &mut BatchBuilder, value: &dyn Fn(&mut BatchBuilder) -> Result<()>| {
            value(builder).unwrap_err().to_string()
        };
        assert_eq!(
            error(&mut builder, &|builder| builder.push_typed("secret", Op::Put)),
            "a record should be a struct or a map, found a single value"
        );
        assert_eq!(
            error(&mut builder, &|builder| builder.push_typed(&[1], Op::Put)),
            "a record should be a struct or a map, found a list"
        );
        assert_eq!(
            error(&mut builder, &|builder| builder
                .push_typed(&BTreeMap::from([(1, 1)]), Op::Put)),
            "a record should be a struct or a map, found a map whose keys are no text"
        );
        assert_eq!(
            error(&mut builder, &|builder| builder
                .push_typed(&BTreeMap::from([("E-Mail", 1)]), Op::Put)),
            "there is no field `E-Mail`"
        );
        assert_eq!((builder.next_sequence(), builder.byte_len()), (4, 0));
    }
}

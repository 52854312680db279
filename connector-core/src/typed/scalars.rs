//! Serde's many methods for what is written, told as few.

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde::ser::{SerializeTuple, SerializeTupleStruct};

use super::fault::Fault;
use super::patch::UNSET;
use crate::value::Mismatch;
use crate::value::fit::Scalar;

/// What takes a written value: a single one, a list or an object. A kind that it does not take is refused.
pub(super) trait Sink: Sized {
    /// What comes of it.
    type Ok;
    /// What takes the elements of a list.
    type List: SerializeSeq<Ok = Self::Ok, Error = Fault>
        + SerializeTuple<Ok = Self::Ok, Error = Fault>
        + SerializeTupleStruct<Ok = Self::Ok, Error = Fault>;
    /// What takes the fields of a struct or a map.
    type Object: SerializeStruct<Ok = Self::Ok, Error = Fault> + SerializeMap<Ok = Self::Ok, Error = Fault>;

    fn scalar(self, scalar: Scalar<'_>) -> Result<Self::Ok, Fault>;

    fn list(self) -> Result<Self::List, Fault> {
        Err(Mismatch::new("a list").into())
    }

    fn object(self) -> Result<Self::Object, Fault> {
        Err(Mismatch::new("an object").into())
    }
}

/// For sinks that take no lists or no objects.
pub(super) type Never<T> = Impossible<T, Fault>;

/// A sink as a serializer.
pub(super) struct Scalars<S>(pub(super) S);

/// The error for a variant with data: an object in JSON, and nothing else.
fn variant<T>() -> Result<T, Fault> {
    Err(Mismatch::new("an object").into())
}

macro_rules! scalars {
    ($($method:ident($type:ty) => $scalar:expr),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, Fault> {
            self.0.scalar($scalar(value))
        })*
    };
}

impl<S: Sink> Serializer for Scalars<S> {
    type Ok = S::Ok;
    type Error = Fault;
    type SerializeSeq = S::List;
    type SerializeTuple = S::List;
    type SerializeTupleStruct = S::List;
    type SerializeTupleVariant = Never<S::Ok>;
    type SerializeMap = S::Object;
    type SerializeStruct = S::Object;
    type SerializeStructVariant = Never<S::Ok>;

    scalars! {
        serialize_bool(bool) => Scalar::Bool,
        serialize_i8(i8) => |value| Scalar::Int(i128::from(value)),
        serialize_i16(i16) => |value| Scalar::Int(i128::from(value)),
        serialize_i32(i32) => |value| Scalar::Int(i128::from(value)),
        serialize_i64(i64) => |value| Scalar::Int(i128::from(value)),
        serialize_i128(i128) => Scalar::Int,
        serialize_u8(u8) => |value| Scalar::Int(i128::from(value)),
        serialize_u16(u16) => |value| Scalar::Int(i128::from(value)),
        serialize_u32(u32) => |value| Scalar::Int(i128::from(value)),
        serialize_u64(u64) => |value| Scalar::Int(i128::from(value)),
        serialize_u128(u128) => Scalar::Uint,
        serialize_f32(f32) => Scalar::Float32,
        serialize_f64(f64) => Scalar::Float64,
        serialize_str(&str) => Scalar::Text,
        serialize_bytes(&[u8]) => Scalar::Bytes,
    }

    fn serialize_char(self, value: char) -> Result<S::Ok, Fault> {
        self.0.scalar(Scalar::Text(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_none(self) -> Result<S::Ok, Fault> {
        self.0.scalar(Scalar::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<S::Ok, Fault> {
        self.0.scalar(Scalar::Null)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, Fault> {
        self.0.scalar(if name == UNSET {
            Scalar::Unset
        } else {
            Scalar::Null
        })
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<S::Ok, Fault> {
        self.0.scalar(Scalar::Text(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, Fault> {
        variant()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<S::List, Fault> {
        self.0.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<S::List, Fault> {
        self.0.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<S::List, Fault> {
        self.0.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never<S::Ok>, Fault> {
        variant()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<S::Object, Fault> {
        self.0.object()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<S::Object, Fault> {
        self.0.object()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never<S::Ok>, Fault> {
        variant()
    }
}

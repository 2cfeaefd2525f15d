//! [`Node`]: serde's view of a [`Value`]. Error messages use the type names of JSON, not those of Rust.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde_json::{Map, Value};

use super::error::{DecodeError, Segment};

/// A value as serde reads it. Each list and map that an error passes through adds a segment to the error's path.
#[derive(Clone, Copy)]
pub(super) struct Node<'v>(pub(super) &'v Value);

impl<'v> Node<'v> {
    fn unexpected(self) -> Unexpected<'v> {
        match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(flag) => Unexpected::Bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => Unexpected::Unsigned(number),
                (_, Some(number), _) => Unexpected::Signed(number),
                (.., number) => Unexpected::Float(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }

    fn is_not(self, expected: &dyn Expected) -> DecodeError {
        Error::invalid_type(self.unexpected(), expected)
    }

    fn number<V: Visitor<'v>>(
        self,
        visitor: V,
        expected: impl Fn() -> String,
    ) -> Result<V::Value, DecodeError> {
        let read = match self.unexpected() {
            Unexpected::Unsigned(number) => visitor.visit_u64(number),
            Unexpected::Signed(number) => visitor.visit_i64(number),
            Unexpected::Float(number) => visitor.visit_f64(number),
            other => Err(Error::invalid_type(other, &&*expected())),
        };
        read.map_err(|error: DecodeError| error.expecting(expected))
    }

    fn text<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(self.is_not(&"a text")),
        }
    }

    fn list<V: Visitor<'v>>(items: &'v [Value], visitor: V) -> Result<V::Value, DecodeError> {
        let mut access = Items(items.iter().enumerate());
        let value = visitor.visit_seq(&mut access)?;
        match access.0.len() {
            0 => Ok(value),
            spare => Err(Error::invalid_length(items.len(), &&*(items.len() - spare).to_string())),
        }
    }

    fn map<V: Visitor<'v>>(entries: &'v Map<String, Value>, visitor: V) -> Result<V::Value, DecodeError> {
        let mut access = Entries { rest: entries.iter(), current: None };
        let value = visitor.visit_map(&mut access)?;
        match access.rest.len() {
            0 => Ok(value),
            spare => Err(Error::invalid_length(entries.len(), &&*(entries.len() - spare).to_string())),
        }
    }
}

macro_rules! numbers {
    ($($method:ident: $expected:expr;)*) => {$(
        fn $method<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.number(visitor, || $expected.to_string())
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.text(visitor)
        }
    )*};
}

impl<'v> Deserializer<'v> for Node<'v> {
    type Error = DecodeError;

    numbers! {
        deserialize_u8: format!("a whole number from 0 to {}", u8::MAX);
        deserialize_u16: format!("a whole number from 0 to {}", u16::MAX);
        deserialize_u32: format!("a whole number from 0 to {}", u32::MAX);
        deserialize_u64: "a whole number, 0 or more";
        deserialize_u128: "a whole number, 0 or more";
        deserialize_i8: format!("a whole number from {} to {}", i8::MIN, i8::MAX);
        deserialize_i16: format!("a whole number from {} to {}", i16::MIN, i16::MAX);
        deserialize_i32: format!("a whole number from {} to {}", i32::MIN, i32::MAX);
        deserialize_i64: "a whole number";
        deserialize_i128: "a whole number";
        deserialize_f32: "a number";
        deserialize_f64: "a number";
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(_) => {
                let expected = (&visitor as &dyn Expected).to_string();
                self.number(visitor, || expected.clone())
            }
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => Self::list(items, visitor),
            Value::Object(entries) => Self::map(entries, visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Bool(flag) => visitor.visit_bool(*flag),
            _ => Err(self.is_not(&"true or false")),
        }
    }

    fn deserialize_bytes<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Array(items) => Self::list(items, visitor),
            _ => self.text(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            _ => Err(self.is_not(&"null")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Array(items) => Self::list(items, visitor),
            _ => Err(self.is_not(&"a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'v>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Object(entries) => Self::map(entries, visitor),
            _ => Err(self.is_not(&"a map")),
        }
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::Array(items) => Self::list(items, visitor),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Tagged { name, content: None }),
            Value::Object(entries) => {
                let mut all = entries.iter();
                match (all.next(), all.next()) {
                    (Some((name, content)), None) => {
                        visitor.visit_enum(Tagged { name, content: Some(content) })
                    }
                    (Some((one, _)), Some((other, _))) => Err(Error::custom(format_args!(
                        "a map with one key is expected here, its name; split up `{one}` and `{other}`"
                    ))),
                    (None, _) => Err(Error::custom("an empty map; it needs one key, its name")),
                }
            }
            _ => Err(self.is_not(&"a name or a map with one key")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
}

struct Items<'v>(std::iter::Enumerate<std::slice::Iter<'v, Value>>);

impl<'v> SeqAccess<'v> for Items<'v> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'v>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Node(item)).map(Some).map_err(|error| error.within(|| Segment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'v> {
    rest: serde_json::map::Iter<'v>,
    /// The entry whose key was read last and whose value is read next.
    current: Option<(&'v String, &'v Value)>,
}

impl<'v> MapAccess<'v> for Entries<'v> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'v>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        self.current = self.rest.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'v>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let Some((key, value)) = self.current.take() else {
            return Err(Error::custom("a value was read before its key"));
        };
        seed.deserialize(Node(value)).map_err(|error| error.within(|| Segment::Key(key.clone())))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A variant as it is written: `"name"` or `{"name": content}`.
struct Tagged<'v> {
    name: &'v str,
    content: Option<&'v Value>,
}

impl<'v> Tagged<'v> {
    fn with_content<T>(
        self,
        read: impl FnOnce(Node<'v>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let Self { name, content } = self;
        let Some(content) = content else {
            return Err(Error::custom(format_args!("`{name}` says too little; write {{\"{name}\": ...}}")));
        };
        read(Node(content)).map_err(|error| error.within(|| Segment::Key(name.to_owned())))
    }
}

impl<'v> EnumAccess<'v> for Tagged<'v> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'v>>(self, seed: T) -> Result<(T::Value, Self), DecodeError> {
        Ok((seed.deserialize(BorrowedStrDeserializer::<DecodeError>::new(self.name))?, self))
    }
}

impl<'v> VariantAccess<'v> for Tagged<'v> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        if self.content.is_none() { Ok(()) } else { self.with_content(serde::Deserialize::deserialize) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'v>>(self, seed: T) -> Result<T::Value, DecodeError> {
        self.with_content(|node| seed.deserialize(node))
    }

    fn tuple_variant<V: Visitor<'v>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.with_content(|node| node.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'v>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.with_content(|node| node.deserialize_map(visitor))
    }
}

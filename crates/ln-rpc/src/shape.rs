//! What a parameter or a reply looks like, as a value: help, schemas and the checks against them are made from it.

use serde_json::{Map, Value, json};

/// The shape of a JSON value. Names of scalars are those of the schema draft: `msat`, `pubkey`, `u64`, `hex`…
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Whatever.
    Any,
    /// A value of a type with a name.
    Scalar(&'static str),
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// Any number of one shape.
    Array(Box<Shape>),
    /// An object with these members.
    Object(Vec<FieldInfo>),
    /// An object whose member names are data; the values have one shape.
    Map(Box<Shape>),
    /// One of several shapes.
    OneOf(Vec<Shape>),
}

/// One member of an object in a reply.
#[derive(Debug, Clone, Copy)]
pub struct FieldInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it is always there.
    pub required: bool,
    /// What it means: the doc comment.
    pub doc: &'static str,
    /// Its shape.
    pub shape: fn() -> Shape,
}

impl PartialEq for FieldInfo {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.required == other.required
    }
}

impl Shape {
    /// The shape as a schema in the draft's words.
    pub fn to_schema(&self) -> Map<String, Value> {
        let schema = match self {
            Self::Any => json!({}),
            Self::Scalar(name) => json!({ "type": name }),
            Self::Choice(values) => json!({ "type": "string", "enum": values }),
            Self::Array(items) => json!({ "type": "array", "items": items.to_schema() }),
            Self::Object(fields) => return object_schema(fields),
            Self::Map(values) => {
                json!({ "type": "object", "additionalProperties": values.to_schema() })
            }
            Self::OneOf(shapes) => {
                let shapes: Vec<_> = shapes.iter().map(Self::to_schema).collect();
                json!({ "oneOf": shapes })
            }
        };
        if let Value::Object(members) = schema {
            members
        } else {
            Map::new()
        }
    }
}

fn object_schema(fields: &[FieldInfo]) -> Map<String, Value> {
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let mut properties = Map::new();
    for field in fields {
        let mut schema = (field.shape)().to_schema();
        schema.insert("description".to_owned(), paragraphs(field.doc));
        properties.insert(field.name.to_owned(), Value::Object(schema));
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("required".to_owned(), json!(required));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema
}

/// A doc comment as the draft wants descriptions: an array of lines.
pub(crate) fn paragraphs(doc: &str) -> Value {
    let lines: Vec<&str> = doc
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    json!(lines)
}

/// A type with a known shape.
pub trait Described {
    /// The shape.
    fn shape() -> Shape;
}

/// A member of an object: there always, or an `Option` that is left out when it is `None`.
pub trait Member {
    /// Whether it is always there.
    const REQUIRED: bool;
    /// The shape when it is there.
    fn member_shape() -> Shape;
    /// Whether it is left out.
    fn is_omitted(&self) -> bool;
}

impl<T: Described> Member for T {
    const REQUIRED: bool = true;
    fn member_shape() -> Shape {
        T::shape()
    }
    fn is_omitted(&self) -> bool {
        false
    }
}

impl<T: Described> Member for Option<T> {
    const REQUIRED: bool = false;
    fn member_shape() -> Shape {
        T::shape()
    }
    fn is_omitted(&self) -> bool {
        self.is_none()
    }
}

impl<T: Described> Described for Vec<T> {
    fn shape() -> Shape {
        Shape::Array(Box::new(T::shape()))
    }
}

impl<T: Described> Described for Box<T> {
    fn shape() -> Shape {
        T::shape()
    }
}

impl Described for Value {
    fn shape() -> Shape {
        Shape::Any
    }
}

impl Described for Map<String, Value> {
    fn shape() -> Shape {
        Shape::Map(Box::new(Shape::Any))
    }
}

impl Described for ln_types::Side {
    fn shape() -> Shape {
        Shape::Choice(&["local", "remote"])
    }
}

impl Described for ln_types::ChainMoveTag {
    fn shape() -> Shape {
        Shape::Choice(Self::WORDS)
    }
}

impl Described for ln_types::ChannelMoveTag {
    fn shape() -> Shape {
        Shape::Choice(Self::WORDS)
    }
}

impl Described for ln_types::ExtraMoveTag {
    fn shape() -> Shape {
        Shape::Choice(Self::WORDS)
    }
}

macro_rules! scalars {
    ($($ty:ty => $name:literal,)*) => {
        $(impl Described for $ty {
            fn shape() -> Shape {
                Shape::Scalar($name)
            }
        })*
    };
}

scalars! {
    bool => "boolean",
    f64 => "number",
    i64 => "integer",
    u16 => "u16",
    u32 => "u32",
    u64 => "u64",
    u8 => "u8",
    String => "string",
    ln_types::BlockHeight => "u32",
    ln_types::ChannelId => "hash",
    ln_types::CltvDelta => "u32",
    ln_types::CltvExpiry => "u32",
    ln_types::CommitmentNumber => "u64",
    ln_types::Features => "hex",
    ln_types::FeerateSpec => "feerate",
    ln_types::HtlcId => "u64",
    ln_types::Msat => "msat",
    ln_types::NodeId => "pubkey",
    ln_types::PaymentHash => "hash",
    ln_types::PaymentPreimage => "secret",
    ln_types::PaymentSecret => "secret",
    ln_types::Sat => "sat",
    ln_types::ShortChannelId => "short_channel_id",
    ln_types::ShortChannelIdDir => "short_channel_id_dir",
    bitcoin::OutPoint => "outpoint",
    bitcoin::Txid => "txid",
}

/// Declares an object of a reply: the struct, how it is written (members that are `None` are left out), and its shape.
///
/// `name as "other-name": Type` gives a member another name on the wire.
macro_rules! rpc_object {
    ($($(#[doc = $doc:literal])* pub struct $name:ident {
        $($(#[doc = $fdoc:literal])* $field:ident $(as $json:literal)? : $ty:ty,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[doc = $fdoc])* pub $field: $ty,)*
        }

        impl $name {
            /// The members in the order they are written.
            pub const FIELDS: &'static [$crate::shape::FieldInfo] = &[$($crate::shape::FieldInfo {
                name: $crate::shape::json_name!($field $($json)?),
                required: <$ty as $crate::shape::Member>::REQUIRED,
                doc: concat!($($fdoc, "\n"),*),
                shape: <$ty as $crate::shape::Member>::member_shape,
            },)*];
        }

        impl $crate::shape::Described for $name {
            fn shape() -> $crate::shape::Shape {
                $crate::shape::Shape::Object(Self::FIELDS.to_vec())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                #[allow(unused_mut, reason = "an object may have no members")]
                let mut map = serializer.serialize_map(None)?;
                $(if !$crate::shape::Member::is_omitted(&self.$field) {
                    map.serialize_entry($crate::shape::json_name!($field $($json)?), &self.$field)?;
                })*
                map.end()
            }
        }
    )*};
}

/// The name on the wire: the literal if there is one, else the identifier.
macro_rules! json_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $json:literal) => {
        $json
    };
}

/// Declares a closed set of words: the enum, how it is written and read, and its shape.
///
/// The text after the name is what a wrong word is answered with.
macro_rules! rpc_enum {
    ($($(#[doc = $doc:literal])* pub enum $name:ident ($expected:literal) {
        $($(#[doc = $vdoc:literal])* $variant:ident = $text:literal,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $vdoc])* $variant,)*
        }

        impl $name {
            /// All the words.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The value of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::shape::Described for $name {
            fn shape() -> $crate::shape::Shape {
                $crate::shape::Shape::Choice(Self::WORDS)
            }
        }

        impl $crate::params::FromParam for $name {
            fn from_param(
                name: &str,
                token: $crate::params::Token<'_>,
                env: $crate::params::ParamEnv,
            ) -> Result<Self, $crate::RpcError> {
                Self::from_word(&token.text()).ok_or_else(|| env.bad_token(name, token, $expected))
            }
        }
    )*};
}

pub(crate) use {json_name, rpc_enum, rpc_object};

#[cfg(test)]
#[expect(unreachable_pub, reason = "declarations are always public")]
mod tests {
    use super::*;

    rpc_object! {
        /// A sample.
        pub struct Sample {
            /// Always.
            id as "the-id": u32,
            /// Sometimes.
            name: Option<String>,
            /// Several.
            amounts: Vec<ln_types::Msat>,
        }
    }

    #[test]
    fn members_that_are_none_are_left_out() {
        let sample = Sample {
            id: 3,
            name: None,
            amounts: vec![ln_types::Msat::from_msat(5)],
        };
        assert_eq!(
            serde_json::to_string(&sample).unwrap(),
            r#"{"the-id":3,"amounts":[5]}"#
        );
    }

    #[test]
    fn the_schema_follows_from_the_declaration() {
        assert_eq!(
            Value::Object(Sample::shape().to_schema()),
            json!({
                "type": "object",
                "required": ["the-id", "amounts"],
                "additionalProperties": false,
                "properties": {
                    "the-id": {"type": "u32", "description": ["Always."]},
                    "name": {"type": "string", "description": ["Sometimes."]},
                    "amounts": {"type": "array", "items": {"type": "msat"}, "description": ["Several."]},
                }
            })
        );
    }
}

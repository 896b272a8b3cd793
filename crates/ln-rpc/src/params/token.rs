//! One JSON value of the parameters, as its text.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value that is still text: numbers keep all their digits, and a number in quotes is as good as one without.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a>(&'a RawValue);

impl<'a> Token<'a> {
    /// A value of a text that was parsed.
    pub fn new(raw: &'a RawValue) -> Self {
        Self(raw)
    }

    /// The JSON text, with the quotes of a string.
    pub fn raw(self) -> &'a str {
        self.0.get()
    }

    /// The contents of a string; of anything else the JSON text.
    pub fn text(self) -> Cow<'a, str> {
        let raw = self.raw();
        if !self.is_string() {
            return Cow::Borrowed(raw);
        }
        match serde_json::from_str::<&'a str>(raw) {
            Ok(text) => Cow::Borrowed(text),
            // With escapes; a lone surrogate stays as it was written.
            Err(_) => serde_json::from_str::<String>(raw).map_or(Cow::Borrowed(raw), Cow::Owned),
        }
    }

    /// Whether it is a string.
    pub fn is_string(self) -> bool {
        self.raw().starts_with('"')
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.raw() == "null"
    }

    /// Whether it is a number made of digits alone.
    pub fn is_whole_number(self) -> bool {
        self.raw().bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The items, if it is an array.
    pub fn array(self) -> Option<Vec<Self>> {
        if !self.raw().starts_with('[') {
            return None;
        }
        let items: Vec<&'a RawValue> = serde_json::from_str(self.raw()).ok()?;
        Some(items.into_iter().map(Self).collect())
    }

    /// The members in order, with those given twice, if it is an object.
    pub fn members(self) -> Option<Vec<(String, Self)>> {
        if !self.raw().starts_with('{') {
            return None;
        }
        serde_json::Deserializer::from_str(self.raw())
            .deserialize_map(MembersVisitor)
            .ok()
    }

    /// The member with this name (the first one), if it is an object that has it.
    pub fn member(self, name: &str) -> Option<Self> {
        self.members()?
            .into_iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The value, parsed. A value nested too deeply for that is `null`.
    pub fn value(self) -> Value {
        serde_json::from_str(self.raw()).unwrap_or(Value::Null)
    }
}

struct MembersVisitor;

impl<'a> Visitor<'a> for MembersVisitor {
    type Value = Vec<(String, Token<'a>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &'a RawValue>()? {
            members.push((key, Token(value)));
        }
        Ok(members)
    }
}

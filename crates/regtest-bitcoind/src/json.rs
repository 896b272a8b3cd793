//! JSON as Bitcoin Core prints it: members in the order they were added, amounts with eight digits.

use bitcoin::Amount;
use std::fmt::{self, Display, Write as _};

/// A JSON value under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number already in its written form, such as an amount.
    Number(String),
    /// A string, not yet escaped.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in the order its members were added.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object without members.
    pub fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// Satoshis (negative for debits) as a number of bitcoin with eight digits.
    pub fn sats(sats: i64) -> Self {
        let sign = if sats < 0 { "-" } else { "" };
        let whole = sats.unsigned_abs() / 100_000_000;
        let part = sats.unsigned_abs() % 100_000_000;
        Self::Number(format!("{sign}{whole}.{part:08}"))
    }

    /// A floating point number with up to 16 significant digits.
    pub fn float(value: f64) -> Self {
        if !value.is_finite() {
            return Self::Null;
        }
        Self::Number(format!("{value}"))
    }

    /// Adds a member, if this is an object.
    pub fn push(&mut self, name: &str, value: impl Into<Json>) {
        if let Self::Object(members) = self {
            members.push((name.to_owned(), value.into()));
        }
    }

    /// This object with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.push(name, value);
        self
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write_text(f, text),
            Self::Array(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    item.fmt(f)?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    write_text(f, name)?;
                    f.write_char(':')?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if u32::from(c) < 0x20 || c == '\u{7f}' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<i32> for Json {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}
impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}
impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Number(value.to_string())
    }
}
impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Number(value.to_string())
    }
}
impl From<Amount> for Json {
    fn from(value: Amount) -> Self {
        Self::sats(value.to_sat().cast_signed())
    }
}
impl From<Vec<Json>> for Json {
    fn from(value: Vec<Json>) -> Self {
        Self::Array(value)
    }
}
impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FromIterator<Json> for Json {
    fn from_iter<I: IntoIterator<Item = Json>>(items: I) -> Self {
        Self::Array(items.into_iter().collect())
    }
}

/// A hash, transaction or script as a hex string.
pub fn text(value: impl Display) -> Json {
    Json::Text(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_eight_digits() {
        assert_eq!(Json::from(Amount::from_sat(1000)).to_string(), "0.00001000");
        assert_eq!(Json::sats(-150_000_000).to_string(), "-1.50000000");
    }

    #[test]
    fn members_keep_their_order_and_text_is_escaped() {
        let value = Json::object().with("b", 1_i64).with("a", "x\"\n\u{1}");
        assert_eq!(value.to_string(), r#"{"b":1,"a":"x\"\n\u0001"}"#);
    }
}

//! Options that a plugin adds to lightningd's own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OptionType {
    /// Text.
    #[serde(rename = "string")]
    String,
    /// Text that `listconfigs` does not show.
    #[serde(rename = "string-conceal")]
    StringConceal,
    /// A whole number.
    #[serde(rename = "int")]
    Int,
    /// `true` or `false`.
    #[serde(rename = "bool")]
    Bool,
    /// Nothing: it is given or not.
    #[serde(rename = "flag")]
    Flag,
}

/// Whether something should not be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Deprecation {
    /// Yes or no.
    Always(bool),
    /// From a version on, and perhaps up to the last one that has it.
    Versions(Vec<String>),
}

/// An option as the manifest declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptionDecl {
    /// Its name: lowercase letters, digits, `-`, `_`.
    pub name: String,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: OptionType,
    /// What it is for.
    pub description: String,
    /// What it is when nobody sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether it should not be used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
    /// Whether `setconfig` may change it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dynamic: bool,
    /// Whether it may be given many times; its value is then an array.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multi: bool,
}

impl OptionDecl {
    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Some("names hold lowercase letters, digits, '-' and '_' only".to_owned());
        }
        if self.multi && matches!(self.kind, OptionType::Bool | OptionType::Flag) {
            return Some("a bool or flag can't be multi".to_owned());
        }
        match (self.kind, &self.default) {
            (OptionType::Flag, Some(default)) if *default != Value::Bool(false) => {
                Some("a flag's default can only be false".to_owned())
            }
            (OptionType::Int, Some(default)) if !self.multi && !default.is_i64() => {
                Some("an int's default must be a whole number".to_owned())
            }
            (OptionType::Bool, Some(default)) if !default.is_boolean() => {
                Some("a bool's default must be true or false".to_owned())
            }
            (_, _) => None,
        }
    }
}

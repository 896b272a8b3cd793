//! Options that plugins declare.

use serde_json::{Value, json};

use super::settings::truth;
use super::{OptionError, Setting};

/// What an option of a plugin takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OptionKind {
    /// Text.
    String,
    /// Text that is not shown.
    StringConceal,
    /// A whole number.
    Int,
    /// A truth value.
    Bool,
    /// Nothing.
    Flag,
}

impl OptionKind {
    /// The kind a manifest names.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "string" => Some(Self::String),
            "string-conceal" => Some(Self::StringConceal),
            "int" => Some(Self::Int),
            "bool" => Some(Self::Bool),
            "flag" => Some(Self::Flag),
            _ => None,
        }
    }
}

/// What a plugin is told of a setting of its own.
pub(crate) fn plugin_value(kind: OptionKind, setting: &Setting) -> Result<Value, OptionError> {
    match (kind, setting.value.as_deref()) {
        (OptionKind::Flag, _) => Ok(json!(true)),
        (OptionKind::Bool, None) => Ok(json!(true)),
        (OptionKind::Bool, Some(text)) => truth(text).map(|value| json!(value)).ok_or_else(|| {
            OptionError::new(setting, format!("'{text}' is neither true nor false"))
        }),
        (OptionKind::Int, Some(text)) => match text.parse::<i64>() {
            Ok(number) => Ok(json!(number)),
            Err(_) => Err(OptionError::new(
                setting,
                format!("'{text}' is not a whole number"),
            )),
        },
        (OptionKind::String | OptionKind::StringConceal, Some(text)) => Ok(json!(text)),
        (OptionKind::Int | OptionKind::String | OptionKind::StringConceal, None) => {
            Err(OptionError::new(setting, "needs a value"))
        }
    }
}

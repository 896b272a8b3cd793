//! Options that plugins declare.

use ln_plugin::protocol::OptionType;
use serde_json::{Value, json};

use super::settings::truth;
use super::{OptionError, Setting};

/// What a plugin is told of a setting of its own.
pub(crate) fn plugin_value(kind: OptionType, setting: &Setting) -> Result<Value, OptionError> {
    match (kind, setting.value.as_deref()) {
        (OptionType::Flag, value) => match value.map_or(Some(true), truth) {
            Some(set) => Ok(json!(set)),
            None => Err(OptionError::new(setting, "takes no value")),
        },
        (OptionType::Bool, None) => Ok(json!(true)),
        (OptionType::Bool, Some(text)) => truth(text).map(|value| json!(value)).ok_or_else(|| {
            OptionError::new(setting, format!("'{text}' is neither true nor false"))
        }),
        (OptionType::Int, Some(text)) => match text.parse::<i64>() {
            Ok(number) => Ok(json!(number)),
            Err(_) => Err(OptionError::new(
                setting,
                format!("'{text}' is not a whole number"),
            )),
        },
        (OptionType::String | OptionType::StringConceal, Some(text)) => Ok(json!(text)),
        (OptionType::Int | OptionType::String | OptionType::StringConceal, None) => {
            Err(OptionError::new(setting, "needs a value"))
        }
    }
}

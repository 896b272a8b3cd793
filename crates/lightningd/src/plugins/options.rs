//! Options of plugins.

use std::rc::Rc;

use ln_plugin::protocol::{OptionDecl, OptionType};
use serde_json::{Map, Value};

use crate::options::{OptionError, Setting, Settings, plugin_value};

/// One option of a plugin.
#[derive(Debug, Clone)]
pub(crate) struct PluginOption {
    /// The plugin's name.
    pub(crate) plugin: Rc<str>,
    /// What it declared.
    pub(crate) decl: OptionDecl,
    /// What was given with `plugin start`, which counts instead of the settings.
    pub(crate) given: Vec<Setting>,
}

impl PluginOption {
    /// The settings that count for this option, in order.
    pub(crate) fn settings<'a>(&'a self, settings: &'a Settings) -> Vec<&'a Setting> {
        if !self.given.is_empty() {
            return self.given.iter().collect();
        }
        let all = settings.all().iter();
        all.filter(|setting| setting.name == self.decl.name)
            .collect()
    }

    /// The value that `init` tells; nothing when it is not set and has no default.
    fn value(&self, settings: &Settings) -> Result<Option<Value>, OptionError> {
        let decl = &self.decl;
        let set = self.settings(settings);
        if decl.multi && !set.is_empty() {
            let values = set
                .into_iter()
                .map(|setting| plugin_value(decl.kind, setting));
            return Ok(Some(Value::Array(values.collect::<Result<_, _>>()?)));
        }
        let value = match set.last() {
            Some(setting) => Some(plugin_value(decl.kind, setting)?),
            None => decl.default.clone().filter(|default| !default.is_null()),
        };
        Ok(match value {
            // A flag that is not set is not there at all.
            Some(Value::Bool(false)) if decl.kind == OptionType::Flag => None,
            Some(value) if decl.multi && !value.is_array() => Some(Value::Array(vec![value])),
            value => value,
        })
    }

    /// The line of `--help`.
    pub(crate) fn help(&self) -> String {
        let decl = &self.decl;
        let shown = match &decl.default {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null | Value::Bool(false)) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let default = shown.map_or_else(String::new, |text| format!(" (default: {text})"));
        format!("{}{default} [{}]", decl.description.trim(), self.plugin)
    }
}

/// The `options` member of a plugin's `init`.
pub(super) fn init_options<'a>(
    options: impl Iterator<Item = &'a PluginOption>,
    settings: &Settings,
) -> Result<Map<String, Value>, OptionError> {
    let mut values = Map::new();
    for option in options {
        if let Some(value) = option.value(settings)? {
            values.insert(option.decl.name.clone(), value);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use serde_json::json;

    use super::*;

    fn value(decl: Value, line: &[&str]) -> Result<Option<Value>, String> {
        let line: Vec<OsString> = line.iter().map(OsString::from).collect();
        let option = PluginOption {
            plugin: "p".into(),
            decl: serde_json::from_value(decl).unwrap(),
            given: Vec::new(),
        };
        let settings = Settings::command_line(&line).unwrap();
        option.value(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn each_type_is_told_as_its_own() {
        let decl = |kind: &str| json!({"name": "o", "type": kind, "description": ""});
        assert_eq!(
            value(decl("string"), &["--o=1", "--o=2"]),
            Ok(Some(json!("2")))
        );
        assert_eq!(value(decl("int"), &["--o=-3"]), Ok(Some(json!(-3))));
        assert_eq!(value(decl("bool"), &["--o=no"]), Ok(Some(json!(false))));
        assert_eq!(value(decl("flag"), &["--o"]), Ok(Some(json!(true))));
        assert_eq!(value(decl("flag"), &[]), Ok(None));
        assert!(value(decl("int"), &["--o=many"]).is_err());
        assert!(value(decl("string"), &["--o"]).is_err());
    }

    #[test]
    fn defaults_count_and_lists_are_lists() {
        let decl = json!({"name": "o", "type": "int", "description": "", "default": 7});
        assert_eq!(value(decl, &[]), Ok(Some(json!(7))));
        let decl =
            json!({"name": "o", "type": "int", "description": "", "multi": true, "default": 7});
        assert_eq!(value(decl.clone(), &[]), Ok(Some(json!([7]))));
        assert_eq!(value(decl, &["--o=1", "--o=2"]), Ok(Some(json!([1, 2]))));
        let flag = json!({"name": "o", "type": "flag", "description": "", "default": false});
        assert_eq!(value(flag, &[]), Ok(None));
    }
}

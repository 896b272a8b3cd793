//! Options of plugins.

use std::rc::Rc;

use ln_plugin::protocol::{OptionDecl, OptionType};
use ln_rpc::{RpcError, RpcErrorCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::host::PluginHost;
use crate::options::{OptionError, Setting, Settings, Source, plugin_value};

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
        settings.list(&self.decl.name).collect()
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

    /// Whether it takes no value.
    pub(crate) fn is_flag(&self) -> bool {
        self.decl.kind == OptionType::Flag
    }

    /// Whether a new value is of its type.
    pub(crate) fn check_value(&self, value: Option<&str>) -> Result<(), String> {
        let setting = Setting {
            name: self.decl.name.clone(),
            value: value.map(ToOwned::to_owned),
            source: Source::Transient,
        };
        let read = plugin_value(self.decl.kind, &setting);
        read.map(drop).map_err(|error| error.problem().to_owned())
    }

    /// The values that count, as text, its default among them.
    pub(crate) fn old_values(&self, settings: &Settings) -> Vec<Option<String>> {
        let set = self.settings(settings);
        if !set.is_empty() {
            return set.iter().map(|setting| setting.value.clone()).collect();
        }
        match &self.decl.default {
            None | Some(Value::Null | Value::Bool(false)) if self.is_flag() => Vec::new(),
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => vec![Some(text.clone())],
            Some(other) => vec![Some(other.to_string())],
        }
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

/// What an option is changed to.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum NewValue {
    /// All values of one that can be given several times.
    Many(Vec<String>),
    /// The value of one that can't.
    One(String),
    /// No value, for one that takes none.
    None,
}

impl NewValue {
    /// The form in which a plugin is told.
    pub(crate) fn new(values: &[Option<String>], multi: bool) -> Self {
        let mut values = values.iter().flatten().cloned();
        if multi {
            return Self::Many(values.collect());
        }
        values.next().map_or(Self::None, Self::One)
    }
}

/// The parameters of a plugin's `setconfig`.
#[derive(Debug, Serialize)]
struct SetParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    command_to_check: Option<&'static str>,
    config: &'a str,
    #[serde(skip_serializing_if = "is_none")]
    val: NewValue,
}

fn is_none(value: &NewValue) -> bool {
    matches!(value, NewValue::None)
}

impl PluginHost {
    /// The option with this name.
    pub(crate) fn option(&self, name: &str) -> Option<PluginOption> {
        let mut found = None;
        self.visit_options(|known, option| {
            if known == name {
                found = Some(option.clone());
            }
        });
        found
    }

    /// Lets a plugin take a new value of an option, or only asks whether it would: one that can't be asked would.
    pub(crate) async fn set_option(
        &self,
        option: &PluginOption,
        val: NewValue,
        check_only: bool,
    ) -> Result<(), RpcError> {
        let path = &option.plugin;
        let serving = self.visit(|plugins| {
            let mut running = plugins.iter().filter(|plugin| plugin.is_running());
            running
                .find(|plugin| Rc::ptr_eq(&plugin.path, path))
                .cloned()
        });
        let Some(serving) = serving else {
            let text = format!("plugin {path} does not run: nothing was changed");
            return Err(RpcError::new(RpcErrorCode::PluginTerminated, text));
        };
        let can_check = serving.manifest().is_some_and(|manifest| manifest.cancheck);
        if check_only && !can_check {
            return Ok(());
        }
        let params = SetParams {
            command_to_check: check_only.then_some("setconfig"),
            config: &option.decl.name,
            val,
        };
        let method = if check_only { "check" } else { "setconfig" };
        serving.call(method, &params).await?;
        Ok(())
    }

    /// What was given to `plugin start` for an option no longer counts.
    pub(crate) fn forget_given(&self, name: &str) {
        self.change_option(name, |option| option.given.clear());
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

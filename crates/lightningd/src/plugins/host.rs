//! All plugins of the node.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::process::{PluginError, PluginProcess};
use crate::log::Logger;
use crate::options::{OptionKind, Settings, plugin_value};

/// How long a plugin may take to say what it is, and again to start.
const PATIENCE: Duration = Duration::from_mins(2);

/// One option of a plugin.
#[derive(Debug, Clone)]
pub(crate) struct PluginOption {
    /// The plugin.
    pub(crate) plugin: Rc<str>,
    /// What it takes.
    pub(crate) kind: OptionKind,
    /// What counts when nobody sets it.
    pub(crate) default: Option<Value>,
    /// Whether it may be given several times.
    pub(crate) multi: bool,
    /// Whether it can be changed while the plugin runs.
    pub(crate) dynamic: bool,
}

/// The plugins, their options and their methods.
#[derive(Debug, Default)]
pub(crate) struct PluginHost {
    plugins: RefCell<Vec<Rc<PluginProcess>>>,
    options: RefCell<BTreeMap<String, PluginOption>>,
    methods: RefCell<BTreeMap<String, Rc<PluginProcess>>>,
}

/// What plugins are told when they start.
pub(crate) struct PluginStart<'a> {
    /// The settings, for their options.
    pub(crate) settings: &'a Settings,
    /// The `configuration` object of `init`.
    pub(crate) configuration: Value,
}

impl PluginHost {
    /// Starts a built-in plugin and learns what it offers.
    pub(crate) async fn add_builtin(
        &self,
        log: &Logger,
        name: &str,
        allow_deprecated: bool,
    ) -> anyhow::Result<()> {
        let plugin = PluginProcess::start_builtin(log, name)?;
        let ask = plugin.call(
            "getmanifest",
            json!({ "allow-deprecated-apis": allow_deprecated }),
        );
        let manifest = tokio::time::timeout(PATIENCE, ask)
            .await
            .with_context(|| format!("plugin {name} did not answer getmanifest"))??;
        for option in manifest
            .get("options")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let text = |member: &str| {
                option
                    .get(member)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let Some(kind) = OptionKind::from_name(text("type")) else {
                bail!(
                    "plugin {name}: option {} has an unknown type {}",
                    text("name"),
                    text("type")
                );
            };
            let declared = PluginOption {
                plugin: Rc::clone(&plugin.name),
                kind,
                default: option.get("default").cloned(),
                multi: option.get("multi").and_then(Value::as_bool) == Some(true),
                dynamic: option.get("dynamic").and_then(Value::as_bool) == Some(true),
            };
            self.options
                .borrow_mut()
                .insert(text("name").to_owned(), declared);
        }
        for method in manifest
            .get("rpcmethods")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let method = method
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            self.methods
                .borrow_mut()
                .insert(method.to_owned(), Rc::clone(&plugin));
        }
        self.plugins.borrow_mut().push(plugin);
        Ok(())
    }

    /// Tells every plugin to start working.
    pub(crate) async fn init_all(&self, start: &PluginStart<'_>) -> anyhow::Result<()> {
        let plugins = self.plugins.borrow().clone();
        for plugin in plugins {
            let mut options = Map::new();
            for setting in start.settings.all() {
                if let Some(option) = self.options.borrow().get(&setting.name)
                    && option.plugin == plugin.name
                {
                    options.insert(setting.name.clone(), plugin_value(option.kind, setting)?);
                }
            }
            let ask = plugin.call(
                "init",
                json!({ "options": options, "configuration": start.configuration }),
            );
            let answer = tokio::time::timeout(PATIENCE, ask)
                .await
                .with_context(|| format!("plugin {} did not answer init", plugin.name))?
                .with_context(|| format!("plugin {}", plugin.name))?;
            if let Some(reason) = answer.get("disable").and_then(Value::as_str) {
                bail!("plugin {} can't work: {reason}", plugin.name);
            }
        }
        Ok(())
    }

    /// Whether a plugin has this option.
    pub(crate) fn knows_option(&self, name: &str) -> bool {
        self.options.borrow().contains_key(name)
    }

    /// Visits the options of plugins, by name.
    pub(crate) fn visit_options(&self, mut visit: impl FnMut(&str, &PluginOption)) {
        for (name, option) in self.options.borrow().iter() {
            visit(name, option);
        }
    }

    /// The plugin that serves a method.
    pub(crate) fn serving(&self, method: &str) -> Option<Rc<PluginProcess>> {
        self.methods.borrow().get(method).cloned()
    }

    /// The names of all methods of plugins.
    pub(crate) fn method_names(&self) -> Vec<String> {
        self.methods.borrow().keys().cloned().collect()
    }

    /// Asks whichever plugin serves the method.
    pub(crate) async fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, PluginError> {
        let Some(plugin) = self.serving(method) else {
            return Err(PluginError::Answered(ln_rpc::RpcError::unknown_command(
                method,
            )));
        };
        plugin.call_typed(method, params).await
    }

    /// The names of all plugins.
    pub(crate) fn names(&self) -> Vec<String> {
        self.plugins
            .borrow()
            .iter()
            .map(|plugin| plugin.name.to_string())
            .collect()
    }

    /// Ends all plugins.
    pub(crate) fn stop(&self) {
        for plugin in self.plugins.borrow().iter() {
            plugin.kill();
        }
    }
}

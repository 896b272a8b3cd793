//! `listconfigs`

use std::rc::Rc;

use ln_plugin::protocol::OptionType;
use ln_rpc::RpcError;
use ln_rpc::methods::control::listconfigs::{
    ConfigEntry, ConfigMap, Listconfigs, ListconfigsResponse,
};
use serde_json::Value;

use super::config_values::{Shown, shown};
use crate::node::Node;
use crate::options::{Kind, OPTIONS, OptionInfo, Setting, find};
use crate::plugins::PluginOption;
use crate::rpc::{Context, Handle};

impl Handle for Listconfigs {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let asked = params.config;
        let wanted = |name: &str| asked.as_deref().is_none_or(|asked| asked == name);
        let mut found = false;
        let mut configs = Vec::new();
        for info in OPTIONS.iter().filter(|info| wanted(info.name)) {
            found = true;
            let entry = own_entry(&node, info, asked.is_some());
            configs.extend(entry.map(|entry| (info.name.to_owned(), entry)));
        }
        node.plugins.visit_options(|name, option| {
            if wanted(name) {
                found = true;
                let entry = plugin_entry(&node, option);
                configs.extend(entry.map(|entry| (name.to_owned(), entry)));
            }
        });
        if let Some(asked) = asked.filter(|_| !found) {
            return Err(crate::rpc::bad_value(
                &context,
                "config",
                &asked,
                "Unknown config option",
            ));
        }
        Ok(ListconfigsResponse {
            configs: Some(ConfigMap(configs)),
        })
    }
}

/// An option by its name, as it is now.
pub(super) fn entry_of(node: &Node, name: &str) -> Option<ConfigEntry> {
    match find(name) {
        Some(info) => own_entry(node, info, true),
        None => plugin_entry(node, &node.plugins.option(name)?),
    }
}

const EMPTY: ConfigEntry = ConfigEntry {
    value_str: None,
    value_msat: None,
    value_int: None,
    value_bool: None,
    set: None,
    values_str: None,
    values_int: None,
    source: None,
    sources: None,
    plugin: None,
    dynamic: None,
};

/// Options that end the process: there is never a running node they could be shown of.
fn exits(name: &str) -> bool {
    matches!(
        name,
        "help" | "version" | "list-features-only" | "test-daemons-only"
    )
}

/// Options that no longer mean anything are shown only where somebody still gives them.
fn is_hidden(info: &OptionInfo) -> bool {
    info.dev
        || matches!(
            info.name,
            "encrypted-hsm" | "experimental-peer-storage" | "large-channels" | "wumbo"
        )
}

fn source(setting: Option<&Setting>) -> String {
    setting.map_or_else(
        || "default".to_owned(),
        |setting| setting.source.to_string(),
    )
}

fn flag(setting: Option<&Setting>) -> ConfigEntry {
    ConfigEntry {
        set: Some(setting.is_some()),
        source: Some(source(setting)),
        ..EMPTY
    }
}

fn single(shown: Shown, source: String) -> ConfigEntry {
    let entry = ConfigEntry {
        source: Some(source),
        ..EMPTY
    };
    match shown {
        Shown::Str(text) => ConfigEntry {
            value_str: Some(text),
            ..entry
        },
        Shown::Msat(amount) => ConfigEntry {
            value_msat: Some(amount),
            ..entry
        },
        Shown::Int(number) => ConfigEntry {
            value_int: Some(number),
            ..entry
        },
        Shown::Bool(truth) => ConfigEntry {
            value_bool: Some(truth),
            ..entry
        },
    }
}

/// One of our own options.
fn own_entry(node: &Node, info: &OptionInfo, asked: bool) -> Option<ConfigEntry> {
    let settings = node.settings();
    let setting = settings.last(info.name);
    // Not to be shown to whoever asks.
    let secret = info.name == "recover";
    if secret || exits(info.name) || (is_hidden(info) && setting.is_none() && !asked) {
        return None;
    }
    let entry = if info.kind == Kind::Flag {
        flag(setting)
    } else if info.multi && info.name != "log-level" {
        let numbers = info.name == "accept-htlc-tlv-type";
        let text = OptionType::String;
        let given: Vec<&Setting> = settings.list(info.name).collect();
        multi(&given, if numbers { OptionType::Int } else { text })
    } else {
        single(shown(node, info, setting)?, source(setting))
    };
    let dynamic = info.dynamic.then_some(true);
    Some(ConfigEntry { dynamic, ..entry })
}

/// An option of a plugin: what was set, or its default.
fn plugin_entry(node: &Node, option: &PluginOption) -> Option<ConfigEntry> {
    let settings = node.settings();
    let given = option.settings(&settings);
    let setting = given.last().copied();
    let kind = option.decl.kind;
    let entry = if kind == OptionType::Flag {
        flag(setting)
    } else if option.decl.multi {
        multi(&given, kind)
    } else {
        single(plugin_value(setting, option, kind)?, source(setting))
    };
    Some(ConfigEntry {
        plugin: Some(option.plugin.to_string()),
        dynamic: option.decl.dynamic.then_some(true),
        ..entry
    })
}

/// The kind of one of our own options that is shown alike.
fn shown_as(kind: OptionType) -> Kind {
    match kind {
        OptionType::Flag => Kind::Flag,
        OptionType::Bool => Kind::Bool,
        OptionType::Int => Kind::Int,
        OptionType::String | OptionType::StringConceal => Kind::Text,
    }
}

fn plugin_value(
    setting: Option<&Setting>,
    option: &PluginOption,
    kind: OptionType,
) -> Option<Shown> {
    let text = match (setting, &option.decl.default) {
        (Some(setting), _) => setting.value.clone().unwrap_or_default(),
        (None, Some(Value::String(text))) => text.clone(),
        (None, Some(Value::Null) | None) => return None,
        (None, Some(default)) => default.to_string(),
    };
    Some(if kind == OptionType::StringConceal {
        Shown::Str("...".to_owned())
    } else {
        Shown::given(shown_as(kind), &text)
    })
}

/// An option that may be given several times.
fn multi(given: &[&Setting], kind: OptionType) -> ConfigEntry {
    let sources = given.iter().map(|setting| setting.source.to_string());
    let texts = given.iter().filter_map(|setting| setting.value.as_deref());
    let numbers = kind == OptionType::Int;
    let hidden = kind == OptionType::StringConceal;
    let strings = texts
        .clone()
        .map(|text| if hidden { "..." } else { text }.to_owned());
    ConfigEntry {
        sources: Some(sources.collect()),
        values_int: numbers.then(|| texts.filter_map(|text| text.parse().ok()).collect()),
        values_str: (!numbers).then(|| strings.collect()),
        ..EMPTY
    }
}

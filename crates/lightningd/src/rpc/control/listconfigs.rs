//! `listconfigs`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::listconfigs::{
    ConfigEntry, ConfigMap, Listconfigs, ListconfigsResponse,
};

use super::config_values::{Shown, shown};
use crate::node::Node;
use crate::options::{Kind, OPTIONS, OptionInfo, OptionKind, Setting};
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
                let entry = plugin_entry(&node, name, option);
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
    matches!(name, "help" | "version" | "list-features-only")
}

/// Options that no longer mean anything are shown only where somebody still gives them.
fn is_hidden(info: &OptionInfo) -> bool {
    info.dev || matches!(info.name, "large-channels" | "wumbo")
}

fn source(setting: Option<&Setting>) -> String {
    setting.map_or_else(
        || "default".to_owned(),
        |setting| setting.source.to_string(),
    )
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
    let setting = node.settings.last(info.name);
    if exits(info.name) || (is_hidden(info) && setting.is_none() && !asked) {
        return None;
    }
    let entry = if info.kind == Kind::Flag {
        ConfigEntry {
            set: Some(setting.is_some()),
            source: Some(source(setting)),
            ..EMPTY
        }
    } else if info.multi && info.name != "log-level" {
        multi_entry(node, info)
    } else {
        single(shown(node, info, setting)?, source(setting))
    };
    let dynamic = (info.name == "min-capacity-sat").then_some(true);
    Some(ConfigEntry { dynamic, ..entry })
}

/// An option that may be given several times.
fn multi_entry(node: &Node, info: &OptionInfo) -> ConfigEntry {
    let all = node.settings.all().iter();
    let given: Vec<&Setting> = all.filter(|setting| setting.name == info.name).collect();
    let sources = given.iter().map(|setting| setting.source.to_string());
    let texts = given.iter().filter_map(|setting| setting.value.as_deref());
    let numbers = info.name == "accept-htlc-tlv-type";
    ConfigEntry {
        sources: Some(sources.collect()),
        values_int: numbers.then(|| texts.clone().filter_map(|text| text.parse().ok()).collect()),
        values_str: (!numbers).then(|| texts.map(str::to_owned).collect()),
        ..EMPTY
    }
}

/// An option of a plugin.
fn plugin_entry(node: &Node, name: &str, option: &PluginOption) -> Option<ConfigEntry> {
    let setting = node.settings.last(name);
    let text = setting.map(|setting| setting.value.as_deref().unwrap_or_default());
    let entry = match (option.kind, text) {
        (OptionKind::Flag, _) => ConfigEntry {
            set: Some(setting.is_some()),
            source: Some(source(setting)),
            ..EMPTY
        },
        (_, None) => return None,
        (OptionKind::StringConceal, Some(_)) => {
            single(Shown::Str("...".to_owned()), source(setting))
        }
        (OptionKind::String, Some(text)) => single(Shown::given(Kind::Text, text), source(setting)),
        (OptionKind::Int, Some(text)) => single(Shown::given(Kind::Int, text), source(setting)),
        (OptionKind::Bool, Some(text)) => single(Shown::given(Kind::Bool, text), source(setting)),
    };
    Some(ConfigEntry {
        plugin: Some(option.plugin.to_string()),
        ..entry
    })
}

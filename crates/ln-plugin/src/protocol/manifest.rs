//! What a plugin says about itself in answer to `getmanifest`.

use std::collections::BTreeSet;

use ln_types::Features;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Deprecation, HookDecl, OptionDecl};

/// The answer to `getmanifest`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Options it adds.
    pub options: Vec<OptionDecl>,
    /// Methods it adds.
    pub rpcmethods: Vec<MethodDecl>,
    /// Topics it wants to hear of; `*` is all but `log`.
    #[serde(default)]
    pub subscriptions: Vec<String>,
    /// Hooks it wants to be asked in.
    #[serde(default)]
    pub hooks: Vec<HookDecl>,
    /// Feature bits to add to what the node announces.
    #[serde(default, skip_serializing_if = "FeatureBits::is_empty")]
    pub featurebits: FeatureBits,
    /// Topics of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<TopicDecl>,
    /// Peer message types to let through though nobody else knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custommessages: Vec<u16>,
    /// Whether it takes ids that are strings. There are no others any more, so it may only be true.
    #[serde(default = "yes")]
    pub nonnumericids: bool,
    /// Whether `check` of its methods is forwarded to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancheck: bool,
    /// Whether it may be started and stopped while the node runs.
    #[serde(default)]
    pub dynamic: bool,
    /// Why it does not want to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<String>,
}

fn yes() -> bool {
    true
}

/// A method as the manifest declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodDecl {
    /// Its name.
    pub name: String,
    /// Its parameters, optional ones in brackets.
    pub usage: String,
    /// What it does, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it does, at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_description: Option<String>,
    /// Whether it should not be used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// A topic as the manifest declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicDecl {
    /// Its name.
    pub method: String,
}

/// Feature bits by the message that carries them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FeatureBits {
    /// `init`.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub init: Features,
    /// `node_announcement`.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub node: Features,
    /// `channel_announcement`.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub channel: Features,
    /// BOLT 11 invoices.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub invoice: Features,
    /// BOLT 12 offers.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub bolt12_offer: Features,
    /// BOLT 12 invoice requests.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub bolt12_invreq: Features,
    /// BOLT 12 invoices.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub bolt12_invoice: Features,
    /// Channel types.
    #[serde(skip_serializing_if = "Features::is_empty", deserialize_with = "hex")]
    pub channel_type: Features,
}

impl FeatureBits {
    /// Whether no bit is set anywhere.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn hex<'de, D: Deserializer<'de>>(from: D) -> Result<Features, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// An option is wrong.
    #[error("option '{name}': {problem}")]
    Option {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// Something is declared twice.
    #[error("{what} '{name}' is declared twice")]
    Twice {
        /// `option` or `method`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A name is empty.
    #[error("a {0} without a name")]
    Nameless(&'static str),
    /// The plugin refuses ids that are strings.
    #[error("nonnumericids must be true")]
    NumericIds,
}

impl Manifest {
    /// Checks what can be checked without knowing the node.
    pub fn check(&self) -> Result<(), ManifestError> {
        if !self.nonnumericids {
            return Err(ManifestError::NumericIds);
        }
        for option in &self.options {
            if let Some(problem) = option.problem() {
                let name = option.name.clone();
                return Err(ManifestError::Option { name, problem });
            }
        }
        unique("option", self.options.iter().map(|option| &*option.name))?;
        unique("method", self.rpcmethods.iter().map(|method| &*method.name))
    }
}

fn unique<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), ManifestError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            return Err(ManifestError::Nameless(what));
        }
        if !seen.insert(name) {
            let name = name.to_owned();
            return Err(ManifestError::Twice { what, name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{HookFilter, OptionType};

    #[test]
    fn an_old_python_plugins_manifest_is_read() {
        let text = r#"{
            "options": [{"name": "greeting", "default": "hi", "description": "what", "type": "string"},
                        {"name": "quiet", "default": null, "description": "", "type": "flag", "deprecated": ["v25.09"]}],
            "rpcmethods": [{"name": "hello", "category": "plugin", "usage": "[name]", "description": "x", "long_description": null}],
            "subscriptions": ["connect"],
            "hooks": ["htlc_accepted", {"name": "custommsg", "before": ["a.py"], "filters": [1, 65535]}],
            "dynamic": true,
            "featurebits": {"node": "8000"},
            "more": {}
        }"#;
        let manifest: Manifest = serde_json::from_str(text).unwrap();
        manifest.check().unwrap();
        assert_eq!(manifest.options.len(), 2);
        assert_eq!(manifest.options.last().unwrap().default, None);
        assert!(manifest.featurebits.node.has_bit(15));
        let hook = manifest.hooks.last().unwrap();
        assert_eq!(hook.before, ["a.py"]);
        assert_eq!(hook.filters.first(), Some(&HookFilter::Number(1)));
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
    }

    fn option(name: &str, kind: OptionType) -> OptionDecl {
        OptionDecl {
            name: name.to_owned(),
            kind,
            description: String::new(),
            default: None,
            deprecated: None,
            dynamic: false,
            multi: false,
        }
    }

    #[test]
    fn what_a_manifest_may_not_say_is_refused() {
        let refused = |options| {
            let manifest = Manifest {
                options,
                nonnumericids: true,
                ..Manifest::default()
            };
            manifest.check().unwrap_err().to_string()
        };
        let mut flag = option("f", OptionType::Flag);
        flag.default = Some(true.into());
        assert!(refused(vec![flag]).contains("only be false"));
        let mut many = option("b", OptionType::Bool);
        many.multi = true;
        assert!(refused(vec![many]).contains("multi"));
        assert!(refused(vec![option("Big", OptionType::Int)]).contains("lowercase"));
        let twice = vec![option("x", OptionType::Int), option("x", OptionType::Int)];
        assert_eq!(refused(twice), "option 'x' is declared twice");
    }

    #[test]
    fn a_manifest_without_its_lists_is_refused() {
        assert!(serde_json::from_str::<Manifest>(r#"{"options": []}"#).is_err());
        assert!(serde_json::from_str::<Manifest>("[]").is_err());
    }
}

//! Hooks: where lightningd asks plugins before it goes on.

use serde::{Deserialize, Serialize};

/// A hook as the manifest declares it: a name, or an object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "HookForm")]
pub struct HookDecl {
    /// Which hook.
    pub name: String,
    /// Plugins (by file name) that should be asked after this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Plugins that should be asked before this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Which calls it wants: message types of `custommsg`, method names of `rpc_command`. Empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<HookFilter>,
}

/// One filter of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HookFilter {
    /// A message type.
    Number(u64),
    /// A method's name.
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum HookForm {
    Name(String),
    Object {
        name: String,
        #[serde(default)]
        before: Vec<String>,
        #[serde(default)]
        after: Vec<String>,
        #[serde(default)]
        filters: Vec<HookFilter>,
    },
}

impl From<HookForm> for HookDecl {
    fn from(form: HookForm) -> Self {
        match form {
            HookForm::Name(name) => Self {
                name,
                ..Self::default()
            },
            HookForm::Object {
                name,
                before,
                after,
                filters,
            } => Self {
                name,
                before,
                after,
                filters,
            },
        }
    }
}

//! Whether what a plugin offers fits the node.

use ln_plugin::protocol::Manifest;

use super::excerpt::excerpt;
use super::hooks::{HOOKS, fits};
use super::host::PluginHost;
use super::topics::TOPICS;

/// Why a manifest is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// The plugin can't run; the node can.
    #[error("{0}")]
    Plugin(String),
    /// Nobody can know what the operator wanted: the node does not start.
    #[error("{0}")]
    Option(String),
}

impl PluginHost {
    /// Checks a manifest against what there is already.
    pub(super) fn check_manifest(&self, name: &str, manifest: &Manifest) -> Result<(), Unfit> {
        let refuse = |problem: String| Err(Unfit::Plugin(problem));
        if let Err(problem) = manifest.check() {
            return refuse(problem.to_string());
        }
        for method in &manifest.rpcmethods {
            if crate::rpc::is_builtin(&method.name) || self.method(&method.name).is_some() {
                return refuse(format!(
                    "there is a method '{}' already: rename it",
                    method.name
                ));
            }
        }
        for topic in &manifest.notifications {
            if TOPICS.contains(&topic.method.as_str()) {
                return refuse(format!(
                    "'{}' is a notification of lightningd's own: rename it",
                    topic.method
                ));
            }
        }
        for hook in &manifest.hooks {
            if !HOOKS.contains(&hook.name.as_str()) {
                let known = HOOKS.join(", ");
                return refuse(format!(
                    "there is no hook '{}', there are {known}",
                    excerpt(&hook.name)
                ));
            }
        }
        for hook in &manifest.hooks {
            let possible = self.visit(|plugins| fits(plugins, name, hook));
            if !possible {
                return refuse(format!(
                    "its place in the chain of the hook '{}' contradicts what others ask for",
                    hook.name
                ));
            }
        }
        for option in &manifest.options {
            let other = self.option_owner(&option.name);
            if crate::options::is_own(&option.name) || other.is_some() {
                let whose =
                    other.map_or_else(|| "lightningd".to_owned(), |other| other.to_string());
                return Err(Unfit::Option(format!(
                    "its option '{}' is an option of {whose} already: disable one of the two",
                    option.name
                )));
            }
        }
        Ok(())
    }
}

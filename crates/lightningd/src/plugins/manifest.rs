//! Whether what a plugin offers fits the node.

use std::rc::Rc;

use ln_plugin::protocol::Manifest;

use super::excerpt::excerpt;
use super::hooks::{HOOKS, fits};
use super::host::PluginHost;
use super::process::PluginProcess;
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
    /// Checks a manifest against what there is already, but for the plugin whose place it takes.
    pub(super) fn check_manifest(
        &self,
        name: &str,
        manifest: &Manifest,
        instead: Option<&Rc<PluginProcess>>,
    ) -> Result<(), Unfit> {
        let is_old =
            |plugin: &Rc<PluginProcess>| instead.is_some_and(|old| Rc::ptr_eq(old, plugin));
        let refuse = |problem: String| Err(Unfit::Plugin(problem));
        if let Err(problem) = manifest.check() {
            return refuse(problem.to_string());
        }
        for method in &manifest.rpcmethods {
            let other = self.method(&method.name);
            let other = other.filter(|other| !is_old(&other.plugin));
            if crate::rpc::is_builtin(&method.name) || other.is_some() {
                return refuse(format!(
                    "there is a method '{}' already: rename it",
                    method.name
                ));
            }
        }
        // They are told to peers when the node starts, and can't be taken back.
        if manifest.dynamic && !manifest.featurebits.is_empty() {
            return refuse("only plugins that are not dynamic may add feature bits".to_owned());
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
            if !self.config.permissions.permits_hook(name, &hook.name) {
                return refuse(format!(
                    "it asks for the hook '{}': the option plugin-permissions={name}:hooks=... does not name it",
                    hook.name
                ));
            }
            let possible = self.visit(|plugins| {
                let others = plugins.iter().filter(|other| !is_old(other));
                fits(&others.cloned().collect::<Vec<_>>(), name, hook)
            });
            if !possible {
                return refuse(format!(
                    "its place in the chain of the hook '{}' contradicts what others ask for",
                    hook.name
                ));
            }
        }
        for option in &manifest.options {
            let other = self.option_owner(&option.name);
            let other =
                other.filter(|other| instead.is_none_or(|old| !Rc::ptr_eq(other, &old.path)));
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

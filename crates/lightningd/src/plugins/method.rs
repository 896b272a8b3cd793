//! Methods of plugins.

use std::rc::Rc;

use super::process::PluginProcess;

/// A method that a plugin serves.
#[derive(Debug, Clone)]
pub(crate) struct PluginMethod {
    /// The plugin.
    pub(crate) plugin: Rc<PluginProcess>,
    /// Its parameters, as `help` shows them.
    pub(crate) usage: String,
    /// Whether it is going away.
    pub(crate) deprecated: bool,
}

impl PluginMethod {
    /// Its line of `help`.
    pub(crate) fn help_line(&self, name: &str) -> String {
        let mark = if self.deprecated {
            " (DEPRECATED!)"
        } else {
            ""
        };
        format!("{name}{mark} {}", self.usage)
    }
}

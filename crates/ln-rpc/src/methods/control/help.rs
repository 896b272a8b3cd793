//! `help`

use crate::methods::{MethodInfo, rpc_method};
use crate::params::rpc_params;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Lists the commands, or one of them, with their parameters.
    ///
    /// Parameters in brackets may be left out. Commands of plugins are listed like those of the node itself.
    pub struct Help = "help" (HelpParams) -> HelpResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `help`.
    pub struct HelpParams {
        /// The command to show; all of them if this is left out.
        command: Option<String>,
    }
}

rpc_object! {
    /// The answer to `help`.
    pub struct HelpResponse {
        /// One entry per command.
        help: Vec<HelpEntry>,
        /// Tells `lightning-cli` to print this for people.
        format_hint as "format-hint": Option<FormatHint>,
    }

    /// One command.
    pub struct HelpEntry {
        /// Its name and parameters.
        command: String,
    }
}

rpc_enum! {
    /// How a reply is best shown.
    pub enum FormatHint ("should be 'simple'") {
        /// As plain lines.
        Simple = "simple",
    }
}

impl HelpResponse {
    /// The answer that shows these lines (see [`MethodInfo::help_line`]).
    pub fn from_lines(lines: impl IntoIterator<Item = String>) -> Self {
        Self {
            help: lines
                .into_iter()
                .map(|command| HelpEntry { command })
                .collect(),
            format_hint: Some(FormatHint::Simple),
        }
    }

    /// The answer that shows these methods.
    pub fn from_methods<'a>(methods: impl IntoIterator<Item = &'a MethodInfo>) -> Self {
        Self::from_lines(methods.into_iter().map(MethodInfo::help_line))
    }
}

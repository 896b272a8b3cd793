//! Plugins: processes that extend the node over their standard input and output.
//!
//! What stands here serves the built-in chain backend; hooks, subscriptions and users' plugins have their place in this folder too.

mod builtin;
mod host;
mod process;

pub(crate) use builtin::BUILTIN_PLUGINS;
pub(crate) use host::{PluginHost, PluginOption, PluginStart};
pub(crate) use process::PluginError;

//! Plugins.

mod plugin;

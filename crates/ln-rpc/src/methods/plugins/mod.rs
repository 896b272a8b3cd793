//! Plugins.

pub mod plugin;

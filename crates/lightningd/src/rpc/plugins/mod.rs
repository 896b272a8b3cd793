//! Plugins.

mod plugin;
mod trace;
mod verbose;

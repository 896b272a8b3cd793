//! The kit.

mod args;
mod call;
mod option;
mod output;
mod plugin;
mod run;

pub use args::Args;
pub use call::{Call, Init};
pub use option::{OptionValue, PluginOption};
pub use output::Log;
pub use plugin::Plugin;

//! The command line and the config files.

mod config;
mod nearest;
mod plugin_options;
mod settings;
mod table;

pub(crate) use config::{Config, LogConfig, network};
pub(crate) use nearest::nearest;
pub(crate) use plugin_options::plugin_value;
pub(crate) use settings::{OptionError, Setting, Settings, Source, is_own};
pub(crate) use table::{Kind, OPTIONS, OptionInfo};

//! The command line and the config files.

mod config;
mod dev;
mod files;
mod forced_secrets;
mod missing;
mod nearest;
mod networking;
mod persist;
mod plugin_options;
mod settings;
mod table;

pub(crate) use config::{Config, LogConfig, network};
pub(crate) use dev::DevConfig;
pub(crate) use files::ConfigFile;
pub(crate) use forced_secrets::ForcedSecrets;
pub(crate) use nearest::nearest;
pub(crate) use networking::{Discovery, Networking};
pub(crate) use persist::Persist;
pub(crate) use plugin_options::plugin_value;
pub(crate) use settings::{OptionError, Setting, Settings, Source, find, is_own};
pub(crate) use table::{Kind, OPTIONS, OptionInfo};

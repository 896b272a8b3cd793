//! What handlers are given.

use ln_types::{Network, UnknownNetwork};

use super::{Args, Log, OptionValue, PluginOption};
use crate::protocol::{Configuration, InitParams};

/// One call of a method or hook, or one notification.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its name.
    pub method: &'a str,
    /// Its parameters. Hooks and notifications have none here; see `params`.
    pub args: Args<'a>,
    /// Its parameters as they came.
    pub params: Option<&'a serde_json::value::RawValue>,
    /// The way to the node's log.
    pub log: &'a Log,
}

impl Call<'_> {
    /// The parameters read into a type of the handler's own: for hooks and notifications.
    pub fn payload<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.params.map_or("null", |raw| raw.get()))
    }
}

/// The beginning: options and the node.
#[derive(Debug)]
pub struct Init {
    pub(super) params: InitParams,
    pub(super) log: Log,
    pub(super) developer: bool,
}

impl Init {
    /// An option's value: the one set, else its default.
    pub fn option<T: OptionValue>(&self, option: &PluginOption<T>) -> Option<T> {
        option.value(self.params.options.get(option.name))
    }

    /// The node.
    pub fn configuration(&self) -> &Configuration {
        &self.params.configuration
    }

    /// The node's network.
    pub fn network(&self) -> Result<Network, UnknownNetwork> {
        self.params.configuration.network.parse()
    }

    /// Whether the node runs with `--developer`.
    pub fn is_developer(&self) -> bool {
        self.developer
    }

    /// The way to the node's log, to be kept.
    pub fn log(&self) -> Log {
        self.log.clone()
    }
}

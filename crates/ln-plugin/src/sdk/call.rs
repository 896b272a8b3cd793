//! What handlers are given.

use ln_types::{Network, UnknownNetwork};
use serde::de::DeserializeOwned;

use super::{Args, Asker, Log, OptionValue, PluginOption, Rpc};
use crate::protocol::{Configuration, InitParams};

/// One call of a method or hook, or one notification.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its name.
    pub method: &'a str,
    /// Its parameters. Hooks and notifications have none here; see `params`.
    pub args: Args<'a>,
    /// Its parameters as they came: JSON.
    pub params: Option<&'a str>,
    /// The way to the node's log.
    pub log: &'a Log,
    pub(super) asker: Option<&'a Asker>,
    pub(super) origin: Option<&'a str>,
}

impl Call<'_> {
    /// The parameters read into a type of the handler's own: for hooks and notifications.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.params.unwrap_or("null"))
    }

    /// Whoever waits for the answer, to be told how it goes; nobody waits after a notification.
    pub fn asker(&self) -> Option<&Asker> {
        self.asker
    }

    /// Shows a line to the client whose request this is.
    pub fn message(&self, level: ln_rpc::jsonrpc::LogLevel, text: &str) {
        if let Some(asker) = self.asker {
            asker.message(level, text);
        }
    }

    /// Tells the client that step `number` (from 0) of `total` begins.
    pub fn progress(&self, number: u32, total: u32) {
        if let Some(asker) = self.asker {
            asker.progress(number, total, None);
        }
    }

    /// The plugin that sent this notification; nothing if it is one of the node's own.
    pub fn origin(&self) -> Option<&str> {
        self.origin
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

    /// The way to the node's RPC, to be kept. The socket answers by now; not yet for chain backends, which begin before.
    pub fn rpc(&self) -> Rpc {
        Rpc::of(&self.params.configuration)
    }
}

/// Why a plugin does not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotNow {
    /// It has nothing to do here (no configuration, wrong network, ...): lightningd goes on without it and says so in its log. Not an error, and
    /// no longer important.
    Disabled(String),
    /// It should work here and can't: an error for the operator.
    Failed(String),
}

impl From<String> for NotNow {
    fn from(problem: String) -> Self {
        Self::Failed(problem)
    }
}

impl From<&str> for NotNow {
    fn from(problem: &str) -> Self {
        Self::Failed(problem.to_owned())
    }
}

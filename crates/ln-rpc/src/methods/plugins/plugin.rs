//! `plugin`

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Starts, stops and lists plugins while the node runs.
    ///
    /// What comes after the path of a plugin to start are options for it.
    ///
    /// `reload` is for plugins whose file has changed, also those that can't be stopped while the node runs. The new process gets the
    /// options of the old one, its place among hooks, and the questions that were not answered yet; requests of clients are finished by
    /// the old one. Until the new one has answered `init` the old one works on, and if the new one can't, the error says why and the
    /// old one stays. With `stop_first` the old one ends before the new one gets `init`: for plugins that need something only one
    /// process can have.
    pub struct Plugin = "plugin" (PluginParams) -> PluginResponse {
        category: Plugins,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `plugin`.
    pub struct PluginParams {
        /// What to do.
        subcommand: PluginSubcommand,
        ..rest
    }
}

rpc_object! {
    /// The answer to `plugin`.
    pub struct PluginResponse {
        /// What was done.
        command: PluginSubcommand,
        /// The plugins there are now.
        plugins: Option<Vec<PluginEntry>>,
        /// What came of stopping one.
        result: Option<String>,
    }

    /// One plugin.
    pub struct PluginEntry {
        /// The path it was started from.
        name: String,
        /// Whether it has told what it offers.
        active: bool,
        /// Whether it can be stopped while the node runs.
        dynamic: bool,
    }
}

rpc_enum! {
    /// What can be done with plugins.
    pub enum PluginSubcommand ("unknown subcommand: should be start, stop, reload, startdir, rescan or list") {
        /// Start the program at a path.
        Start = "start",
        /// Stop a plugin.
        Stop = "stop",
        /// Put a new process of a plugin in the place of the one that works.
        Reload = "reload",
        /// Start what is new in the plugin directories.
        Rescan = "rescan",
        /// Start all programs of a directory.
        Startdir = "startdir",
        /// List them.
        List = "list",
    }
}

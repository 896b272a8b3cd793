//! `plugin`

use serde_json::Value;

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
    ///
    /// `list` takes `verbose`: with true each plugin comes with its process, options, methods, hooks and numbers.
    ///
    /// `trace` takes a plugin's name or path, and perhaps `count` (messages) and `duration` (seconds) after which it ends. What the
    /// plugin is sent and what it says comes as notifications of level `info`, which `lightning-cli` shows as lines; whoever else asks
    /// switches them on with `notifications` first. Preimages, payment secrets and the like are masked; long messages are cut. Who
    /// reads too slowly is told how many messages were lost: the plugin does not wait.
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
        /// What came of stopping or tracing one.
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
        /// With `verbose`: how far it is: `asked` what it offers, `known`, `running`, or `ended`.
        state: Option<String>,
        /// With `verbose`: whether the node stops when it ends.
        important: Option<bool>,
        /// With `verbose`: its process.
        pid: Option<u32>,
        /// With `verbose`: how many processes of it ended soon before this one, in a row.
        restarts: Option<u32>,
        /// With `verbose`: the memory its process has for itself, in bytes; what it shares counts in parts.
        memory_bytes: Option<u64>,
        /// With `verbose`: its options.
        options: Option<Vec<PluginOptionEntry>>,
        /// With `verbose`: its methods.
        methods: Option<Vec<String>>,
        /// With `verbose`: the hooks in which it is asked.
        hooks: Option<Vec<PluginHookEntry>>,
        /// With `verbose`: the topics it hears of.
        subscriptions: Option<Vec<String>>,
        /// With `verbose`: the topics it tells of.
        notifications: Option<Vec<String>>,
        /// With `verbose`: how often it was asked something: its methods, hooks, and the questions every plugin is asked.
        calls: Option<u64>,
        /// With `verbose`: how often it answered with an error.
        errors: Option<u64>,
        /// With `verbose`: how often it took longer than it had time.
        unanswered: Option<u64>,
        /// With `verbose`: how many answers are waited for.
        pending: Option<u64>,
        /// With `verbose`: how often it said what makes no sense, and did not end by it.
        faults: Option<u64>,
        /// With `verbose`: half of its answers took no longer, in microseconds; up to a quarter too long.
        latency_p50_us: Option<u64>,
        /// With `verbose`: 99 of a hundred answers took no longer, in microseconds; up to a quarter too long.
        latency_p99_us: Option<u64>,
        /// With `verbose`: how much it was sent and has not read, in bytes.
        unread_bytes: Option<u64>,
    }

    /// An option of a plugin.
    pub struct PluginOptionEntry {
        /// Its name.
        name: String,
        /// `string`, `string-conceal`, `int`, `bool` or `flag`.
        kind as "type": String,
        /// Its value; not there if it has none, or if it is concealed.
        value: Option<Value>,
        /// Whether its value is not shown.
        concealed: bool,
    }

    /// A hook in which a plugin is asked.
    pub struct PluginHookEntry {
        /// Its name.
        name: String,
        /// Its place among the plugins of the hook, from 1.
        position: u32,
        /// The plugins that are asked before it, in their order.
        asked_before: Vec<String>,
        /// The plugins that are asked after it, in their order.
        asked_after: Vec<String>,
    }
}

rpc_enum! {
    /// What can be done with plugins.
    pub enum PluginSubcommand ("unknown subcommand: should be start, stop, reload, startdir, rescan, list or trace") {
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
        /// List them. With `verbose` set to true: with what they do, and how fast.
        List = "list",
        /// Show what a plugin is sent and what it says, until it ends or the client hangs up.
        Trace = "trace",
    }
}

impl PluginEntry {
    /// An entry without what `verbose` adds.
    pub fn plain(name: String, active: bool, dynamic: bool) -> Self {
        Self {
            name,
            active,
            dynamic,
            state: None,
            important: None,
            pid: None,
            restarts: None,
            memory_bytes: None,
            options: None,
            methods: None,
            hooks: None,
            subscriptions: None,
            notifications: None,
            calls: None,
            errors: None,
            unanswered: None,
            pending: None,
            faults: None,
            latency_p50_us: None,
            latency_p99_us: None,
            unread_bytes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_entry_is_core_lightnings() {
        let entry = PluginEntry::plain("/p".to_owned(), true, false);
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(text, r#"{"name":"/p","active":true,"dynamic":false}"#);
    }
}

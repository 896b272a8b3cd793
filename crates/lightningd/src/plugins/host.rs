//! All plugins of the node, and what each of them offers.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ln_plugin::protocol::{Configuration, Deprecation, FeatureBits, Manifest, OptionDecl};
use ln_rpc::RpcError;
use serde_json::{Value, json};

use super::error::PluginError;
use super::hooks::HookTimeouts;
use super::method::PluginMethod;
use super::options::{PluginOption, init_options};
use super::permissions::Permissions;
use super::process::{PluginProcess, Program, Stage, checksum};
use super::restart::Absent;
use super::restart_policy::RestartPolicy;
use super::save_io::SaveIo;
use crate::log::Logger;
use crate::node::Node;
use crate::options::{Setting, Settings};

/// What plugins depend on besides their own options.
#[derive(Debug, Clone)]
pub(crate) struct HostConfig {
    /// The directory in which `plugins` is looked for.
    pub(crate) base_dir: PathBuf,
    /// The directories given with `plugin-dir`.
    pub(crate) plugin_dirs: Vec<PathBuf>,
    /// Whether the node runs with `developer`.
    pub(crate) developer: bool,
    /// Whether deprecated things are allowed.
    pub(crate) allow_deprecated: bool,
    /// Whether plugins of 2019 are told things as they were told then.
    pub(crate) old_plugins: bool,
    /// How long a plugin may take to answer `getmanifest`, and again for `init`.
    pub(crate) patience: Duration,
    /// How long plugins may think in hooks.
    pub(crate) hook_timeouts: HookTimeouts,
    /// Who is started again.
    pub(crate) restart: RestartPolicy,
    /// Whether plugins are reloaded when their files change.
    pub(crate) autoreload: bool,
    /// Whether plugins' files count as unchanged, whatever they hold.
    pub(crate) no_checksum: bool,
    /// What plugins may do.
    pub(crate) permissions: Permissions,
    /// Where what they are asked and told is saved.
    pub(crate) save_io: Option<PathBuf>,
    /// The built-in one that makes a mistake, and after how many messages.
    pub(crate) panic: Option<(String, u32)>,
}

impl HostConfig {
    /// A number that changes with what a plugin's file holds.
    pub(super) fn checksum(&self, path: &str) -> u64 {
        if self.no_checksum { 0 } else { checksum(path) }
    }
}

/// How a plugin ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// We ended it.
    Asked,
    /// It ended, or said something that makes no sense.
    Failed(String),
}

/// The plugins, their options and their methods.
pub(crate) struct PluginHost {
    log: Logger,
    pub(super) config: HostConfig,
    pub(super) save_io: Option<Rc<SaveIo>>,
    /// By place.
    plugins: RefCell<Vec<Rc<PluginProcess>>>,
    /// Processes that are about to take a plugin's place, or were replaced and have something to finish.
    beside: RefCell<Vec<Rc<PluginProcess>>>,
    /// Plugins that ended by themselves and are to be started again.
    absent: RefCell<Vec<Rc<Absent>>>,
    next_place: Cell<u64>,
    /// The feature bits of plugins that did not start after all.
    withdrawn: RefCell<Vec<FeatureBits>>,
    options: RefCell<BTreeMap<String, PluginOption>>,
    methods: RefCell<BTreeMap<String, PluginMethod>>,
    node: OnceCell<Weak<Node>>,
    /// What `init` tells of the node.
    pub(super) configuration: OnceCell<Configuration>,
    /// Whether any of them keeps a copy of the database.
    pub(super) copies_db: Arc<AtomicBool>,
    /// Whether the node is ending.
    closing: Cell<bool>,
    /// The important plugin that ended before there was a node to end with it.
    lost: RefCell<Option<String>>,
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost").finish_non_exhaustive()
    }
}

impl PluginHost {
    /// No plugins yet.
    pub(crate) fn new(log: &Logger, config: HostConfig) -> Rc<Self> {
        Rc::new(Self {
            log: log.clone(),
            save_io: config.save_io.clone().map(|dir| Rc::new(SaveIo::to(dir))),
            config,
            plugins: RefCell::default(),
            beside: RefCell::default(),
            absent: RefCell::default(),
            next_place: Cell::new(0),
            withdrawn: RefCell::default(),
            options: RefCell::default(),
            methods: RefCell::default(),
            node: OnceCell::new(),
            configuration: OnceCell::new(),
            copies_db: Arc::default(),
            closing: Cell::new(false),
            lost: RefCell::default(),
        })
    }

    /// Where its lines go.
    pub(super) fn log(&self) -> &Logger {
        &self.log
    }

    /// The node it belongs to, once there is one.
    pub(super) fn node(&self) -> Option<Rc<Node>> {
        self.node.get().and_then(Weak::upgrade)
    }

    /// Makes it the host of a node: lines of the log are notifications from now on, and the end of an important plugin ends the node.
    pub(crate) fn attach(self: &Rc<Self>, node: &Rc<Node>, configuration: Configuration) {
        drop(self.node.set(Rc::downgrade(node)));
        drop(self.configuration.set(configuration));
        self.hear_log();
        if self.config.autoreload {
            tokio::task::spawn_local(super::autoreload::watch_files(Rc::downgrade(self)));
        }
    }

    /// Looks at all plugins.
    pub(super) fn visit<T>(&self, look: impl FnOnce(&[Rc<PluginProcess>]) -> T) -> T {
        look(&self.plugins.borrow())
    }

    /// Looks at the processes that are none of the node's plugins yet, or any more.
    pub(super) fn visit_beside<T>(&self, look: impl FnOnce(&mut Vec<Rc<PluginProcess>>) -> T) -> T {
        look(&mut self.beside.borrow_mut())
    }

    /// Looks at the plugins without a process.
    pub(super) fn visit_absent<T>(&self, look: impl FnOnce(&mut Vec<Rc<Absent>>) -> T) -> T {
        look(&mut self.absent.borrow_mut())
    }

    /// A place behind all others.
    pub(super) fn new_place(&self) -> u64 {
        let place = self.next_place.get();
        self.next_place.set(place + 1);
        place
    }

    /// Starts a process.
    pub(super) fn process(
        self: &Rc<Self>,
        path: &str,
        builtin: bool,
        place: u64,
    ) -> anyhow::Result<Rc<PluginProcess>> {
        let program = Program {
            path,
            builtin,
            important: false,
            developer: self.config.developer,
            place,
        };
        PluginProcess::start(self, &program)
    }

    /// Starts a process as one of the node's plugins.
    pub(super) fn spawn_at(
        self: &Rc<Self>,
        path: &str,
        builtin: bool,
        place: u64,
    ) -> anyhow::Result<Rc<PluginProcess>> {
        let plugin = self.process(path, builtin, place)?;
        let mut plugins = self.plugins.borrow_mut();
        plugins.push(Rc::clone(&plugin));
        plugins.sort_by_key(|plugin| plugin.life.place);
        Ok(plugin)
    }

    /// The plugin with this path, or whose file has this name.
    pub(super) fn named(&self, name: &str) -> Option<Rc<PluginProcess>> {
        let named = |plugin: &&Rc<PluginProcess>| *plugin.path == *name || *plugin.name == *name;
        self.visit(|plugins| plugins.iter().find(named).cloned())
    }

    /// The plugins as `plugin list` shows them.
    pub(crate) fn all(&self) -> Vec<Rc<PluginProcess>> {
        self.plugins.borrow().clone()
    }

    /// From now on plugins end because the node does.
    pub(super) fn closing(&self) {
        self.closing.set(true);
    }

    /// Whether the node is ending.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    /// Whether the node is ending, or about to.
    pub(super) fn is_ending(&self) -> bool {
        let stopping = |node: Rc<Node>| node.stop.borrow().is_some();
        self.is_closing() || self.node().is_some_and(stopping)
    }

    /// The important plugin that ended while the node was starting.
    pub(super) fn lost_important(&self) -> Option<String> {
        self.lost.borrow().clone()
    }

    /// An important plugin has ended.
    pub(super) fn set_lost_important(&self, text: String) {
        *self.lost.borrow_mut() = Some(text);
    }

    /// Takes what a plugin offers into the tables. The manifest was checked.
    pub(super) fn enter(&self, plugin: &Rc<PluginProcess>, manifest: Manifest) {
        self.enter_methods(plugin, &manifest);
        for option in &manifest.options {
            let entry = PluginOption {
                plugin: Rc::clone(&plugin.path),
                decl: option.clone(),
                given: Vec::new(),
            };
            self.options.borrow_mut().insert(option.name.clone(), entry);
        }
        drop(plugin.manifest.set(manifest));
        plugin.advance(Stage::Known);
        self.offers_changed();
    }

    fn enter_methods(&self, plugin: &Rc<PluginProcess>, manifest: &Manifest) {
        for method in &manifest.rpcmethods {
            let entry = PluginMethod {
                plugin: Rc::clone(plugin),
                usage: method.usage.clone(),
                deprecated: is_deprecated(method.deprecated.as_ref()),
            };
            self.methods.borrow_mut().insert(method.name.clone(), entry);
        }
    }

    /// Puts a process from beside where another stood, with the options it was started with.
    pub(super) fn enter_instead(
        &self,
        old: &Rc<PluginProcess>,
        new: &Rc<PluginProcess>,
        options: Vec<PluginOption>,
    ) {
        self.leave(old);
        self.visit_beside(|all| {
            all.retain(|other| !Rc::ptr_eq(other, new));
            if old.stage() != Stage::Ended {
                all.push(Rc::clone(old));
            }
        });
        let mut plugins = self.plugins.borrow_mut();
        plugins.push(Rc::clone(new));
        plugins.sort_by_key(|plugin| plugin.life.place);
        drop(plugins);
        if let Some(manifest) = new.manifest() {
            self.enter_methods(new, manifest);
        }
        let mut entries = self.options.borrow_mut();
        entries.extend(
            options
                .into_iter()
                .map(|option| (option.decl.name.clone(), option)),
        );
        drop(entries);
        self.offers_changed();
    }

    /// What was given for a plugin with `plugin start`.
    pub(super) fn given_to(&self, plugin: &PluginProcess) -> Vec<Setting> {
        let options = self.options.borrow();
        let own = options
            .values()
            .filter(|option| Rc::ptr_eq(&option.plugin, &plugin.path));
        own.flat_map(|option| option.given.clone()).collect()
    }

    /// Forgets a plugin and all it offered; [`Self::offers_changed`] is to follow.
    pub(super) fn leave(&self, plugin: &Rc<PluginProcess>) {
        self.plugins
            .borrow_mut()
            .retain(|known| !Rc::ptr_eq(known, plugin));
        self.methods
            .borrow_mut()
            .retain(|_, method| !Rc::ptr_eq(&method.plugin, plugin));
        self.options
            .borrow_mut()
            .retain(|_, option| !Rc::ptr_eq(&option.plugin, &plugin.path));
    }

    /// Who offers what is another now: those outside of the loop learn it.
    pub(crate) fn offers_changed(&self) {
        self.note_copies();
        self.tell_custom_types();
    }

    /// A plugin's process has ended.
    pub(super) fn on_ended(self: &Rc<Self>, plugin: &Rc<PluginProcess>, was: Stage, end: &End) {
        if self.ended_beside(plugin, end) {
            return;
        }
        // What becomes of it is decided when it is known whether another process takes its place.
        if plugin.life.is_preparing() {
            if let End::Failed(why) = end {
                self.log.unusual(&plugin.origin, why);
            }
            return;
        }
        let given = self.given_to(plugin);
        self.leave(plugin);
        self.offers_changed();
        self.on_lost(plugin, was, end, given);
    }

    /// Whether a plugin has this option.
    pub(crate) fn knows_option(&self, name: &str) -> bool {
        self.options.borrow().contains_key(name)
    }

    /// The plugin with this option.
    pub(super) fn option_owner(&self, name: &str) -> Option<Rc<str>> {
        let options = self.options.borrow();
        options.get(name).map(|option| Rc::clone(&option.plugin))
    }

    /// Visits the options of plugins, by name.
    pub(crate) fn visit_options(&self, mut visit: impl FnMut(&str, &PluginOption)) {
        for (name, option) in self.options.borrow().iter() {
            visit(name, option);
        }
    }

    /// The options of a plugin with their values as it was told them.
    pub(crate) fn options_of(
        &self,
        plugin: &PluginProcess,
        settings: &Settings,
    ) -> Vec<(OptionDecl, Option<Value>)> {
        let options = self.options.borrow();
        let own = options
            .values()
            .filter(|option| Rc::ptr_eq(&option.plugin, &plugin.path));
        let with_value = own.map(|option| {
            let values = init_options(std::iter::once(option), settings).unwrap_or_default();
            let value = values.into_iter().next().map(|(_, value)| value);
            (option.decl.clone(), value)
        });
        with_value.collect()
    }

    /// Changes an option.
    pub(super) fn change_option(&self, name: &str, change: impl FnOnce(&mut PluginOption)) {
        self.options.borrow_mut().get_mut(name).map(change);
    }

    /// The method with this name.
    pub(crate) fn method(&self, name: &str) -> Option<PluginMethod> {
        self.methods.borrow().get(name).cloned()
    }

    /// The lines of `help` of all methods of plugins.
    pub(crate) fn help_lines(&self) -> Vec<String> {
        let methods = self.methods.borrow();
        let lines = methods.iter().map(|(name, method)| method.help_line(name));
        lines.collect()
    }

    /// Asks whichever plugin serves the method.
    pub(crate) async fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, PluginError> {
        let Some(serving) = self.method(method) else {
            let problem = RpcError::unknown_command(method);
            return Err(PluginError::Answered(problem));
        };
        serving.plugin.call_typed(method, &params).await
    }

    /// The feature bits that plugins add to ours. A bit may be set by one of us only.
    pub(crate) fn feature_bits(&self) -> Vec<(Rc<str>, FeatureBits)> {
        let plugins = self.plugins.borrow();
        let bits = plugins.iter().filter_map(|plugin| {
            let bits = plugin.manifest()?.featurebits.clone();
            (!bits.is_empty()).then(|| (Rc::clone(&plugin.name), bits))
        });
        bits.collect()
    }

    /// A plugin does not start: nobody stands for its feature bits.
    pub(super) fn withdraw_bits(&self, plugin: &PluginProcess) {
        if let Some(manifest) = plugin.manifest() {
            let bits = manifest.featurebits.clone();
            self.withdrawn.borrow_mut().push(bits);
        }
    }

    /// The feature bits of plugins that did not start after all.
    pub(crate) fn withdrawn_bits(&self) -> Vec<FeatureBits> {
        self.withdrawn.borrow().clone()
    }
}

fn is_deprecated(deprecated: Option<&Deprecation>) -> bool {
    match deprecated {
        None | Some(Deprecation::Always(false)) => false,
        Some(Deprecation::Always(true)) => true,
        Some(Deprecation::Versions(versions)) => !versions.is_empty(),
    }
}

/// What `plugin_started` and `plugin_stopped` tell.
pub(super) fn life(plugin: &PluginProcess) -> Value {
    let methods: Vec<&str> = plugin
        .manifest()
        .into_iter()
        .flat_map(|manifest| &manifest.rpcmethods)
        .map(|method| method.name.as_str())
        .collect();
    json!({ "plugin_name": &*plugin.name, "plugin_path": &*plugin.path, "methods": methods })
}

//! Plugins that ended by themselves are started again, later each time.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use ln_rpc::{RpcError, RpcErrorCode};
use tokio::sync::Notify;

use super::host::{End, PluginHost, life};
use super::lifecycle::NotRunning;
use super::process::{PluginProcess, Stage};
use crate::log::Origin;
use crate::options::Setting;

/// How long after its end a plugin is started again the first time; each time it ends soon, it is twice as long.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// It never takes longer.
const LONGEST_DELAY: Duration = Duration::from_mins(5);
/// A plugin that worked so long did not end soon.
const LIVED: Duration = Duration::from_mins(1);
/// An important plugin that ends soon so often in a row can't be kept alive.
const LIVES_OF_IMPORTANT: u32 = 4;

/// A plugin without a process, to be started again.
#[derive(Debug)]
pub(crate) struct Absent {
    /// The path it is started from.
    pub(crate) path: Rc<str>,
    /// Whether it could be started and stopped while the node runs.
    pub(crate) dynamic: bool,
    name: Rc<str>,
    origin: Origin,
    builtin: bool,
    important: bool,
    place: u64,
    /// What was given for it with `plugin start`.
    given: Vec<Setting>,
    /// The methods it served.
    methods: Vec<String>,
    /// How often it ended soon before this, in a row.
    failures: Cell<u32>,
    /// Whether somebody else starts it just now.
    taken: Cell<bool>,
    /// Told when there is no reason to wait any longer.
    wake: Notify,
}

impl Absent {
    /// What is remembered of a process that ended.
    fn of(plugin: &PluginProcess, given: Vec<Setting>) -> Self {
        let soon = plugin.life.worked() < LIVED;
        let manifest = plugin.manifest();
        let methods = manifest
            .into_iter()
            .flat_map(|manifest| &manifest.rpcmethods);
        Self {
            path: Rc::clone(&plugin.path),
            dynamic: plugin.is_dynamic(),
            name: Rc::clone(&plugin.name),
            origin: plugin.origin.clone(),
            builtin: plugin.builtin,
            important: plugin.important.get(),
            place: plugin.life.place,
            given,
            methods: methods.map(|method| method.name.clone()).collect(),
            failures: Cell::new(if soon { plugin.life.failures.get() } else { 0 }),
            taken: Cell::new(false),
            wake: Notify::new(),
        }
    }

    /// How long it stays away.
    fn delay(&self) -> Duration {
        let times = 2_u32.saturating_pow(self.failures.get());
        FIRST_DELAY.saturating_mul(times).min(LONGEST_DELAY)
    }

    /// Whether the node should not wait for it any longer.
    fn is_hopeless(&self) -> bool {
        self.important && self.failures.get() >= LIVES_OF_IMPORTANT
    }

    /// It need not wait any longer.
    pub(super) fn hurry(&self) {
        self.wake.notify_one();
    }

    fn is_named(&self, name: &str) -> bool {
        *self.path == *name || *self.name == *name
    }
}

impl PluginHost {
    /// A plugin's process has ended; it is out of the tables already. What becomes of the plugin, and of the node.
    pub(super) fn on_lost(
        self: &Rc<Self>,
        plugin: &Rc<PluginProcess>,
        was: Stage,
        end: &End,
        given: Vec<Setting>,
    ) {
        if was == Stage::Running {
            self.notify("plugin_stopped", || life(plugin));
        }
        if self.is_closing() {
            return;
        }
        let important = plugin.important.get();
        if let End::Failed(why) = end {
            self.log().unusual(&plugin.origin, why);
            let again = self.config.restart.again(&plugin.path, important);
            if again && was == Stage::Running && !self.is_ending() && !serves_chain(plugin) {
                let absent = Absent::of(plugin, given);
                if !absent.is_hopeless() {
                    self.bring_back_later(absent);
                    return;
                }
            }
        }
        if important {
            self.end_with(&plugin.origin, &plugin.path, &plugin.name);
        }
    }

    /// The node ends with an important plugin.
    fn end_with(&self, origin: &Origin, path: &str, name: &str) {
        let text = format!(
            "important plugin {path} ended: the node stops. Without it: --disable-plugin={name}"
        );
        self.log().broken(origin, &text);
        self.set_lost_important(text);
        if let Some(node) = self.node() {
            node.stop(1);
        }
    }

    fn bring_back_later(self: &Rc<Self>, absent: Absent) {
        let absent = Rc::new(absent);
        self.visit_absent(|all| all.push(Rc::clone(&absent)));
        tokio::task::spawn_local(keep_trying(Rc::downgrade(self), absent));
    }

    /// Starts an absent plugin now. It stays absent if that fails.
    async fn bring_back(self: &Rc<Self>, absent: &Rc<Absent>) -> Result<(), NotRunning> {
        let ended = |why: String| NotRunning::Ended(why);
        let node = self
            .node()
            .ok_or_else(|| ended("the node ends".to_owned()))?;
        let plugin = self
            .spawn_at(&absent.path, absent.builtin, absent.place)
            .map_err(|error| ended(format!("{error:#}")))?;
        let outcome = async {
            let manifest = self.ask_manifest(&plugin).await?;
            self.take_in(&plugin, manifest)?;
            self.give_again(&plugin, &absent.given)?;
            self.init(&plugin, &node.settings(), false).await
        };
        let outcome = outcome.await;
        let outcome = match outcome {
            Ok(()) if !self.is_absent(absent) => Err(ended("it is not wanted any more".to_owned())),
            outcome => outcome,
        };
        match &outcome {
            Ok(()) => {
                plugin.important.set(absent.important);
                plugin
                    .life
                    .failures
                    .set(absent.failures.get().saturating_add(1));
                self.forget_absent(absent);
                self.log().info(&plugin.origin, "works again");
            }
            Err(_) => {
                plugin.kill();
                plugin.wait_ended().await;
            }
        }
        outcome
    }

    /// The absent plugin with this path or name.
    pub(super) fn absent_named(&self, name: &str) -> Option<Rc<Absent>> {
        self.visit_absent(|all| all.iter().find(|absent| absent.is_named(name)).cloned())
    }

    /// The plugins that ended and wait to be started again, and have no process just now.
    pub(crate) fn absent(&self) -> Vec<Rc<Absent>> {
        let mut all = self.visit_absent(|all| all.clone());
        self.visit(|plugins| {
            all.retain(|absent| plugins.iter().all(|plugin| plugin.path != absent.path));
        });
        all
    }

    fn is_absent(&self, absent: &Rc<Absent>) -> bool {
        self.visit_absent(|all| all.iter().any(|known| Rc::ptr_eq(known, absent)))
    }

    /// It is not to be started again.
    pub(super) fn forget_absent(&self, absent: &Rc<Absent>) {
        self.visit_absent(|all| all.retain(|known| !Rc::ptr_eq(known, absent)));
        absent.hurry();
    }

    /// Starts an absent plugin because somebody asked for it.
    pub(super) async fn bring_back_now(
        self: &Rc<Self>,
        absent: &Rc<Absent>,
    ) -> Result<(), RpcError> {
        let Some(_hold) = hold(absent) else {
            let text = format!("{} is being started already", absent.path);
            return Err(RpcError::new(RpcErrorCode::PluginError, text));
        };
        self.bring_back(absent).await.map_err(|problem| {
            let text = format!("{}: {problem}", absent.path);
            RpcError::new(RpcErrorCode::PluginError, text)
        })
    }

    /// What a client is told that asks for a method of an absent plugin.
    pub(crate) fn explain_absence(&self, method: &str) -> Option<RpcError> {
        let serves = |absent: &&Rc<Absent>| absent.methods.iter().any(|name| name == method);
        let absent = self.visit_absent(|all| all.iter().find(serves).cloned())?;
        let text = format!(
            "plugin {} ended and is being started again: ask again later",
            absent.name
        );
        Some(RpcError::new(RpcErrorCode::PluginTerminated, text))
    }
}

/// Whether the node knows the chain from it.
pub(super) fn serves_chain(plugin: &PluginProcess) -> bool {
    let manifest = plugin.manifest();
    let mut methods = manifest
        .into_iter()
        .flat_map(|manifest| &manifest.rpcmethods);
    methods.any(|method| super::lifecycle::BACKEND_METHODS.contains(&&*method.name))
}

/// While it is held nobody else starts the plugin.
pub(super) struct Hold<'a>(&'a Absent);

/// Holds an absent plugin, unless somebody does.
pub(super) fn hold(absent: &Absent) -> Option<Hold<'_>> {
    (!absent.taken.replace(true)).then_some(Hold(absent))
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.taken.set(false);
    }
}

/// Starts a plugin again until it works or nobody wants that any more.
async fn keep_trying(host: Weak<PluginHost>, absent: Rc<Absent>) {
    loop {
        let delay = absent.delay();
        if let Some(host) = host.upgrade() {
            let text = format!(
                "is started again in {} s (plugin-restart={}:never would keep it ended)",
                delay.as_secs(),
                absent.name
            );
            host.log().info(&absent.origin, text);
        }
        drop(tokio::time::timeout(delay, absent.wake.notified()).await);
        let Some(host) = host.upgrade() else { return };
        if host.is_ending() || !host.is_absent(&absent) {
            return;
        }
        let Some(_hold) = hold(&absent) else { continue };
        let Err(problem) = host.bring_back(&absent).await else {
            return;
        };
        if host.is_ending() || !host.is_absent(&absent) {
            return;
        }
        if let NotRunning::Disabled(_) = problem {
            host.log().info(&absent.origin, problem.to_string());
            host.forget_absent(&absent);
            return;
        }
        let text = format!("can't be started again: {problem}");
        host.log().unusual(&absent.origin, text);
        absent.failures.set(absent.failures.get().saturating_add(1));
        if absent.is_hopeless() {
            host.forget_absent(&absent);
            host.end_with(&absent.origin, &absent.path, &absent.name);
            return;
        }
    }
}

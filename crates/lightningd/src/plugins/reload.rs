//! `plugin reload`: another process takes the place of one that works, with what its file holds now.
//!
//! Until the new process has answered `init`, the old one works as before and nothing is lost if the new one fails. What happens
//! meanwhile is told to one of them only: to the one that works afterwards. Questions of hooks that the old one has not answered
//! are asked of the new one; requests of clients stay with the old one, for asking them twice could do twice what they ask for.

use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use ln_plugin::protocol::Manifest;
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::Value;
use serde_json::value::RawValue;

use super::candidates::check_program;
use super::error::PluginError;
use super::host::{End, PluginHost, life};
use super::life::Succession;
use super::lifecycle::NotRunning;
use super::method::PluginMethod;
use super::options::PluginOption;
use super::process::{PluginProcess, Stage};
use super::restart::serves_chain;
use super::topics::wants;
use crate::log::Origin;
use crate::options::{Setting, Settings};
use crate::rpc::Context;

/// How long a process that was replaced may go on with requests of clients.
const GRACE: Duration = Duration::from_secs(30);

/// The hooks that `init` itself may lead to: whoever waited for the new process in them would keep it from answering.
const ASKED_DURING_INIT: &[&str] = &["db_write", "rpc_command"];

/// How a plugin is to be reloaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reload {
    /// Whether the old process must have ended before the new one gets `init`.
    pub(crate) stop_first: bool,
    /// What is given for it, if not what was given before.
    pub(crate) given: Option<Vec<Setting>>,
}

impl PluginHost {
    /// Reloads a plugin named by its path or the name of its file.
    pub(crate) async fn reload_one(
        self: &Rc<Self>,
        name: &str,
        how: Reload,
        settings: &Settings,
    ) -> Result<(), RpcError> {
        if let Some(plugin) = self.named(name) {
            return self.reload(&plugin, how, settings).await;
        }
        match self.absent_named(name) {
            Some(absent) => self.bring_back_now(&absent).await,
            None => {
                let text = format!("Could not find plugin {name}");
                Err(RpcError::invalid_params(text))
            }
        }
    }

    /// Has another process take the place of this one. On failure this one goes on, if it still can.
    pub(super) async fn reload(
        self: &Rc<Self>,
        old: &Rc<PluginProcess>,
        how: Reload,
        settings: &Settings,
    ) -> Result<(), RpcError> {
        let path = &old.path;
        let refuse = |problem: &str| {
            let text = format!("{path} can't be reloaded: {problem}");
            RpcError::new(RpcErrorCode::PluginError, text)
        };
        if old.builtin {
            return Err(refuse("it is part of lightningd"));
        }
        if serves_chain(old) {
            return Err(refuse(
                "the node knows the chain from it and can't be without: stop the node for that",
            ));
        }
        if old.life.is_preparing() {
            return Err(refuse("it is being reloaded already"));
        }
        if !old.is_running() {
            return Err(refuse("it does not work yet: wait for its start"));
        }
        check_program(path.as_ref().as_ref())
            .map_err(|problem| refuse(&format!("{problem}; the old one goes on")))?;
        let new = self
            .spawn_beside(path, old.life.place)
            .map_err(|error| refuse(&format!("{error:#}; the old one goes on")))?;
        old.life.set_succession(Succession::Preparing);
        let given = how.given.unwrap_or_else(|| self.given_to(old));
        let prepared = self.prepare(old, &new, &given, how.stop_first, settings);
        match prepared.await {
            Ok(options) if !self.is_ending() => {
                self.replace(old, &new, options);
                Ok(())
            }
            Ok(_) => {
                new.kill();
                self.stay(old, given);
                Err(refuse("the node ends"))
            }
            Err(problem) => {
                new.kill();
                let rest = if self.stay(old, given) {
                    "the old one goes on"
                } else {
                    "the old one has ended"
                };
                Err(refuse(&format!("the new one {problem}; {rest}")))
            }
        }
    }

    /// Everything up to the answer to `init`. The new one's options.
    async fn prepare(
        &self,
        old: &Rc<PluginProcess>,
        new: &Rc<PluginProcess>,
        given: &[Setting],
        stop_first: bool,
        settings: &Settings,
    ) -> Result<Vec<PluginOption>, NotRunning> {
        let manifest = self.ask_manifest(new).await?;
        self.fit(new, &manifest, Some(old))?;
        let options = options_with(new, &manifest, given)?;
        let bits = |plugin: &PluginProcess| {
            plugin
                .manifest()
                .map(|manifest| manifest.featurebits.clone())
        };
        drop(new.manifest.set(manifest));
        if bits(old) != bits(new) {
            let text = "its feature bits have changed: that counts from the next start of the node";
            self.log().unusual(&new.origin, text);
        }
        new.advance(Stage::Known);
        old.life.start_keeping();
        if stop_first {
            self.end(old).await;
        }
        self.ask_init(new, &options, settings, false).await?;
        Ok(options)
    }

    /// The new process takes over.
    fn replace(
        self: &Rc<Self>,
        old: &Rc<PluginProcess>,
        new: &Rc<PluginProcess>,
        options: Vec<PluginOption>,
    ) {
        new.important.set(old.important.replace(false));
        self.enter_instead(old, new, options);
        new.advance(Stage::Running);
        for (topic, bytes) in old.life.stop_keeping() {
            if new
                .manifest()
                .is_some_and(|manifest| wants(manifest, &topic))
            {
                new.tell_bytes(self.log(), &topic, bytes);
            }
        }
        self.notify("plugin_stopped", || life(old));
        self.notify("plugin_started", || life(new));
        self.log().info(&new.origin, "reloaded");
        old.life.set_succession(Succession::Replaced);
        let (host, old) = (Rc::clone(self), Rc::clone(old));
        tokio::task::spawn_local(async move {
            if tokio::time::timeout(GRACE, old.wait_served())
                .await
                .is_err()
            {
                let text = format!(
                    "its old process has not answered all requests within {} seconds: ended",
                    GRACE.as_secs()
                );
                host.log().unusual(&old.origin, text);
            }
            old.forget_hooks();
            host.end(&old).await;
        });
    }

    /// The old process stays; false if it has ended meanwhile.
    fn stay(self: &Rc<Self>, old: &Rc<PluginProcess>, given: Vec<Setting>) -> bool {
        for (topic, bytes) in old.life.stop_keeping() {
            old.tell_bytes(self.log(), &topic, bytes);
        }
        let goes_on = old.stage() != Stage::Ended;
        if !goes_on {
            self.leave(old);
            self.offers_changed();
        }
        old.life.set_succession(Succession::None);
        if !goes_on {
            let end = End::Failed("ended while it was reloaded".to_owned());
            self.on_lost(old, Stage::Running, &end, given);
        }
        goes_on
    }

    /// The process that stands where this one stood and can be asked.
    pub(super) fn serving(&self, plugin: &Rc<PluginProcess>) -> Option<Rc<PluginProcess>> {
        let place = plugin.life.place;
        self.visit(|plugins| {
            let mut there = plugins.iter().filter(|other| other.life.place == place);
            there.find(|other| other.can_be_asked()).cloned()
        })
    }

    /// Asks a plugin in a hook; if another process takes its place before it has answered, that one, too. The first answer counts.
    pub(super) async fn ask_hook(
        &self,
        plugin: &Rc<PluginProcess>,
        hook: &str,
        payload: &Value,
    ) -> Result<Box<RawValue>, PluginError> {
        let mut asked = FuturesUnordered::new();
        let mut serving = Rc::clone(plugin);
        loop {
            let process = Rc::clone(&serving);
            let mut succession = serving.life.watch_succession();
            asked.push(async move { process.call(hook, payload).await });
            loop {
                tokio::select! {
                    Some(outcome) = asked.next() => match outcome {
                        Ok(answer) => return Ok(answer),
                        // An old process has nothing to say any more.
                        Err(_) if !asked.is_empty() => {}
                        Err(PluginError::Terminated(name)) => {
                            let wait = !ASKED_DURING_INIT.contains(&hook);
                            if !(wait && serving.life.is_preparing()) {
                                return Err(PluginError::Terminated(name));
                            }
                        }
                        Err(error) => return Err(error),
                    },
                    changed = succession.changed() => {
                        let state = *succession.borrow_and_update();
                        match state {
                            Succession::Replaced if changed.is_ok() => break,
                            Succession::None if asked.is_empty() => {
                                return Err(PluginError::Terminated(serving.name.to_string()));
                            }
                            _ => {}
                        }
                    }
                }
            }
            let gone = || PluginError::Terminated(plugin.name.to_string());
            serving = self.serving(&serving).ok_or_else(gone)?;
            // It may not care for this hook any more.
            if super::hooks::declared(&serving, hook).is_none() {
                return Err(gone());
            }
        }
    }

    /// Passes a client's request on to a plugin, or to the process that is about to take its place.
    pub(crate) async fn forward(
        &self,
        serving: &PluginMethod,
        client: &Context,
        method: &str,
        params: &RawValue,
    ) -> Result<Box<RawValue>, RpcError> {
        let plugin = &serving.plugin;
        if plugin.stage() == Stage::Ended && plugin.life.is_preparing() {
            let mut succession = plugin.life.watch_succession();
            drop(
                succession
                    .wait_for(|state| *state != Succession::Preparing)
                    .await,
            );
            let after = self.method(method);
            let after = after.ok_or_else(|| RpcError::unknown_command(method))?;
            return Ok(after.plugin.forward(client, method, params).await?);
        }
        Ok(plugin.forward(client, method, params).await?)
    }

    /// Starts a process that is not one of the node's plugins yet.
    fn spawn_beside(self: &Rc<Self>, path: &str, place: u64) -> anyhow::Result<Rc<PluginProcess>> {
        let plugin = self.process(path, false, place)?;
        self.visit_beside(|all| all.push(Rc::clone(&plugin)));
        Ok(plugin)
    }

    /// A process has ended that is none of the node's plugins (any more); false if it is one.
    pub(super) fn ended_beside(&self, plugin: &Rc<PluginProcess>, end: &End) -> bool {
        let found = self.visit_beside(|all| {
            let before = all.len();
            all.retain(|other| !Rc::ptr_eq(other, plugin));
            all.len() < before
        });
        if found && let End::Failed(why) = end {
            let origin: &Origin = &plugin.origin;
            self.log()
                .debug(origin, format!("process beside the one that works: {why}"));
        }
        found
    }
}

/// The options of a manifest, with what was given.
fn options_with(
    plugin: &PluginProcess,
    manifest: &Manifest,
    given: &[Setting],
) -> Result<Vec<PluginOption>, NotRunning> {
    let mut options: Vec<PluginOption> = manifest
        .options
        .iter()
        .map(|decl| PluginOption {
            plugin: Rc::clone(&plugin.path),
            decl: decl.clone(),
            given: Vec::new(),
        })
        .collect();
    for setting in given {
        let mut same = options.iter_mut();
        let Some(option) = same.find(|option| option.decl.name == setting.name) else {
            let text = format!("has no option '{}', which was given", setting.name);
            return Err(NotRunning::Options(text));
        };
        option.given.push(setting.clone());
    }
    Ok(options)
}

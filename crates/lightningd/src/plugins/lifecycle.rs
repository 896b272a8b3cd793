//! From a program to a running plugin.

use std::rc::Rc;

use anyhow::bail;
use futures_util::future::join_all;
use ln_plugin::protocol::{DisableReply, GetManifestParams, InitParams, Manifest};
use serde::Serialize;
use serde_json::value::RawValue;

use super::candidates::Candidate;
use super::error::PluginError;
use super::excerpt::{excerpt, one_line};
use super::host::{PluginHost, life};
use super::manifest::Unfit;
use super::options::PluginOption;
use super::options::init_options;
use super::process::{PluginProcess, Stage};
use crate::old_forms::is_old_manifest;
use crate::options::{Settings, nearest};

/// The questions of the chain backend: whoever answers them must work before the node does.
pub(super) const BACKEND_METHODS: &[&str] = &[
    "getchaininfo",
    "estimatefees",
    "getrawblockbyheight",
    "getutxout",
    "sendrawtransaction",
];

/// Why a plugin does not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotRunning {
    /// It took too long: the node must not start without knowing what it wanted.
    #[error("{0}")]
    TooSlow(String),
    /// It ended; that is in the log already.
    #[error("{0}")]
    Ended(String),
    /// What it said can't be used.
    #[error("{0}")]
    Unfit(String),
    /// Its options are not to be understood: the operator must decide.
    #[error("{0}")]
    Options(String),
    /// It does not want to.
    #[error("disabled itself: {0}")]
    Disabled(String),
}

impl PluginHost {
    /// Starts programs while the node starts, and learns what each of them offers. Fails where the node can't go on.
    pub(crate) async fn start_all(self: &Rc<Self>, programs: &[Candidate]) -> anyhow::Result<()> {
        let mut started = Vec::new();
        for program in programs {
            match self.spawn(&program.path, program.builtin, program.important) {
                Ok(plugin) => started.push(plugin),
                Err(error) if program.important => return Err(error),
                Err(error) => {
                    let origin = crate::log::Origin::of("plugin-manager");
                    self.log().unusual(&origin, format!("{error:#}"));
                }
            }
        }
        let manifests = join_all(started.iter().map(|plugin| self.ask_manifest(plugin))).await;
        for (plugin, manifest) in started.iter().zip(manifests) {
            let taken = manifest.and_then(|manifest| self.take_in(plugin, manifest));
            self.settle(plugin, taken)?;
        }
        for plugin in &started {
            self.doubt_topics(plugin);
        }
        self.check_named();
        self.check_permissions()?;
        self.check_important()
    }

    /// Tells of plugins that options name and nobody has: a name may be mistyped, or its plugin be started later.
    fn check_named(&self) {
        let timeouts = self.config.hook_timeouts.plugins();
        let timeouts = timeouts.map(|name| ("plugin-hook-timeout", name));
        let permissions = self.config.permissions.plugins();
        let permissions = permissions.map(|name| ("plugin-permissions", name));
        for (option, name) in timeouts.chain(permissions) {
            let missing = self.visit(|plugins| {
                let names = || plugins.iter().map(|plugin| &*plugin.name);
                let missing = !names().any(|known| known == name);
                missing.then(|| nearest(name, names()).map(str::to_owned))
            });
            let Some(hint) = missing else { continue };
            let hint = hint.map_or_else(String::new, |hint| format!(": did you mean '{hint}'?"));
            let text = format!("{option} names the plugin '{name}', which does not run{hint}");
            let origin = crate::log::Origin::of("plugin-manager");
            self.log().unusual(&origin, text);
        }
    }

    /// Fails if permissions name a method that is mistyped.
    fn check_permissions(&self) -> anyhow::Result<()> {
        let known = |name: &str| crate::rpc::is_builtin(name) || self.method(name).is_some();
        let names = crate::rpc::builtin_names();
        Ok(self.config.permissions.check_methods(known, names)?)
    }

    /// Fails if an important plugin has ended meanwhile.
    fn check_important(&self) -> anyhow::Result<()> {
        match self.lost_important() {
            Some(lost) => bail!(lost),
            None => Ok(()),
        }
    }

    /// Starts a process.
    pub(super) fn spawn(
        self: &Rc<Self>,
        path: &str,
        builtin: bool,
        important: bool,
    ) -> anyhow::Result<Rc<PluginProcess>> {
        let plugin = self.spawn_at(path, builtin, self.new_place())?;
        plugin.important.set(important);
        Ok(plugin)
    }

    /// While the node starts: some failures are the plugin's alone, others the node's.
    fn settle(
        &self,
        plugin: &PluginProcess,
        outcome: Result<(), NotRunning>,
    ) -> anyhow::Result<()> {
        let Err(problem) = outcome else {
            return Ok(());
        };
        let important = plugin.important.replace(false);
        self.withdraw_bits(plugin);
        plugin.kill();
        let name = &plugin.name;
        match problem {
            NotRunning::Disabled(_) => {
                self.log().info(&plugin.origin, problem.to_string());
                Ok(())
            }
            NotRunning::TooSlow(_) | NotRunning::Options(_) => bail!("plugin {name} {problem}"),
            NotRunning::Ended(_) | NotRunning::Unfit(_) if important => {
                bail!("important plugin {name} {problem}")
            }
            NotRunning::Ended(_) => Ok(()),
            NotRunning::Unfit(_) => {
                let text = format!("{problem}: killed, the node goes on without it");
                self.log().unusual(&plugin.origin, text);
                Ok(())
            }
        }
    }

    /// Asks one of the two questions each plugin must answer.
    async fn ask(
        &self,
        plugin: &PluginProcess,
        method: &str,
        params: &impl Serialize,
    ) -> Result<Box<RawValue>, NotRunning> {
        let patience = self.config.patience;
        match tokio::time::timeout(patience, plugin.call(method, params)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(PluginError::Answered(error))) => Err(NotRunning::Unfit(format!(
                "answered {method} with the error {}: {}",
                error.code.number(),
                // Our own plugins say what to do, which may take some lines.
                if plugin.builtin {
                    one_line(&error.message)
                } else {
                    excerpt(&error.message)
                }
            ))),
            Ok(Err(_)) => Err(NotRunning::Ended(format!(
                "ended before it answered {method}"
            ))),
            Err(_) => {
                let sent = serde_json::to_string(params).unwrap_or_default();
                Err(NotRunning::TooSlow(format!(
                    "failed to respond to '{method}' in time. {path} was sent the method {method} with the params {sent} on its standard \
                     input, and wrote no answer with the same id to its standard output within {seconds} seconds: repair it, or leave it \
                     out with --disable-plugin={name}",
                    path = plugin.path,
                    seconds = patience.as_secs(),
                    name = plugin.name,
                )))
            }
        }
    }

    /// Asks a plugin what it offers.
    pub(super) async fn ask_manifest(
        &self,
        plugin: &PluginProcess,
    ) -> Result<Manifest, NotRunning> {
        let params = GetManifestParams {
            allow_deprecated_apis: self.config.allow_deprecated,
        };
        let answer = self.ask(plugin, "getmanifest", &params).await?;
        self.recognise(plugin, &answer);
        serde_json::from_str(answer.get()).map_err(|error| {
            NotRunning::Unfit(format!(
                "answered getmanifest with nonsense: {}",
                excerpt(&error.to_string())
            ))
        })
    }

    /// Looks whether a plugin is one of 2019.
    fn recognise(&self, plugin: &PluginProcess, manifest: &RawValue) {
        let manifest = serde_json::from_str(manifest.get()).unwrap_or_default();
        if !is_old_manifest(&manifest) {
            return;
        }
        plugin.old.set(self.config.old_plugins);
        if self.config.old_plugins {
            let text = "was written for pylightning 0.0.7: it is told things as they were told then; pyln-client is its successor";
            self.log().info(&plugin.origin, text);
        } else {
            let text = "was written for pylightning 0.0.7, whose forms are deprecated and not allowed: what it does when peers connect, and \
                        in hooks, may fail. Move it to pyln-client, or start with allow-deprecated-apis=true";
            self.log().unusual(&plugin.origin, text);
        }
    }

    /// Takes a plugin's offer.
    pub(super) fn take_in(
        &self,
        plugin: &Rc<PluginProcess>,
        manifest: Manifest,
    ) -> Result<(), NotRunning> {
        self.fit(plugin, &manifest, None)?;
        self.enter(plugin, manifest);
        Ok(())
    }

    /// Whether a plugin can work with what it offers, beside all others or instead of one.
    pub(super) fn fit(
        &self,
        plugin: &PluginProcess,
        manifest: &Manifest,
        instead: Option<&Rc<PluginProcess>>,
    ) -> Result<(), NotRunning> {
        if let Some(reason) = &manifest.disable {
            return Err(NotRunning::Disabled(reason.clone()));
        }
        if plugin.stage() == Stage::Ended {
            return Err(NotRunning::Ended("ended".to_owned()));
        }
        self.check_manifest(&plugin.name, manifest, instead)
            .map_err(|unfit| {
                let text = format!("can't be used: {unfit}");
                match unfit {
                    Unfit::Plugin(_) => NotRunning::Unfit(text),
                    Unfit::Option(_) => NotRunning::Options(text),
                }
            })
    }

    /// Lets the plugins work that answer for the chain.
    pub(crate) async fn init_backend(&self, settings: &Settings) -> anyhow::Result<()> {
        let mut serving = Vec::new();
        for name in BACKEND_METHODS {
            let Some(method) = self.method(name) else {
                bail!(
                    "no plugin serves {name}, without which the node does not know the chain: was bcli disabled without another in its place?"
                );
            };
            // Without the chain the node can't live, whoever stands for it.
            method.plugin.important.set(true);
            if !serving
                .iter()
                .any(|known| Rc::ptr_eq(known, &method.plugin))
            {
                serving.push(method.plugin);
            }
        }
        self.init_these(&serving, settings).await
    }

    /// Lets all other plugins work.
    pub(crate) async fn init_rest(&self, settings: &Settings) -> anyhow::Result<()> {
        let waiting: Vec<_> = self.visit(|plugins| {
            let known = plugins
                .iter()
                .filter(|plugin| plugin.stage() == Stage::Known);
            known.cloned().collect()
        });
        self.init_these(&waiting, settings).await
    }

    async fn init_these(
        &self,
        plugins: &[Rc<PluginProcess>],
        settings: &Settings,
    ) -> anyhow::Result<()> {
        let inits = plugins
            .iter()
            .map(|plugin| self.init(plugin, settings, true));
        let outcomes = join_all(inits).await;
        for (plugin, outcome) in plugins.iter().zip(outcomes) {
            self.settle(plugin, outcome)?;
        }
        self.check_important()
    }

    /// Lets a plugin work.
    pub(super) async fn init(
        &self,
        plugin: &Rc<PluginProcess>,
        settings: &Settings,
        startup: bool,
    ) -> Result<(), NotRunning> {
        let mut own = Vec::new();
        self.visit_options(|_, option| {
            if Rc::ptr_eq(&option.plugin, &plugin.path) {
                own.push(option.clone());
            }
        });
        self.ask_init(plugin, &own, settings, startup).await?;
        plugin.advance(Stage::Running);
        self.notify("plugin_started", || life(plugin));
        Ok(())
    }

    /// Sends `init` and waits for the answer.
    pub(super) async fn ask_init(
        &self,
        plugin: &PluginProcess,
        own: &[PluginOption],
        settings: &Settings,
        startup: bool,
    ) -> Result<(), NotRunning> {
        let options = init_options(own.iter(), settings)
            .map_err(|error| NotRunning::Options(format!("can't be started: {error}")))?;
        let mut configuration = self.configuration.get().cloned().unwrap_or_default();
        configuration.startup = startup;
        let params = InitParams {
            options,
            configuration,
        };
        let answer = self.ask(plugin, "init", &params).await?;
        // Any result will do; only a wish not to run is looked for.
        let reply: DisableReply = serde_json::from_str(answer.get()).unwrap_or_default();
        match reply.disable {
            Some(reason) => Err(NotRunning::Disabled(reason)),
            None => Ok(()),
        }
    }
}

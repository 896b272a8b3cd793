//! Starting and stopping plugins while the node runs.

use std::rc::Rc;

use ln_rpc::{RpcError, RpcErrorCode};

use super::candidates::{check_program, default_dir, programs_in, programs_in_default_dir};
use super::host::PluginHost;
use super::lifecycle::NotRunning;
use super::process::{PluginProcess, checksum};
use crate::options::{Setting, Settings, Source};

/// An option given with `plugin start`: name, and value if there is one.
pub(crate) type GivenOption = (String, Option<String>);

impl PluginHost {
    /// Starts a program, with options of its own.
    pub(crate) async fn start_one(
        self: &Rc<Self>,
        name: &str,
        given: Vec<GivenOption>,
        settings: &Settings,
    ) -> Result<(), RpcError> {
        let path = self.locate(name)?;
        self.start_at(&path, given, settings).await
    }

    /// Starts what is new, or has changed, in a directory.
    pub(crate) async fn start_dir(
        self: &Rc<Self>,
        dir: &str,
        settings: &Settings,
    ) -> Result<(), RpcError> {
        let dir = std::path::absolute(dir).map_err(crate::rpc::internal)?;
        let found = programs_in(&dir).map_err(|error| {
            RpcError::invalid_params(format!("{} can't be read: {error}", dir.display()))
        })?;
        self.start_new(found, settings).await
    }

    /// Starts what is new, or has changed, in the directories that plugins come from.
    pub(crate) async fn rescan(self: &Rc<Self>, settings: &Settings) -> Result<(), RpcError> {
        let mut found = programs_in_default_dir(&self.config.base_dir);
        for dir in &self.config.plugin_dirs {
            found.extend(programs_in(dir).unwrap_or_default());
        }
        self.start_new(found, settings).await
    }

    async fn start_new(
        self: &Rc<Self>,
        found: Vec<String>,
        settings: &Settings,
    ) -> Result<(), RpcError> {
        let disabled = settings.every("disable-plugin");
        for path in found {
            let name = path.rsplit('/').next().unwrap_or_default();
            if disabled.iter().any(|off| *off == path || off == name) {
                continue;
            }
            let running = self.running(&path);
            if running.is_none_or(|plugin| has_changed(&plugin)) {
                self.start_at(&path, Vec::new(), settings).await?;
            }
        }
        Ok(())
    }

    /// The path of a program to start: as given, or in the default directory.
    fn locate(&self, name: &str) -> Result<String, RpcError> {
        let given = std::path::absolute(name).map_err(crate::rpc::internal)?;
        let in_default_dir = default_dir(&self.config.base_dir).join(name);
        let path = if !given.exists() && in_default_dir.exists() {
            in_default_dir
        } else {
            given
        };
        check_program(&path).map_err(RpcError::invalid_params)?;
        Ok(path.to_string_lossy().into_owned())
    }

    fn running(&self, path: &str) -> Option<Rc<PluginProcess>> {
        self.visit(|plugins| plugins.iter().find(|plugin| *plugin.path == *path).cloned())
    }

    async fn start_at(
        self: &Rc<Self>,
        path: &str,
        given: Vec<GivenOption>,
        settings: &Settings,
    ) -> Result<(), RpcError> {
        if let Some(running) = self.running(path) {
            if !has_changed(&running) {
                return Err(RpcError::invalid_params(format!(
                    "{path}: already registered"
                )));
            }
            self.end(&running).await;
        }
        let refuse = |problem: String| RpcError::new(RpcErrorCode::PluginError, problem);
        let plugin = self
            .spawn(path, false, false)
            .map_err(|error| refuse(format!("{error:#}")))?;
        let outcome = self.bring_up(&plugin, given, settings).await;
        outcome.map_err(|problem| {
            plugin.kill();
            refuse(format!("{path}: {problem}"))
        })
    }

    async fn bring_up(
        &self,
        plugin: &Rc<PluginProcess>,
        given: Vec<GivenOption>,
        settings: &Settings,
    ) -> Result<(), NotRunning> {
        let manifest = self.ask_manifest(plugin).await?;
        if manifest.disable.is_none() && !manifest.dynamic {
            return Err(NotRunning::Unfit(
                "Not a dynamic plugin: name it in the config file and start the node again"
                    .to_owned(),
            ));
        }
        self.take_in(plugin, manifest)?;
        for (name, value) in given {
            if self
                .option_owner(&name)
                .is_none_or(|owner| !Rc::ptr_eq(&owner, &plugin.path))
            {
                return Err(NotRunning::Options(format!("it has no option '{name}'")));
            }
            let setting = Setting {
                name: name.clone(),
                value,
                source: Source::PluginStart,
            };
            self.change_option(&name, |option| option.given.push(setting));
        }
        self.init(plugin, settings, false).await
    }

    /// Stops a plugin named by its path or the name of its file.
    pub(crate) async fn stop_one(&self, name: &str) -> Result<(), RpcError> {
        let found = self.visit(|plugins| {
            let mut named = plugins
                .iter()
                .filter(|plugin| *plugin.path == *name || *plugin.name == *name);
            named.next().cloned()
        });
        let Some(plugin) = found else {
            return Err(RpcError::invalid_params(format!(
                "Could not find plugin {name}"
            )));
        };
        if !plugin.is_dynamic() {
            return Err(RpcError::invalid_params(format!(
                "{name} cannot be managed when lightningd is up"
            )));
        }
        plugin.important.set(false);
        self.end(&plugin).await;
        Ok(())
    }
}

/// Whether the file of a plugin is another one now. Important plugins stay as they are.
fn has_changed(plugin: &PluginProcess) -> bool {
    !plugin.builtin && !plugin.important.get() && checksum(&plugin.path) != plugin.checksum
}

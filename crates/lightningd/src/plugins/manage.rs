//! Starting and stopping plugins while the node runs.

use std::rc::Rc;

use ln_rpc::{RpcError, RpcErrorCode};

use super::candidates::{check_program, default_dir, programs_in, programs_in_default_dir};
use super::host::PluginHost;
use super::lifecycle::NotRunning;
use super::process::PluginProcess;
use super::reload::Reload;
use super::restart::hold;
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
            match running {
                Some(plugin) if self.has_changed(&plugin) => {
                    self.reload(&plugin, Reload::default(), settings).await?;
                }
                Some(_) => {}
                // It is started again by itself, with the options it had.
                None if self.absent_named(&path).is_some() => {}
                None => self.start_at(&path, Vec::new(), settings).await?,
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
            if !self.has_changed(&running) {
                return Err(RpcError::invalid_params(format!(
                    "{path}: already registered"
                )));
            }
            let given = (!given.is_empty()).then(|| settings_of(given));
            let how = Reload {
                stop_first: false,
                given,
            };
            return self.reload(&running, how, settings).await;
        }
        let absent = self.absent_named(path);
        let held = absent.as_deref().map(hold);
        if matches!(held, Some(None)) {
            return Err(RpcError::invalid_params(format!(
                "{path}: is being started already"
            )));
        }
        let refuse = |problem: String| RpcError::new(RpcErrorCode::PluginError, problem);
        let plugin = self
            .spawn(path, false, false)
            .map_err(|error| refuse(format!("{error:#}")))?;
        let outcome = self.bring_up(&plugin, given, settings).await;
        match outcome {
            Ok(()) => {
                // Nobody needs to start it again any more.
                if let Some(absent) = &absent {
                    self.forget_absent(absent);
                }
                Ok(())
            }
            Err(problem) => {
                plugin.kill();
                plugin.wait_ended().await;
                Err(refuse(format!("{path}: {problem}")))
            }
        }
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
        self.doubt_topics(plugin);
        self.give_again(plugin, &settings_of(given))?;
        self.init(plugin, settings, false).await
    }

    /// Gives a plugin that told its options what counts instead of the settings.
    pub(super) fn give_again(
        &self,
        plugin: &PluginProcess,
        given: &[Setting],
    ) -> Result<(), NotRunning> {
        for setting in given {
            let name = &setting.name;
            if self
                .option_owner(name)
                .is_none_or(|owner| !Rc::ptr_eq(&owner, &plugin.path))
            {
                return Err(NotRunning::Options(format!("it has no option '{name}'")));
            }
            self.change_option(name, |option| option.given.push(setting.clone()));
        }
        Ok(())
    }

    /// Stops a plugin named by its path or the name of its file.
    pub(crate) async fn stop_one(&self, name: &str) -> Result<(), RpcError> {
        let (found, absent) = (self.named(name), self.absent_named(name));
        // One that ended by itself is not started again, even if it could not have been stopped before.
        if let Some(absent) = absent {
            self.forget_absent(&absent);
            if let Some(plugin) = found {
                self.end(&plugin).await;
            }
            return Ok(());
        }
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
        if plugin.life.is_preparing() {
            return Err(RpcError::new(
                RpcErrorCode::PluginError,
                format!("{name} is being reloaded: stop it when that is done"),
            ));
        }
        plugin.important.set(false);
        self.end(&plugin).await;
        Ok(())
    }

    /// Whether the file of a plugin is another one now. Important plugins stay as they are.
    fn has_changed(&self, plugin: &PluginProcess) -> bool {
        let may_change = !plugin.builtin && !plugin.important.get();
        may_change && self.config.checksum(&plugin.path) != plugin.checksum
    }
}

fn settings_of(given: Vec<GivenOption>) -> Vec<Setting> {
    let setting = |(name, value)| Setting {
        name,
        value,
        source: Source::PluginStart,
    };
    given.into_iter().map(setting).collect()
}

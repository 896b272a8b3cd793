//! `setconfig`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::listconfigs::ConfigEntry;
use ln_rpc::methods::control::setconfig::{
    ConfigValue, Setconfig, SetconfigEntry, SetconfigParams, SetconfigResponse,
};

use super::listconfigs::entry_of;
use crate::clock;
use crate::node::Node;
use crate::options::{Kind, Persist, Setting, Settings, Source, find};
use crate::plugins::{NewValue, PluginOption};
use crate::rpc::{Context, Handle, bad_value};

impl Handle for Setconfig {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let change = Change::new(&node, &context, params)?;
        match &change.whose {
            Whose::Ours => {
                change.keep(&node)?;
                change.set_ours(&node, false)?;
            }
            Whose::Plugin(option) => {
                change.tell(&node, option, false).await?;
                if let Err(problem) = change.keep(&node) {
                    change.take_back(&node, option).await;
                    return Err(problem);
                }
            }
        }
        let name = change.name;
        let entry = entry_of(&node, &name)
            .ok_or_else(|| RpcError::invalid_params(format!("{name}: its plugin has ended")))?;
        let text = match change.values.as_slice() {
            [None] => "SET".to_owned(),
            values => {
                let values = values.iter().flatten();
                values.map(String::as_str).collect::<Vec<_>>().join(" ")
            }
        };
        let line = format!("setconfig: {name} {text}");
        node.log.info(&node.origin, line);
        Ok(SetconfigResponse {
            config: shown(name, entry),
        })
    }

    async fn check(node: Rc<Node>, context: Context, params: Self::Params) -> Result<(), RpcError> {
        let change = Change::new(&node, &context, params)?;
        match &change.whose {
            Whose::Ours => Ok(()),
            Whose::Plugin(option) => change.tell(&node, option, true).await,
        }
    }
}

/// Whose option it is.
enum Whose {
    Ours,
    Plugin(PluginOption),
}

/// A change that was found to be possible.
struct Change {
    name: String,
    whose: Whose,
    multi: bool,
    /// The new values; one that is nothing for an option without values.
    values: Vec<Option<String>>,
    transient: bool,
}

impl Change {
    fn new(node: &Node, context: &Context, params: SetconfigParams) -> Result<Self, RpcError> {
        let name = params.config;
        let refuse = |problem: &str| bad_value(context, "config", &name, problem);
        let info = find(&name).filter(|info| !info.dev || node.config.developer);
        let plugin = node.plugins.option(&name);
        let (whose, takes_value, multi, dynamic) = match (info, plugin) {
            (Some(info), _) => (
                Whose::Ours,
                info.kind != Kind::Flag,
                info.multi,
                info.dynamic,
            ),
            (None, Some(option)) => {
                let decl = &option.decl;
                let (flag, multi, dynamic) = (option.is_flag(), decl.multi, decl.dynamic);
                (Whose::Plugin(option), !flag, multi, dynamic)
            }
            (None, None) => return Err(refuse("Unknown config option")),
        };
        if !dynamic {
            return Err(refuse("Not a dynamic config option"));
        }
        let values = values(&name, params.val, takes_value, multi)?;
        let change = Self {
            name,
            whose,
            multi,
            values,
            transient: params.transient,
        };
        change.check_values(node)?;
        if !change.transient {
            let settings = node.settings();
            change
                .persist(node, &settings)
                .check()
                .map_err(|problem| RpcError::invalid_params(problem.to_string()))?;
        }
        Ok(change)
    }

    fn persist<'a>(&'a self, node: &Node, settings: &'a Settings) -> Persist<'a> {
        Persist::new(settings, &node.config.network_dir, &self.name, self.multi)
    }

    /// Refuses values that would not be read from a file as they were given, and those of a wrong type.
    fn check_values(&self, node: &Node) -> Result<(), RpcError> {
        let refuse = |problem: String| Err(self.refuse(&problem));
        for value in self.values.iter().flatten() {
            if value.contains(['\n', '\r', '\0']) {
                return refuse(format!("{value:?} has more than one line"));
            }
            if !self.transient && value.trim_end() != value {
                let text = "ends in white space, which a config file does not keep";
                return refuse(format!("{value:?} {text}"));
            }
        }
        let Whose::Plugin(option) = &self.whose else {
            return self.set_ours(node, true);
        };
        let mut values = self.values.iter();
        values.try_for_each(|value| {
            let outcome = option.check_value(value.as_deref());
            outcome.map_err(|problem| self.refuse(&problem))
        })
    }

    /// Changes one of our own options.
    fn set_ours(&self, node: &Node, check_only: bool) -> Result<(), RpcError> {
        let text = self.values.first().and_then(Option::as_deref);
        let changed = node
            .config
            .set_dynamic(&self.name, text.unwrap_or_default(), check_only);
        match changed {
            Some(Ok(())) => Ok(()),
            Some(Err(problem)) => Err(self.refuse(&problem)),
            None => Err(crate::rpc::internal(format!(
                "{} can't be changed",
                self.name
            ))),
        }
    }

    /// Lets a plugin take the new value, or only asks whether it would.
    async fn tell(
        &self,
        node: &Node,
        option: &PluginOption,
        check_only: bool,
    ) -> Result<(), RpcError> {
        let values = NewValue::new(&self.values, option.decl.multi);
        let plugins = &node.plugins;
        plugins.set_option(option, values, check_only).await
    }

    /// The files could not be written: what counted before counts again.
    async fn take_back(&self, node: &Node, option: &PluginOption) {
        let old = option.old_values(&node.settings());
        let old = NewValue::new(&old, option.decl.multi);
        if let Err(error) = node.plugins.set_option(option, old, false).await {
            let text = format!(
                "setconfig: the plugin could not set {} back: {}",
                self.name, error.message
            );
            node.log.unusual(&node.origin, text);
        }
    }

    /// Keeps the new value: in the files, and for those who look at the settings.
    fn keep(&self, node: &Node) -> Result<(), RpcError> {
        let name = &self.name;
        if self.transient {
            let multi = self.multi;
            node.change_settings(|settings| settings.set_for_this_run(name, &self.values, multi));
        } else {
            let settings = node.settings();
            let persist = self.persist(node, &settings);
            let written = persist
                .write(&self.values, clock::since_epoch())
                .map_err(|problem| RpcError::invalid_params(problem.to_string()))?;
            node.change_settings(|settings| settings.adopt(name, written));
            let overrides =
                |setting: &Setting| setting.name == *name && setting.source == Source::CommandLine;
            if settings.all().iter().any(overrides) {
                let text = format!(
                    "setconfig: --{name} on the command line will count again when the node is started with it the next time"
                );
                node.log.unusual(&node.origin, text);
            }
        }
        node.plugins.forget_given(name);
        Ok(())
    }

    fn refuse(&self, problem: &str) -> RpcError {
        RpcError::invalid_params(format!("Error setting {}: {problem}", self.name))
    }
}

/// The values of a change: exactly one for an option that is given once.
fn values(
    name: &str,
    val: Option<ConfigValue>,
    takes_value: bool,
    multi: bool,
) -> Result<Vec<Option<String>>, RpcError> {
    let refuse = |problem: &str| Err(RpcError::invalid_params(format!("{name} {problem}")));
    match (val, multi) {
        (Some(ConfigValue::Many(values)), true) => Ok(values.into_iter().map(Some).collect()),
        (None, true) => Ok(Vec::new()),
        (Some(ConfigValue::One(_)), true) => refuse("is a multi option: val must be an array"),
        (Some(ConfigValue::Many(_)), false) => {
            refuse("is not a multi option: val must not be an array")
        }
        (Some(ConfigValue::One(_)), false) if !takes_value => refuse("does not take a value"),
        (None, false) if takes_value => refuse("requires a value"),
        (Some(ConfigValue::One(value)), false) => Ok(vec![Some(value)]),
        (None, false) => Ok(vec![None]),
    }
}

fn shown(config: String, entry: ConfigEntry) -> SetconfigEntry {
    let numbers = entry.values_int;
    let numbers = numbers.map(|numbers| numbers.iter().map(i64::to_string).collect());
    SetconfigEntry {
        config,
        value_str: entry.value_str,
        value_msat: entry.value_msat,
        value_int: entry.value_int,
        value_bool: entry.value_bool,
        set: entry.set,
        values_str: entry.values_str.or(numbers),
        source: entry.source,
        sources: entry.sources,
        plugin: entry.plugin,
        dynamic: true,
    }
}

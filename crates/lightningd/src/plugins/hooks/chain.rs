//! Asking the plugins of a hook, one after the other.

use std::rc::Rc;
use std::time::Duration;

use ln_plugin::protocol::HookDecl;
use serde_json::Value;

use super::order::{Place, order};
use crate::plugins::PluginError;
use crate::plugins::host::PluginHost;
use crate::plugins::process::PluginProcess;

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// The next plugin is asked.
    Ask,
    /// No other is.
    Done(T),
}

/// How long plugins may think where nobody loses money by that.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// A question to all plugins of a hook.
pub(super) struct Question<'a> {
    /// The hook.
    pub(super) hook: &'a str,
    /// How long each plugin may take; nothing means for ever.
    pub(super) patience: Option<Duration>,
    /// What each is told. An answer may change it for those that are asked later.
    pub(super) payload: Value,
}

/// What a plugin declared about a hook.
pub(in crate::plugins) fn declared<'a>(
    plugin: &'a PluginProcess,
    hook: &str,
) -> Option<&'a HookDecl> {
    let hooks = &plugin.manifest()?.hooks;
    hooks.iter().find(|decl| decl.name == hook)
}

/// Whether there is an order in a hook's chain with one plugin more.
pub(in crate::plugins) fn fits(plugins: &[Rc<PluginProcess>], name: &str, new: &HookDecl) -> bool {
    let there = plugins
        .iter()
        .filter_map(|plugin| Some((&*plugin.name, declared(plugin, &new.name)?)));
    let places: Vec<Place<'_>> = there
        .chain([(name, new)])
        .map(|(name, decl)| place(name, decl))
        .collect();
    order(&places).is_some()
}

fn place<'a>(name: &'a str, decl: &'a HookDecl) -> Place<'a> {
    Place {
        name,
        before: &decl.before,
        after: &decl.after,
    }
}

/// The plugins of a hook in the order in which they are asked, or nothing if there is none.
fn ordered(plugins: &[Rc<PluginProcess>], hook: &str) -> Option<Vec<Rc<PluginProcess>>> {
    let hooked: Vec<_> = plugins
        .iter()
        .filter_map(|plugin| Some((plugin, declared(plugin, hook)?)))
        .collect();
    let places: Vec<Place<'_>> = hooked
        .iter()
        .map(|(plugin, decl)| place(&plugin.name, decl))
        .collect();
    let order = order(&places)?;
    let plugin = |index: usize| hooked.get(index).map(|(plugin, _)| Rc::clone(plugin));
    Some(order.into_iter().filter_map(plugin).collect())
}

impl PluginHost {
    /// Whether any plugin wants to be asked in a hook.
    pub(crate) fn has_hook(&self, hook: &str) -> bool {
        self.visit(|plugins| {
            plugins
                .iter()
                .any(|plugin| plugin.is_running() && declared(plugin, hook).is_some())
        })
    }

    /// The plugins to ask.
    pub(super) fn chain(&self, hook: &str) -> Vec<Rc<PluginProcess>> {
        self.visit(|plugins| ordered(plugins, hook).unwrap_or_default())
    }

    /// Asks the plugins of a hook in their order until one answer settles the matter.
    ///
    /// A plugin that ends, takes too long, or answers what `read` refuses is passed over as if it had nothing to add; the log says which
    /// one it was.
    pub(super) async fn ask_chain<T>(
        &self,
        chain: Vec<Rc<PluginProcess>>,
        mut question: Question<'_>,
        mut read: impl FnMut(&PluginProcess, &mut Value, &Value) -> Result<Next<T>, String>,
    ) -> Option<T> {
        let hook = question.hook;
        for plugin in chain {
            if !plugin.is_running() {
                continue;
            }
            let asked = plugin.call_typed::<Value>(hook, &question.payload);
            let answer = match question.patience {
                Some(patience) => tokio::time::timeout(patience, asked).await,
                None => Ok(asked.await),
            };
            let outcome = match answer {
                Ok(Ok(answer)) => {
                    read(&plugin, &mut question.payload, &answer).map_err(|problem| {
                        format!("answered the hook {hook} with {answer}: {problem}")
                    })
                }
                // The node ends, and its plugins with it: that is no answer. The question is asked again after the next start.
                Ok(Err(PluginError::Terminated(_))) if self.is_ending() => {
                    std::future::pending().await
                }
                // Its end is in the log already.
                Ok(Err(PluginError::Terminated(_))) => Ok(Next::Ask),
                Ok(Err(error)) => Err(format!("failed in the hook {hook}: {error}")),
                Err(_) => Err(format!("did not answer the hook {hook} in time")),
            };
            match outcome {
                Ok(Next::Done(outcome)) => return Some(outcome),
                Ok(Next::Ask) => {}
                Err(problem) => {
                    let text = format!("{problem}: taken as if it had not been asked");
                    self.log().broken(&plugin.origin, text);
                }
            }
        }
        None
    }
}

/// The word in the member `result` of an answer.
pub(super) fn result(answer: &Value) -> Result<&str, String> {
    answer
        .get("result")
        .and_then(Value::as_str)
        .ok_or_else(|| "it has no text member 'result'".to_owned())
}

/// What is wrong with a word.
pub(super) fn unknown(word: &str, known: &str) -> String {
    format!("'{word}' is not one of {known}")
}

/// A text member of an answer.
pub(super) fn text<'a>(answer: &'a Value, name: &str) -> Option<&'a str> {
    answer.get(name).and_then(Value::as_str)
}

//! Asking the plugins of a hook, one after the other.

use std::rc::Rc;
use std::time::Duration;

use ln_plugin::protocol::HookDecl;
use serde_json::Value;
use serde_json::value::RawValue;

use super::order::{Place, order};
use crate::old_forms;
use crate::plugins::PluginError;
use crate::plugins::complaints::Fault;
use crate::plugins::excerpt::excerpt;
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

/// An answer to a hook that is longer makes no sense: the largest is a PSBT.
const MAX_ANSWER: usize = 4 << 20;
/// The same for a reply that a plugin gives in the node's place.
const MAX_REPLY: usize = 64 << 20;

/// How long plugins may think where nobody loses money by that.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// A question to all plugins of a hook.
pub(super) struct Question<'a> {
    /// The hook.
    pub(super) hook: &'a str,
    /// How long each plugin may take where `plugin-hook-timeout` says nothing else; nothing means for ever.
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
                .any(|plugin| plugin.can_be_asked() && declared(plugin, hook).is_some())
        })
    }

    /// The names of a hook's plugins in the order in which they are asked.
    pub(crate) fn hook_order(&self, hook: &str) -> Vec<Rc<str>> {
        let chain = self.chain(hook).into_iter();
        chain.map(|plugin| Rc::clone(&plugin.name)).collect()
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
            // Another process may have taken its place since the first was asked.
            let Some(plugin) = self.serving(&plugin) else {
                if self.is_ending() {
                    return std::future::pending().await;
                }
                continue;
            };
            let old = plugin.old.get();
            let old = old.then(|| old_forms::hook(hook, &question.payload));
            let payload = old.as_ref().unwrap_or(&question.payload);
            let asked = self.ask_hook(&plugin, hook, payload);
            let timeouts = &self.config.hook_timeouts;
            let answer = match timeouts.patience(&plugin.name, hook, question.patience) {
                Some(patience) => tokio::time::timeout(patience, asked)
                    .await
                    .map_err(|_| patience),
                None => Ok(asked.await),
            };
            let outcome = match answer {
                Ok(Ok(answer)) => parsed(hook, &answer)
                    .and_then(|read_answer| read(&plugin, &mut question.payload, &read_answer))
                    .map_err(|problem| {
                        let shown = excerpt(answer.get());
                        format!("answered the hook {hook} with {shown}: {problem}")
                    }),
                // The node ends, and its plugins with it: that is no answer. The question is asked again after the next start.
                Ok(Err(PluginError::Terminated(_))) if self.is_ending() => {
                    std::future::pending().await
                }
                // Its end is in the log already.
                Ok(Err(PluginError::Terminated(_))) => Ok(Next::Ask),
                Ok(Err(error)) => {
                    let error = excerpt(&error.to_string());
                    Err(format!("failed in the hook {hook}: {error}"))
                }
                Err(patience) => Err(format!(
                    "did not answer the hook {hook} within {} seconds (plugin-hook-timeout)",
                    patience.as_secs()
                )),
            };
            match outcome {
                Ok(Next::Done(outcome)) => return Some(outcome),
                Ok(Next::Ask) => {}
                Err(problem) => {
                    let text = format!("{problem}: taken as if it had not been asked");
                    self.blame(&plugin, &text);
                }
            }
        }
        None
    }
}

impl PluginHost {
    /// Tells of a bad answer to a hook, if not too many were told of already.
    pub(super) fn blame(&self, plugin: &PluginProcess, text: &str) {
        if let Some(more) = plugin.complaints.count(Fault::Hook) {
            self.log().broken(&plugin.origin, format!("{text}{more}"));
        }
    }
}

/// An answer as JSON, if it is not too long to be one.
fn parsed(hook: &str, answer: &RawValue) -> Result<Value, String> {
    // What `rpc_command` returns may be a list of the whole network.
    let most = if hook == "rpc_command" {
        MAX_REPLY
    } else {
        MAX_ANSWER
    };
    let length = answer.get().len();
    if length > most {
        return Err(format!(
            "it is {length} bytes long, at most {most} are read"
        ));
    }
    serde_json::from_str(answer.get()).map_err(|error| error.to_string())
}

/// What is wrong with an answer that has members which only make sense with another word in `result`.
pub(super) fn contradiction(answer: &Value, members: &[&str]) -> Option<String> {
    let there = |name: &&&str| answer.get(**name).is_some_and(|value| !value.is_null());
    let name = members.iter().find(there)?;
    let word = text(answer, "result").unwrap_or_default();
    Some(format!("'{name}' contradicts the result '{word}'"))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_contradicts_the_result_is_named() {
        let answer = json!({"result": "continue", "failure_message": "2002", "close_to": null});
        assert_eq!(contradiction(&answer, &["close_to"]), None);
        assert_eq!(
            contradiction(&answer, &["close_to", "failure_message"]).as_deref(),
            Some("'failure_message' contradicts the result 'continue'")
        );
        assert_eq!(contradiction(&json!([]), &["close_to"]), None);
    }

    #[test]
    fn an_answer_has_a_bound() {
        let long = serde_json::value::to_raw_value(&"x".repeat(MAX_ANSWER)).unwrap();
        assert!(
            parsed("custommsg", &long)
                .unwrap_err()
                .contains("bytes long")
        );
        assert!(parsed("rpc_command", &long).is_ok());
    }
}

//! What the node tells plugins: topics, who subscribed to them, and the way there.

use std::rc::Rc;

use ln_plugin::protocol::{Manifest, write_notification};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::host::PluginHost;
use super::process::PluginProcess;
use crate::old_forms;

/// The node's own topics.
pub(super) const TOPICS: &[&str] = &[
    "balance_snapshot",
    "block_added",
    "channel_open_failed",
    "channel_opened",
    "channel_state_changed",
    "coin_movement",
    "connect",
    "custommsg",
    "deprecated_oneshot",
    "disconnect",
    "forward_event",
    "invoice_creation",
    "invoice_payment",
    "log",
    "onionmessage_forward_fail",
    "openchannel_peer_sigs",
    "plugin_started",
    "plugin_stopped",
    "sendpay_failure",
    "sendpay_success",
    "shutdown",
    "warning",
];

/// The topic that tells a plugin to end.
pub(super) const SHUTDOWN: &str = "shutdown";

/// Whether a plugin wants to hear of a topic: `*` is every topic but `log`.
pub(super) fn wants(manifest: &Manifest, topic: &str) -> bool {
    manifest
        .subscriptions
        .iter()
        .any(|wanted| wanted == topic || (wanted == "*" && topic != "log"))
}

impl PluginHost {
    /// The plugins that hear of a topic.
    fn subscribers(&self, topic: &str) -> Vec<Rc<PluginProcess>> {
        self.visit(|plugins| {
            let hears = |plugin: &&Rc<PluginProcess>| {
                let wants = plugin
                    .manifest()
                    .is_some_and(|manifest| wants(manifest, topic));
                wants && plugin.is_served()
            };
            plugins.iter().filter(hears).cloned().collect()
        })
    }

    /// Tells of topics that a plugin subscribed to in vain: nobody tells of them.
    pub(super) fn doubt_topics(&self, plugin: &PluginProcess) {
        let is_told = |topic: &str| {
            TOPICS.contains(&topic)
                || self.visit(|plugins| {
                    let all = plugins.iter().filter_map(|plugin| plugin.manifest());
                    let mut declared = all.flat_map(|manifest| &manifest.notifications);
                    declared.any(|declared| declared.method == topic)
                })
        };
        let manifest = plugin.manifest();
        for topic in manifest
            .into_iter()
            .flat_map(|manifest| &manifest.subscriptions)
        {
            if topic != "*" && !is_told(topic) {
                let text = format!("subscribed to '{topic}', which nobody tells of");
                self.log().unusual(&plugin.origin, text);
            }
        }
    }

    /// Whether anybody hears of a topic: ask before making what is told.
    pub(crate) fn has_subscriber(&self, topic: &str) -> bool {
        self.visit(|plugins| {
            plugins.iter().any(|plugin| {
                let manifest = plugin.manifest();
                plugin.is_served() && manifest.is_some_and(|manifest| wants(manifest, topic))
            })
        })
    }

    /// Tells subscribers of one of the node's topics. The fields are made only if anybody listens.
    pub(crate) fn notify<T: Serialize>(&self, topic: &str, fields: impl FnOnce() -> T) {
        debug_assert!(TOPICS.contains(&topic), "{topic} is declared");
        let subscribers = self.subscribers(topic);
        if subscribers.is_empty() {
            return;
        }
        // Written once, however many listen.
        let fields = fields();
        let mut bytes = Vec::new();
        if write_notification(&mut bytes, topic, &Wrapped(topic, &fields)).is_err() {
            return;
        }
        let bytes: Rc<[u8]> = bytes.into();
        if let Some(save_io) = &self.save_io {
            save_io.notification(self.log(), topic, bytes.trim_ascii_end());
        }
        for plugin in subscribers {
            if plugin.old.get() {
                self.tell_topic(&plugin, topic, &fields);
            } else {
                plugin.tell_bytes(self.log(), topic, Rc::clone(&bytes));
            }
        }
    }

    fn tell_topic<T: Serialize>(&self, plugin: &PluginProcess, topic: &str, fields: &T) {
        if plugin.old.get() {
            let params = old_forms::notification(topic, json!({ topic: fields }));
            plugin.tell(self.log(), topic, &params);
        } else {
            plugin.tell(self.log(), topic, &Wrapped(topic, fields));
        }
    }

    /// Tells one plugin of a topic, if it subscribed to it.
    pub(crate) fn notify_one(&self, plugin: &PluginProcess, topic: &str, fields: &Value) {
        if plugin
            .manifest()
            .is_some_and(|manifest| wants(manifest, topic))
        {
            self.tell_topic(plugin, topic, fields);
        }
    }

    /// Passes on what a plugin tells of a topic of its own.
    pub(super) fn pass_on(
        &self,
        from: &PluginProcess,
        topic: &str,
        params: Option<&serde_json::value::RawValue>,
    ) {
        #[derive(Serialize)]
        struct PassedOn<'a> {
            jsonrpc: &'static str,
            method: &'a str,
            origin: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            params: Option<&'a serde_json::value::RawValue>,
        }
        let message = PassedOn {
            jsonrpc: "2.0",
            method: topic,
            origin: &from.name,
            params,
        };
        let Ok(mut bytes) = serde_json::to_vec(&message) else {
            return;
        };
        ln_rpc::jsonrpc::one_line(&mut bytes);
        bytes.extend_from_slice(b"\n\n");
        let bytes: Rc<[u8]> = bytes.into();
        for plugin in self.subscribers(topic) {
            plugin.tell_bytes(self.log(), topic, Rc::clone(&bytes));
        }
    }
}

/// `{"topic": {fields}}`.
struct Wrapped<'a, T>(&'a str, &'a T);

impl<T: Serialize> Serialize for Wrapped<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, self.1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_all_but_the_log() {
        let manifest = |topics: &[&str]| Manifest {
            subscriptions: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            ..Manifest::default()
        };
        assert!(wants(&manifest(&["*"]), "connect"));
        assert!(wants(&manifest(&["*"]), "anybodys"));
        assert!(!wants(&manifest(&["*"]), "log"));
        assert!(wants(&manifest(&["*", "log"]), "log"));
        assert!(!wants(&manifest(&["connect"]), "disconnect"));
    }

    #[test]
    fn topics_are_sorted_and_have_a_schema_each() {
        assert!(TOPICS.is_sorted());
    }
}

//! `custommsg`: messages of peers that the node does not know.

use bitcoin::hex::DisplayHex;
use ln_ipc::connectd::{ConnectdSetCustomTypes, ToConnectd};
use ln_plugin::protocol::HookFilter;
use ln_types::NodeId;
use serde_json::{Value, json};

use super::chain::{Next, PATIENCE, Question, declared, result, unknown};
use crate::plugins::host::PluginHost;
use crate::plugins::process::PluginProcess;

const HOOK: &str = "custommsg";

/// Whether a plugin wants messages of a type. Without filters it wants all.
fn wants(plugin: &PluginProcess, number: u16) -> bool {
    declared(plugin, HOOK).is_some_and(|decl| {
        decl.filters.is_empty() || decl.filters.contains(&HookFilter::Number(number.into()))
    })
}

impl PluginHost {
    /// Tells connectd which even types are known, once it is there.
    pub(in crate::plugins) fn tell_custom_types(&self) {
        let Some(node) = self.node() else {
            return;
        };
        let Some(connectd) = node.connectd.get() else {
            return;
        };
        let mut types: Vec<u16> = self.visit(|plugins| {
            let manifests = plugins.iter().filter_map(|plugin| plugin.manifest());
            manifests
                .flat_map(|manifest| manifest.custommessages.clone())
                .collect()
        });
        types.sort_unstable();
        types.dedup();
        connectd.send(&ToConnectd::from(ConnectdSetCustomTypes { types }));
    }

    /// Has plugins look at a message, then tells those who subscribed to such.
    pub(crate) async fn custom_message(&self, id: NodeId, message: &[u8]) {
        let number = message
            .first_chunk::<2>()
            .map_or(0, |bytes| u16::from_be_bytes(*bytes));
        let mut chain = self.chain(HOOK);
        chain.retain(|plugin| wants(plugin, number));
        let question = Question {
            hook: HOOK,
            patience: Some(PATIENCE),
            payload: json!({ "peer_id": id, "payload": message.to_lower_hex_string() }),
        };
        let read = |answer: &Value| match result(answer)? {
            "continue" => Ok(Next::<()>::Ask),
            other => Err(unknown(other, "continue")),
        };
        self.ask_chain(chain, question, |_, _, answer| read(answer))
            .await;
        self.tell_custommsg(id, message);
    }
}

//! `peer_connected`: whether a peer is let in.

use bitcoin::hex::DisplayHex;
use ln_types::{Features, NodeId};
use serde_json::{Map, Value, json};

use super::chain::{Next, PATIENCE, Question, contradiction, result, text, unknown};
use crate::peers::Connection;
use crate::plugins::host::PluginHost;

const HOOK: &str = "peer_connected";

impl PluginHost {
    /// Whether anybody wants a say in who is let in.
    pub(crate) fn judges_peers(&self) -> bool {
        self.has_hook(HOOK)
    }

    /// Asks whether to keep a connection. `Some` means no, with what to tell the peer.
    pub(crate) async fn peer_refused(
        &self,
        id: NodeId,
        connection: &Connection,
        features: &Features,
    ) -> Option<Option<String>> {
        let mut peer = Map::new();
        peer.insert("id".to_owned(), json!(id));
        let direction = if connection.incoming { "in" } else { "out" };
        peer.insert("direction".to_owned(), json!(direction));
        peer.insert("addr".to_owned(), json!(connection.address.to_string()));
        let remote = connection.remote_addr.as_ref();
        peer.extend(remote.map(|addr| ("remote_addr".to_owned(), json!(addr.to_string()))));
        let features = features.to_wire().to_lower_hex_string();
        peer.insert("features".to_owned(), json!(features));
        let question = Question {
            hook: HOOK,
            patience: Some(PATIENCE),
            payload: json!({ "peer": peer }),
        };
        let chain = self.chain(HOOK);
        self.ask_chain(chain, question, |_, _, answer| read(answer))
            .await
    }
}

fn read(answer: &Value) -> Result<Next<Option<String>>, String> {
    match result(answer)? {
        "continue" => match contradiction(answer, &["error_message"]) {
            None => Ok(Next::Ask),
            Some(problem) => Err(problem),
        },
        "disconnect" => Ok(Next::Done(
            text(answer, "error_message").map(ToOwned::to_owned),
        )),
        other => Err(unknown(other, "continue, disconnect")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_kept_or_not_with_or_without_a_word() {
        assert_eq!(read(&json!({"result": "continue"})), Ok(Next::Ask));
        let refused = |answer| read(&answer);
        assert_eq!(
            refused(json!({"result": "disconnect"})),
            Ok(Next::Done(None))
        );
        assert_eq!(
            refused(json!({"result": "disconnect", "error_message": "no"})),
            Ok(Next::Done(Some("no".to_owned())))
        );
        for nonsense in [
            json!(null),
            json!({}),
            json!({"result": 1}),
            json!({"result": "x"}),
            json!({"result": "continue", "error_message": "no"}),
        ] {
            assert!(read(&nonsense).is_err(), "{nonsense}");
        }
    }
}

//! `sendcustommsg`

use std::rc::Rc;

use ln_rpc::methods::peers::sendcustommsg::{Sendcustommsg, SendcustommsgResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_wire::PeerMessage;

use crate::log::{LogLevel, Origin};
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Sendcustommsg {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let message = params.msg.0;
        crate::rpc::check_length("msg", &message)?;
        let Some(number) = message
            .first_chunk::<2>()
            .map(|bytes| u16::from_be_bytes(*bytes))
        else {
            return Err(RpcError::invalid_params(
                "msg: should be two bytes of type and the rest of the message",
            ));
        };
        let refused = |text: String| RpcError::new(RpcErrorCode::InvalidRequest, text);
        if is_internal(number) {
            let name = ln_connectd::message_name(number).unwrap_or("WIRE_UNKNOWN");
            return Err(refused(format!(
                "Cannot send messages of type {number} ({name}). It is not possible to send messages that have a type managed internally \
                 since that might cause issues with the internal state tracking."
            )));
        }
        let Some(peer) = node.peers.get(params.node_id) else {
            return Err(refused(format!("No such peer: {}", params.node_id)));
        };
        if peer.connection.is_none() {
            return Err(refused("Peer is not connected".to_owned()));
        }
        if number.is_multiple_of(2) {
            let origin = Origin::of_peer(params.node_id, "lightningd");
            let text = format!("sendcustommsg: sending a custom even message ({number})");
            node.log.log(LogLevel::Debug, &origin, text);
        }
        node.to_peer(params.node_id, message);
        Ok(SendcustommsgResponse {
            status: "Message sent to connectd for delivery".to_owned(),
        })
    }
}

/// Whether the node itself sends and expects messages of this type.
fn is_internal(number: u16) -> bool {
    /// A peer's backup of our channels: plugins do that.
    const PEER_STORAGE: u16 = 7;
    const PEER_STORAGE_RETRIEVAL: u16 = 9;
    !matches!(number, PEER_STORAGE | PEER_STORAGE_RETRIEVAL) && PeerMessage::knows(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_protocol_are_ours() {
        for number in [1, 16, 17, 18, 19, 32, 128, 136, 256, 258, 265, 513] {
            assert!(is_internal(number), "{number}");
        }
        for number in [7, 9, 0x4c4d, 32768, 65535] {
            assert!(!is_internal(number), "{number}");
        }
    }
}

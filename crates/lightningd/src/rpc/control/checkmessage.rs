//! `checkmessage`

use std::rc::Rc;

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use bitcoin::secp256k1::{Message, Secp256k1};
use ln_gossip::NodeKey;
use ln_rpc::methods::control::checkmessage::{Checkmessage, CheckmessageResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::NodeId;
use serde_json::json;

use super::signmessage::HEADER;
use super::zbase32;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

/// What every signed text begins with, so that nobody can be made to sign something else.
const PREFIX: &str = "Lightning Signed Message:";

impl Handle for Checkmessage {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let signer = recover(&params.message, &params.zbase)?;
        if let Some(pubkey) = params.pubkey {
            return Ok(CheckmessageResponse {
                verified: signer == pubkey,
                pubkey: signer,
            });
        }
        let key = NodeKey(signer.to_bytes());
        let known = node
            .graph
            .look(|map| map.graph().node(key).is_some())
            .map_err(internal)?;
        if !known {
            let code = RpcErrorCode::SignmessagePubkeyNotFound;
            return Err(RpcError::new(code, "pubkey not found in the graph")
                .with_data(json!({ "claimed_key": signer })));
        }
        Ok(CheckmessageResponse {
            verified: true,
            pubkey: signer,
        })
    }
}

/// The key that signed a text.
fn recover(message: &str, zbase: &str) -> Result<NodeId, RpcError> {
    let bytes = zbase32::decode(zbase)
        .ok_or_else(|| RpcError::invalid_params("zbase is not valid zbase32"))?;
    if bytes.len() != 65 {
        let which = if bytes.len() < 65 { "short" } else { "long" };
        return Err(RpcError::invalid_params(format!("zbase is too {which}")));
    }
    let unreadable = || RpcError::invalid_params("cannot parse zbase signature");
    let (header, compact) = bytes.split_first().ok_or_else(unreadable)?;
    let id = i32::from(*header) - i32::from(HEADER);
    let id = RecoveryId::from_i32(id).map_err(|_| unreadable())?;
    let signature = RecoverableSignature::from_compact(compact, id).map_err(|_| unreadable())?;
    let digest = sha256d::Hash::hash(format!("{PREFIX}{message}").as_bytes());
    let digest = Message::from_digest(digest.to_byte_array());
    Secp256k1::verification_only()
        .recover_ecdsa(&digest, &signature)
        .map(NodeId::from)
        .map_err(|_| RpcError::invalid_params("no key can have made this signature"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signatures by other implementations.
    const VECTORS: &[(&str, &str, &str)] = &[
        (
            "is this compatible?",
            "rbgfioj114mh48d8egqx8o9qxqw4fmhe8jbeeabdioxnjk8z3t1ma1hu1fiswpakgucwwzwo6ofycffbsqusqdimugbh41n1g698hr9t",
            "02b80cabdf82638aac86948e4c06e82064f547768dcef977677b9ea931ea75bab5",
        ),
        (
            "hi",
            "rnrphcjswusbacjnmmmrynh9pqip7sy5cx695h6mfu64iac6qmcmsd8xnsyczwmpqp9shqkth3h4jmkgyqu5z47jfn1q7gpxtaqpx4xg",
            "02de60d194e1ca5947b59fe8e2efd6aadeabfb67f2e89e13ae1a799c1e08e4a43b",
        ),
        (
            "hi",
            "ry8bbsopmduhxy3dr5d9ekfeabdpimfx95kagdem7914wtca79jwamtbw4rxh69hg7n6x9ty8cqk33knbxaqftgxsfsaeprxkn1k48p3",
            "022b8ece90ee891cbcdac0c1cc6af46b73c47212d8defbce80265ac81a6b794931",
        ),
    ];

    #[test]
    fn the_signer_of_a_text_is_found() {
        for (message, zbase, id) in VECTORS {
            assert_eq!(recover(message, zbase).unwrap().to_string(), *id);
        }
    }

    #[test]
    fn what_is_no_signature_is_refused_with_its_reason() {
        let error = |zbase: &str| recover("x", zbase).unwrap_err().message;
        assert_eq!(error("l"), "zbase is not valid zbase32");
        assert_eq!(error("yyyyyyyy"), "zbase is too short");
        assert_eq!(error(&"y".repeat(112)), "zbase is too long");
        assert_eq!(error(&"y".repeat(104)), "cannot parse zbase signature");
    }
}

//! `signmessage`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::signmessage::{Signmessage, SignmessageResponse};
use ln_rpc::params::Hex;

use super::zbase32;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

/// What the first byte of the text form adds to the recovery id: the header of a signature by a compressed key.
pub(super) const HEADER: u8 = 31;

impl Handle for Signmessage {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let msg = params.message.into_bytes();
        if msg.len() > 65535 {
            return Err(RpcError::invalid_params("Message must be < 64k"));
        }
        let signature = node.hsm.sign_message(msg).await.map_err(internal)?;
        let (id, signature) = signature.serialize_compact();
        let recid = u8::try_from(id.to_i32()).unwrap_or_default();
        let mut whole = vec![recid + HEADER];
        whole.extend_from_slice(&signature);
        Ok(SignmessageResponse {
            signature: Hex(signature.to_vec()),
            recid: Hex(vec![recid]),
            zbase: zbase32::encode(&whole),
        })
    }
}

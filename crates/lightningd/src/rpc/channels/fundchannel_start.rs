//! `fundchannel_start`

use std::rc::Rc;

use ln_rpc::methods::channels::fundchannel_start::{FundchannelStart, FundchannelStartResponse};
use ln_rpc::params::Hex;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{FeeTarget, NodeId};

use super::terms::{Terms, ask, check_amount, wait_synced};
use super::types::channel_type;
use crate::node::Node;
use crate::rpc::wallet::{address_of, feerate};
use crate::rpc::{Context, Handle, internal};

const WARNING: &str = "The funding transaction MUST NOT be broadcast until after channel establishment has been successfully completed \
                       by running `fundchannel_complete`";

impl Handle for FundchannelStart {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let spec = params.feerate;
        let feerate = spec
            .map(|spec| feerate(&node, Some(spec), FeeTarget::Opening))
            .transpose()?;
        let terms = Terms {
            id: params.id,
            announce: params.announce,
            push_msat: params.push_msat,
            close_to: params.close_to,
            mindepth: params.mindepth,
            reserve: params.reserve,
            channel_type: params.channel_type,
            feerate,
        };
        let mut request = terms.request(&node)?;
        request.funding = params.amount;
        check_connected(&node, params.id)?;
        check_amount(&node, &request)?;
        wait_synced(&node, &context).await;
        let (slot, opened) = ask(&node, request).await?;
        let address = address_of(node.config.network, &opened.script);
        let close_to = opened.request().close_to.as_ref();
        let response = FundchannelStartResponse {
            funding_address: address.ok_or_else(|| internal("the script has no address"))?,
            scriptpubkey: Hex(opened.script.to_bytes()),
            channel_type: Some(channel_type(&opened.channel_type)),
            close_to: close_to.map(|script| Hex(script.to_bytes())),
            warning_usage: WARNING.to_owned(),
            mindepth: Some(opened.minimum_depth),
        };
        slot.park(opened);
        Ok(response)
    }
}

/// The peer must be known and connected.
pub(super) fn check_connected(node: &Node, id: NodeId) -> Result<(), RpcError> {
    match node.peers.get(id) {
        None => Err(RpcError::new(
            RpcErrorCode::FundingUnknownPeer,
            "Unknown peer",
        )),
        Some(peer) if peer.connection.is_none() => Err(RpcError::new(
            RpcErrorCode::FundingPeerNotConnected,
            "Peer not connected",
        )),
        Some(_) => Ok(()),
    }
}

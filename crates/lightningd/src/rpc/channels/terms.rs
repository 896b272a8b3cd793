//! What a channel to open shall be like: the parameters that `fundchannel` and `fundchannel_start` share.

use std::rc::Rc;

use bitcoin::{Script, ScriptBuf};
use ln_channel::{ChannelType, ShutdownScripts};
use ln_rpc::jsonrpc::LogLevel;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{FeatureBit, Features, Feerate, Msat, NodeId, Sat};
use tokio::sync::oneshot;

use crate::channels::{
    OpenError, OpenRequest, Opened, OpeningSlot, open_channel, shutdown_scripts,
};
use crate::node::Node;
use crate::rpc::wallet::parse_address;
use crate::rpc::{Context, internal};

/// The most a channel may hold unless both sides support large ones.
// BOLT 2 §The open_channel Message: less than 2^24 satoshi.
pub(super) const MAX_FUNDING: Sat = Sat::from_sat((1 << 24) - 1);

/// The parameters as they came.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) id: NodeId,
    pub(super) announce: Option<bool>,
    pub(super) push_msat: Option<Msat>,
    pub(super) close_to: Option<String>,
    pub(super) mindepth: Option<u32>,
    pub(super) reserve: Option<Sat>,
    pub(super) channel_type: Option<Vec<u32>>,
    /// The commitment feerate for channels without anchors.
    pub(super) feerate: Option<Feerate>,
}

impl Terms {
    /// Checks what can be checked without the peer; the amount is filled in later.
    pub(super) fn request(&self, node: &Node) -> Result<OpenRequest, RpcError> {
        let channel_type = self.channel_type.as_deref().map(features).transpose()?;
        let has = |feature: FeatureBit| {
            channel_type
                .as_ref()
                .is_some_and(|kind: &Features| kind.has_bit(feature.even()))
        };
        let minimum_depth = if has(FeatureBit::Zeroconf) {
            if self.mindepth.is_some_and(|depth| depth != 0) {
                let text = "Cannot set non-zero mindepth for zero-conf channel_type";
                return Err(RpcError::invalid_params(text));
            }
            Some(0)
        } else {
            self.mindepth
        };
        let without_anchors = channel_type.is_some() && !has(FeatureBit::Anchors);
        Ok(OpenRequest {
            peer: self.id,
            funding: Sat::ZERO,
            push: self.push_msat.unwrap_or(Msat::ZERO),
            feerate: self.feerate.filter(|_| without_anchors),
            announce: self.announce.unwrap_or(true),
            close_to: self.close_to(node)?,
            minimum_depth,
            reserve: self.reserve,
            channel_type,
        })
    }

    fn close_to(&self, node: &Node) -> Result<Option<ScriptBuf>, RpcError> {
        let address = self.close_to.as_deref();
        address
            .map(|text| parse_address(node.config.network, "close_to", text))
            .transpose()
    }
}

/// A channel type out of its bits, if we can run it.
fn features(bits: &[u32]) -> Result<Features, RpcError> {
    let unsupported = || RpcError::invalid_params("channel_type not supported");
    let bits = bits
        .iter()
        .map(|bit| u16::try_from(*bit).map_err(|_| unsupported()));
    let features: Features = bits.collect::<Result<_, _>>()?;
    ChannelType::from_features(&features)
        .map(|_| features)
        .ok_or_else(unsupported)
}

/// Whether both we and the peer support channels above [`MAX_FUNDING`].
pub(crate) fn may_be_large(node: &Node, peer: NodeId) -> bool {
    let theirs = node
        .peers
        .get(peer)
        .map(|peer| peer.features)
        .unwrap_or_default();
    theirs.supports(FeatureBit::Wumbo) && node.features.init.supports(FeatureBit::Wumbo)
}

/// Checks the amount against what the peer and the push allow.
pub(super) fn check_amount(node: &Node, request: &OpenRequest) -> Result<(), RpcError> {
    let funding = request.funding;
    if request.push > funding.to_msat_saturating() {
        let text = format!(
            "Requested to push_msat of {} is greater than available funding amount {funding}",
            request.push
        );
        return Err(RpcError::new(RpcErrorCode::FundCannotAfford, text));
    }
    if funding > MAX_FUNDING && !may_be_large(node, request.peer) {
        let text = format!("Amount exceeded {MAX_FUNDING}");
        return Err(RpcError::new(RpcErrorCode::FundMaxExceeded, text));
    }
    Ok(())
}

/// Whether the peer accepts such a script in `shutdown`, as far as its features tell.
pub(super) fn check_shutdown_script(
    node: &Node,
    peer: NodeId,
    script: &Script,
) -> Result<(), RpcError> {
    let allowed = shutdown_scripts(node, peer);
    let newest = ShutdownScripts {
        any_segwit: true,
        ..allowed
    };
    let text = if allowed.allows(script) {
        return Ok(());
    } else if newest.allows(script) {
        "Peer does not allow v1+ shutdown addresses"
    } else {
        "Invalid close destination"
    };
    Err(RpcError::invalid_params(text))
}

/// Waits until every block the backend has is known: before that, coins and heights are not to be trusted.
pub(super) async fn wait_synced(node: &Node, context: &Context) {
    if node.chain.is_synced() {
        return;
    }
    let text = format!(
        "Waiting to sync with bitcoind network (block {} of {})",
        node.chain.height(),
        node.chain.backend_height.get()
    );
    context.message(LogLevel::Unusual, &text).await;
    let mut heights = node.chain.watch_height();
    while !node.chain.is_synced() && heights.changed().await.is_ok() {}
}

/// Asks the peer for a channel. When somebody cancels meanwhile, the peer is told as soon as it answers.
pub(super) async fn ask(
    node: &Rc<Node>,
    request: OpenRequest,
) -> Result<(OpeningSlot, Opened), RpcError> {
    if let Some(script) = &request.close_to {
        check_shutdown_script(node, request.peer, script)?;
    }
    let taken = OpeningSlot::take(node, &request);
    let (slot, cancelled) = taken.ok_or_else(|| RpcError::lightningd("Already funding channel"))?;
    let (answer, answered) = oneshot::channel();
    let asker = Rc::clone(node);
    tokio::task::spawn_local(async move {
        let result = open_channel(&asker, request).await;
        if let Err((_slot, Ok(opened))) = answer.send((slot, result)) {
            opened.cancel("Channel open canceled by us");
        }
    });
    tokio::select! {
        biased;
        Ok(()) = cancelled => Err(RpcError::lightningd("Channel open canceled by us")),
        answer = answered => {
            let (slot, result) = answer.map_err(internal)?;
            Ok((slot, result.map_err(open_error)?))
        }
    }
}

/// Why a channel could not be opened, as clients are told.
pub(super) fn open_error(error: OpenError) -> RpcError {
    match error {
        OpenError::NotConnected(_) => {
            RpcError::new(RpcErrorCode::FundingPeerNotConnected, "Peer not connected")
        }
        OpenError::Refused(_) | OpenError::Unreadable(_) | OpenError::Died(_) => {
            RpcError::lightningd(error.to_string())
        }
        OpenError::Internal(error) => internal(error),
    }
}

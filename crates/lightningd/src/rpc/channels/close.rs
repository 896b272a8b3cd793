//! `close`

use std::rc::Rc;
use std::time::Duration;

use bitcoin::ScriptBuf;
use bitcoin::consensus::encode::serialize;
use ln_rpc::RpcError;
use ln_rpc::jsonrpc::LogLevel;
use ln_rpc::methods::channels::close::{Close, CloseResponse, CloseType, FeeRange};
use ln_rpc::params::Hex;
use ln_types::{ChannelState, Features, FeeTarget, Feerate, NodeId};

use super::find::{Named, find};
use super::terms::check_shutdown_script;
use crate::channels::{Channel, close_mutually, close_unilaterally, new_shutdown_script};
use crate::node::Node;
use crate::rpc::wallet::{feerate, parse_address};
use crate::rpc::{Context, Handle, internal};

impl Handle for Close {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let channel = match wanted(&node, &params.id)? {
            Wanted::Channel(channel) => channel,
            Wanted::Opening(peer) => return cancel_opening(&node, peer).await,
        };
        if params.wrong_funding.is_some() {
            return Err(wrong_funding(&node, channel.peer));
        }
        check_step(params.fee_negotiation_step.as_deref())?;
        let destination = params.destination.as_deref();
        let destination = destination
            .map(|text| parse_address(node.config.network, "destination", text))
            .transpose()?;
        let script = shutdown_script(&node, &channel, destination).await?;
        check_shutdown_script(&node, channel.peer, &script)?;
        let range = params
            .feerange
            .map(|range| fee_range(&node, range))
            .transpose()?;
        close_mutually(&node, &channel, script, range)
            .await
            .map_err(internal)?;
        let timeout = params.unilateraltimeout;
        if channel.owner.borrow().is_none() {
            let mut text = "peer is offline, will negotiate once they reconnect".to_owned();
            if timeout != 0 {
                text.push_str(" (");
                text.push_str(&timeout.to_string());
                text.push_str(" seconds before unilateral close)");
            }
            context.message(LogLevel::Info, &format!("{text}.")).await;
        }
        wait_closed(&node, &context, &channel, timeout).await?;
        outcome(&node, &channel).await
    }
}

/// What `close` was asked to close.
enum Wanted {
    /// A channel.
    Channel(Rc<Channel>),
    /// A channel with this peer that is still being opened.
    Opening(NodeId),
}

/// Whether a channel can be closed by agreement, or is being closed so.
fn can_close(state: ChannelState) -> bool {
    state.wants_peer()
}

fn wanted(node: &Node, id: &str) -> Result<Wanted, RpcError> {
    let peer = match find(node, "id", id)? {
        Named::Peer(peer) => peer,
        Named::Channel(channel) => {
            let state = channel.row().state;
            if can_close(state) {
                return Ok(Wanted::Channel(channel));
            }
            let text = format!("id: Channel in state {state}: invalid token '{id}'");
            return Err(RpcError::invalid_params(text));
        }
    };
    let mut channels = node
        .channels
        .of_peer(peer)
        .filter(|channel| can_close(channel.row().state));
    match (channels.next(), channels.next()) {
        (Some(channel), None) => Ok(Wanted::Channel(channel)),
        (Some(_), Some(_)) => {
            let text = "Peer has multiple channels: use channel_id or short_channel_id";
            Err(RpcError::lightningd(text))
        }
        (None, _) if node.openings.is_opening(peer) => Ok(Wanted::Opening(peer)),
        (None, _) => Err(RpcError::lightningd("Peer has no active channel")),
    }
}

async fn cancel_opening(node: &Node, peer: NodeId) -> Result<CloseResponse, RpcError> {
    match node.openings.cancel(peer, "close command called").await {
        Some(true) => Ok(CloseResponse {
            kind: CloseType::Unopened,
            txs: None,
            txids: None,
        }),
        Some(false) => {
            let text = "The channel is just being funded: try again in a moment";
            Err(RpcError::lightningd(text))
        }
        None => Err(RpcError::lightningd("Peer has no active channel")),
    }
}

/// Closing into another funding transaction than the channel's is a feature of its own, which we never offer.
fn wrong_funding(node: &Node, peer: NodeId) -> RpcError {
    const OPTION: u16 = 104;
    let theirs = node.peers.get(peer).map(|peer| peer.features);
    let said = |features: &Features| {
        if features.has_bit(OPTION) || features.has_bit(OPTION + 1) {
            "yes"
        } else {
            "no"
        }
    };
    let (us, them) = (said(&node.features.init), said(&theirs.unwrap_or_default()));
    let text = format!("wrong_funding feature not negotiated (we said {us}, they said {them})");
    RpcError::invalid_params(text)
}

/// Our closing negotiation agrees at once where it can, so that the step makes no difference; a wrong one is refused all the same.
fn check_step(step: Option<&str>) -> Result<(), RpcError> {
    let Some(text) = step else { return Ok(()) };
    let wrong = |what: &str| {
        let text = format!("Wrong value given for fee_negotiation_step: \"{text}\", {what}");
        Err(RpcError::invalid_params(text))
    };
    let digits = text.strip_suffix('%').unwrap_or(text);
    match digits.parse::<u64>() {
        Err(_) => wrong("should be an integer or an integer followed by %"),
        Ok(0) => wrong("must be positive"),
        Ok(step) if step > 100 && text.ends_with('%') => {
            wrong("the percentage should be between 1 and 100")
        }
        Ok(_) => Ok(()),
    }
}

/// Where our share goes: where the user wants, unless we promised something else before.
async fn shutdown_script(
    node: &Rc<Node>,
    channel: &Channel,
    destination: Option<ScriptBuf>,
) -> Result<ScriptBuf, RpcError> {
    let (sent, promised) = {
        let row = channel.row();
        (row.shutdown_local.clone(), row.close_to.clone())
    };
    let fixed = sent
        .as_ref()
        .map(|script| (script, "already-sent"))
        .or_else(|| promised.as_ref().map(|script| (script, "previous")));
    match (destination, fixed) {
        (Some(wanted), Some((fixed, which))) if wanted != *fixed => {
            Err(RpcError::invalid_params(format!(
                "Destination address {fixed:x} does not match {which} shutdown script {wanted:x}"
            )))
        }
        (Some(wanted), _) => Ok(wanted),
        (None, Some((fixed, _))) => Ok(fixed.clone()),
        (None, None) => {
            let script = new_shutdown_script(node, channel.peer).await;
            script.map_err(internal)
        }
    }
}

fn fee_range(node: &Node, range: FeeRange) -> Result<(Feerate, Feerate), RpcError> {
    let min = feerate(node, Some(range.min), FeeTarget::MutualClose)?;
    let max = feerate(node, Some(range.max), FeeTarget::MutualClose)?;
    if max < min {
        return Err(RpcError::invalid_params(
            "feerange: the first must not exceed the second",
        ));
    }
    Ok((min, max))
}

/// Waits until the closing is out of both sides' hands; after `timeout` seconds, if not 0, we close alone.
async fn wait_closed(
    node: &Rc<Node>,
    context: &Context,
    channel: &Rc<Channel>,
    timeout: u32,
) -> Result<(), RpcError> {
    let mut states = channel.state.subscribe();
    let patience = tokio::time::sleep(Duration::from_secs(timeout.into()));
    tokio::pin!(patience);
    let mut patient = true;
    while can_close(*states.borrow_and_update()) {
        tokio::select! {
            changed = states.changed() => changed.map_err(internal)?,
            () = &mut patience, if timeout != 0 && patient => {
                patient = false;
                context.message(LogLevel::Info, "Timed out, forcing close.").await;
                close_unilaterally(node, channel, "Forcibly closed by `close` command timeout");
            }
        }
    }
    Ok(())
}

/// How it ended, once that is durable and the transaction was handed to the network.
async fn outcome(node: &Rc<Node>, channel: &Rc<Channel>) -> Result<CloseResponse, RpcError> {
    let mut sent = channel.closing_sent.subscribe();
    let mut states = channel.state.subscribe();
    let lost_state = channel.machine().map_err(internal)?.lost_state;
    loop {
        let state = *states.borrow_and_update();
        let waiting = matches!(
            state,
            ChannelState::ClosingdComplete | ChannelState::AwaitingUnilateral
        );
        if *sent.borrow_and_update() > 0 || !waiting || lost_state {
            break;
        }
        tokio::select! {
            changed = states.changed() => changed.map_err(internal)?,
            changed = sent.changed() => changed.map_err(internal)?,
        }
    }
    channel.save(node).await.map_err(internal)?;
    if channel.row().state == ChannelState::Closed && channel.row().last_tx.is_none() {
        return Err(RpcError::lightningd(
            "Channel forgotten before proper close.",
        ));
    }
    let changes = channel.changes.borrow();
    let mutual = changes
        .iter()
        .any(|change| change.new == ChannelState::ClosingdComplete);
    let row = channel.row();
    let txs = row.last_tx.iter();
    Ok(CloseResponse {
        kind: if mutual {
            CloseType::Mutual
        } else {
            CloseType::Unilateral
        },
        txs: Some(txs.clone().map(|tx| Hex(serialize(tx))).collect()),
        txids: Some(txs.map(bitcoin::Transaction::compute_txid).collect()),
    })
}

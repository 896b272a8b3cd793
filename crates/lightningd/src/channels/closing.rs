//! Ending channels: by agreement, or alone.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bitcoin::{ScriptBuf, Transaction, TxOut};
use ln_channel::ShutdownScripts;
use ln_codec::LongBytes;
use ln_ipc::channeld::{ChanneldSendError, ChanneldShutdown, ToChanneld};
use ln_ipc::closingd::{ClosingdInit, ClosingdOfferPersisted, FromClosingd, ToClosingd};
use ln_ipc::hsmd::{BitcoinTx, HsmdSignCommitmentTx};
use ln_tx::{CommitmentTx, Verified};
use ln_types::{ChannelState, FeeTarget, Feerate, NodeId, Side};
use ln_wallet::AddressKind;

use super::live::PeerLink;
use super::{Channel, CloseCause, Owner};
use crate::hsm::{capability, hsm_reply};
use crate::node::Node;
use crate::subd::{Subd, SubdEnd};

/// How often, and how long between, we look whether a channel's daemon has ended: five seconds in all.
const DAEMON_LOOKS: u32 = 250;
const DAEMON_LOOK: Duration = Duration::from_millis(20);

/// Starts closing by agreement: our balance goes to `script`. The wish is durable; it is carried out whenever the peer is connected.
pub(crate) async fn close_mutually(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    script: ScriptBuf,
    feerates: Option<(Feerate, Feerate)>,
) -> anyhow::Result<()> {
    *channel.close_feerates.borrow_mut() = feerates;
    let script = channel.change(|row| {
        row.closer.get_or_insert(Side::Local);
        row.shutdown_local.get_or_insert(script).clone()
    });
    let state = channel.row().state;
    if matches!(
        state,
        ChannelState::ChanneldNormal | ChannelState::ChanneldAwaitingLockin
    ) {
        let text = "User or plugin invoked close command";
        channel
            .set_state(
                node,
                ChannelState::ChanneldShuttingDown,
                CloseCause::User,
                text,
            )
            .await?;
    } else {
        channel.save(node).await?;
    }
    super::gossip::channel_closing(node, channel);
    if let Some(channeld) = channel.channeld() {
        channeld.send(&ToChanneld::Shutdown(ChanneldShutdown { script }));
    }
    Ok(())
}

/// The peer closes and we have not said `shutdown` yet: our share goes where we promised, else to a new address of the wallet.
// BOLT 2 §Closing Initiation: `shutdown`: who receives it answers with its own.
pub(super) fn answer_shutdown(node: &Rc<Node>, channel: &Rc<Channel>) {
    if channel.row().shutdown_local.is_some() {
        return;
    }
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        let promised = channel.row().close_to.clone();
        let script = match promised {
            Some(script) => Ok(script),
            None => new_shutdown_script(&node, channel.peer).await,
        };
        let answered = match script {
            Ok(script) => close_mutually(&node, &channel, script, None).await,
            Err(error) => Err(error),
        };
        if let Err(error) = answered {
            node.log.broken(
                &channel.origin(),
                format!("the peer's shutdown can't be answered: {error:#}"),
            );
        }
    });
}

/// What may stand in a `shutdown` to or from this peer.
pub(crate) fn shutdown_scripts(node: &Node, peer: NodeId) -> ShutdownScripts {
    let theirs = node.peers.get(peer).map(|peer| peer.features);
    ShutdownScripts::of_features(&node.features.init, &theirs.unwrap_or_default())
}

/// A new address of the wallet that the peer accepts for our share.
// BOLT 2 §Closing Initiation: `shutdown`: taproot only with option_shutdown_anysegwit.
pub(crate) async fn new_shutdown_script(node: &Node, peer: NodeId) -> anyhow::Result<ScriptBuf> {
    let kind = if shutdown_scripts(node, peer).any_segwit {
        AddressKind::P2tr
    } else {
        AddressKind::P2wpkh
    };
    node.wallet.new_script_of(node, kind).await
}

/// Starts closingd for a channel without HTLCs whose sides both sent `shutdown`.
pub(super) fn start_closingd(node: &Rc<Node>, channel: &Rc<Channel>, link: PeerLink) {
    let reconnected = matches!(link, PeerLink::Connection(_));
    *channel.owner.borrow_mut() = Some(Owner::Starting);
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        let launched =
            super::live::start_with_peer(&node, &channel, "closingd", link, capability::CLOSINGD)
                .await;
        match launched {
            Ok((subd, unread)) => {
                *channel.owner.borrow_mut() = Some(Owner::Closingd);
                *channel.billboard.borrow_mut() = subd.billboard();
                subd.sender().send(&ToClosingd::Init(init(
                    &node,
                    &channel,
                    reconnected,
                    unread,
                )));
                serve(node, channel, subd).await;
            }
            Err(error) => super::live::not_started(&node, &channel, "closingd", &error),
        }
    });
}

fn init(node: &Node, channel: &Channel, reconnected: bool, unread: Vec<LongBytes>) -> ClosingdInit {
    let fees = node.fees.borrow();
    let preferred = fees.target(FeeTarget::MutualClose).unwrap_or(fees.floor);
    let asked = *channel.close_feerates.borrow();
    let (min, max) = asked.map_or((fees.floor.min(preferred), None), |(min, max)| {
        (min, Some(max))
    });
    ClosingdInit {
        network: node.config.network,
        peer_id: channel.peer,
        dbid: channel.dbid,
        state: LongBytes(channel.row().machine.clone()),
        our_features: node.features.init.clone(),
        their_features: node
            .peers
            .get(channel.peer)
            .map(|peer| peer.features)
            .unwrap_or_default(),
        reconnected,
        unread,
        preferred_feerate: preferred.max(min).min(max.unwrap_or(preferred.max(min))),
        min_feerate: min,
        max_feerate: max,
    }
}

async fn serve(node: Rc<Node>, channel: Rc<Channel>, mut subd: Subd) {
    let mut complete = false;
    let end = loop {
        let message = match subd.next::<FromClosingd>().await {
            Ok(message) => message,
            Err(end) => break end,
        };
        match message {
            FromClosingd::Offer(offer) => {
                node.log.debug(
                    &channel.origin(),
                    format!("closing transaction with fee {}", offer.fee),
                );
                channel.change(|row| row.last_tx = Some(offer.tx));
                match channel.save(&node).await {
                    Ok(()) => subd
                        .sender()
                        .send(&ToClosingd::OfferPersisted(ClosingdOfferPersisted {})),
                    Err(error) => {
                        node.log.broken(
                            &channel.origin(),
                            format!("the closing can't be kept: {error}"),
                        );
                        subd.kill();
                    }
                }
            }
            FromClosingd::Complete(_) => {
                complete = true;
                closed_mutually(&node, &channel).await;
            }
            FromClosingd::Failed(failed) => {
                node.log.info(
                    &channel.origin(),
                    format!("closing failed: {}", failed.reason),
                );
                if failed.unilateral_close {
                    let cause = if failed.by_peer {
                        CloseCause::Remote
                    } else {
                        CloseCause::Protocol
                    };
                    fail_channel(&node, &channel, cause, &failed.reason, true);
                }
            }
        }
    };
    ended(&node, &channel, &end, complete);
}

/// Both agreed on the last offer.
async fn closed_mutually(node: &Rc<Node>, channel: &Rc<Channel>) {
    if channel.spend_height.get().is_some() {
        return;
    }
    let text = "Closing complete";
    let saved = channel.set_state(
        node,
        ChannelState::ClosingdComplete,
        CloseCause::Unknown,
        text,
    );
    if let Err(error) = saved.await {
        node.log.broken(
            &channel.origin(),
            format!("the closing can't be kept: {error}"),
        );
        return;
    }
    super::set_important(node, channel.peer);
    let tx = channel.row().last_tx.clone();
    if let Some(tx) = tx {
        send_closing(node, channel, tx).await;
    }
}

/// Broadcasts a closing transaction or commitment.
async fn send_closing(node: &Rc<Node>, channel: &Rc<Channel>, tx: Transaction) {
    let txid = tx.compute_txid();
    match crate::chain::broadcast(node, tx, true).await {
        Ok(Ok(())) => {}
        Ok(Err(refusal)) => {
            // The peer's may be there already; blocks will tell.
            node.log.unusual(
                &channel.origin(),
                format!("transaction {txid} was refused: {refusal}"),
            );
        }
        Err(error) => node.log.broken(
            &channel.origin(),
            format!("transaction {txid} can't be kept: {error:#}"),
        ),
    }
    channel.closing_sent.send_modify(|count| *count += 1);
}

fn ended(node: &Rc<Node>, channel: &Rc<Channel>, end: &SubdEnd, complete: bool) {
    channel.release_owner(|owner| !matches!(owner, Owner::Onchaind));
    let waiting = channel.row().state == ChannelState::ClosingdSigexchange;
    if !complete && waiting {
        super::live::connect_again(node, channel, "closingd", end);
    }
}

/// Closes a channel alone because the operator wants so.
pub(crate) fn close_unilaterally(node: &Rc<Node>, channel: &Rc<Channel>, reason: &str) {
    fail_channel(node, channel, CloseCause::User, reason, true);
}

/// Takes a channel to the chain: durable first, then the peer is told and our commitment broadcast (unless we may have lost state).
pub(super) fn fail_channel(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    cause: CloseCause,
    reason: &str,
    broadcast: bool,
) {
    let state = channel.row().state;
    if state.is_closing() && !state.wants_peer() {
        return;
    }
    let text = format!("Forcibly closed: {reason}");
    node.log.unusual(
        &channel.origin(),
        format!("Peer permanent failure in {state}: {reason}"),
    );
    let closer = if cause == CloseCause::Remote {
        Side::Remote
    } else {
        Side::Local
    };
    channel.change(|row| {
        row.closer.get_or_insert(closer);
    });
    let saved = channel.set_state(node, ChannelState::AwaitingUnilateral, cause, &text);
    if let Some(channeld) = channel.channeld() {
        channeld.send(&ToChanneld::SendError(ChanneldSendError {
            reason: reason.to_owned(),
        }));
    } else if node.peers.is_connected(channel.peer) && cause != CloseCause::Remote {
        let channel_id = channel.row().channel_id;
        crate::peers::send_error(node, channel.peer, channel_id, reason);
    }
    super::gossip::channel_closing(node, channel);
    super::set_important(node, channel.peer);
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        if let Err(error) = saved.await {
            node.log.broken(
                &channel.origin(),
                format!("the failure can't be kept: {error}"),
            );
            return;
        }
        if broadcast {
            drop_to_chain(&node, &channel).await;
        } else {
            let text = "we lost state and must wait for the peer to close the channel: our commitment is not broadcast";
            node.log.broken(&channel.origin(), text);
        }
    });
}

/// Broadcasts our newest commitment, or the closing transaction if one is agreed on.
pub(super) async fn drop_to_chain(node: &Rc<Node>, channel: &Rc<Channel>) {
    wait_for_daemon(channel).await;
    match closing_transaction(node, channel).await {
        Ok(tx) => {
            channel.change(|row| row.last_tx = Some(tx.clone()));
            drop(channel.save(node).await);
            send_closing(node, channel, tx).await;
        }
        // While the node ends nobody signs: the next start brings the next try.
        Err(_) if node.stop.borrow().is_some() => {}
        Err(error) => node.log.broken(
            &channel.origin(),
            format!("our commitment can't be signed: {error:#}"),
        ),
    }
}

/// What closes the channel as it is now: the closing transaction if one is agreed on, else our newest commitment; signed by both.
pub(crate) async fn closing_transaction(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
) -> anyhow::Result<Transaction> {
    let agreed = channel.row().last_tx.clone();
    match agreed {
        Some(tx) => Ok(tx),
        None => sign_commitment(node, channel).await,
    }
}

/// Waits until the daemon that was told of the failure has ended: hsmd serves one connection per channel, and ours would take its away.
async fn wait_for_daemon(channel: &Channel) {
    for _ in 0..DAEMON_LOOKS {
        if channel.owner.borrow().is_none() {
            return;
        }
        tokio::time::sleep(DAEMON_LOOK).await;
    }
}

/// Our newest commitment; the peer has signed it.
pub(super) fn local_commitment(channel: &Channel) -> anyhow::Result<Verified<CommitmentTx>> {
    let machine = channel.machine()?;
    if machine.lost_state {
        return Err(anyhow!(
            "the peer proved that we lost state: broadcasting would lose money"
        ));
    }
    let commitments = &machine.commitments;
    let point = commitments
        .local_point
        .context("the point of our commitment is not known")?;
    Ok(commitments.local_commitment(&machine.params, &point)?)
}

/// Our newest commitment, signed by both.
async fn sign_commitment(node: &Rc<Node>, channel: &Rc<Channel>) -> anyhow::Result<Transaction> {
    let commitment = local_commitment(channel)?;
    let params = commitment.params();
    let spent = TxOut {
        value: params.funding_amount.into(),
        script_pubkey: commitment.funding_script().to_p2wsh(),
    };
    let tx = BitcoinTx::new(commitment.unsigned().clone(), [spent])
        .with_input_scripts([Some(commitment.funding_script())]);
    let request = HsmdSignCommitmentTx {
        peer_id: channel.peer,
        channel_dbid: channel.dbid,
        tx,
        remote_funding_key: params.other_funding_key,
        commit_num: commitment.number(),
    };
    let reply = hsm_reply!(node.hsm.request(request).await, SignCommitmentTxReply)?;
    Ok(commitment.signed(&reply.sig.signature))
}

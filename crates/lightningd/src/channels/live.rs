//! channeld: starting it, serving it, offering and resolving HTLCs through it.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use bitcoin::secp256k1::PublicKey;
use futures_util::stream::{FuturesOrdered, StreamExt as _};
use ln_codec::LongBytes;
use ln_db::{DbError, ForwardRow, HtlcDirection, HtlcRow, PaymentRow};
use ln_ipc::Stream;
use ln_ipc::channeld::{
    ChanneldFeerates, ChanneldInit, ChanneldOfferHtlc, ChanneldPersisted, ChanneldResolveHtlc,
    FromChanneld, Resolution, ToChanneld,
};
use ln_ipc::connectd::{ConnectdAttachChannel, ToConnectd};
use ln_types::{ChannelState, CltvExpiry, HtlcId, Msat, PaymentHash};
use tokio::sync::oneshot;

use super::table::block_message;
use super::{Channel, CloseCause, Owner, PendingOffer};
use crate::hsm::capability;
use crate::log::Origin;
use crate::node::Node;
use crate::subd::{Subd, SubdEnd, SubdStart};

/// `temporary_channel_failure`.
const TEMPORARY_CHANNEL_FAILURE: u16 = 0x1007;

/// How long an HTLC may take to get into a commitment, as Core Lightning has it.
const COMMIT_PATIENCE: Duration = Duration::from_secs(30);

/// Why an HTLC was not offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct OfferError {
    /// For people.
    pub(crate) text: String,
    /// The BOLT 4 failure code.
    pub(crate) code: u16,
}

impl OfferError {
    fn temporary(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: TEMPORARY_CHANNEL_FAILURE,
        }
    }
}

/// How a channel's daemon reaches the peer.
#[derive(Debug)]
pub(super) enum PeerLink {
    /// By a new socket, on the connection with this number.
    Connection(u64),
    /// By the socket of the daemon before it, which read these messages and left them unanswered.
    HandedOver(OwnedFd, Vec<LongBytes>),
}

/// Starts channeld for a channel. A link handed over means that the channel was opened on this connection.
pub(super) fn start_channeld(node: &Rc<Node>, channel: &Rc<Channel>, link: PeerLink) {
    *channel.owner.borrow_mut() = Some(Owner::Starting);
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        match launch(&node, &channel, link).await {
            Ok(subd) => serve(node, channel, subd).await,
            Err(error) => not_started(&node, &channel, "channeld", &error),
        }
    });
}

/// A channel's daemon can't be started. While the node ends none is.
pub(super) fn not_started(node: &Node, channel: &Channel, daemon: &str, error: &anyhow::Error) {
    *channel.owner.borrow_mut() = None;
    if node.stop.borrow().is_none() {
        let text = format!("{daemon} can't be started: {error:#}");
        node.log.broken(&channel.origin(), text);
    }
}

/// Starts a daemon of a channel with its two descriptors, and has connectd route the channel's messages to it.
pub(super) async fn start_with_peer(
    node: &Rc<Node>,
    channel: &Channel,
    name: &str,
    link: PeerLink,
    permissions: u64,
) -> anyhow::Result<(Subd, Vec<LongBytes>)> {
    channel.served_on.set(match link {
        PeerLink::Connection(counter) => Some(counter),
        PeerLink::HandedOver(..) => node
            .peers
            .connection(channel.peer)
            .map(|connection| connection.counter),
    });
    let hsm = node
        .hsm
        .client_fd(channel.peer, channel.dbid, permissions)
        .await?;
    let (peer, unread) = match link {
        PeerLink::HandedOver(peer, unread) => (peer, unread),
        PeerLink::Connection(counter) => {
            let (peer, for_connectd) = Stream::pair()?;
            attach(node, channel, counter, for_connectd);
            (peer, Vec::new())
        }
    };
    let origin = Origin::of_peer(channel.peer, &format!("{name}-chan#{}", channel.dbid));
    let subd = Subd::start(
        &node.log,
        SubdStart {
            name,
            program: node.config.subdaemon(name),
            origin,
            fds: vec![peer, hsm],
        },
    )?;
    Ok((subd, unread))
}

fn attach(node: &Node, channel: &Channel, counter: u64, fd: OwnedFd) {
    let channel_id = channel.row().channel_id;
    let message = ToConnectd::AttachChannel(ConnectdAttachChannel {
        id: channel.peer,
        counter,
        channel_id,
    });
    if let Some(connectd) = node.connectd.get() {
        connectd.send_with_fds(&message, vec![fd]);
    }
}

async fn launch(node: &Rc<Node>, channel: &Rc<Channel>, link: PeerLink) -> anyhow::Result<Subd> {
    let first = matches!(link, PeerLink::HandedOver(..));
    let (subd, unread) =
        start_with_peer(node, channel, "channeld", link, capability::CHANNELD).await?;
    *channel.billboard.borrow_mut() = subd.billboard();
    let sender = subd.sender();
    sender.send(&ToChanneld::Init(init(node, channel, first, unread)));
    if let Some(script) = channel.row().shutdown_local.clone() {
        sender.send(&ToChanneld::Shutdown(ln_ipc::channeld::ChanneldShutdown {
            script,
        }));
    }
    *channel.owner.borrow_mut() = Some(Owner::Channeld(sender));
    if channel.row().shutdown_remote.is_some() {
        // We went down before we had answered.
        super::closing::answer_shutdown(node, channel);
    }
    Ok(subd)
}

fn init(
    node: &Node,
    channel: &Channel,
    first_connection: bool,
    unread: Vec<LongBytes>,
) -> ChanneldInit {
    let their_features = node
        .peers
        .get(channel.peer)
        .map(|peer| peer.features)
        .unwrap_or_default();
    let htlcs = channel.htlcs.borrow();
    let incoming = htlcs
        .values()
        .filter(|htlc| htlc.direction == HtlcDirection::Incoming);
    let row = channel.row();
    ChanneldInit {
        network: node.config.network,
        node_id: node.id(),
        peer_id: channel.peer,
        dbid: channel.dbid,
        state: LongBytes(row.machine.clone()),
        our_features: node.features.init.clone(),
        their_features,
        first_connection,
        chain: block_message(node, channel),
        feerates: feerates(node, channel),
        resolutions: incoming
            .filter_map(|htlc| {
                Some(ChanneldResolveHtlc {
                    id: htlc.id,
                    resolution: resolution(htlc)?,
                })
            })
            .collect(),
        unread,
        alias: row.alias_local,
        max_dust_exposure: node.config.max_dust_exposure,
        dev_disable_commit_after: node.config.dev.disable_commit_after,
    }
}

/// What was decided about an incoming HTLC.
fn resolution(htlc: &HtlcRow) -> Option<Resolution> {
    match (&htlc.preimage, &htlc.failure, htlc.malformed) {
        (Some(preimage), ..) => Some(Resolution::Fulfill(*preimage)),
        (None, Some(reason), _) => Some(Resolution::Fail(reason.clone())),
        (None, None, Some((sha, code))) => Some(Resolution::FailMalformed(sha, code)),
        (None, None, None) => None,
    }
}

/// What channeld is told of feerates.
pub(crate) fn feerates(node: &Node, channel: &Channel) -> ChanneldFeerates {
    let fees = node.fees.borrow();
    let bounds = fees.bounds(node.config.dev.max_fee_multiplier);
    let unlimited = channel.row().ignore_fee_limits;
    ChanneldFeerates {
        desired: channel
            .dev_feerate
            .get()
            .unwrap_or_else(|| fees.commitment(&node.config)),
        min: if unlimited {
            ln_types::Feerate::from_perkw(0)
        } else {
            bounds.min
        },
        max: if unlimited {
            ln_types::Feerate::from_perkw(u32::MAX)
        } else {
            bounds.max
        },
    }
}

/// Serves channeld until it ends.
async fn serve(node: Rc<Node>, channel: Rc<Channel>, mut subd: Subd) {
    let sender = subd.sender();
    let mut handed_over = None;
    let mut committing = FuturesOrdered::new();
    let end = loop {
        // Several steps may be on their way to the disk; they come back in order.
        let message = tokio::select! {
            biased;
            Some(durable) = committing.next() => {
                if !is_kept(&node, &channel, &durable) {
                    subd.kill();
                }
                continue;
            }
            message = subd.next::<FromChanneld>() => match message {
                Ok(message) => message,
                Err(end) => break end,
            },
        };
        match message {
            FromChanneld::Persist(persist) => {
                let sequence = persist.sequence;
                let sender = sender.clone();
                let done =
                    move || sender.send(&ToChanneld::Persisted(ChanneldPersisted { sequence }));
                committing.push_back(super::persist::persist(&node, &channel, persist, done));
            }
            FromChanneld::ShutdownComplete(complete) => {
                if let Ok(peer) = subd.recv_fd().await {
                    handed_over = Some(PeerLink::HandedOver(peer, complete.unread));
                }
                while let Some(durable) = committing.next().await {
                    is_kept(&node, &channel, &durable);
                }
                if channel.row().state.wants_peer() {
                    let (state, cause) = (ChannelState::ClosingdSigexchange, CloseCause::Unknown);
                    drop(
                        channel
                            .set_state(&node, state, cause, "Start closingd")
                            .await,
                    );
                }
            }
            other => on_message(&node, &channel, other),
        }
    };
    // What was on its way to the disk still counts.
    while let Some(durable) = committing.next().await {
        is_kept(&node, &channel, &durable);
    }
    ended(&node, &channel, &end, handed_over);
}

/// Whether a step is durable. What is not must not be acted on, here or by channeld, and what was changed in memory for it is wrong: the node
/// can't go on.
fn is_kept(node: &Node, channel: &Channel, durable: &Result<(), DbError>) -> bool {
    if let Err(error) = durable {
        let text = format!("the channel's state can't be kept: {error}: the node stops");
        node.log.broken(&channel.origin(), text);
        node.stop(1);
    }
    durable.is_ok()
}

/// What channeld says besides what needs its stream.
fn on_message(node: &Rc<Node>, channel: &Rc<Channel>, message: FromChanneld) {
    match message {
        // Dealt with where the stream is at hand.
        FromChanneld::Persist(_) | FromChanneld::ShutdownComplete(_) => {}
        FromChanneld::OfferHtlcReply(reply) => {
            let error = OfferError {
                text: reply.error,
                code: reply.failure_code,
            };
            refuse(channel, reply.request, error);
        }
        FromChanneld::Reestablished(_) => {
            channel.reestablished.set(true);
            channel.change(|row| row.last_stable_connection = Some(crate::clock::now()));
            super::gossip::reestablished(node, channel);
            crate::payments::channel_usable(node, channel);
        }
        FromChanneld::AnnouncementSignatures(signed) => {
            super::gossip::announcement_signed(node, channel, signed);
        }
        FromChanneld::ChannelUpdate(update) => {
            super::gossip::remote_update(node, channel, update.message);
        }
        FromChanneld::Failed(failed) if failed.unilateral_close => {
            let cause = if failed.by_peer {
                CloseCause::Remote
            } else {
                CloseCause::Protocol
            };
            super::closing::fail_channel(node, channel, cause, &failed.reason, failed.broadcast);
        }
        FromChanneld::Failed(failed) => node.log.info(
            &channel.origin(),
            // The peer may have written all that fits into a message.
            format!("channel error, trying again later: {:.1000}", failed.reason),
        ),
    }
}

/// channeld is gone: what was not durable did not happen; the link is made anew if it must be.
fn ended(node: &Rc<Node>, channel: &Rc<Channel>, end: &SubdEnd, handed_over: Option<PeerLink>) {
    let was_reestablished = channel.reestablished.replace(false);
    channel.release_owner(|owner| !matches!(owner, Owner::Onchaind));
    if was_reestablished {
        channel.change(|row| row.last_stable_connection = Some(crate::clock::now()));
    }
    let requests: Vec<u64> = channel.offers.borrow().keys().copied().collect();
    for request in requests {
        refuse(
            channel,
            request,
            OfferError::temporary("the channel was disconnected"),
        );
    }
    let state = channel.row().state;
    let closes = matches!(
        state,
        ChannelState::ClosingdSigexchange | ChannelState::ClosingdComplete
    );
    if let Some(link) = handed_over.filter(|_| closes && end.is_clean()) {
        super::closing::start_closingd(node, channel, link);
        return;
    }
    if state.wants_peer() {
        connect_again(node, channel, "channeld", end);
    }
    if !end.is_clean()
        && node.config.dev.fail_on_subdaemon_fail
        && node.stop.borrow().is_none()
        && end.failure.is_some()
    {
        node.log.broken(
            &node.origin,
            "a helper failed and dev-fail-on-subdaemon-fail is set: the node stops",
        );
        node.stop(1);
    }
}

/// The daemon of a channel that goes on is gone: makes the link anew. A peer that is back already, on another connection, waits for the next daemon.
pub(super) fn connect_again(node: &Rc<Node>, channel: &Channel, daemon: &str, end: &SubdEnd) {
    if node.stop.borrow().is_some() {
        return;
    }
    let Some(connection) = node.peers.connection(channel.peer) else {
        return;
    };
    if channel.served_on.get() != Some(connection.counter) {
        super::serve_peer(node, channel.peer);
        return;
    }
    if !end.is_clean() {
        node.log.unusual(
            &channel.origin(),
            format!("{daemon} ended ({end}): connecting again"),
        );
    }
    // The peer still thinks it is talking to the channel: hanging up is what tells it, and connectd connects again.
    node.peers.disconnect(node, channel.peer);
}

fn refuse(channel: &Channel, request: u64, error: OfferError) {
    if let Some(offer) = channel.offers.borrow_mut().remove(&request) {
        drop(offer.reply.send(Err(error)));
    }
}

/// An HTLC to offer.
#[derive(Debug, Clone)]
pub(crate) struct NewHtlc {
    pub(crate) amount: Msat,
    pub(crate) cltv_expiry: CltvExpiry,
    pub(crate) payment_hash: PaymentHash,
    pub(crate) onion: Vec<u8>,
    pub(crate) path_key: Option<PublicKey>,
    /// Other records of its `update_add_htlc`, as a TLV stream.
    pub(crate) extra_tlvs: Vec<u8>,
    /// Our payment it is part of: kept in the same transaction as the HTLC.
    pub(crate) payment: Option<PaymentRow>,
    /// The forward it is part of, kept the same way: of which incoming HTLC, and how.
    pub(crate) forward: Option<ForwardRow>,
}

/// Offers an HTLC; returns once it is durable, with its id and the payment's `created_index`.
pub(crate) async fn offer_htlc(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    new: NewHtlc,
) -> Result<(HtlcId, Option<u64>), OfferError> {
    let Some(channeld) = channel.channeld().filter(|_| channel.reestablished.get()) else {
        return Err(OfferError::temporary(format!(
            "the channel is not usable now ({})",
            channel.row().state.name()
        )));
    };
    if node.chain.stale.borrow().is_some() {
        return Err(OfferError::temporary(
            "the chain backend does not answer: no new payments until it is back",
        ));
    }
    let request = node.channels.new_offer();
    let (reply, answer) = oneshot::channel();
    let htlc = HtlcRow {
        channel: channel.dbid,
        direction: HtlcDirection::Outgoing,
        id: HtlcId(0),
        amount: new.amount,
        cltv_expiry: new.cltv_expiry,
        payment_hash: new.payment_hash,
        onion: new.onion.clone(),
        path_key: new.path_key,
        extra_tlvs: new.extra_tlvs.clone(),
        shared_secret: None,
        preimage: None,
        failure: None,
        malformed: None,
        removed: false,
        payment: new
            .payment
            .as_ref()
            .map(|payment| (payment.partid, payment.groupid)),
        origin: new
            .forward
            .as_ref()
            .map(|forward| (forward.channel, forward.in_htlc)),
    };
    channel.offers.borrow_mut().insert(
        request,
        PendingOffer {
            htlc,
            payment: new.payment,
            forward: new.forward,
            reply,
        },
    );
    channeld.send(&ToChanneld::OfferHtlc(ChanneldOfferHtlc {
        request,
        amount: new.amount,
        cltv_expiry: new.cltv_expiry,
        payment_hash: new.payment_hash,
        onion: new.onion,
        path_key: new.path_key,
        extra_tlvs: new.extra_tlvs,
    }));
    let answer = async {
        let answer = answer.await;
        answer.unwrap_or_else(|_| Err(OfferError::temporary("the node is stopping")))
    };
    if node.config.dev.no_htlc_timeout {
        return answer.await;
    }
    hang_up_if_slow(node, channel, answer).await
}

/// Waits for what becomes of an HTLC. A peer that lets us commit to nothing for long is hung up on: then it is refused, and the payment may take
/// another way.
async fn hang_up_if_slow<T>(node: &Node, channel: &Channel, answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    let answered = tokio::time::timeout(COMMIT_PATIENCE, answer.as_mut()).await;
    if let Ok(answered) = answered {
        return answered;
    }
    if channel.reestablished.get() {
        let text = "Adding HTLC too slow: killing connection";
        node.log.unusual(&channel.origin(), text);
        node.peers.disconnect(node, channel.peer);
    }
    answer.await
}

/// Has channeld resolve an incoming HTLC as it was decided. The decision is durable; if channeld is away it learns of it when it is back.
pub(crate) fn resolve_htlc(channel: &Channel, id: HtlcId, decide: impl FnOnce(&mut HtlcRow)) {
    let mut htlcs = channel.htlcs.borrow_mut();
    let Some(htlc) = htlcs.get_mut(&(HtlcDirection::Incoming, id)) else {
        return;
    };
    decide(htlc);
    channel.ending.wake();
    if let (Some(resolution), Some(channeld)) = (resolution(htlc), channel.channeld()) {
        channeld.send(&ToChanneld::ResolveHtlc(ChanneldResolveHtlc {
            id,
            resolution,
        }));
    }
}

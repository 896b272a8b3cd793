//! HTLCs on their way through us: whether one may go on, and what becomes of it when the HTLC that we offered for it ends.

use std::rc::Rc;
use std::time::{Duration, Instant};

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::secp256k1::PublicKey;
use ln_db::{DbError, ForwardRow, ForwardStatus, HtlcDirection, HtlcRow, Txn};
use ln_onion::{FailureCode, FailureMessage, ForwardTo, SharedSecret, wrap_failure_packet};
use ln_types::{
    ChannelId, ChannelState, CltvExpiry, FeatureBit, HtlcId, Msat, PaymentPreimage, ShortChannelId,
};

use super::incoming::failure_packet;
use super::terms::{Refusal, Terms};
use crate::channels::{Channel, NewHtlc, offer_htlc, resolve_htlc};
use crate::clock;
use crate::node::Node;

/// How an HTLC is to go on.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) to: ForwardTo,
    pub(super) amount: Msat,
    pub(super) cltv_expiry: CltvExpiry,
    pub(super) path_key: Option<PublicKey>,
    pub(super) onion: Vec<u8>,
    /// The channel that a plugin chose in place of the sender.
    pub(super) instead: Option<ChannelId>,
    /// Records that a plugin wants beside the onion.
    pub(super) extra_tlvs: Vec<u8>,
}

/// A forward that is about to be begun.
pub(super) fn new_row(node: &Node, htlc: &HtlcRow, next: &Next, received: Duration) -> ForwardRow {
    let by = node.channels.get(htlc.channel);
    let named = |channel: Rc<Channel>| channel.row().scid_or_alias();
    ForwardRow {
        created_index: 0,
        updated_index: None,
        channel: htlc.channel,
        in_channel: by.map_or(ShortChannelId::from_u64(0), named),
        in_htlc: htlc.id,
        in_amount: htlc.amount,
        out_channel: match next.to {
            ForwardTo::Channel(scid) => Some(scid),
            ForwardTo::Node(_) => None,
        },
        out_htlc: None,
        out_amount: None,
        payment_hash: htlc.payment_hash,
        status: ForwardStatus::Offered,
        received_time: nanoseconds(received),
        resolved_time: None,
        failcode: None,
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Hands an HTLC on to the next peer, or says why not. It is ours to resolve until the one offered for it is durable, from then on
/// [`ForwardEnd`] does.
pub(super) async fn forward(
    node: &Rc<Node>,
    htlc: &HtlcRow,
    next: Next,
    row: &ForwardRow,
) -> Result<(), FailureMessage> {
    // Once the channel it came by is on its way to the chain, not all that it brings can be had any more.
    let came_by = node.channels.get(htlc.channel);
    if !came_by.is_some_and(|channel| brings(channel.row().state)) {
        return Err(FailureMessage::TemporaryNodeFailure {});
    }
    let asked = asked_channel(node, &next).ok_or(FailureMessage::UnknownNextPeer {})?;
    let candidates = candidates(node, &asked);
    if candidates.is_empty() {
        return Err(FailureMessage::UnknownNextPeer {});
    }
    let terms = Terms::of(&asked.row(), node.config.cltv_delta);
    let incoming = (htlc.amount, htlc.cltv_expiry);
    let outgoing = (next.amount, next.cltv_expiry);
    let check = |terms: Terms| terms.check(incoming, outgoing, node.chain.height());
    // Who has not heard of new terms yet pays by the old ones.
    let checked = check(terms).or_else(|refusal| {
        let old = asked.old_terms(Instant::now());
        old.map_or(Err(refusal), |old| check(old).map_err(|_| refusal))
    });
    checked.map_err(|refusal| told(refusal, htlc, &next, &asked))?;
    let key = (htlc.channel, htlc.id);
    // Before it is offered: from then on the HTLC is never decided a second time.
    node.payments.forwarded.borrow_mut().insert(key);
    for channel in candidates {
        let out_channel = channel.row().scid_or_alias();
        let offer = NewHtlc {
            amount: next.amount,
            cltv_expiry: next.cltv_expiry,
            payment_hash: htlc.payment_hash,
            onion: next.onion.clone(),
            path_key: next.path_key,
            extra_tlvs: next.extra_tlvs.clone(),
            payment: None,
            forward: Some(ForwardRow {
                out_channel: Some(out_channel),
                out_amount: Some(next.amount),
                ..row.clone()
            }),
        };
        match offer_htlc(node, &channel, offer).await {
            Ok(_) => return Ok(()),
            // It may be durable all the same, if nobody was there any more to say so: the next start knows.
            Err(_) if node.stop.borrow().is_some() => return Ok(()),
            // Not offered, so that another channel may be.
            Err(error) => {
                let text = format!("can't forward an HTLC of {}: {error}", next.amount);
                node.log.debug(&channel.origin(), text);
            }
        }
    }
    node.payments.forwarded.borrow_mut().remove(&key);
    Err(FailureMessage::TemporaryChannelFailure {
        channel_update: asked.published.borrow().clone(),
    })
}

/// The channel that the onion names, or the plugin that chose another.
fn asked_channel(node: &Node, next: &Next) -> Option<Rc<Channel>> {
    match (next.instead, &next.to) {
        (Some(id), _) => node.channels.by_channel_id(id),
        (None, ForwardTo::Channel(scid)) => node
            .channels
            .by_scid(*scid)
            .filter(|channel| may_be_named(channel, *scid)),
        (None, ForwardTo::Node(id)) => {
            let mut channels = node.channels.of_peer((*id).into());
            channels.find(|channel| is_usable(channel))
        }
    }
}

/// Whether what a channel in this state brings can be passed on.
fn brings(state: ChannelState) -> bool {
    matches!(
        state,
        ChannelState::ChanneldNormal | ChannelState::ChanneldShuttingDown
    )
}

fn is_usable(channel: &Channel) -> bool {
    channel.row().state == ChannelState::ChanneldNormal
}

/// Whether a channel can be reached by this name.
// BOLT 2 §The `open_channel` Message: with `option_scid_alias` in the channel's type the real short id is nobody's to use.
fn may_be_named(channel: &Channel, scid: ShortChannelId) -> bool {
    let row = channel.row();
    row.alias_local == scid || !row.channel_type.supports(FeatureBit::ScidAlias)
}

/// The usable channels it may take: the one asked for, then others with the same peer.
// BOLT 4 §Non-strict Forwarding
fn candidates(node: &Node, asked: &Rc<Channel>) -> Vec<Rc<Channel>> {
    let is_strict = node.config.dev.strict_forwarding;
    let others = node
        .channels
        .of_peer(asked.peer)
        .filter(|channel| channel.dbid != asked.dbid && !is_strict);
    let all = std::iter::once(Rc::clone(asked)).chain(others);
    all.filter(|channel| is_usable(channel)).collect()
}

/// What the sender is told.
fn told(refusal: Refusal, htlc: &HtlcRow, next: &Next, channel: &Channel) -> FailureMessage {
    let channel_update = channel.published.borrow().clone();
    match refusal {
        Refusal::BelowMinimum => FailureMessage::AmountBelowMinimum {
            htlc_msat: next.amount,
            channel_update,
        },
        Refusal::AboveMaximum => FailureMessage::TemporaryChannelFailure { channel_update },
        Refusal::Fee => FailureMessage::FeeInsufficient {
            htlc_msat: htlc.amount,
            channel_update,
        },
        Refusal::Delta => FailureMessage::IncorrectCltvExpiry {
            cltv_expiry: next.cltv_expiry,
            channel_update,
        },
        Refusal::TooSoon => FailureMessage::ExpiryTooSoon { channel_update },
        Refusal::TooFar => FailureMessage::ExpiryTooFar {},
    }
}

/// What an HTLC that came in comes to, since the one that we offered for it has ended. Kept in the same transaction as that: an HTLC that went
/// out can't be gone while the one it was for is still open, and be handed on again.
#[derive(Debug, Clone)]
pub(crate) struct ForwardEnd {
    channel: u64,
    id: HtlcId,
    /// The preimage, or a failure for its sender.
    outcome: Result<PaymentPreimage, Vec<u8>>,
}

impl ForwardEnd {
    /// The peer that we offered it to has the preimage, and so do we.
    pub(crate) fn paid(node: &Node, offered: &HtlcRow, preimage: PaymentPreimage) -> Option<Self> {
        let htlc = waiting(node, offered)?;
        Some(Self {
            channel: htlc.channel,
            id: htlc.id,
            outcome: Ok(preimage),
        })
    }

    /// The peer failed it: with a reason for its sender, or with the code of what is wrong with the onion.
    pub(crate) fn failed(
        node: &Node,
        offered: &HtlcRow,
        failure: &Result<Vec<u8>, ([u8; 32], u16)>,
    ) -> Option<Self> {
        let htlc = waiting(node, offered)?;
        let mut reason = match failure {
            Ok(reason) => reason.clone(),
            Err((_, code)) => {
                // BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`: in place of the
                // last goes a failure of ours, with the hash of what we sent.
                let mut message = code.to_be_bytes().to_vec();
                if FailureCode(*code).has(FailureCode::BADONION) {
                    message.extend(sha256::Hash::hash(&offered.onion).to_byte_array());
                }
                failure_packet(node, &htlc, &message)
            }
        };
        let secret = SharedSecret(htlc.shared_secret.unwrap_or_default());
        wrap_failure_packet(&secret, &mut reason);
        Some(Self {
            channel: htlc.channel,
            id: htlc.id,
            outcome: Err(reason),
        })
    }

    /// It came back on chain, or will come too late.
    pub(crate) fn lost(node: &Node, offered: &HtlcRow) -> Option<Self> {
        let code = FailureMessage::PermanentChannelFailure {}.code().0;
        Self::failed(node, offered, &Err(([0; 32], code)))
    }

    /// Keeps it, and returns how the forward stands.
    pub(crate) fn keep(&self, txn: &mut Txn<'_>) -> Result<Option<ForwardRow>, DbError> {
        let status = match &self.outcome {
            Ok(preimage) => {
                txn.set_htlc_preimage(self.channel, HtlcDirection::Incoming, self.id, preimage)?;
                ForwardStatus::Settled
            }
            Err(reason) => {
                let failure = Ok(reason.clone());
                txn.set_htlc_failure(self.channel, HtlcDirection::Incoming, self.id, &failure)?;
                ForwardStatus::Failed
            }
        };
        let time = nanoseconds(clock::since_epoch());
        txn.end_forward(self.channel, self.id, status, time)
    }

    /// Tells the peer it came from, and plugins how the forward stands. It is durable.
    pub(crate) fn tell(self, node: &Node, row: Option<ForwardRow>) {
        let key = (self.channel, self.id);
        let preimage = self.outcome.as_ref().ok().copied();
        if let Some(channel) = node.channels.get(self.channel)
            && open(node, key).is_some()
        {
            resolve_htlc(&channel, self.id, |htlc| match self.outcome {
                Ok(preimage) => htlc.preimage = Some(preimage),
                Err(reason) => htlc.failure = Some(reason),
            });
        }
        node.payments.forwarded.borrow_mut().remove(&key);
        if let Some(row) = row {
            tell_forward(node, row, preimage);
        }
    }
}

/// How a forward stands now: those who wait are told, and plugins.
pub(crate) fn tell_forward(node: &Node, row: ForwardRow, preimage: Option<PaymentPreimage>) {
    if row.status == ForwardStatus::Settled {
        let fees = node.payments.fees_collected.get();
        let fee = row.fee().unwrap_or(Msat::ZERO);
        node.payments.fees_collected.set(fees.saturating_add(fee));
    }
    node.rpc.index_changed();
    node.plugins.tell_forward(row, preimage);
}

/// The HTLC that came in and waits for the outcome of one we offered.
fn waiting(node: &Node, offered: &HtlcRow) -> Option<HtlcRow> {
    open(node, offered.origin?)
}

/// An HTLC that came in and is not resolved yet.
fn open(node: &Node, (channel, id): (u64, HtlcId)) -> Option<HtlcRow> {
    let channel = node.channels.get(channel)?;
    let htlcs = channel.htlcs.borrow();
    let htlc = htlcs.get(&(HtlcDirection::Incoming, id))?;
    htlc.is_open().then(|| htlc.clone())
}

/// After a start: the HTLCs that were handed on in a run before and whose outcome is open, and what was earned by then.
pub(crate) fn load_forwarded(node: &Node, fees: Msat) {
    node.payments.fees_collected.set(fees);
    let channels = node.channels.all();
    let mut forwarded = node.payments.forwarded.borrow_mut();
    for channel in channels {
        let htlcs = channel.htlcs.borrow();
        forwarded.extend(htlcs.values().filter_map(|htlc| htlc.origin));
    }
}

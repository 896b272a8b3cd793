//! What the failure of a part teaches about the network.

use ln_db::PaymentFailure;
use ln_gossip::verify::{self, Announcement};
use ln_onion::{FailureCode, FailureMessage};
use ln_route::{Hop, Knowledge, Route, Terms};
use ln_wire::ChannelUpdate;

/// temporary_channel_failure
const NO_ROOM: FailureCode = FailureCode(0x1007);

/// Notes what a failure of a part that took `route` says about it; the part is still counted there. Returns whether another way may do better.
pub(super) fn learn(known: &mut Knowledge, route: &Route, failure: &PaymentFailure) -> bool {
    let others = route.beyond_the_first();
    let Some(code) = failure.code.map(FailureCode) else {
        // Nobody knows who spoiled the answer: each of these may have.
        for hop in others {
            known.refused(hop.channel);
        }
        return !others.is_empty();
    };
    // 0 is us, 1 our peer.
    let index = failure.erring_index.unwrap_or(0);
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let Some(blamed) = route.hops.get(index) else {
        return from_the_payee(known, others, code, failure);
    };
    if code.has(FailureCode::BADONION) {
        // The failure names the channel at whose end it can't be read: if that is our peer's, our own.
        let named = |hop: &&Hop| Some(hop.channel.scid) == failure.erring_channel;
        let channel = route.hops.iter().find(named).unwrap_or(blamed).channel;
        known.avoid_channel(channel);
        return true;
    }
    // BOLT 4 §Failure Messages: with NODE, all channels of the node that reports it are concerned.
    if code.has(FailureCode::NODE) {
        let Some(reporter) = reporter(route, index) else {
            return false;
        };
        known.avoid_node(reporter.node);
        return true;
    }
    if code == NO_ROOM && index == 0 {
        // What our own channel has room for it says itself, each time anew.
        return false;
    }
    if code == NO_ROOM {
        known.refused(blamed.channel);
        note_update(known, route, index, failure);
        return true;
    }
    let has_new_terms = code.has(FailureCode::UPDATE) && note_update(known, route, index, failure);
    if !has_new_terms {
        known.avoid_channel(blamed.channel);
    }
    true
}

/// The step to the node that is so many hops away.
fn reporter(route: &Route, index: usize) -> Option<&Hop> {
    route.hops.get(index.checked_sub(1)?)
}

/// The payee failed it. If what it complains of was done by the node before, another way helps.
fn from_the_payee(
    known: &mut Knowledge,
    others: &[Hop],
    code: FailureCode,
    failure: &PaymentFailure,
) -> bool {
    let is_of_the_way = matches!(code.0, 18 | 19) || code.has(FailureCode::BADONION);
    if let (false, true, Some(last)) = (failure.destination_permanent, is_of_the_way, others.last())
    {
        known.avoid_channel(last.channel);
        return true;
    }
    false
}

/// Takes the `channel_update` in a failure for this payment, if the node that owns the channel signed it. Returns whether that is news.
// BOLT 4 §Receiving Failure Codes: it may be used for the payment, and is not to be shown to anybody.
fn note_update(
    known: &mut Knowledge,
    route: &Route,
    index: usize,
    failure: &PaymentFailure,
) -> bool {
    let update = failure.message.as_deref().and_then(read_update);
    let (Some(update), Some(hop)) = (update, route.hops.get(index)) else {
        return false;
    };
    let Some(reporter) = reporter(route, index).and_then(|hop| hop.node.to_node_id()) else {
        return false;
    };
    let is_of_hop =
        update.short_channel_id == hop.channel.scid && update.direction() == hop.channel.direction;
    if !is_of_hop || verify::channel_update(&update, reporter).is_err() {
        return false;
    }
    let terms = Terms {
        fee_base_msat: update.fee_base_msat,
        fee_proportional_millionths: update.fee_proportional_millionths,
        cltv_expiry_delta: update.cltv_expiry_delta,
        htlc_minimum: update.htlc_minimum_msat,
        htlc_maximum: update.htlc_maximum_msat,
        is_enabled: update.channel_flags & ChannelUpdate::DISABLE == 0,
    };
    known.told(hop.channel, terms)
}

fn read_update(message: &[u8]) -> Option<ChannelUpdate> {
    let update = FailureMessage::read(message).ok()?.channel_update()?;
    match Announcement::read(&update) {
        Ok(Announcement::Update(update)) => Some(update),
        Ok(Announcement::Channel(_) | Announcement::Node(_)) | Err(_) => None,
    }
}

#[cfg(test)]
#[path = "learn_tests.rs"]
mod tests;

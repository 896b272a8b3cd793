//! HTLCs that run out of time while the channel is alive: the peer gets one more chance, then the chain decides.

use std::rc::Rc;

use ln_db::{HtlcDirection, HtlcRow};
use ln_types::{BlockHeight, ChannelState, CltvDelta, Side};

use crate::channels::closing::fail_channel;
use crate::channels::{Channel, CloseCause};
use crate::node::Node;

/// How many blocks before the deadline of an HTLC we fulfilled the peer is hung up on, so that it hears of it anew.
const NUDGE_BLOCKS: u32 = 3;

/// What is to be done about an HTLC at some height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Nothing.
    Wait,
    /// Connect again: a message may be lost, or the peer stuck.
    Nudge,
    /// Take the channel to the chain.
    Fail,
}

/// Judges one HTLC that is in a commitment.
// BOLT 2 §`cltv_expiry_delta` Selection: an offered HTLC has its deadline after its expiry, one we fulfilled well before.
fn judge(htlc: &HtlcRow, height: BlockHeight, delta: CltvDelta) -> Verdict {
    let expiry = htlc.cltv_expiry.0;
    let (nudge, fail) = match (htlc.direction, htlc.preimage.is_some()) {
        // The peer can't time it out without us, and its offerer still may: nobody's money is in danger.
        (HtlcDirection::Incoming, false) => return Verdict::Wait,
        (HtlcDirection::Incoming, true) => {
            let deadline = expiry.saturating_sub(u32::from(delta.0).div_ceil(2));
            (deadline.saturating_sub(NUDGE_BLOCKS), deadline)
        }
        (HtlcDirection::Outgoing, false) => (expiry, expiry.saturating_add(1)),
        // Paid: upstream has the preimage, and what is missing is only the peer's next signature.
        (HtlcDirection::Outgoing, true) => (
            expiry,
            expiry.saturating_add(1).saturating_add(u32::from(delta.0)),
        ),
    };
    if height.0 >= fail {
        Verdict::Fail
    } else if height.0 >= nudge {
        Verdict::Nudge
    } else {
        Verdict::Wait
    }
}

/// Looks at the HTLCs of a live channel at a new height.
pub(super) fn check(node: &Rc<Node>, channel: &Rc<Channel>, height: BlockHeight) {
    let state = channel.row().state;
    if !state.wants_peer() || state == ChannelState::ChanneldAwaitingLockin {
        return;
    }
    let delta = node.config.cltv_delta;
    let worst = {
        let htlcs = channel.htlcs.borrow();
        let judged = htlcs
            .values()
            .map(|htlc| (judge(htlc, height, delta), htlc));
        judged
            .max_by_key(|(verdict, htlc)| (*verdict, std::cmp::Reverse(htlc.cltv_expiry)))
            .map(|(verdict, htlc)| (verdict, htlc.clone()))
    };
    match worst {
        None | Some((Verdict::Wait, _)) => {}
        Some((Verdict::Nudge, htlc)) => nudge(node, channel, &htlc),
        Some((Verdict::Fail, htlc)) => {
            let text = describe(channel, &htlc);
            fail_channel(node, channel, CloseCause::Protocol, &text, true);
        }
    }
}

/// Hangs up, once for each HTLC: what is in the way of its removal is sent again on the new connection.
fn nudge(node: &Rc<Node>, channel: &Rc<Channel>, htlc: &HtlcRow) {
    let first = channel
        .ending
        .nudged
        .borrow_mut()
        .insert((htlc.direction, htlc.id));
    if first && node.peers.is_connected(channel.peer) {
        let text = format!(
            "{} is close to its deadline: connecting again",
            describe(channel, htlc)
        );
        node.log.unusual(&channel.origin(), text);
        node.peers.disconnect(node, channel.peer);
    }
}

fn describe(channel: &Channel, htlc: &HtlcRow) -> String {
    let (kind, offerer) = match htlc.direction {
        HtlcDirection::Outgoing => ("Offered", Side::Local),
        HtlcDirection::Incoming => ("Fulfilled", Side::Remote),
    };
    let machine = channel.machine().ok();
    let state = machine
        .as_ref()
        .and_then(|machine| machine.commitments.htlcs.get(offerer, htlc.id))
        .map_or("UNKNOWN", |htlc| htlc.state.name());
    format!(
        "{kind} HTLC {} {state} cltv {} hit deadline",
        htlc.id, htlc.cltv_expiry
    )
}

#[cfg(test)]
mod tests {
    use ln_types::{CltvExpiry, HtlcId, Msat, PaymentHash, PaymentPreimage};

    use super::*;

    fn htlc(direction: HtlcDirection, fulfilled: bool) -> HtlcRow {
        HtlcRow {
            channel: 1,
            direction,
            id: HtlcId(0),
            amount: Msat::from_msat(1),
            cltv_expiry: CltvExpiry(100),
            payment_hash: PaymentHash([1; 32]),
            onion: Vec::new(),
            path_key: None,
            extra_tlvs: Vec::new(),
            shared_secret: None,
            preimage: fulfilled.then_some(PaymentPreimage([2; 32])),
            failure: None,
            malformed: None,
            removed: false,
            payment: None,
            origin: None,
        }
    }

    /// The heights from which it is a nudge, and from which the channel fails.
    fn thresholds(htlc: &HtlcRow) -> (Option<u32>, Option<u32>) {
        let first = |wanted| {
            (0..200).find(|height| judge(htlc, BlockHeight(*height), CltvDelta(6)) == wanted)
        };
        (first(Verdict::Nudge), first(Verdict::Fail))
    }

    #[test]
    fn each_kind_of_htlc_has_its_own_deadline() {
        use HtlcDirection::{Incoming, Outgoing};
        assert_eq!(thresholds(&htlc(Outgoing, false)), (Some(100), Some(101)));
        assert_eq!(thresholds(&htlc(Outgoing, true)), (Some(100), Some(107)));
        assert_eq!(thresholds(&htlc(Incoming, true)), (Some(94), Some(97)));
        assert_eq!(thresholds(&htlc(Incoming, false)), (None, None));
    }
}

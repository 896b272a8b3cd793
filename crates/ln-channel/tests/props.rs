//! Properties: whatever a peer sends, an error changes nothing; states round-trip; truncated ones are refused.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test"
)]

mod support;

use ln_channel::{ChannelState, Event, Link};
use ln_codec::{Decode, Encode};
use ln_types::{CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat};
use ln_wire::{
    ChannelReady, ChannelReadyTlvs, ChannelReestablish, ChannelReestablishTlvs, CommitmentSigned,
    CommitmentSignedTlvs, OnionPacketBytes, PeerMessage, RevokeAndAck, Shutdown, ShutdownTlvs,
    UpdateAddHtlc, UpdateAddHtlcTlvs, UpdateFailHtlc, UpdateFailHtlcTlvs, UpdateFailMalformedHtlc,
    UpdateFee, UpdateFulfillHtlc, UpdateFulfillHtlcTlvs,
};
use proptest::prelude::*;
use support::{Pair, Setup, preimage, script};

/// A message of the peer's, of any kind, with numbers that are often nearly right.
fn message(pair: &Pair, kind: u8, small: u64, large: u64) -> PeerMessage {
    let state = pair.nodes[0].state();
    let channel_id = state.params.channel_id;
    let signature = state.commitments.local_signatures.commitment;
    match kind % 11 {
        0 | 1 => UpdateAddHtlc {
            channel_id,
            id: HtlcId(state.commitments.next_htlc_id.remote.0 + small / 4),
            amount_msat: Msat::from_msat(large),
            payment_hash: preimage(small).hash(),
            cltv_expiry: CltvExpiry(large as u32),
            onion_routing_packet: OnionPacketBytes(Box::new([small as u8; 1366])),
            tlvs: UpdateAddHtlcTlvs::default(),
        }
        .into(),
        2 => UpdateFulfillHtlc {
            channel_id,
            id: HtlcId(small),
            payment_preimage: preimage(large % 4),
            tlvs: UpdateFulfillHtlcTlvs::default(),
        }
        .into(),
        3 => UpdateFailHtlc {
            channel_id,
            id: HtlcId(small),
            reason: vec![0; (large % 70_000).min(60_000) as usize],
            tlvs: UpdateFailHtlcTlvs::default(),
        }
        .into(),
        4 => UpdateFailMalformedHtlc {
            channel_id,
            id: HtlcId(small),
            sha256_of_onion: [0; 32],
            failure_code: large as u16,
        }
        .into(),
        5 => UpdateFee {
            channel_id,
            feerate_per_kw: Feerate::from_perkw(large as u32),
        }
        .into(),
        6 => CommitmentSigned {
            channel_id,
            signature,
            htlc_signature: vec![signature; small as usize],
            tlvs: CommitmentSignedTlvs::default(),
        }
        .into(),
        _ => other_message(pair, kind, small, large),
    }
}

/// The kinds that are not about one HTLC or a commitment of ours.
fn other_message(pair: &Pair, kind: u8, small: u64, large: u64) -> PeerMessage {
    let state = pair.nodes[0].state();
    let channel_id = state.params.channel_id;
    let point = state.commitments.remote_point;
    match kind % 11 {
        7 => RevokeAndAck {
            channel_id,
            per_commitment_secret: [small as u8; 32],
            next_per_commitment_point: point,
        }
        .into(),
        8 => ChannelReestablish {
            channel_id,
            next_commitment_number: CommitmentNumber(small),
            next_revocation_number: CommitmentNumber(large % 5),
            your_last_per_commitment_secret: [0; 32],
            my_current_per_commitment_point: point,
            tlvs: ChannelReestablishTlvs::default(),
        }
        .into(),
        9 => Shutdown {
            channel_id,
            scriptpubkey: script(small as u8),
            tlvs: ShutdownTlvs::default(),
        }
        .into(),
        _ => ChannelReady {
            channel_id,
            second_per_commitment_point: point,
            tlvs: ChannelReadyTlvs::default(),
        }
        .into(),
    }
}

/// A channel in one of several situations.
fn situation(which: u8) -> Pair {
    let mut pair = match which % 4 {
        0 => Pair::opened(&Setup::default()),
        _ => Pair::normal(),
    };
    if which % 4 > 1 {
        for number in 0..3 {
            pair.offer(0, 10_000_000, number).unwrap();
            pair.offer(1, 20_000_000, number).unwrap();
        }
        for _ in 0..which / 4 {
            pair.deliver(0);
            pair.deliver(1);
        }
    }
    if which % 4 == 3 {
        pair.disconnect();
        pair.reconnect();
    }
    pair
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn err_changes_nothing(
        which in any::<u8>(),
        messages in prop::collection::vec((any::<u8>(), 0_u64..8, any::<u64>()), 1..30),
    ) {
        // Pair::step asserts that an error leaves the state as it was.
        let mut pair = situation(which);
        for (kind, small, large) in messages {
            let large = if large % 3 == 0 { large } else { large % 300_000_000 };
            let message = message(&pair, kind, small, large);
            let _ = pair.step(0, Event::Message(Box::new(message)));
            pair.wires[1].clear();
            let state = pair.nodes[0].state();
            prop_assert_eq!(&ChannelState::from_bytes(&state.to_bytes()).unwrap(), state);
        }
    }

    #[test]
    fn a_truncated_state_is_refused(which in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let pair = situation(which);
        let bytes = pair.nodes[0].state().to_bytes();
        let cut = cut.index(bytes.len());
        prop_assert!(ChannelState::from_bytes(&bytes[..cut]).is_err());
    }

    #[test]
    fn a_damaged_state_never_panics(which in any::<u8>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let pair = situation(which);
        let mut bytes = pair.nodes[0].state().to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(state) = ChannelState::from_bytes(&bytes) {
            let _ = state.spendable(true);
            let _ = state.receivable(false);
            let channel = ln_channel::Channel::new(state, None);
            prop_assert_eq!(channel.link(), Link::Offline);
        }
    }
}

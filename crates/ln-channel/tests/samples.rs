//! States we once wrote are read for ever.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test"
)]

mod support;

use bitcoin::hex::{DisplayHex, FromHex};
use ln_channel::{ChannelState, HtlcState};
use ln_codec::{Decode, Encode};
use ln_types::{Msat, Side};
use support::Pair;

/// Version 1: a channel with an HTLC of ours just offered, one settled, one of the peer's being failed, and a feerate on its way.
const IN_FLIGHT_1: &str = include_str!("samples/1/in_flight.hex");

/// The channel of the sample.
fn in_flight() -> ChannelState {
    let mut pair = Pair::normal();
    pair.confirm(6);
    pair.settle();
    pair.offer(0, 10_000_000, 1).unwrap();
    pair.offer(1, 20_000_000, 2).unwrap();
    pair.settle();
    pair.fail(0, 0);
    pair.offer(0, 30_000_000, 3).unwrap();
    pair.nodes[0].feerates.desired = ln_types::Feerate::from_perkw(2000);
    pair.step(0, ln_channel::Event::Feerates).unwrap();
    pair.nodes[0].state().clone()
}

#[test]
fn version_1_is_read() {
    let bytes = Vec::from_hex(IN_FLIGHT_1.trim()).unwrap();
    let state = ChannelState::from_bytes(&bytes).unwrap();
    assert_eq!(state.to_us(), Msat::from_msat(600_000_000));
    let states: Vec<HtlcState> = state.htlcs().map(|htlc| htlc.state).collect();
    assert_eq!(
        states,
        [
            HtlcState::SentAddAckRevocation,
            HtlcState::SentAddHtlc,
            HtlcState::SentRemoveCommit
        ]
    );
    assert_eq!(state.commitments.htlcs.offered_by(Side::Local).len(), 2);
    assert!(state.remote_announcement.is_some());
}

/// Version 1, with records beside the onion of an HTLC that waits for the peer's revocation.
const WITH_TLVS_1: &str = include_str!("samples/1/with_tlvs.hex");

#[test]
fn records_beside_an_onion_are_read() {
    let written = with_tlvs().to_bytes().to_lower_hex_string();
    assert_eq!(written, WITH_TLVS_1.trim());
    let bytes = Vec::from_hex(WITH_TLVS_1.trim()).unwrap();
    let state = ChannelState::from_bytes(&bytes).unwrap();
    let records: Vec<&[u8]> = state.htlcs().map(|htlc| &*htlc.extra_tlvs).collect();
    assert_eq!(records, [&[][..], &[0xfe, 0, 1, 0, 1, 2, 0xab, 0xcd]]);
}

/// The channel of that sample.
fn with_tlvs() -> ChannelState {
    let mut pair = Pair::normal();
    pair.settle();
    pair.offer(0, 10_000_000, 1).unwrap();
    let mut offer = pair.make_offer(0, 20_000_000, 2);
    offer.extra_tlvs = vec![0xfe, 0, 1, 0, 1, 2, 0xab, 0xcd];
    pair.step(0, ln_channel::Event::OfferHtlc(offer)).unwrap();
    pair.nodes[0].state().clone()
}

/// Fails when the encoding changes: then it needs a new version, and the old one is still to be read.
#[test]
fn version_1_is_what_we_write() {
    let bytes = in_flight().to_bytes();
    assert_eq!(bytes.to_lower_hex_string(), IN_FLIGHT_1.trim());
}

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

/// Fails when the encoding changes: then it needs a new version, and the old one is still to be read.
#[test]
fn version_1_is_what_we_write() {
    let bytes = in_flight().to_bytes();
    assert_eq!(bytes.to_lower_hex_string(), IN_FLIGHT_1.trim());
}

//! One channel as `listpeerchannels` shows it.

use bitcoin::ScriptBuf;
use ln_channel::{ChannelState as Machine, Htlc};
use ln_codec::Decode as _;
use ln_db::{ChannelRow, StateChangeRow};
use ln_rpc::RpcError;
use ln_rpc::methods::channels::listpeerchannels::{
    ChannelFeerate, ChannelFunding, ChannelHtlc, ChannelPolicy, ChannelUpdates, PeerChannel,
    StateChange,
};
use ln_rpc::methods::channels::types::{ChannelState, HtlcDirection, HtlcState};
use ln_rpc::params::{Flag, Hex};
use ln_types::{FeatureBit, Msat, Sat, Side};
use ln_wire::PeerMessage;
use time::OffsetDateTime;
use time::macros::format_description;

use super::terms::may_be_large;
use super::types::{aliases, cause, channel_type, state_of};
use crate::channels::{Channel, OpeningSummary};
use crate::node::Node;
use crate::rpc::internal;
use crate::rpc::wallet::address_of;

/// A channel that is being opened. Its id is not known yet.
pub(super) fn opening(node: &Node, opening: &OpeningSummary) -> PeerChannel {
    let total = opening.funding.to_msat_saturating();
    let kind = opening.channel_type.as_ref();
    PeerChannel {
        channel_type: kind.map(channel_type),
        owner: Some("openingd".to_owned()),
        features: kind.map(features).unwrap_or_default(),
        to_us_msat: Some(total.saturating_sub(opening.push)),
        total_msat: Some(total),
        ..empty(node, opening.peer, ChannelState::Openingd, Side::Local)
    }
}

/// A channel; nothing for one that is over.
pub(super) fn peer_channel(
    node: &Node,
    channel: &Channel,
) -> Result<Option<PeerChannel>, RpcError> {
    let machine = channel.machine().map_err(internal)?;
    let row = channel.row();
    let Some(state) = state_of(row.state) else {
        return Ok(None);
    };
    let connected = node.peers.is_connected(row.peer);
    let wumbo = may_be_large(node, row.peer);
    let feerate = machine.feerate();
    let owner = channel
        .owner
        .borrow()
        .as_ref()
        .map(|owner| owner.name().to_owned());
    let mut shown = PeerChannel {
        reestablished: connected.then(|| channel.reestablished.get()),
        channel_type: Some(channel_type(&row.channel_type)),
        updates: Some(updates(node, &row)),
        ignore_fee_limits: row.ignore_fee_limits.then_some(true),
        lost_state: Some(machine.lost_state),
        feerate: Some(ChannelFeerate {
            perkw: feerate.as_perkw(),
            perkb: feerate.as_perkb(),
        }),
        owner,
        direction: Some(u32::from(node.id() > row.peer)),
        spendable_msat: Some(machine.spendable(wumbo)),
        receivable_msat: Some(machine.receivable(wumbo)),
        state_changes: Some(
            channel
                .changes
                .borrow()
                .iter()
                .filter_map(state_change)
                .collect(),
        ),
        status: Some(status(channel, &row)),
        htlcs: Some(
            machine
                .htlcs()
                .map(|htlc| shown_htlc(&machine, htlc))
                .collect(),
        ),
        ..empty(node, row.peer, state, row.opener)
    };
    add_row(&mut shown, node, &row);
    add_params(&mut shown, &machine);
    Ok(Some(shown))
}

/// A channel of which nothing is known but who and whose.
fn empty(node: &Node, peer_id: ln_types::NodeId, state: ChannelState, opener: Side) -> PeerChannel {
    PeerChannel {
        peer_id,
        peer_connected: node.peers.is_connected(peer_id),
        reestablished: None,
        state,
        scratch_txid: None,
        channel_type: None,
        updates: None,
        ignore_fee_limits: None,
        lost_state: None,
        feerate: None,
        owner: None,
        short_channel_id: None,
        direction: None,
        channel_id: None,
        funding_txid: None,
        funding_outnum: None,
        initial_feerate: None,
        last_feerate: None,
        next_feerate: None,
        next_fee_step: None,
        inflight: None,
        close_to: None,
        private: None,
        opener,
        closer: None,
        features: Vec::new(),
        funding: None,
        to_us_msat: None,
        min_to_us_msat: None,
        max_to_us_msat: None,
        total_msat: None,
        fee_base_msat: None,
        fee_proportional_millionths: None,
        dust_limit_msat: None,
        their_max_htlc_value_in_flight_msat: None,
        our_max_htlc_value_in_flight_msat: None,
        their_reserve_msat: None,
        our_reserve_msat: None,
        spendable_msat: None,
        receivable_msat: None,
        minimum_htlc_in_msat: None,
        minimum_htlc_out_msat: None,
        maximum_htlc_out_msat: None,
        their_to_self_delay: None,
        our_to_self_delay: None,
        max_accepted_htlcs: None,
        alias: None,
        state_changes: None,
        status: None,
        in_payments_offered: None,
        in_offered_msat: None,
        in_payments_fulfilled: None,
        in_fulfilled_msat: None,
        out_payments_offered: None,
        out_offered_msat: None,
        out_payments_fulfilled: None,
        out_fulfilled_msat: None,
        last_stable_connection: None,
        htlcs: None,
        close_to_addr: None,
        last_tx_fee_msat: None,
    }
}

/// What the database keeps of it.
fn add_row(shown: &mut PeerChannel, node: &Node, row: &ChannelRow) {
    let close_to: Option<&ScriptBuf> = row.shutdown_local.as_ref().or(row.close_to.as_ref());
    let funds = |side| {
        if row.opener == side {
            row.capacity
        } else {
            Sat::ZERO
        }
    };
    shown.short_channel_id = row.scid;
    shown.channel_id = Some(row.channel_id);
    shown.funding_txid = Some(row.funding.txid);
    shown.funding_outnum = Some(row.funding.vout);
    shown.close_to = close_to.map(|script| Hex(script.to_bytes()));
    shown.close_to_addr = close_to.and_then(|script| address_of(node.config.network, script));
    shown.private = Some(!row.public);
    shown.closer = row.closer;
    shown.features = features(&row.channel_type);
    shown.funding = Some(ChannelFunding {
        pushed_msat: Some(row.pushed),
        local_funds_msat: funds(Side::Local).to_msat_saturating(),
        remote_funds_msat: funds(Side::Remote).to_msat_saturating(),
        fee_paid_msat: None,
        fee_rcvd_msat: None,
        psbt: None,
        withheld: Some(false),
    });
    shown.min_to_us_msat = Some(row.to_us_min);
    shown.max_to_us_msat = Some(row.to_us_max);
    shown.fee_base_msat = Some(row.fee_base);
    shown.fee_proportional_millionths = Some(row.fee_ppm);
    shown.minimum_htlc_out_msat = Some(row.htlc_minimum);
    shown.maximum_htlc_out_msat = Some(row.htlc_maximum);
    shown.alias = Some(aliases(row));
    shown.last_stable_connection = row.last_stable_connection;
    shown.in_payments_offered = Some(row.in_payments_offered);
    shown.in_offered_msat = Some(row.in_offered);
    shown.in_payments_fulfilled = Some(row.in_payments_fulfilled);
    shown.in_fulfilled_msat = Some(row.in_fulfilled);
    shown.out_payments_offered = Some(row.out_payments_offered);
    shown.out_offered_msat = Some(row.out_offered);
    shown.out_payments_fulfilled = Some(row.out_payments_fulfilled);
    shown.out_fulfilled_msat = Some(row.out_fulfilled);
}

/// What was agreed on at opening. What a side sets for the other counts under the other's name.
fn add_params(shown: &mut PeerChannel, machine: &Machine) {
    let (ours, theirs) = (&machine.params.sides.local, &machine.params.sides.remote);
    shown.to_us_msat = Some(machine.to_us());
    shown.total_msat = Some(machine.total());
    shown.dust_limit_msat = Some(ours.dust_limit.to_msat_saturating());
    shown.their_max_htlc_value_in_flight_msat = Some(theirs.max_htlc_value_in_flight);
    shown.our_max_htlc_value_in_flight_msat = Some(ours.max_htlc_value_in_flight);
    shown.their_reserve_msat = Some(ours.channel_reserve.to_msat_saturating());
    shown.our_reserve_msat = Some(theirs.channel_reserve.to_msat_saturating());
    shown.minimum_htlc_in_msat = Some(ours.htlc_minimum);
    shown.their_to_self_delay = Some(ours.to_self_delay.into());
    shown.our_to_self_delay = Some(theirs.to_self_delay.into());
    shown.max_accepted_htlcs = Some(ours.max_accepted_htlcs.into());
}

/// The features of a channel type by name, in the order of the table of features.
fn features(kind: &ln_types::Features) -> Vec<String> {
    kind.bits()
        .filter_map(|bit| Some(FeatureBit::of(bit)?.name().to_owned()))
        .collect()
}

fn updates(node: &Node, row: &ChannelRow) -> ChannelUpdates {
    let remote = row
        .remote_update
        .as_ref()
        .and_then(|update| PeerMessage::from_bytes(update).ok());
    let remote = match remote {
        Some(PeerMessage::ChannelUpdate(update)) => Some(ChannelPolicy {
            htlc_minimum_msat: update.htlc_minimum_msat,
            htlc_maximum_msat: update.htlc_maximum_msat,
            cltv_expiry_delta: update.cltv_expiry_delta.0.into(),
            fee_base_msat: Msat::from_msat(update.fee_base_msat.into()),
            fee_proportional_millionths: update.fee_proportional_millionths,
        }),
        _ => None,
    };
    let local = ChannelPolicy {
        htlc_minimum_msat: row.htlc_minimum,
        htlc_maximum_msat: row.htlc_maximum,
        cltv_expiry_delta: node.config.cltv_delta.0.into(),
        fee_base_msat: row.fee_base,
        fee_proportional_millionths: row.fee_ppm,
    };
    ChannelUpdates { local, remote }
}

/// What goes on with it, for people: state and sentence.
fn status(channel: &Channel, row: &ChannelRow) -> Vec<String> {
    let sentence = channel.billboard.borrow().borrow().clone();
    sentence
        .map(|text| format!("{}:{text}", row.state))
        .into_iter()
        .collect()
}

fn state_change(change: &StateChangeRow) -> Option<StateChange> {
    let seconds = i64::try_from(change.timestamp).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");
    Some(StateChange {
        timestamp: time.format(&format).ok()?,
        old_state: state_of(change.old)?,
        new_state: state_of(change.new)?,
        cause: cause(&change.cause),
        message: change.message.clone(),
    })
}

fn shown_htlc(machine: &Machine, htlc: &Htlc) -> ChannelHtlc {
    let direction = match htlc.offerer() {
        Side::Local => HtlcDirection::Out,
        Side::Remote => HtlcDirection::In,
    };
    ChannelHtlc {
        direction,
        id: htlc.id,
        amount_msat: htlc.amount,
        expiry: htlc.cltv_expiry,
        payment_hash: htlc.payment_hash,
        local_trimmed: machine.is_locally_trimmed(htlc).then_some(Flag),
        status: None,
        // Both lists of states have the same words.
        state: HtlcState::from_word(htlc.state.name()).unwrap_or(HtlcState::SentAddHtlc),
    }
}

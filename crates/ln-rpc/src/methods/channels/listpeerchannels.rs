//! `listpeerchannels`

use bitcoin::Txid;
use ln_types::{ChannelId, CltvExpiry, HtlcId, Msat, NodeId, PaymentHash, ShortChannelId, Side};

use crate::methods::channels::types::{
    ChannelAliases, ChannelState, ChannelType, HtlcDirection, HtlcState, StateChangeCause,
};
use crate::methods::rpc_method;
use crate::params::{Flag, Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the channels with our peers, open, opening and closing.
    pub struct Listpeerchannels = "listpeerchannels" (ListpeerchannelsParams) -> ListpeerchannelsResponse {
        category: Channels,
        since: "v23.02",
    }
}

rpc_params! {
    /// The parameters of `listpeerchannels`.
    pub struct ListpeerchannelsParams {
        /// Only those with this peer.
        id: Option<NodeId>,
        /// Only this one, by its place in the chain.
        short_channel_id: Option<ShortChannelId>,
        /// Only this one, by its id.
        channel_id: Option<ChannelId>,
    }
}

rpc_object! {
    /// The answer to `listpeerchannels`.
    pub struct ListpeerchannelsResponse {
        /// The channels.
        channels: Vec<PeerChannel>,
    }

    /// One channel.
    pub struct PeerChannel {
        /// The peer.
        peer_id: NodeId,
        /// Whether it is connected.
        peer_connected: bool,
        /// Whether the channel was agreed upon again since we connected.
        reestablished: Option<bool>,
        /// How it stands.
        state: ChannelState,
        /// The transaction with which we would close it now.
        scratch_txid: Option<Txid>,
        /// What kind of channel.
        channel_type: Option<ChannelType>,
        /// What each side asks for forwarding.
        updates: Option<ChannelUpdates>,
        /// Whether the peer may choose feerates that we find unreasonable.
        ignore_fee_limits: Option<bool>,
        /// We have lost data: the peer has to close.
        lost_state: Option<bool>,
        /// The feerate of the commitment transactions.
        feerate: Option<ChannelFeerate>,
        /// The helper process that drives it.
        owner: Option<String>,
        /// Its place in the chain.
        short_channel_id: Option<ShortChannelId>,
        /// Our direction in gossip: 0 if our key is the lesser one, else 1.
        direction: Option<u32>,
        /// Its id.
        channel_id: Option<ChannelId>,
        /// The transaction that funds it.
        funding_txid: Option<Txid>,
        /// The output of that transaction.
        funding_outnum: Option<u32>,
        /// The feerate of the first funding transaction.
        initial_feerate: Option<String>,
        /// The feerate of the last funding transaction.
        last_feerate: Option<String>,
        /// The least feerate of the next one.
        next_feerate: Option<String>,
        /// How often it was raised.
        next_fee_step: Option<u32>,
        /// The funding transactions of which one will be mined.
        inflight: Option<Vec<Inflight>>,
        /// The script our share goes to when closing.
        close_to: Option<Hex>,
        /// Whether it is not announced.
        private: Option<bool>,
        /// Who opened it.
        opener: Side,
        /// Who began to close it.
        closer: Option<Side>,
        /// What makes it differ from the oldest channels.
        features: Vec<String>,
        /// Who put in what.
        funding: Option<ChannelFunding>,
        /// What is ours.
        to_us_msat: Option<Msat>,
        /// The least that was ever ours.
        min_to_us_msat: Option<Msat>,
        /// The most that was ever ours.
        max_to_us_msat: Option<Msat>,
        /// What it holds.
        total_msat: Option<Msat>,
        /// What we take for each payment.
        fee_base_msat: Option<Msat>,
        /// What we take besides, in millionths of the amount.
        fee_proportional_millionths: Option<u32>,
        /// Below which outputs are left out of commitments.
        dust_limit_msat: Option<Msat>,
        /// The most that we may have under way.
        their_max_htlc_value_in_flight_msat: Option<Msat>,
        /// The most that the peer may have under way.
        our_max_htlc_value_in_flight_msat: Option<Msat>,
        /// What the peer must keep.
        their_reserve_msat: Option<Msat>,
        /// What we must keep.
        our_reserve_msat: Option<Msat>,
        /// The most we could send now in one payment.
        spendable_msat: Option<Msat>,
        /// The most we could receive now in one payment.
        receivable_msat: Option<Msat>,
        /// The least we accept.
        minimum_htlc_in_msat: Option<Msat>,
        /// The least we send.
        minimum_htlc_out_msat: Option<Msat>,
        /// The most we send.
        maximum_htlc_out_msat: Option<Msat>,
        /// How many blocks the peer waits for its money if it closes alone.
        their_to_self_delay: Option<u32>,
        /// How many blocks we wait for our money if we close alone.
        our_to_self_delay: Option<u32>,
        /// How many HTLCs may come in at a time.
        max_accepted_htlcs: Option<u32>,
        /// Names that stand for the place in the chain.
        alias: Option<ChannelAliases>,
        /// How it came to stand as it does.
        state_changes: Option<Vec<StateChange>>,
        /// What is going on, for people.
        status: Option<Vec<String>>,
        /// How many payments came in.
        in_payments_offered: Option<u64>,
        /// What they carried.
        in_offered_msat: Option<Msat>,
        /// How many of them succeeded.
        in_payments_fulfilled: Option<u64>,
        /// What those carried.
        in_fulfilled_msat: Option<Msat>,
        /// How many payments went out.
        out_payments_offered: Option<u64>,
        /// What they carried.
        out_offered_msat: Option<Msat>,
        /// How many of them succeeded.
        out_payments_fulfilled: Option<u64>,
        /// What those carried.
        out_fulfilled_msat: Option<Msat>,
        /// When it was last in use for a minute or more, in seconds since 1970.
        last_stable_connection: Option<u64>,
        /// The HTLCs in it.
        htlcs: Option<Vec<ChannelHtlc>>,
        /// The address our share goes to when closing.
        close_to_addr: Option<String>,
        /// The fee of our commitment transaction.
        last_tx_fee_msat: Option<Msat>,
    }

    /// What each side asks for forwarding.
    pub struct ChannelUpdates {
        /// We.
        local: ChannelPolicy,
        /// The peer, once it told us.
        remote: Option<ChannelPolicy>,
    }

    /// What one side asks for forwarding.
    pub struct ChannelPolicy {
        /// The least it forwards.
        htlc_minimum_msat: Msat,
        /// The most it forwards.
        htlc_maximum_msat: Msat,
        /// By how many blocks the HTLC before must outlive the one after.
        cltv_expiry_delta: u32,
        /// What it takes for each payment.
        fee_base_msat: Msat,
        /// What it takes besides, in millionths of the amount.
        fee_proportional_millionths: u32,
    }

    /// A feerate in both units.
    pub struct ChannelFeerate {
        /// In satoshi per thousand weight units.
        perkw: u32,
        /// In satoshi per thousand virtual bytes.
        perkb: u32,
    }

    /// A funding transaction that may be mined.
    pub struct Inflight {
        /// The transaction.
        funding_txid: Txid,
        /// Its output that funds the channel.
        funding_outnum: u32,
        /// Its feerate.
        feerate: String,
        /// What the channel would hold.
        total_funding_msat: Msat,
        /// What we put in or take out, in satoshi.
        splice_amount: i64,
        /// Our share of it.
        our_funding_msat: Msat,
        /// The transaction with which we would close it then.
        scratch_txid: Option<Txid>,
    }

    /// Who put in what.
    pub struct ChannelFunding {
        /// What the opener gave away.
        pushed_msat: Option<Msat>,
        /// What we put in.
        local_funds_msat: Msat,
        /// What the peer put in.
        remote_funds_msat: Msat,
        /// What we paid for the other's money.
        fee_paid_msat: Option<Msat>,
        /// What we were paid for ours.
        fee_rcvd_msat: Option<Msat>,
        /// The funding transaction while it is held back.
        psbt: Option<String>,
        /// Whether it is held back.
        withheld: Option<bool>,
    }

    /// One step in the life of a channel.
    pub struct StateChange {
        /// When, in UTC.
        timestamp: String,
        /// Before.
        old_state: ChannelState,
        /// After.
        new_state: ChannelState,
        /// Why.
        cause: StateChangeCause,
        /// Why, for people.
        message: String,
    }

    /// One HTLC in a channel.
    pub struct ChannelHtlc {
        /// Whether it comes in or goes out.
        direction: HtlcDirection,
        /// Its number, counted by the side that offers it.
        id: HtlcId,
        /// What it carries.
        amount_msat: Msat,
        /// The height at which it times out.
        expiry: CltvExpiry,
        /// What unlocks it.
        payment_hash: PaymentHash,
        /// It is too small for an output in our commitment transaction.
        local_trimmed: Option<Flag>,
        /// What a plugin does with it.
        status: Option<String>,
        /// How it stands.
        state: HtlcState,
    }
}

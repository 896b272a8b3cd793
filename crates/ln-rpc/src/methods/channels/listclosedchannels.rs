//! `listclosedchannels`

use bitcoin::Txid;
use ln_types::{ChannelId, Msat, NodeId, ShortChannelId, Side};

use crate::methods::channels::types::{ChannelAliases, ChannelType, StateChangeCause};
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the channels that are over.
    pub struct Listclosedchannels = "listclosedchannels" (ListclosedchannelsParams) -> ListclosedchannelsResponse {
        category: Channels,
        since: "v23.05",
    }
}

rpc_params! {
    /// The parameters of `listclosedchannels`.
    pub struct ListclosedchannelsParams {
        /// Only those with this peer.
        id: Option<NodeId>,
    }
}

rpc_object! {
    /// The answer to `listclosedchannels`.
    pub struct ListclosedchannelsResponse {
        /// The channels.
        closedchannels: Vec<ClosedChannel>,
    }

    /// One channel that is over.
    pub struct ClosedChannel {
        /// The peer.
        peer_id: Option<NodeId>,
        /// Its id.
        channel_id: ChannelId,
        /// Its place in the chain.
        short_channel_id: Option<ShortChannelId>,
        /// Names that stood for it.
        alias: Option<ChannelAliases>,
        /// Who opened it.
        opener: Side,
        /// Who closed it.
        closer: Option<Side>,
        /// Whether it was not announced.
        private: bool,
        /// What kind of channel.
        channel_type: Option<ChannelType>,
        /// How many commitments we made.
        total_local_commitments: u64,
        /// How many commitments the peer made.
        total_remote_commitments: u64,
        /// How many HTLCs we offered.
        total_htlcs_sent: u64,
        /// The transaction that funded it.
        funding_txid: Txid,
        /// The output of that transaction.
        funding_outnum: u32,
        /// The funding transaction, if it was held back.
        funding_psbt: Option<String>,
        /// Whether it was held back.
        funding_withheld: bool,
        /// Whether money was lent.
        leased: bool,
        /// What we paid for the other's money.
        funding_fee_paid_msat: Option<Msat>,
        /// What we were paid for ours.
        funding_fee_rcvd_msat: Option<Msat>,
        /// What the opener gave away.
        funding_pushed_msat: Option<Msat>,
        /// What it held.
        total_msat: Msat,
        /// What was ours in the end.
        final_to_us_msat: Msat,
        /// The least that was ever ours.
        min_to_us_msat: Msat,
        /// The most that was ever ours.
        max_to_us_msat: Msat,
        /// Our last commitment transaction.
        last_commitment_txid: Option<Txid>,
        /// Its fee.
        last_commitment_fee_msat: Option<Msat>,
        /// Why it closed.
        close_cause: StateChangeCause,
        /// When it was last in use for a minute or more, in seconds since 1970.
        last_stable_connection: Option<u64>,
    }
}

//! `listchannels`

use ln_types::{Features, Msat, NodeId, ShortChannelId};

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the channels of the network that we know of, each direction by itself.
    ///
    /// At most one parameter is to be given.
    pub struct Listchannels = "listchannels" (ListchannelsParams) -> ListchannelsResponse {
        category: Gossip,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listchannels`.
    pub struct ListchannelsParams {
        /// Only the two directions of this one.
        short_channel_id: Option<ShortChannelId>,
        /// Only those from this node.
        source: Option<NodeId>,
        /// Only those to this node.
        destination: Option<NodeId>,
    }
}

rpc_object! {
    /// The answer to `listchannels`.
    pub struct ListchannelsResponse {
        /// The channels.
        channels: Vec<GossipChannel>,
    }

    /// One direction of a channel.
    pub struct GossipChannel {
        /// Where it begins.
        source: NodeId,
        /// Where it ends.
        destination: NodeId,
        /// Its place in the chain.
        short_channel_id: ShortChannelId,
        /// 0 if the source has the lesser key, else 1.
        direction: u32,
        /// Whether it is announced.
        public: bool,
        /// What it holds.
        amount_msat: Msat,
        /// The flags of the message that told its terms.
        message_flags: u8,
        /// Direction and whether it is disabled, as in that message.
        channel_flags: u8,
        /// Whether it is not disabled.
        active: bool,
        /// When its terms were last told, in seconds since 1970.
        last_update: u32,
        /// What the source takes for each payment.
        base_fee_millisatoshi: u32,
        /// What it takes besides, in millionths of the amount.
        fee_per_millionth: u32,
        /// How many blocks it wants between the HTLCs.
        delay: u32,
        /// The least it forwards.
        htlc_minimum_msat: Msat,
        /// The most it forwards.
        htlc_maximum_msat: Option<Msat>,
        /// The features of the channel.
        features: Features,
    }
}

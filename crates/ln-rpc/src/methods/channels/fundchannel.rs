//! `fundchannel`

use bitcoin::{OutPoint, Txid};
use ln_types::{ChannelId, FeerateSpec, Msat, NodeId, Sat};

use crate::methods::channels::types::ChannelType;
use crate::methods::rpc_method;
use crate::params::{Hex, SatOrAll, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Opens a channel with a connected peer and pays for it from the wallet.
    ///
    /// Answers once the funding transaction is out. The channel can be used when the transaction is deep enough.
    pub struct Fundchannel = "fundchannel" (FundchannelParams) -> FundchannelResponse {
        category: Channels,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `fundchannel`.
    pub struct FundchannelParams {
        /// The peer.
        id: NodeId,
        /// What to put in; `all` takes what the wallet has and the peer accepts.
        amount formerly "satoshi": SatOrAll,
        /// The feerate of the funding transaction.
        feerate: Option<FeerateSpec>,
        /// Whether the world is told; it is if this is left out.
        announce: Option<bool>,
        /// How deep coins must be to be used; 1 if left out.
        minconf: Option<u32>,
        /// The coins to use.
        utxos: Option<Vec<OutPoint>>,
        /// What to give to the peer.
        push_msat: Option<Msat>,
        /// The address our share goes to when closing.
        close_to: Option<String>,
        /// What the peer is asked to put in, for a fee.
        request_amt: Option<Sat>,
        /// The conditions for that, as the peer announced them.
        compact_lease: Option<String>,
        /// How deep the funding transaction must be.
        mindepth: Option<u32>,
        /// What the peer must always keep.
        reserve: Option<Sat>,
        /// The feature bits of the kind of channel to open.
        channel_type: Option<Vec<u32>>,
    }
}

rpc_object! {
    /// The answer to `fundchannel`.
    pub struct FundchannelResponse {
        /// The funding transaction.
        tx: Hex,
        /// Its id.
        txid: Txid,
        /// Its output that funds the channel.
        outnum: u32,
        /// The channel's id.
        channel_id: ChannelId,
        /// What kind of channel.
        channel_type: ChannelType,
        /// The script our share goes to when closing.
        close_to: Option<Hex>,
        /// How deep the funding transaction must be.
        mindepth: Option<u32>,
    }
}

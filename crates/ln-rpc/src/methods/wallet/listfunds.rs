//! `listfunds`

use bitcoin::Txid;
use ln_types::{BlockHeight, ChannelId, Msat, NodeId, ShortChannelId};

use crate::methods::channels::types::ChannelState;
use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Lists our money: the wallet's coins and our shares of channels.
    pub struct Listfunds = "listfunds" (ListfundsParams) -> ListfundsResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listfunds`.
    pub struct ListfundsParams {
        /// Show coins that are spent, too.
        spent: bool = false,
    }
}

rpc_object! {
    /// The answer to `listfunds`.
    pub struct ListfundsResponse {
        /// The coins.
        outputs: Vec<WalletOutput>,
        /// The channels.
        channels: Vec<ChannelFunds>,
    }

    /// One coin.
    pub struct WalletOutput {
        /// The transaction that made it.
        txid: Txid,
        /// The output of that transaction.
        output: u32,
        /// What it holds.
        amount_msat: Msat,
        /// Its script.
        scriptpubkey: Hex,
        /// The address of that script.
        address: Option<String>,
        /// The script behind it, if it is wrapped.
        redeemscript: Option<Hex>,
        /// How it stands.
        status: OutputStatus,
        /// Whether it is set aside for a transaction.
        reserved: bool,
        /// Until which height it is set aside.
        reserved_to_block: Option<BlockHeight>,
        /// The height of its block.
        blockheight: Option<BlockHeight>,
    }

    /// Our share of one channel.
    pub struct ChannelFunds {
        /// The peer.
        peer_id: NodeId,
        /// What is ours.
        our_amount_msat: Msat,
        /// What it holds.
        amount_msat: Msat,
        /// The transaction that funds it.
        funding_txid: Txid,
        /// The output of that transaction.
        funding_output: u32,
        /// Whether the peer is connected.
        connected: bool,
        /// How it stands.
        state: ChannelState,
        /// Its id.
        channel_id: ChannelId,
        /// Its place in the chain.
        short_channel_id: Option<ShortChannelId>,
    }
}

rpc_enum! {
    /// How a coin stands.
    pub enum OutputStatus ("should be a status of an output") {
        /// Not in a block yet.
        Unconfirmed = "unconfirmed",
        /// In a block.
        Confirmed = "confirmed",
        /// Gone.
        Spent = "spent",
        /// In a block, but it can't be spent yet.
        Immature = "immature",
    }
}

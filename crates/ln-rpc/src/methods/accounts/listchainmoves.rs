//! `listchainmoves`

use bitcoin::{OutPoint, Txid};
use ln_types::{BlockHeight, ChainMoveTag, ExtraMoveTag, Msat, NodeId, PaymentHash};

use crate::methods::invoices::listinvoices::ListIndex;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the coins that moved on chain, account by account: what the wallet and channels gained and lost.
    ///
    /// The accounts are `wallet`, each channel under its channel id, and `external` for what went elsewhere. Entries are never changed or
    /// deleted; only what is in a block is listed, but for payments out of the wallet, which are told at once with height 0.
    pub struct Listchainmoves = "listchainmoves" (ListchainmovesParams) -> ListchainmovesResponse {
        category: Accounts,
        since: "v25.09",
    }
}

rpc_params! {
    /// The parameters of `listchainmoves`.
    pub struct ListchainmovesParams {
        /// In which order to list, for `start` and `limit`: `created`.
        index: Option<ListIndex>,
        /// From this index.
        start: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    }
}

rpc_object! {
    /// The answer to `listchainmoves`.
    pub struct ListchainmovesResponse {
        /// The coins, in the order they moved.
        chainmoves: Vec<ChainMove>,
    }

    /// A coin that moved.
    pub struct ChainMove {
        /// Its number in the order of all.
        created_index: u64,
        /// The account: a channel id, `wallet` or `external`.
        account_id: String,
        /// What the account gained.
        credit_msat: Msat,
        /// What the account lost.
        debit_msat: Msat,
        /// When the node learned of it, in seconds since 1970.
        timestamp: u64,
        /// What it moved for.
        primary_tag: ChainMoveTag,
        /// What else there is to say of it.
        extra_tags: Vec<ExtraMoveTag>,
        /// The output.
        utxo: OutPoint,
        /// The peer of the channel that was opened.
        peer_id: Option<NodeId>,
        /// The account it came from.
        originating_account: Option<String>,
        /// The transaction that spends the output.
        spending_txid: Option<Txid>,
        /// The hash the HTLC was locked to.
        payment_hash: Option<PaymentHash>,
        /// What the output holds.
        output_msat: Msat,
        /// How many outputs the closing transaction has.
        output_count: Option<u32>,
        /// The height of its block, 0 if it was in none when it was noted.
        blockheight: BlockHeight,
    }
}

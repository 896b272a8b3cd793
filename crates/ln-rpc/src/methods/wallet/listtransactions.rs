//! `listtransactions`

use bitcoin::Txid;
use ln_types::{BlockHeight, Msat};

use crate::methods::rpc_method;
use crate::params::{Hex, NoParams};
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the transactions that touch the wallet.
    pub struct Listtransactions = "listtransactions" (NoParams) -> ListtransactionsResponse {
        category: Wallet,
        since: "",
    }
}

rpc_object! {
    /// The answer to `listtransactions`.
    pub struct ListtransactionsResponse {
        /// The transactions.
        transactions: Vec<WalletTransaction>,
    }

    /// One transaction.
    pub struct WalletTransaction {
        /// Its id.
        hash: Txid,
        /// Its bytes.
        rawtx: Hex,
        /// The height of its block; 0 if it is in none.
        blockheight: BlockHeight,
        /// Its place in the block.
        txindex: u32,
        /// Its lock time.
        locktime: u32,
        /// Its version.
        version: u32,
        /// What it spends.
        inputs: Vec<TransactionInput>,
        /// What it makes.
        outputs: Vec<TransactionOutput>,
    }

    /// One input.
    pub struct TransactionInput {
        /// The transaction whose output it spends.
        txid: Txid,
        /// The output.
        index: u32,
        /// Its sequence number.
        sequence: u32,
    }

    /// One output.
    pub struct TransactionOutput {
        /// Its place.
        index: u32,
        /// What it holds.
        amount_msat: Msat,
        /// Its script.
        script_pub_key as "scriptPubKey": Hex,
    }
}

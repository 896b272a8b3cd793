//! `listtransactions`

use std::rc::Rc;

use bitcoin::Transaction;
use bitcoin::consensus::encode::serialize;
use ln_db::TransactionRow;
use ln_rpc::RpcError;
use ln_rpc::methods::wallet::listtransactions::{
    Listtransactions, ListtransactionsResponse, TransactionInput, TransactionOutput,
    WalletTransaction,
};
use ln_rpc::params::Hex;
use ln_types::{BlockHeight, Sat};

use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listtransactions {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let rows = node
            .db
            .read(|txn| txn.transactions())
            .await
            .map_err(internal)?;
        Ok(ListtransactionsResponse {
            transactions: rows.iter().map(transaction).collect(),
        })
    }
}

fn transaction(row: &TransactionRow) -> WalletTransaction {
    let tx: &Transaction = &row.tx;
    WalletTransaction {
        hash: tx.compute_txid(),
        rawtx: Hex(serialize(tx)),
        blockheight: row.height.unwrap_or(BlockHeight(0)),
        txindex: row.index,
        locktime: tx.lock_time.to_consensus_u32(),
        version: u32::from_ne_bytes(tx.version.0.to_ne_bytes()),
        inputs: tx
            .input
            .iter()
            .map(|input| TransactionInput {
                txid: input.previous_output.txid,
                index: input.previous_output.vout,
                sequence: input.sequence.0,
            })
            .collect(),
        outputs: (0_u32..)
            .zip(&tx.output)
            .map(|(index, output)| TransactionOutput {
                index,
                amount_msat: Sat::from(output.value).to_msat_saturating(),
                script_pub_key: Hex(output.script_pubkey.to_bytes()),
            })
            .collect(),
    }
}

//! `listclosedchannels`

use std::rc::Rc;

use bitcoin::Transaction;
use ln_channel::ChannelState as Machine;
use ln_codec::Decode as _;
use ln_db::ChannelRow;
use ln_rpc::RpcError;
use ln_rpc::methods::channels::listclosedchannels::{
    ClosedChannel, Listclosedchannels, ListclosedchannelsResponse,
};
use ln_types::{Msat, Sat, Side};

use super::types::{aliases, cause, channel_type};
use crate::channels::CloseCause;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listclosedchannels {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let wanted = params.id;
        let read = node.db.read(move |txn| {
            let mut rows = txn.channels(true)?;
            rows.retain(|row| wanted.is_none_or(|id| row.peer == id));
            Ok(rows.iter().map(closed).collect::<Vec<_>>())
        });
        let closed = read.await.map_err(internal)?;
        Ok(ListclosedchannelsResponse {
            closedchannels: closed,
        })
    }
}

fn closed(row: &ChannelRow) -> ClosedChannel {
    let machine = Machine::from_bytes(&row.machine).ok();
    let commitments = machine.as_ref().map(|machine| &machine.commitments);
    let last = last_tx(row, machine.as_ref());
    ClosedChannel {
        peer_id: Some(row.peer),
        channel_id: row.channel_id,
        short_channel_id: row.scid,
        alias: Some(aliases(row)),
        opener: row.opener,
        closer: row.closer,
        private: !row.public,
        channel_type: Some(channel_type(&row.channel_type)),
        // The first commitment has the number 0.
        total_local_commitments: commitments.map_or(0, |all| all.local_number.0 + 1),
        total_remote_commitments: commitments.map_or(0, |all| all.remote_number.0 + 1),
        total_htlcs_sent: commitments.map_or(0, |all| all.next_htlc_id[Side::Local].0),
        funding_txid: row.funding.txid,
        funding_outnum: row.funding.vout,
        funding_psbt: None,
        funding_withheld: false,
        leased: false,
        funding_fee_paid_msat: None,
        funding_fee_rcvd_msat: None,
        funding_pushed_msat: Some(row.pushed),
        total_msat: row.capacity.to_msat_saturating(),
        final_to_us_msat: machine.as_ref().map_or(row.to_us_min, Machine::to_us),
        min_to_us_msat: row.to_us_min,
        max_to_us_msat: row.to_us_max,
        last_commitment_txid: last.as_ref().map(Transaction::compute_txid),
        last_commitment_fee_msat: last.map(|tx| fee(row, &tx)),
        close_cause: cause(CloseCause::from_number(row.close_cause).name()),
        last_stable_connection: row.last_stable_connection,
    }
}

/// The last transaction that we could have ended the channel with: the closing agreed on, else our last commitment.
fn last_tx(row: &ChannelRow, machine: Option<&Machine>) -> Option<Transaction> {
    if let Some(tx) = &row.last_tx {
        return Some(tx.clone());
    }
    let machine = machine?;
    let point = machine.commitments.local_point?;
    let commitment = machine
        .commitments
        .local_commitment(&machine.params, &point);
    Some(commitment.ok()?.unsigned().clone())
}

/// What a transaction leaves of the channel's capacity to miners.
fn fee(row: &ChannelRow, tx: &Transaction) -> Msat {
    let outputs = tx.output.iter().map(|output| Sat::from(output.value));
    let paid = outputs.fold(Sat::ZERO, Sat::saturating_add);
    row.capacity.saturating_sub(paid).to_msat_saturating()
}

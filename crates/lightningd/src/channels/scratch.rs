//! The transaction with which we would close a channel alone now.

use bitcoin::Txid;
use ln_types::{CommitmentNumber, Sat};

use super::Channel;

/// What is kept of a commitment of ours, so that it is not built and checked again before the next one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch {
    number: CommitmentNumber,
    txid: Txid,
    fee: Sat,
}

/// The txid and the fee of the transaction that was last made for broadcast or, before that, of our newest commitment. Nothing when it can't be
/// told: we lost state.
pub(crate) fn scratch(channel: &Channel) -> Option<(Txid, Sat)> {
    let capacity = channel.row().capacity;
    let fee_of = |tx: &bitcoin::Transaction| {
        let paid = tx.output.iter().map(|output| Sat::from(output.value)).sum();
        capacity.saturating_sub(paid)
    };
    if let Some(tx) = &channel.row().last_tx {
        return Some((tx.compute_txid(), fee_of(tx)));
    }
    let number = channel.machine().ok()?.commitments.local_number;
    let known = *channel.scratch.borrow();
    if let Some(known) = known.filter(|known| known.number == number) {
        return Some((known.txid, known.fee));
    }
    let commitment = super::closing::local_commitment(channel).ok()?;
    let tx = commitment.unsigned();
    let scratch = Scratch {
        number: commitment.number(),
        txid: tx.compute_txid(),
        fee: fee_of(tx),
    };
    *channel.scratch.borrow_mut() = Some(scratch);
    Some((scratch.txid, scratch.fee))
}

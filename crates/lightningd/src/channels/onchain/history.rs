//! What the chain has of a channel's end: the transaction that spends the funding output, and those that spend its outputs in turn.

use std::collections::HashMap;

use bitcoin::{OutPoint, Transaction, Txid};
use ln_types::BlockHeight;

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The transaction.
    pub(crate) tx: Transaction,
    /// Its txid.
    pub(crate) txid: Txid,
    /// Its block.
    pub(crate) height: BlockHeight,
    /// Its index in the block.
    pub(crate) index: u32,
}

/// How far an output is from the funding output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// An output of the closing transaction.
    Closing,
    /// An output of a transaction that spends one of those. What spends it is seen, and followed no further.
    Second,
}

/// What the chain has now of a channel's end.
///
/// Every output that could matter is followed from the moment its transaction is seen, whether or not onchaind has asked for it: blocks may come
/// faster than onchaind answers.
#[derive(Debug, Default)]
pub(crate) struct History {
    spend: Option<Seen>,
    later: Vec<Seen>,
    followed: HashMap<OutPoint, Level>,
}

impl History {
    /// The transaction that spends the funding output.
    pub(super) fn spend(&self) -> Option<&Seen> {
        self.spend.as_ref()
    }

    /// The transactions after it, in the chain's order.
    pub(super) fn later(&self) -> &[Seen] {
        &self.later
    }

    /// All outputs whose spending matters.
    pub(crate) fn followed(&self) -> impl Iterator<Item = &OutPoint> {
        self.followed.keys()
    }

    /// A block has the transaction that spends the funding output. Returns whether that is news.
    pub(crate) fn see_spend(&mut self, seen: Seen) -> bool {
        if self
            .spend
            .as_ref()
            .is_some_and(|known| known.txid == seen.txid && known.height == seen.height)
        {
            return false;
        }
        self.later.clear();
        self.follow(&seen, Level::Closing);
        self.spend = Some(seen);
        true
    }

    /// A block has a transaction. Returns whether it is one of the channel's end, and news.
    pub(crate) fn see(&mut self, seen: &Seen) -> bool {
        if self.followed.is_empty() {
            return false;
        }
        let spent = seen.tx.input.iter();
        let level = spent
            .filter_map(|input| self.followed.get(&input.previous_output))
            .min();
        let Some(level) = level.copied() else {
            return false;
        };
        if let Some(known) = self.later.iter().position(|known| known.txid == seen.txid) {
            if self
                .later
                .get(known)
                .is_some_and(|known| known.height == seen.height)
            {
                return false;
            }
            self.later.remove(known);
        }
        if level == Level::Closing {
            self.follow(seen, Level::Second);
        }
        self.later.push(seen.clone());
        self.later.sort_by_key(|seen| (seen.height, seen.index));
        true
    }

    /// Has the spending of one more output seen.
    pub(super) fn watch(&mut self, outpoint: OutPoint) {
        self.followed.entry(outpoint).or_insert(Level::Second);
    }

    fn follow(&mut self, seen: &Seen, level: Level) {
        for (vout, _) in (0_u32..).zip(&seen.tx.output) {
            let outpoint = OutPoint::new(seen.txid, vout);
            let known = self.followed.entry(outpoint).or_insert(level);
            *known = level.min(*known);
        }
    }

    /// Blocks from `height` up were replaced. Returns the spend of the funding output if it was in one of them.
    pub(crate) fn undo_from(&mut self, height: BlockHeight) -> Option<Seen> {
        self.later.retain(|seen| seen.height < height);
        self.spend.take_if(|spend| spend.height >= height)
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::{Amount, ScriptBuf, TxIn, TxOut};

    use super::*;

    fn spending(outpoint: OutPoint, height: u32) -> Seen {
        let input = TxIn {
            previous_output: outpoint,
            ..TxIn::default()
        };
        let output = TxOut {
            value: Amount::from_sat(1000),
            script_pubkey: ScriptBuf::new(),
        };
        let tx = Transaction {
            version: bitcoin::transaction::Version::TWO,
            lock_time: bitcoin::absolute::LockTime::ZERO,
            input: vec![input],
            output: vec![output],
        };
        Seen {
            txid: tx.compute_txid(),
            tx,
            height: BlockHeight(height),
            index: 0,
        }
    }

    fn first_output(seen: &Seen) -> OutPoint {
        OutPoint::new(seen.txid, 0)
    }

    #[test]
    fn two_generations_are_followed_and_no_more() {
        let mut history = History::default();
        let spend = spending(OutPoint::null(), 10);
        let htlc_tx = spending(first_output(&spend), 11);
        let sweep = spending(first_output(&htlc_tx), 12);
        let stranger = spending(first_output(&sweep), 13);
        assert!(
            !history.see(&htlc_tx),
            "nothing is followed before the spend"
        );
        assert!(history.see_spend(spend.clone()));
        assert!(!history.see_spend(spend));
        assert!(history.see(&htlc_tx));
        assert!(!history.see(&htlc_tx), "seen again after a rescan");
        assert!(history.see(&sweep));
        assert!(!history.see(&stranger));
        assert_eq!(history.later(), [htlc_tx, sweep]);
    }

    #[test]
    fn a_reorganisation_takes_back_what_was_in_its_blocks() {
        let mut history = History::default();
        let spend = spending(OutPoint::null(), 10);
        let htlc_tx = spending(first_output(&spend), 11);
        history.see_spend(spend.clone());
        history.see(&htlc_tx);
        assert_eq!(history.undo_from(BlockHeight(11)), None);
        assert!(history.later().is_empty());
        let again = Seen {
            height: BlockHeight(12),
            ..htlc_tx
        };
        assert!(history.see(&again));
        assert_eq!(history.undo_from(BlockHeight(10)), Some(spend));
        assert!(history.later().is_empty());
        assert!(history.spend().is_none());
    }
}

//! What onchaind knows already, and what it has to be told next.

use std::collections::HashSet;

use bitcoin::{OutPoint, Txid};
use ln_onchain::Event;
use ln_types::{BlockHeight, PaymentHash, PaymentPreimage};

use super::history::History;

/// What one onchaind was told.
///
/// It is told the difference between what it knows and what is the case, one event at a time: live blocks, the replay after a restart and
/// reorganisations are all the same.
#[derive(Debug)]
pub(super) struct Told {
    spend: (Txid, BlockHeight),
    tip: BlockHeight,
    txs: Vec<(Txid, BlockHeight)>,
    preimages: HashSet<PaymentHash>,
    uneconomical: HashSet<OutPoint>,
}

/// What is the case now.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'a> {
    /// What the chain has of the channel's end.
    pub(super) history: &'a History,
    /// The best block.
    pub(super) tip: BlockHeight,
    /// The preimages we know of HTLCs the peer offered.
    pub(super) preimages: &'a [PaymentPreimage],
    /// The claims that are not worth their fees.
    pub(super) uneconomical: &'a [OutPoint],
}

impl Told {
    /// It was started with the transaction that spends the funding output.
    pub(super) fn new(txid: Txid, height: BlockHeight) -> Self {
        Self {
            spend: (txid, height),
            tip: height,
            txs: Vec::new(),
            preimages: HashSet::new(),
            uneconomical: HashSet::new(),
        }
    }

    /// The next event, which counts as told from now on, and the best block to tell with it; nothing when it knows everything.
    pub(super) fn next(&mut self, world: World<'_>) -> Option<(BlockHeight, Event)> {
        if let Some(txid) = self.undone(world.history) {
            self.tip = world.tip;
            return Some((world.tip, Event::Unconfirmed { txid }));
        }
        // What happened is told with the height at which it happened, so that a replay decides as it was decided then.
        let new = world.history.later().iter().find(|seen| {
            self.txs
                .iter()
                .all(|known| *known != (seen.txid, seen.height))
        });
        if let Some(seen) = new {
            self.txs.push((seen.txid, seen.height));
            self.tip = self.tip.min(world.tip).max(seen.height);
            let event = Event::Spent {
                tx: seen.tx.clone(),
                height: seen.height,
            };
            return Some((self.tip, event));
        }
        for preimage in world.preimages {
            if self.preimages.insert(preimage.hash()) {
                let preimage = *preimage;
                return Some((self.tip, Event::Preimage { preimage }));
            }
        }
        for outpoint in world.uneconomical {
            if self.uneconomical.insert(*outpoint) {
                let outpoint = *outpoint;
                return Some((self.tip, Event::Uneconomical { outpoint }));
            }
        }
        if self.tip != world.tip {
            self.tip = world.tip;
            return Some((world.tip, Event::Tip));
        }
        None
    }

    /// A transaction it was told of and that is in no block any more, or in another one; the latest first.
    fn undone(&mut self, history: &History) -> Option<Txid> {
        let spend = history.spend().map(|seen| (seen.txid, seen.height));
        if spend != Some(self.spend) {
            return Some(self.spend.0);
        }
        let gone = self.txs.iter().rposition(|known| {
            history
                .later()
                .iter()
                .all(|seen| (seen.txid, seen.height) != *known)
        })?;
        Some(self.txs.remove(gone).0)
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::{Transaction, TxIn, TxOut};

    use super::*;
    use crate::channels::onchain::history::Seen;

    fn spending(outpoint: OutPoint, height: u32) -> Seen {
        let tx = Transaction {
            version: bitcoin::transaction::Version::TWO,
            lock_time: bitcoin::absolute::LockTime::ZERO,
            input: vec![TxIn {
                previous_output: outpoint,
                ..TxIn::default()
            }],
            output: vec![TxOut {
                value: bitcoin::Amount::from_sat(1000),
                script_pubkey: bitcoin::ScriptBuf::new(),
            }],
        };
        Seen {
            txid: tx.compute_txid(),
            tx,
            height: BlockHeight(height),
            index: 0,
        }
    }

    fn all(told: &mut Told, history: &History, tip: u32) -> Vec<(u32, Event)> {
        let world = World {
            history,
            tip: BlockHeight(tip),
            preimages: &[PaymentPreimage([7; 32])],
            uneconomical: &[],
        };
        std::iter::from_fn(|| told.next(world).map(|(tip, event)| (tip.0, event))).collect()
    }

    #[test]
    fn history_is_replayed_in_order_and_then_nothing_is_left_to_tell() {
        let mut history = History::default();
        let spend = spending(OutPoint::null(), 10);
        let later = spending(OutPoint::new(spend.txid, 0), 12);
        history.see_spend(spend.clone());
        history.see(&later);
        let mut told = Told::new(spend.txid, spend.height);
        let spent = Event::Spent {
            tx: later.tx,
            height: BlockHeight(12),
        };
        let preimage = Event::Preimage {
            preimage: PaymentPreimage([7; 32]),
        };
        assert_eq!(
            all(&mut told, &history, 20),
            [(12, spent), (12, preimage), (20, Event::Tip)]
        );
        assert_eq!(all(&mut told, &history, 20), []);
        assert_eq!(all(&mut told, &history, 21), [(21, Event::Tip)]);
    }

    #[test]
    fn a_transaction_that_moved_to_another_block_is_taken_back_and_told_again() {
        let mut history = History::default();
        let spend = spending(OutPoint::null(), 10);
        let later = spending(OutPoint::new(spend.txid, 0), 12);
        history.see_spend(spend.clone());
        history.see(&later);
        let mut told = Told::new(spend.txid, spend.height);
        all(&mut told, &history, 12);
        history.undo_from(BlockHeight(12));
        let again = Seen {
            height: BlockHeight(13),
            ..later.clone()
        };
        history.see(&again);
        let events: Vec<Event> = all(&mut told, &history, 13)
            .into_iter()
            .map(|(_, event)| event)
            .collect();
        let unconfirmed = Event::Unconfirmed { txid: later.txid };
        let spent = Event::Spent {
            tx: later.tx,
            height: BlockHeight(13),
        };
        assert_eq!(events, [unconfirmed, spent]);
    }

    #[test]
    fn the_spend_of_the_funding_output_is_taken_back_first() {
        let mut history = History::default();
        let spend = spending(OutPoint::null(), 10);
        history.see_spend(spend.clone());
        let mut told = Told::new(spend.txid, spend.height);
        history.undo_from(BlockHeight(10));
        let world = World {
            history: &history,
            tip: BlockHeight(9),
            preimages: &[],
            uneconomical: &[],
        };
        let event = Event::Unconfirmed { txid: spend.txid };
        assert_eq!(told.next(world), Some((BlockHeight(9), event)));
    }
}

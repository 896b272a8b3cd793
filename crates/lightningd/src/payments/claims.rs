//! Parts between the decision to send them and their being durable.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ln_types::{Msat, NodeId, PaymentHash};
use tokio::sync::oneshot;

/// What one part must agree on with the others of its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartFacts {
    /// Its number among the parts.
    pub(crate) partid: u64,
    /// Which attempt at paying the hash.
    pub(crate) groupid: u64,
    /// What arrives.
    pub(crate) amount: Msat,
    /// What all parts bring; zero if the sender did not say.
    pub(crate) total: Msat,
    /// Who gets it, if known.
    pub(crate) destination: Option<NodeId>,
}

/// A part that is being sent.
#[derive(Debug)]
struct Entry {
    number: u64,
    facts: PartFacts,
    /// Told when it is over, by being dropped.
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<PaymentHash, Vec<Entry>>,
    next: u64,
}

/// All parts that are being sent.
///
/// Whoever sends a part first claims its place and only then looks into the database: of two that send at the same time the later one sees the
/// earlier one here, or what became of it there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Rc<RefCell<Table>>);

/// Holds a part's place until it is durable or refused.
#[derive(Debug)]
pub(crate) struct Claim {
    claims: Claims,
    hash: PaymentHash,
    number: u64,
}

/// The answer to a claim.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// The place is ours; these parts of the same payment are being sent already.
    Free(Claim, Vec<PartFacts>),
    /// The very same part is being sent: ask again when this resolves.
    Taken(oneshot::Receiver<()>),
}

impl Claims {
    /// Claims the place of a part.
    pub(crate) fn claim(&self, hash: PaymentHash, facts: PartFacts) -> Claimed {
        let mut table = self.0.borrow_mut();
        let number = table.next;
        table.next += 1;
        let entries = table.entries.entry(hash).or_default();
        let same = |entry: &&mut Entry| {
            (entry.facts.partid, entry.facts.groupid) == (facts.partid, facts.groupid)
        };
        if let Some(entry) = entries.iter_mut().find(same) {
            return Claimed::Taken(wait_for(entry));
        }
        let others = entries.iter().map(|entry| entry.facts).collect();
        entries.push(Entry {
            number,
            facts,
            waiting: Vec::new(),
        });
        let claims = self.clone();
        let claim = Claim {
            claims,
            hash,
            number,
        };
        Claimed::Free(claim, others)
    }

    /// Resolves when the oldest part of this payment that is being sent now is durable or refused; `None` if there is none.
    pub(crate) fn any(&self, hash: PaymentHash) -> Option<oneshot::Receiver<()>> {
        let mut table = self.0.borrow_mut();
        let entry = table.entries.get_mut(&hash)?.first_mut()?;
        Some(wait_for(entry))
    }
}

fn wait_for(entry: &mut Entry) -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    entry.waiting.push(sender);
    receiver
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = self.claims.0.borrow_mut();
        if let Some(entries) = table.entries.get_mut(&self.hash) {
            entries.retain(|entry| entry.number != self.number);
            if entries.is_empty() {
                table.entries.remove(&self.hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: PaymentHash = PaymentHash([1; 32]);

    fn facts(partid: u64) -> PartFacts {
        PartFacts {
            partid,
            groupid: 1,
            amount: Msat::from_msat(1),
            total: Msat::from_msat(2),
            destination: None,
        }
    }

    #[test]
    fn a_part_has_one_sender_and_sees_those_before_it() {
        let claims = Claims::default();
        let Claimed::Free(first, others) = claims.claim(HASH, facts(1)) else {
            panic!("nobody was there");
        };
        assert!(others.is_empty());
        let Claimed::Taken(mut over) = claims.claim(HASH, facts(1)) else {
            panic!("it is being sent");
        };
        let Claimed::Free(second, others) = claims.claim(HASH, facts(2)) else {
            panic!("it is another part");
        };
        assert_eq!(others, [facts(1)]);
        assert_eq!(over.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        drop(first);
        assert_eq!(over.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert!(claims.any(HASH).is_some());
        drop(second);
        assert!(claims.any(HASH).is_none());
    }
}

//! The commitment feerate and its changes on the way.

use ln_codec::{Decode, Encode};
use ln_types::{Feerate, Side};

use crate::{CommitStep, HtlcState};

/// A feerate and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct FeeUpdate {
    /// The feerate.
    pub feerate: Feerate,
    /// Its state: it passes through the adding half of an HTLC's life, offered by the opener.
    pub state: HtlcState,
}

/// The feerate both sides agree on and the changes not yet agreed, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Feerates {
    updates: Vec<FeeUpdate>,
}

impl Feerates {
    /// The feerate of `open_channel`, which both first commitments use.
    pub fn new(opener: Side, feerate: Feerate) -> Self {
        Self {
            updates: vec![FeeUpdate {
                feerate,
                state: HtlcState::committed_by(opener),
            }],
        }
    }

    fn newest(&self, wanted: impl Fn(HtlcState) -> bool) -> Feerate {
        self.updates
            .iter()
            .rev()
            .find(|update| wanted(update.state))
            .map_or(Feerate::FLOOR, |update| update.feerate)
    }

    /// The feerate of `side`'s newest signed commitment.
    pub fn of(&self, side: Side) -> Feerate {
        self.newest(|state| state.is_in(side))
    }

    /// The feerate of `side`'s commitment once all its pending updates are signed.
    pub fn next_of(&self, side: Side) -> Feerate {
        self.newest(|state| state.will_be_in(side))
    }

    /// The feerate of `side`'s oldest commitment that is not revoked, as far as [`HtlcState::is_in_unrevoked`] tells.
    pub fn unrevoked_of(&self, side: Side) -> Feerate {
        self.newest(|state| state.is_in_unrevoked(side))
    }

    /// The feerate proposed last, wherever it stands.
    pub fn latest(&self) -> Feerate {
        self.newest(|_| true)
    }

    /// The highest feerate on either commitment or on its way there.
    pub fn highest(&self) -> Feerate {
        self.updates
            .iter()
            .map(|update| update.feerate)
            .max()
            .unwrap_or(Feerate::FLOOR)
    }

    /// All feerates and their states, oldest first.
    pub fn updates(&self) -> &[FeeUpdate] {
        &self.updates
    }

    /// Whether the next `commitment_signed` for `side` carries a new feerate.
    pub fn is_pending_for(&self, side: Side) -> bool {
        self.updates
            .iter()
            .any(|update| update.state.is_pending_for(side))
    }

    /// The feerate in a state, if there is one there.
    pub fn in_state(&self, state: HtlcState) -> Option<Feerate> {
        self.updates
            .iter()
            .find(|update| update.state == state)
            .map(|update| update.feerate)
    }

    /// The opener proposes a feerate; it replaces one proposed but not committed.
    #[must_use]
    pub fn propose(&self, opener: Side, feerate: Feerate) -> Self {
        let state = HtlcState::added_by(opener);
        let mut updates = self.updates.clone();
        updates.retain(|update| update.state != state);
        updates.push(FeeUpdate { feerate, state });
        Self { updates }
    }

    /// A message of the dance was sent or received.
    #[must_use]
    pub fn advance(&self, step: CommitStep) -> Self {
        let mut updates = self.updates.clone();
        for update in &mut updates {
            if let Some(next) = update.state.after(step) {
                update.state = next;
            }
        }
        let settled = |update: &FeeUpdate| {
            update.state.is_in(Side::Local)
                && update.state.is_in(Side::Remote)
                && update.state == HtlcState::committed_by(update.state.offerer())
        };
        if let Some(newest) = updates.iter().rposition(settled) {
            updates.drain(..newest);
        }
        Self { updates }
    }

    /// The connection is gone: a feerate nobody committed to is forgotten.
    #[must_use]
    pub fn disconnect(&self) -> Self {
        let mut updates = self.updates.clone();
        updates.retain(|update| update.state.after_disconnect().is_some());
        Self { updates }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_feerate_reaches_the_receivers_commitment_first() {
        let old = Feerate::from_perkw(1000);
        let new = Feerate::from_perkw(2000);
        let mut fees = Feerates::new(Side::Local, old).propose(Side::Local, new);
        assert_eq!(
            (fees.of(Side::Remote), fees.next_of(Side::Remote)),
            (old, new)
        );
        fees = fees.advance(CommitStep::SentCommit);
        assert_eq!((fees.of(Side::Remote), fees.of(Side::Local)), (new, old));
        assert_eq!(fees.next_of(Side::Local), old);
        fees = fees.advance(CommitStep::RcvdRevoke);
        assert_eq!(fees.next_of(Side::Local), new);
        fees = fees
            .advance(CommitStep::RcvdCommit)
            .advance(CommitStep::SentRevoke);
        assert_eq!((fees.of(Side::Remote), fees.of(Side::Local)), (new, new));
        assert_eq!(fees.updates().len(), 1);
    }

    #[test]
    fn a_disconnect_forgets_what_nobody_signed() {
        let old = Feerate::from_perkw(1000);
        let fees = Feerates::new(Side::Remote, old).propose(Side::Remote, Feerate::from_perkw(300));
        assert_eq!(fees.disconnect().latest(), old);
    }
}

//! The life of an HTLC.

use ln_codec::{Decode, Encode};
use ln_types::Side;

//~ 4. Follow one HTLC down these names: offered, on one commitment, on both, resolved, off one, off both. Both sides see the same messages, each from
//~ its own end, so that the second half mirrors the first. `reduce.rs` computes both commitments from these states alone.
/// Where an HTLC (or, in its first half, a feerate) stands between the two commitments.
///
/// BOLT 2 §Normal Operation: an update is first on the receiver's commitment, then, once acknowledged, on the sender's. The names are
/// the ones operators know from Core Lightning: the last message that moved the HTLC, as seen from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum HtlcState {
    /// We offer it: not committed anywhere yet.
    SentAddHtlc,
    /// We signed a remote commitment with it.
    SentAddCommit,
    /// The peer revoked the remote commitment without it.
    RcvdAddRevocation,
    /// The peer signed a local commitment with it.
    RcvdAddAckCommit,
    /// We revoked the local commitment without it: irrevocably committed.
    SentAddAckRevocation,
    /// The peer resolved it.
    RcvdRemoveHtlc,
    /// The peer signed a local commitment without it.
    RcvdRemoveCommit,
    /// We revoked the local commitment with it.
    SentRemoveRevocation,
    /// We signed a remote commitment without it.
    SentRemoveAckCommit,
    /// The peer revoked the remote commitment with it: irrevocably removed.
    RcvdRemoveAckRevocation,
    /// The peer offers it: not committed anywhere yet.
    RcvdAddHtlc,
    /// The peer signed a local commitment with it.
    RcvdAddCommit,
    /// We revoked the local commitment without it.
    SentAddRevocation,
    /// We signed a remote commitment with it.
    SentAddAckCommit,
    /// The peer revoked the remote commitment without it: irrevocably committed.
    RcvdAddAckRevocation,
    /// We resolved it.
    SentRemoveHtlc,
    /// We signed a remote commitment without it.
    SentRemoveCommit,
    /// The peer revoked the remote commitment with it.
    RcvdRemoveRevocation,
    /// The peer signed a local commitment without it.
    RcvdRemoveAckCommit,
    /// We revoked the local commitment with it: irrevocably removed.
    SentRemoveAckRevocation,
}

/// A message of the commitment dance, which moves every update that was waiting for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitStep {
    /// We sent `commitment_signed`.
    SentCommit,
    /// We received `revoke_and_ack`.
    RcvdRevoke,
    /// We received `commitment_signed`.
    RcvdCommit,
    /// We sent `revoke_and_ack`.
    SentRevoke,
}

impl HtlcState {
    /// Every state, in the order of their encoding.
    pub const ALL: [Self; 20] = [
        Self::SentAddHtlc,
        Self::SentAddCommit,
        Self::RcvdAddRevocation,
        Self::RcvdAddAckCommit,
        Self::SentAddAckRevocation,
        Self::RcvdRemoveHtlc,
        Self::RcvdRemoveCommit,
        Self::SentRemoveRevocation,
        Self::SentRemoveAckCommit,
        Self::RcvdRemoveAckRevocation,
        Self::RcvdAddHtlc,
        Self::RcvdAddCommit,
        Self::SentAddRevocation,
        Self::SentAddAckCommit,
        Self::RcvdAddAckRevocation,
        Self::SentRemoveHtlc,
        Self::SentRemoveCommit,
        Self::RcvdRemoveRevocation,
        Self::RcvdRemoveAckCommit,
        Self::SentRemoveAckRevocation,
    ];

    /// The name operators see in `listpeerchannels` and `listhtlcs`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SentAddHtlc => "SENT_ADD_HTLC",
            Self::SentAddCommit => "SENT_ADD_COMMIT",
            Self::RcvdAddRevocation => "RCVD_ADD_REVOCATION",
            Self::RcvdAddAckCommit => "RCVD_ADD_ACK_COMMIT",
            Self::SentAddAckRevocation => "SENT_ADD_ACK_REVOCATION",
            Self::RcvdRemoveHtlc => "RCVD_REMOVE_HTLC",
            Self::RcvdRemoveCommit => "RCVD_REMOVE_COMMIT",
            Self::SentRemoveRevocation => "SENT_REMOVE_REVOCATION",
            Self::SentRemoveAckCommit => "SENT_REMOVE_ACK_COMMIT",
            Self::RcvdRemoveAckRevocation => "RCVD_REMOVE_ACK_REVOCATION",
            Self::RcvdAddHtlc => "RCVD_ADD_HTLC",
            Self::RcvdAddCommit => "RCVD_ADD_COMMIT",
            Self::SentAddRevocation => "SENT_ADD_REVOCATION",
            Self::SentAddAckCommit => "SENT_ADD_ACK_COMMIT",
            Self::RcvdAddAckRevocation => "RCVD_ADD_ACK_REVOCATION",
            Self::SentRemoveHtlc => "SENT_REMOVE_HTLC",
            Self::SentRemoveCommit => "SENT_REMOVE_COMMIT",
            Self::RcvdRemoveRevocation => "RCVD_REMOVE_REVOCATION",
            Self::RcvdRemoveAckCommit => "RCVD_REMOVE_ACK_COMMIT",
            Self::SentRemoveAckRevocation => "SENT_REMOVE_ACK_REVOCATION",
        }
    }

    /// The first state of an HTLC `offerer` offers.
    pub const fn added_by(offerer: Side) -> Self {
        match offerer {
            Side::Local => Self::SentAddHtlc,
            Side::Remote => Self::RcvdAddHtlc,
        }
    }

    /// The state in which an HTLC `offerer` offers is irrevocably committed: only then may it be resolved.
    pub const fn committed_by(offerer: Side) -> Self {
        match offerer {
            Side::Local => Self::SentAddAckRevocation,
            Side::Remote => Self::RcvdAddAckRevocation,
        }
    }

    /// The state after the receiver of an HTLC `offerer` offers has resolved it.
    pub const fn removed_of(offerer: Side) -> Self {
        match offerer {
            Side::Local => Self::RcvdRemoveHtlc,
            Side::Remote => Self::SentRemoveHtlc,
        }
    }

    /// Who offers an HTLC in this state.
    pub const fn offerer(self) -> Side {
        match self {
            Self::SentAddHtlc
            | Self::SentAddCommit
            | Self::RcvdAddRevocation
            | Self::RcvdAddAckCommit
            | Self::SentAddAckRevocation
            | Self::RcvdRemoveHtlc
            | Self::RcvdRemoveCommit
            | Self::SentRemoveRevocation
            | Self::SentRemoveAckCommit
            | Self::RcvdRemoveAckRevocation => Side::Local,
            Self::RcvdAddHtlc
            | Self::RcvdAddCommit
            | Self::SentAddRevocation
            | Self::SentAddAckCommit
            | Self::RcvdAddAckRevocation
            | Self::SentRemoveHtlc
            | Self::SentRemoveCommit
            | Self::RcvdRemoveRevocation
            | Self::RcvdRemoveAckCommit
            | Self::SentRemoveAckRevocation => Side::Remote,
        }
    }

    /// Whether `side`'s newest signed commitment contains it.
    pub const fn is_in(self, side: Side) -> bool {
        match self {
            Self::SentAddHtlc
            | Self::SentRemoveAckCommit
            | Self::RcvdRemoveAckRevocation
            | Self::RcvdAddHtlc
            | Self::RcvdRemoveAckCommit
            | Self::SentRemoveAckRevocation => false,
            Self::SentAddCommit
            | Self::RcvdAddRevocation
            | Self::RcvdRemoveCommit
            | Self::SentRemoveRevocation => matches!(side, Side::Remote),
            Self::RcvdAddCommit
            | Self::SentAddRevocation
            | Self::SentRemoveCommit
            | Self::RcvdRemoveRevocation => matches!(side, Side::Local),
            Self::RcvdAddAckCommit
            | Self::SentAddAckRevocation
            | Self::RcvdRemoveHtlc
            | Self::SentAddAckCommit
            | Self::RcvdAddAckRevocation
            | Self::SentRemoveHtlc => true,
        }
    }

    /// Whether the next `commitment_signed` for `side`'s commitment changes whether it is contained.
    pub const fn is_pending_for(self, side: Side) -> bool {
        match self {
            Self::SentAddHtlc
            | Self::SentRemoveRevocation
            | Self::SentAddRevocation
            | Self::SentRemoveHtlc => matches!(side, Side::Remote),
            Self::RcvdAddRevocation
            | Self::RcvdRemoveHtlc
            | Self::RcvdAddHtlc
            | Self::RcvdRemoveRevocation => matches!(side, Side::Local),
            Self::SentAddCommit
            | Self::RcvdAddAckCommit
            | Self::SentAddAckRevocation
            | Self::RcvdRemoveCommit
            | Self::SentRemoveAckCommit
            | Self::RcvdRemoveAckRevocation
            | Self::RcvdAddCommit
            | Self::SentAddAckCommit
            | Self::RcvdAddAckRevocation
            | Self::SentRemoveCommit
            | Self::RcvdRemoveAckCommit
            | Self::SentRemoveAckRevocation => false,
        }
    }

    /// Whether `side`'s commitment contains it once all updates pending for that commitment are signed.
    pub const fn will_be_in(self, side: Side) -> bool {
        self.is_in(side) != self.is_pending_for(side)
    }

    /// Whether it is contained in the oldest commitment of the peer's that is not revoked; for us as [`Self::is_in`].
    ///
    /// What the peer's next revocation moves is what the signature before it changed.
    pub const fn is_in_unrevoked(self, side: Side) -> bool {
        let moves = matches!(side, Side::Remote) && self.after(CommitStep::RcvdRevoke).is_some();
        self.is_in(side) != moves
    }

    /// Whether its receiver has resolved it (in whatever stage of being removed).
    pub const fn is_removing(self) -> bool {
        match self {
            Self::SentAddHtlc
            | Self::SentAddCommit
            | Self::RcvdAddRevocation
            | Self::RcvdAddAckCommit
            | Self::SentAddAckRevocation
            | Self::RcvdAddHtlc
            | Self::RcvdAddCommit
            | Self::SentAddRevocation
            | Self::SentAddAckCommit
            | Self::RcvdAddAckRevocation => false,
            Self::RcvdRemoveHtlc
            | Self::RcvdRemoveCommit
            | Self::SentRemoveRevocation
            | Self::SentRemoveAckCommit
            | Self::RcvdRemoveAckRevocation
            | Self::SentRemoveHtlc
            | Self::SentRemoveCommit
            | Self::RcvdRemoveRevocation
            | Self::RcvdRemoveAckCommit
            | Self::SentRemoveAckRevocation => true,
        }
    }

    /// Whether it is gone from both commitments for ever.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::RcvdRemoveAckRevocation | Self::SentRemoveAckRevocation
        )
    }

    /// The state a message of the dance moves it to; `None` when it was not waiting for that message.
    pub const fn after(self, step: CommitStep) -> Option<Self> {
        let (waits_for, next) = match self {
            Self::SentAddHtlc => (CommitStep::SentCommit, Self::SentAddCommit),
            Self::SentAddCommit => (CommitStep::RcvdRevoke, Self::RcvdAddRevocation),
            Self::RcvdAddRevocation => (CommitStep::RcvdCommit, Self::RcvdAddAckCommit),
            Self::RcvdAddAckCommit => (CommitStep::SentRevoke, Self::SentAddAckRevocation),
            Self::RcvdRemoveHtlc => (CommitStep::RcvdCommit, Self::RcvdRemoveCommit),
            Self::RcvdRemoveCommit => (CommitStep::SentRevoke, Self::SentRemoveRevocation),
            Self::SentRemoveRevocation => (CommitStep::SentCommit, Self::SentRemoveAckCommit),
            Self::SentRemoveAckCommit => (CommitStep::RcvdRevoke, Self::RcvdRemoveAckRevocation),
            Self::RcvdAddHtlc => (CommitStep::RcvdCommit, Self::RcvdAddCommit),
            Self::RcvdAddCommit => (CommitStep::SentRevoke, Self::SentAddRevocation),
            Self::SentAddRevocation => (CommitStep::SentCommit, Self::SentAddAckCommit),
            Self::SentAddAckCommit => (CommitStep::RcvdRevoke, Self::RcvdAddAckRevocation),
            Self::SentRemoveHtlc => (CommitStep::SentCommit, Self::SentRemoveCommit),
            Self::SentRemoveCommit => (CommitStep::RcvdRevoke, Self::RcvdRemoveRevocation),
            Self::RcvdRemoveRevocation => (CommitStep::RcvdCommit, Self::RcvdRemoveAckCommit),
            Self::RcvdRemoveAckCommit => (CommitStep::SentRevoke, Self::SentRemoveAckRevocation),
            Self::SentAddAckRevocation
            | Self::RcvdRemoveAckRevocation
            | Self::RcvdAddAckRevocation
            | Self::SentRemoveAckRevocation => return None,
        };
        match (waits_for, step) {
            (CommitStep::SentCommit, CommitStep::SentCommit)
            | (CommitStep::RcvdRevoke, CommitStep::RcvdRevoke)
            | (CommitStep::RcvdCommit, CommitStep::RcvdCommit)
            | (CommitStep::SentRevoke, CommitStep::SentRevoke) => Some(next),
            (
                CommitStep::SentCommit
                | CommitStep::RcvdRevoke
                | CommitStep::RcvdCommit
                | CommitStep::SentRevoke,
                _,
            ) => None,
        }
    }

    /// What is left of it when the connection goes away before anybody committed to its last update; `None` when nothing is.
    ///
    /// BOLT 2 §Message Retransmission: updates without a `commitment_signed` are reversed.
    pub const fn after_disconnect(self) -> Option<Self> {
        match self {
            Self::SentAddHtlc | Self::RcvdAddHtlc => None,
            Self::RcvdRemoveHtlc => Some(Self::SentAddAckRevocation),
            Self::SentRemoveHtlc => Some(Self::RcvdAddAckRevocation),
            Self::SentAddCommit
            | Self::RcvdAddRevocation
            | Self::RcvdAddAckCommit
            | Self::SentAddAckRevocation
            | Self::RcvdRemoveCommit
            | Self::SentRemoveRevocation
            | Self::SentRemoveAckCommit
            | Self::RcvdRemoveAckRevocation
            | Self::RcvdAddCommit
            | Self::SentAddRevocation
            | Self::SentAddAckCommit
            | Self::RcvdAddAckRevocation
            | Self::SentRemoveCommit
            | Self::RcvdRemoveRevocation
            | Self::RcvdRemoveAckCommit
            | Self::SentRemoveAckRevocation => Some(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same HTLC as the peer sees it.
    fn mirrored(state: HtlcState) -> HtlcState {
        let name = state.name();
        let other = if let Some(rest) = name.strip_prefix("SENT_") {
            format!("RCVD_{rest}")
        } else {
            format!("SENT_{}", name.strip_prefix("RCVD_").unwrap())
        };
        HtlcState::ALL
            .into_iter()
            .find(|state| state.name() == other)
            .unwrap()
    }

    #[test]
    fn the_peer_sees_the_mirror_image() {
        for state in HtlcState::ALL {
            let peer = mirrored(state);
            assert_eq!(mirrored(peer), state);
            assert_eq!(peer.offerer(), !state.offerer());
            assert_eq!(peer.is_removing(), state.is_removing());
            for side in [Side::Local, Side::Remote] {
                assert_eq!(peer.is_in(!side), state.is_in(side));
                assert_eq!(peer.is_pending_for(!side), state.is_pending_for(side));
            }
        }
    }

    #[test]
    fn every_life_ends_after_four_commits_and_four_revocations() {
        let steps = [
            CommitStep::SentCommit,
            CommitStep::RcvdRevoke,
            CommitStep::RcvdCommit,
            CommitStep::SentRevoke,
        ];
        for offerer in [Side::Local, Side::Remote] {
            let mut state = HtlcState::added_by(offerer);
            let mut count = 0;
            while !state.is_final() {
                if state == HtlcState::committed_by(offerer) {
                    state = HtlcState::removed_of(offerer);
                }
                let next: Vec<_> = steps.iter().filter_map(|step| state.after(*step)).collect();
                assert_eq!(next.len(), 1);
                state = next[0];
                count += 1;
            }
            assert_eq!(count, 8);
        }
    }

    #[test]
    fn a_commitment_changes_exactly_when_it_was_pending() {
        for state in HtlcState::ALL {
            for (step, side) in [
                (CommitStep::SentCommit, Side::Remote),
                (CommitStep::RcvdCommit, Side::Local),
            ] {
                assert_eq!(state.after(step).is_some(), state.is_pending_for(side));
                if let Some(next) = state.after(step) {
                    assert_eq!(next.is_in(side), state.will_be_in(side));
                }
            }
        }
    }
}

//! Everything both commitments are derived from.

use bitcoin::Txid;
use bitcoin::secp256k1::{PublicKey, ecdsa};
use ln_codec::{Decode, Encode};
use ln_keys::Shachain;
use ln_types::{CommitmentNumber, Feerate, HtlcId, Msat, Side};

use crate::{BySide, CommitStep, Feerates, Htlc, HtlcState, Htlcs, Notice, Removal};

/// What `commitment_signed` brought for our newest commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocalSignatures {
    /// For the commitment.
    pub commitment: ecdsa::Signature,
    /// For each HTLC output, in their order.
    pub htlcs: Vec<ecdsa::Signature>,
}

/// Which message of the dance we sent last: a reconnection repeats lost ones in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum LastSent {
    /// `commitment_signed`.
    Commit,
    /// `revoke_and_ack`.
    Revoke,
}

/// Everything both commitments are derived from: an immutable value, each change makes a new one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Commitments {
    /// HTLCs not irrevocably removed.
    pub htlcs: Htlcs,
    /// The feerate and its changes.
    pub feerates: Feerates,
    /// What each side has, as if every HTLC there is belonged to its offerer.
    pub balances: BySide<Msat>,
    /// The id of the next HTLC each side offers.
    pub next_htlc_id: BySide<HtlcId>,
    /// The number of our newest signed commitment; all before it are revoked.
    pub local_number: CommitmentNumber,
    /// What lets us broadcast it.
    pub local_signatures: LocalSignatures,
    /// Its point: whoever rebuilds it needs no signer. None only before the channel is opened.
    pub local_point: Option<PublicKey>,
    /// The point of the commitment after it, once the signer told it: saves asking again.
    pub local_next_point: Option<PublicKey>,
    /// The number of the newest commitment of the peer's that we signed.
    pub remote_number: CommitmentNumber,
    /// The secrets of all the peer's revoked commitments.
    pub remote_secrets: Shachain,
    /// The point of the peer's oldest commitment that is not revoked.
    pub remote_point: PublicKey,
    /// Its txid.
    pub remote_txid: Txid,
    /// The point of the one after it, once known.
    pub remote_next_point: Option<PublicKey>,
    /// The txid of the one after it, once signed.
    pub remote_next_txid: Option<Txid>,
    /// Which message of the dance we sent last.
    pub last_sent: LastSent,
}

/// Commitment 0 of both sides.
#[derive(Debug, Clone)]
pub struct FirstCommitments {
    /// Who opened the channel.
    pub opener: Side,
    /// What each side starts with.
    pub balances: BySide<Msat>,
    /// The feerate.
    pub feerate: Feerate,
    /// The peer's signature of ours.
    pub signature: ecdsa::Signature,
    /// The point of the peer's.
    pub remote_point: PublicKey,
    /// The txid of the peer's.
    pub remote_txid: Txid,
}

impl Commitments {
    /// The state after `funding_signed`.
    pub fn first(first: FirstCommitments) -> Self {
        Self {
            htlcs: Htlcs::default(),
            feerates: Feerates::new(first.opener, first.feerate),
            balances: first.balances,
            next_htlc_id: BySide {
                local: HtlcId(0),
                remote: HtlcId(0),
            },
            local_number: CommitmentNumber::FIRST,
            local_signatures: LocalSignatures {
                commitment: first.signature,
                htlcs: Vec::new(),
            },
            local_point: None,
            local_next_point: None,
            remote_number: CommitmentNumber::FIRST,
            remote_secrets: Shachain::new(),
            remote_point: first.remote_point,
            remote_txid: first.remote_txid,
            remote_next_point: None,
            remote_next_txid: None,
            last_sent: LastSent::Revoke,
        }
    }

    /// The number of the peer's oldest commitment that is not revoked.
    pub fn remote_unrevoked(&self) -> CommitmentNumber {
        CommitmentNumber(self.remote_secrets.revoked())
    }

    /// Whether the peer owes us a `revoke_and_ack`; until it comes we may not sign again.
    pub fn awaits_revoke(&self) -> bool {
        self.remote_number > self.remote_unrevoked()
    }

    /// Whether the next `commitment_signed` for `side`'s commitment changes something.
    pub fn has_pending_for(&self, side: Side) -> bool {
        self.feerates.is_pending_for(side)
            || self
                .htlcs
                .iter()
                .any(|htlc| htlc.state.is_pending_for(side))
    }

    /// Whether we sent updates that we have not signed yet.
    pub fn has_unsigned_sent(&self) -> bool {
        self.feerates.in_state(HtlcState::SentAddHtlc).is_some()
            || self.htlcs.iter().any(|htlc| {
                matches!(
                    htlc.state,
                    HtlcState::SentAddHtlc | HtlcState::SentRemoveHtlc
                )
            })
    }

    /// Whether nothing is in flight: no HTLC, no feerate half agreed, no revocation owed.
    pub fn is_quiet(&self) -> bool {
        self.htlcs.is_empty() && self.feerates.updates().len() == 1 && !self.awaits_revoke()
    }

    /// A message of the dance was sent or received: moves what was waiting for it, books what is through.
    pub(crate) fn advance(&mut self, step: CommitStep, notices: &mut Vec<Notice>) {
        for htlc in self.htlcs.iter() {
            let Some(next) = htlc.state.after(step) else {
                continue;
            };
            if next == HtlcState::RcvdAddAckRevocation {
                let mut received = htlc.clone();
                received.state = next;
                notices.push(Notice::Received(Box::new(received)));
            }
            if next.is_final() {
                settle(&mut self.balances, htlc, notices);
            }
        }
        self.htlcs.advance(step);
        self.htlcs.retain(|htlc| !htlc.state.is_final());
        self.feerates = self.feerates.advance(step);
    }

    /// The connection is gone: what nobody committed to is reversed.
    #[must_use]
    pub fn disconnect(&self) -> Self {
        let mut next = self.clone();
        for side in [Side::Local, Side::Remote] {
            let lost = next
                .htlcs
                .offered_by(side)
                .iter()
                .find(|htlc| htlc.state.after_disconnect().is_none());
            if let Some(lost) = lost {
                next.next_htlc_id[side] = lost.id;
            }
        }
        next.htlcs.disconnect();
        next.feerates = next.feerates.disconnect();
        next
    }
}

/// Books an HTLC that is irrevocably removed.
fn settle(balances: &mut BySide<Msat>, htlc: &Htlc, notices: &mut Vec<Notice>) {
    let (id, offerer) = (htlc.id, htlc.offerer());
    if htlc.is_fulfilled() {
        balances[offerer] = balances[offerer].saturating_sub(htlc.amount);
        balances[!offerer] = balances[!offerer].saturating_add(htlc.amount);
    }
    match offerer {
        Side::Remote => notices.push(Notice::ReceivedRemoved(id)),
        Side::Local => {
            match &htlc.removal {
                None | Some(Removal::Fulfilled { .. }) => {}
                Some(Removal::Failed {
                    reason,
                    attribution_data,
                }) => notices.push(Notice::Failed {
                    id,
                    reason: reason.clone(),
                    attribution_data: attribution_data.clone(),
                }),
                Some(Removal::Malformed {
                    sha256_of_onion,
                    failure_code,
                }) => notices.push(Notice::FailedMalformed {
                    id,
                    failure_code: *failure_code,
                    sha256_of_onion: *sha256_of_onion,
                }),
            }
            notices.push(Notice::OfferedRemoved(id));
        }
    }
}

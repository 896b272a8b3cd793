//! The keys of one commitment.

use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode};
use ln_keys::Basepoints;

/// The keys of one commitment transaction, seen from its holder: "local" is the side that can broadcast it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CommitmentKeys {
    /// The holder's point for this commitment, from which most of the others come.
    pub per_commitment_point: PublicKey,
    /// Lets the other side take everything once the holder revoked this commitment (`revocationpubkey`).
    pub revocation_key: PublicKey,
    /// The holder's key of `to_local` and of the outputs of HTLC transactions (`local_delayedpubkey`).
    pub to_local_delayed_key: PublicKey,
    /// The holder's key in HTLC outputs (`local_htlcpubkey`).
    pub local_htlc_key: PublicKey,
    /// The other side's key in HTLC outputs (`remote_htlcpubkey`).
    pub remote_htlc_key: PublicKey,
    /// The other side's key of `to_remote` (`remotepubkey`).
    pub to_remote_payment_key: PublicKey,
}

impl CommitmentKeys {
    /// The keys of the commitment that `holder` can broadcast and `other` can punish.
    // BOLT 3 §Key Derivation: the revocation key comes from the other side's basepoint, `remotepubkey` is its payment basepoint as it is.
    pub fn derive(
        per_commitment_point: PublicKey,
        holder: &Basepoints,
        other: &Basepoints,
    ) -> Self {
        Self {
            per_commitment_point,
            revocation_key: other.revocation_key(&per_commitment_point),
            to_local_delayed_key: holder.delayed_payment_key(&per_commitment_point),
            local_htlc_key: holder.htlc_key(&per_commitment_point),
            remote_htlc_key: other.htlc_key(&per_commitment_point),
            to_remote_payment_key: other.payment,
        }
    }
}

//! The five keys each side brings into a channel.

use std::fmt;

use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_codec::{Decode, Encode};

use crate::derive::{
    derive_private_key, derive_public_key, derive_revocation_public_key, public_key,
};

/// One side's funding key and basepoints, in the order `open_channel` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Basepoints {
    /// The side's key in the funding output's 2-of-2.
    pub funding: PublicKey,
    /// From which the other side's commitments take their `revocationpubkey`.
    pub revocation: PublicKey,
    /// Pays `to_remote`, untweaked (option_static_remotekey).
    pub payment: PublicKey,
    /// From which the delayed outputs of the side's own commitments take their key.
    pub delayed_payment: PublicKey,
    /// From which HTLC outputs take the side's key.
    pub htlc: PublicKey,
}

impl Basepoints {
    /// This side's `htlcpubkey` in the commitment of `per_commitment_point`.
    pub fn htlc_key(&self, per_commitment_point: &PublicKey) -> PublicKey {
        derive_public_key(&self.htlc, per_commitment_point)
    }

    /// This side's `delayedpubkey` in its own commitment of `per_commitment_point`.
    pub fn delayed_payment_key(&self, per_commitment_point: &PublicKey) -> PublicKey {
        derive_public_key(&self.delayed_payment, per_commitment_point)
    }

    /// The `revocationpubkey` in the *other* side's commitment of `per_commitment_point`.
    pub fn revocation_key(&self, per_commitment_point: &PublicKey) -> PublicKey {
        derive_revocation_public_key(&self.revocation, per_commitment_point)
    }
}

/// The secrets of [`Basepoints`].
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct BasepointSecrets {
    /// Secret of the funding key.
    pub funding: SecretKey,
    /// Secret of the revocation basepoint.
    pub revocation: SecretKey,
    /// Secret of the payment basepoint.
    pub payment: SecretKey,
    /// Secret of the delayed payment basepoint.
    pub delayed_payment: SecretKey,
    /// Secret of the HTLC basepoint.
    pub htlc: SecretKey,
}

impl BasepointSecrets {
    /// The public side, to tell the peer.
    pub fn basepoints(&self) -> Basepoints {
        Basepoints {
            funding: public_key(&self.funding),
            revocation: public_key(&self.revocation),
            payment: public_key(&self.payment),
            delayed_payment: public_key(&self.delayed_payment),
            htlc: public_key(&self.htlc),
        }
    }

    /// The secret of [`Basepoints::htlc_key`].
    pub fn htlc_secret(&self, per_commitment_point: &PublicKey) -> SecretKey {
        derive_private_key(&self.htlc, per_commitment_point)
    }

    /// The secret of [`Basepoints::delayed_payment_key`].
    pub fn delayed_payment_secret(&self, per_commitment_point: &PublicKey) -> SecretKey {
        derive_private_key(&self.delayed_payment, per_commitment_point)
    }
}

impl fmt::Debug for BasepointSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasepointSecrets(..)")
    }
}

impl Drop for BasepointSecrets {
    fn drop(&mut self) {
        self.funding.non_secure_erase();
        self.revocation.non_secure_erase();
        self.payment.non_secure_erase();
        self.delayed_payment.non_secure_erase();
        self.htlc.non_secure_erase();
    }
}

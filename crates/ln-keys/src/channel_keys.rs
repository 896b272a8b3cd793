//! The keys of one channel.

use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_types::CommitmentNumber;

use crate::basepoints::{BasepointSecrets, Basepoints};
use crate::node_keys::hkdf;
use crate::per_commitment::{PerCommitmentSecret, ShachainSeed};

/// Our secrets in one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelKeys {
    /// The funding key and the basepoints.
    pub secrets: BasepointSecrets,
    /// The seed of our per-commitment secrets.
    pub shachain_seed: ShachainSeed,
}

impl ChannelKeys {
    /// All keys from the channel's seed, cut from one HKDF output in Core Lightning's order.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let keys = hkdf::<192>(None, seed, b"c-lightning");
        let part = |number: usize| -> [u8; 32] {
            let (chunks, _) = keys.as_chunks::<32>();
            *chunks.get(number).expect("192 bytes are six keys")
        };
        let key = |number| {
            SecretKey::from_slice(&part(number)).expect("one in 2^127 hashes is not a key")
        };
        Self {
            secrets: BasepointSecrets {
                funding: key(0),
                revocation: key(1),
                htlc: key(2),
                payment: key(3),
                delayed_payment: key(4),
            },
            shachain_seed: ShachainSeed(part(5)),
        }
    }

    /// The public side of the secrets.
    pub fn basepoints(&self) -> Basepoints {
        self.secrets.basepoints()
    }

    /// The point of our commitment `number`.
    pub fn per_commitment_point(&self, number: CommitmentNumber) -> PublicKey {
        self.shachain_seed.point(number)
    }

    /// What revokes our commitment `number`.
    pub fn per_commitment_secret(&self, number: CommitmentNumber) -> PerCommitmentSecret {
        self.shachain_seed.secret(number)
    }
}

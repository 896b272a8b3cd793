//! BOLT 3 §Key Derivation.

use std::sync::OnceLock;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::{All, PublicKey, Scalar, Secp256k1, SecretKey};

/// Why a derivation cannot fail: every failing input would be a preimage or a collision of SHA256.
const INFEASIBLE: &str = "a failing tweak would need a chosen SHA256 result";

/// The curve context of this process, made at first use.
pub fn secp() -> &'static Secp256k1<All> {
    static CONTEXT: OnceLock<Secp256k1<All>> = OnceLock::new();
    CONTEXT.get_or_init(Secp256k1::new)
}

/// The public key of a secret one.
pub fn public_key(secret: &SecretKey) -> PublicKey {
    PublicKey::from_secret_key(secp(), secret)
}

/// SHA256 of two points, as a number to add or to multiply by.
fn tweak(first: &PublicKey, second: &PublicKey) -> Scalar {
    let mut engine = sha256::Hash::engine();
    engine.input(&first.serialize());
    engine.input(&second.serialize());
    Scalar::from_be_bytes(sha256::Hash::from_engine(engine).to_byte_array()).expect(INFEASIBLE)
}

/// The `localpubkey`, `htlcpubkey` or `delayedpubkey` of one commitment.
// BOLT 3 §Key Derivation: basepoint + SHA256(per_commitment_point || basepoint) * G.
pub fn derive_public_key(basepoint: &PublicKey, per_commitment_point: &PublicKey) -> PublicKey {
    basepoint
        .add_exp_tweak(secp(), &tweak(per_commitment_point, basepoint))
        .expect(INFEASIBLE)
}

/// The secret key of [`derive_public_key`], for whoever holds the basepoint's secret.
pub fn derive_private_key(
    basepoint_secret: &SecretKey,
    per_commitment_point: &PublicKey,
) -> SecretKey {
    basepoint_secret
        .add_tweak(&tweak(per_commitment_point, &public_key(basepoint_secret)))
        .expect(INFEASIBLE)
}

/// The `revocationpubkey` of one commitment, which neither side alone has the secret of.
// BOLT 3 §Key Derivation: both points, each multiplied by the hash that begins with itself, added up.
pub fn derive_revocation_public_key(
    revocation_basepoint: &PublicKey,
    per_commitment_point: &PublicKey,
) -> PublicKey {
    let base = revocation_basepoint
        .mul_tweak(secp(), &tweak(revocation_basepoint, per_commitment_point))
        .expect(INFEASIBLE);
    let commitment = per_commitment_point
        .mul_tweak(secp(), &tweak(per_commitment_point, revocation_basepoint))
        .expect(INFEASIBLE);
    base.combine(&commitment).expect(INFEASIBLE)
}

/// The secret key of [`derive_revocation_public_key`], once the commitment is revoked.
pub fn derive_revocation_private_key(
    revocation_basepoint_secret: &SecretKey,
    per_commitment_secret: &SecretKey,
) -> SecretKey {
    let basepoint = public_key(revocation_basepoint_secret);
    let point = public_key(per_commitment_secret);
    let base = revocation_basepoint_secret
        .mul_tweak(&tweak(&basepoint, &point))
        .expect(INFEASIBLE);
    let commitment = per_commitment_secret
        .mul_tweak(&tweak(&point, &basepoint))
        .expect(INFEASIBLE);
    base.add_tweak(&Scalar::from(commitment)).expect(INFEASIBLE)
}

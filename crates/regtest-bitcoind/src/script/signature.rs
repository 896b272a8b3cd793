//! Signatures inside scripts: their encoding, and whether they are right.

use super::error::ScriptError;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{self, Message, Secp256k1, VerifyOnly, XOnlyPublicKey, schnorr};
use bitcoin::sighash::{Annex, EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::taproot::TapLeafHash;
use bitcoin::{Amount, Script, Transaction, TxOut};
use std::sync::LazyLock;

static SECP: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// Under which rules a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SigVersion {
    /// Scripts before segwit.
    Base,
    /// Version 0 witness programs.
    WitnessV0,
    /// Taproot leaves.
    Tapscript,
}

/// The transaction and input that signatures commit to.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    pub(super) tx: &'a Transaction,
    pub(super) cache: SighashCache<&'a Transaction>,
    pub(super) input: usize,
    pub(super) spent: &'a [TxOut],
}

/// Whether bytes are a DER signature with a hash type byte, in the one form BIP 66 allows.
fn is_strict_der(sig: &[u8]) -> bool {
    let Some((_, der)) = sig.split_last() else {
        return false;
    };
    let [0x30, total, body @ ..] = der else {
        return false;
    };
    if sig.len() > 73 || usize::from(*total) != body.len() {
        return false;
    }
    let integer = |bytes: &[u8]| -> Option<usize> {
        let [0x02, length, value @ ..] = bytes else {
            return None;
        };
        let length = usize::from(*length);
        let value = value.get(..length)?;
        let [first, rest @ ..] = value else {
            return None;
        };
        let padded = *first == 0 && rest.first().is_none_or(|next| next & 0x80 == 0);
        // A single zero byte is the number zero, not padding.
        let fits = first & 0x80 == 0 && (!padded || length == 1);
        fits.then_some(length + 2)
    };
    integer(body)
        .and_then(|first| {
            let rest = body.get(first..)?;
            Some(integer(rest)? == rest.len())
        })
        .unwrap_or(false)
}

/// Checks the encoding of a signature; an empty one is always well formed.
pub(super) fn check_encoding(sig: &[u8]) -> Result<(), ScriptError> {
    let Some((hash_type, der)) = sig.split_last() else {
        return Ok(());
    };
    if !is_strict_der(sig) {
        return Err(ScriptError::SigDer);
    }
    let parsed = secp256k1::ecdsa::Signature::from_der(der).map_err(|_| ScriptError::SigDer)?;
    let mut normal = parsed;
    normal.normalize_s();
    if normal != parsed {
        return Err(ScriptError::SigHighS);
    }
    if !matches!(hash_type & !0x80, 1..=3) {
        return Err(ScriptError::SigHashType);
    }
    Ok(())
}

/// Checks the encoding of a public key.
pub(super) fn check_key_encoding(key: &[u8], version: SigVersion) -> Result<(), ScriptError> {
    let compressed = matches!((key.len(), key.first()), (33, Some(2 | 3)));
    let plain = matches!((key.len(), key.first()), (65, Some(4)));
    if !compressed && !plain {
        return Err(ScriptError::PubkeyType);
    }
    if version == SigVersion::WitnessV0 && !compressed {
        return Err(ScriptError::WitnessPubkeyType);
    }
    Ok(())
}

impl Checker<'_> {
    /// Whether an ECDSA signature of good encoding is right for a key and the running script.
    pub(super) fn ecdsa(
        &mut self,
        sig: &[u8],
        key: &[u8],
        script: &Script,
        version: SigVersion,
    ) -> bool {
        let Some((hash_type, der)) = sig.split_last() else {
            return false;
        };
        let (Ok(signature), Ok(key)) = (
            secp256k1::ecdsa::Signature::from_der(der),
            secp256k1::PublicKey::from_slice(key),
        ) else {
            return false;
        };
        let Some(digest) = self.ecdsa_digest(*hash_type, script, version) else {
            return false;
        };
        SECP.verify_ecdsa(&Message::from_digest(digest), &signature, &key)
            .is_ok()
    }

    fn ecdsa_digest(
        &mut self,
        hash_type: u8,
        script: &Script,
        version: SigVersion,
    ) -> Option<[u8; 32]> {
        if version == SigVersion::Base {
            let hash = self
                .cache
                .legacy_signature_hash(self.input, script, u32::from(hash_type));
            return Some(hash.ok()?.to_byte_array());
        }
        let hash_type = EcdsaSighashType::from_standard(hash_type.into()).ok()?;
        let value = self
            .spent
            .get(self.input)
            .map_or(Amount::ZERO, |output| output.value);
        let hash = self
            .cache
            .p2wsh_signature_hash(self.input, script, value, hash_type)
            .ok()?;
        Some(hash.to_byte_array())
    }

    /// Checks a taproot signature. `leaf` is the leaf and the position of the last code separator.
    pub(super) fn schnorr(
        &mut self,
        sig: &[u8],
        key: &XOnlyPublicKey,
        annex: Option<&[u8]>,
        leaf: Option<(TapLeafHash, u32)>,
    ) -> Result<(), ScriptError> {
        let (bytes, hash_type) = match (sig.len(), sig.split_last()) {
            (64, _) => (sig, 0),
            (65, Some((0, _))) => return Err(ScriptError::SchnorrSigHashType),
            (65, Some((hash_type, bytes))) => (bytes, *hash_type),
            _ => return Err(ScriptError::SchnorrSigSize),
        };
        let hash_type = TapSighashType::from_consensus_u8(hash_type)
            .map_err(|_| ScriptError::SchnorrSigHashType)?;
        let annex = annex.and_then(|bytes| Annex::new(bytes).ok());
        let digest = self
            .cache
            .taproot_signature_hash(
                self.input,
                &Prevouts::All(self.spent),
                annex,
                leaf,
                hash_type,
            )
            .map_err(|_| ScriptError::SchnorrSigHashType)?;
        let signature =
            schnorr::Signature::from_slice(bytes).map_err(|_| ScriptError::SchnorrSigSize)?;
        SECP.verify_schnorr(
            &signature,
            &Message::from_digest(digest.to_byte_array()),
            key,
        )
        .map_err(|_| ScriptError::SchnorrSig)
    }

    /// BIP 65: whether the transaction's lock time is at least `wanted`, of the same unit.
    pub(super) fn lock_time_reached(&self, wanted: i64) -> bool {
        let own = i64::from(self.tx.lock_time.to_consensus_u32());
        let same_unit = (own < 500_000_000) == (wanted < 500_000_000);
        let open = self
            .tx
            .input
            .get(self.input)
            .is_some_and(|input| input.sequence.0 != u32::MAX);
        same_unit && wanted <= own && open
    }

    /// BIP 112: whether the input's relative lock is at least `wanted`, of the same unit.
    pub(super) fn sequence_reached(&self, wanted: i64) -> bool {
        let Some(own) = self
            .tx
            .input
            .get(self.input)
            .map(|input| i64::from(input.sequence.0))
        else {
            return false;
        };
        if self.tx.version.0.cast_unsigned() < 2 || own & (1 << 31) != 0 {
            return false;
        }
        let unit = 1 << 22;
        let mask = unit | 0xffff;
        let (own, wanted) = (own & mask, wanted & mask);
        (own < unit) == (wanted < unit) && wanted <= own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::FromHex;

    #[test]
    fn only_strict_and_low_signatures_pass() {
        let good = "3045022100de1ac3bcdfb0332207c4a91f3832bd2c2915840165f876ab47c5f8996b971c3602201c6c053d750fadde599e6f5c4e1963df0f01fc0d97815e8157e3d59fe09ca30d01";
        let mut sig = Vec::<u8>::from_hex(good).unwrap();
        assert_eq!(check_encoding(&sig), Ok(()));
        assert_eq!(check_encoding(&[]), Ok(()));
        *sig.last_mut().unwrap() = 5;
        assert_eq!(check_encoding(&sig), Err(ScriptError::SigHashType));
        sig[1] += 1;
        assert_eq!(check_encoding(&sig), Err(ScriptError::SigDer));
        assert_eq!(check_encoding(&[0x30]), Err(ScriptError::SigDer));
    }
}

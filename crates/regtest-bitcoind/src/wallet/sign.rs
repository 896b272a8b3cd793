//! Signing the inputs that a wallet holds keys for.

use super::Wallet;
use super::keys::{AddressKind, KeyPath};
use bitcoin::ecdsa;
use bitcoin::hashes::Hash;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::secp256k1::Message;
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::{ScriptBuf, Transaction, TxOut, Witness, taproot};

impl Wallet {
    /// Signs every input whose spent output is ours. `spent` has the output each input spends,
    /// where known. Taproot inputs are signed only if all are known. Returns which were signed.
    pub fn sign(&self, tx: &mut Transaction, spent: &[Option<TxOut>]) -> Vec<bool> {
        let unsigned = tx.clone();
        let all: Option<Vec<TxOut>> = spent.iter().cloned().collect();
        let mut signed = Vec::with_capacity(tx.input.len());
        for (index, (input, output)) in tx.input.iter_mut().zip(spent).enumerate() {
            let unlocked = output.as_ref().and_then(|output| {
                let path = self.path(&output.script_pubkey)?;
                self.unlock(&unsigned, index, output, all.as_deref(), path)
            });
            signed.push(unlocked.is_some());
            if let Some((script_sig, witness)) = unlocked {
                input.script_sig = script_sig;
                input.witness = witness;
            }
        }
        signed
    }

    fn unlock(
        &self,
        tx: &Transaction,
        index: usize,
        output: &TxOut,
        all: Option<&[TxOut]>,
        path: KeyPath,
    ) -> Option<(ScriptBuf, Witness)> {
        let mut cache = SighashCache::new(tx);
        let public = self.ring().public(path);
        let sign = |digest: [u8; 32]| {
            let message = Message::from_digest(digest);
            let secret = self.ring().secret(path);
            ecdsa::Signature {
                signature: self.ring().secp().sign_ecdsa_low_r(&message, &secret),
                sighash_type: EcdsaSighashType::All,
            }
        };
        let segwit = |cache: &mut SighashCache<&Transaction>| {
            let program = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
            let hash = cache
                .p2wpkh_signature_hash(index, &program, output.value, EcdsaSighashType::All)
                .ok()?;
            Some(Witness::p2wpkh(&sign(hash.to_byte_array()), &public.0))
        };
        match path.kind {
            AddressKind::Legacy => {
                let all_type = EcdsaSighashType::All.to_u32();
                let hash = cache
                    .legacy_signature_hash(index, &output.script_pubkey, all_type)
                    .ok()?;
                let signature = PushBytesBuf::try_from(sign(hash.to_byte_array()).to_vec()).ok()?;
                let script_sig = Builder::new()
                    .push_slice(signature)
                    .push_slice(public.to_bytes())
                    .into_script();
                Some((script_sig, Witness::new()))
            }
            AddressKind::P2shSegwit => {
                let program = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
                let redeem = PushBytesBuf::try_from(program.into_bytes()).ok()?;
                let script_sig = Builder::new().push_slice(redeem).into_script();
                Some((script_sig, segwit(&mut cache)?))
            }
            AddressKind::Bech32 => Some((ScriptBuf::new(), segwit(&mut cache)?)),
            AddressKind::Bech32m => {
                let hash = cache
                    .taproot_key_spend_signature_hash(
                        index,
                        &Prevouts::All(all?),
                        TapSighashType::Default,
                    )
                    .ok()?;
                let message = Message::from_digest(hash.to_byte_array());
                let pair = self.ring().tweaked(path);
                let signature = taproot::Signature {
                    signature: self.ring().secp().sign_schnorr_no_aux_rand(&message, &pair),
                    sighash_type: TapSighashType::Default,
                };
                Some((ScriptBuf::new(), Witness::p2tr_key_spend(&signature)))
            }
        }
    }
}

/// Weight an input of ours adds once signed, beyond its 41 bytes without scripts.
pub fn unlock_weight(kind: AddressKind) -> u64 {
    match kind {
        // Signature of 71 bytes with sighash byte and push, key of 33 with push, and an empty
        // witness if others have one.
        AddressKind::Legacy => 4 * (1 + 71 + 1 + 33) + 1,
        AddressKind::P2shSegwit => 4 * 23 + 1 + 1 + 71 + 1 + 33,
        AddressKind::Bech32 => 1 + 1 + 71 + 1 + 33,
        AddressKind::Bech32m => 1 + 1 + 64,
    }
}

//! What the wallet's keys sign: inputs of a PSBT.

use bitcoin::bip32::{ChildNumber, DerivationPath, Fingerprint, KeySource};
use bitcoin::hashes::Hash;
use bitcoin::key::TapTweak;
use bitcoin::opcodes::all::{OP_CHECKSIGVERIFY, OP_CSV};
use bitcoin::psbt::Psbt;
use bitcoin::script::Builder;
use bitcoin::secp256k1::{Keypair, Message, PublicKey, SecretKey};
use bitcoin::sighash::{Prevouts, SighashCache};
use bitcoin::{Amount, OutPoint, ScriptBuf, TxOut, ecdsa, taproot};
use ln_keys::{public_key, secp};
use ln_tx::script::{anchor_script, p2wpkh};
use ln_types::{NodeId, Sat};

use crate::ecdsa::sign_low_r;
use crate::{ChannelSigner, NodeSigner, SignerError};

/// A coin of the wallet's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletCoin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// How much.
    pub amount: Sat,
    /// Its address's index.
    pub key_index: u32,
    /// Its script.
    pub script_pubkey: ScriptBuf,
    /// For an output that a peer's commitment pays us.
    pub close_info: Option<CloseInfo>,
}

/// Where the key of a peer's commitment's output to us comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseInfo {
    /// The channel's database id.
    pub channel_dbid: u64,
    /// The peer.
    pub peer_id: NodeId,
    /// Set for channels older than option_static_remotekey.
    pub commitment_point: Option<PublicKey>,
    /// Whether the output has the script of option_anchors.
    pub option_anchors: bool,
    /// Blocks it must be deep before it can be spent.
    pub csv: u32,
}

/// The script of `to_remote` with option_anchors; `csv` is 1 but for leases.
// BOLT 3 §`to_remote` Output: the key, and one block.
fn to_remote_script(key: &PublicKey, csv: u32) -> ScriptBuf {
    Builder::new()
        .push_slice(key.serialize())
        .push_opcode(OP_CHECKSIGVERIFY)
        .push_int(i64::from(csv))
        .push_opcode(OP_CSV)
        .into_script()
}

/// How Core Lightning names the origin of a key it puts into a PSBT.
fn origin(key: &PublicKey) -> KeySource {
    let hash = bitcoin::PublicKey::new(*key).pubkey_hash();
    let [a, b, c, d, ..] = hash.to_byte_array();
    let path = DerivationPath::from(vec![ChildNumber::Normal { index: 0 }]);
    (Fingerprint::from([a, b, c, d]), path)
}

impl NodeSigner {
    /// Signs every input of `psbt` that spends one of `coins`. Coins it does not spend are passed over.
    pub fn sign_coins(&self, psbt: &mut Psbt, coins: &[WalletCoin]) -> Result<(), SignerError> {
        for coin in coins {
            let Some(index) = psbt
                .unsigned_tx
                .input
                .iter()
                .position(|input| input.previous_output == coin.outpoint)
            else {
                continue;
            };
            let key = self.prepare_coin(psbt, index, coin)?;
            if coin.script_pubkey.is_p2tr() {
                sign_taproot(psbt, index, &key)?;
            } else {
                sign_segwit(psbt, index, &key)?;
            }
        }
        Ok(())
    }

    /// Signs every input of `psbt` that names the channel's funding key: its anchor.
    pub fn sign_anchor(&self, psbt: &mut Psbt, channel: &ChannelSigner) -> Result<(), SignerError> {
        let key = channel.basepoints().funding;
        for index in 0..psbt.inputs.len() {
            let Some(input) = psbt.inputs.get(index) else {
                continue;
            };
            if input.bip32_derivation.contains_key(&key) {
                // The funding key must not be made to sign a spend of the funding output here.
                let script = anchor_script(&key);
                if input.witness_script.as_ref() != Some(&script)
                    || spent_output(psbt, index)?.script_pubkey != script.to_p2wsh()
                {
                    return Err(unsignable(index, "its script is not our anchor's"));
                }
                sign_segwit(psbt, index, channel.funding_secret())?;
            }
        }
        Ok(())
    }

    /// The p2wpkh script of the output that a peer's commitment without anchors pays us.
    pub fn close_script(&self, close: &CloseInfo) -> ScriptBuf {
        p2wpkh(&public_key(&self.close_secret(close)))
    }

    fn close_secret(&self, close: &CloseInfo) -> SecretKey {
        self.channel(&close.peer_id, close.channel_dbid)
            .to_remote_secret(close.commitment_point.as_ref())
    }

    /// Finds the coin's key and writes into the PSBT what is needed to sign its input.
    fn prepare_coin(
        &self,
        psbt: &mut Psbt,
        index: usize,
        coin: &WalletCoin,
    ) -> Result<SecretKey, SignerError> {
        let secret = match &coin.close_info {
            Some(close) => self.close_secret(close),
            None => self.keys().wallet_secret(coin.key_index)?,
        };
        let key = public_key(&secret);
        let count = psbt.inputs.len();
        let input = psbt
            .inputs
            .get_mut(index)
            .ok_or(SignerError::NoSuchInput { index, count })?;
        if coin.script_pubkey.is_p2tr() {
            let (internal, _) = key.x_only_public_key();
            input
                .tap_key_origins
                .insert(internal, (Vec::new(), origin(&key)));
            input.tap_internal_key = Some(internal);
        } else {
            input.bip32_derivation.insert(key, origin(&key));
        }
        if let Some(close) = coin
            .close_info
            .as_ref()
            .filter(|close| close.option_anchors)
        {
            let script = to_remote_script(&key, close.csv);
            input.witness_utxo = Some(TxOut {
                value: Amount::from_sat(coin.amount.as_sat()),
                script_pubkey: script.to_p2wsh(),
            });
            input.witness_script = Some(script);
        } else if input.witness_utxo.is_none() && input.non_witness_utxo.is_none() {
            input.witness_utxo = Some(TxOut {
                value: Amount::from_sat(coin.amount.as_sat()),
                script_pubkey: coin.script_pubkey.clone(),
            });
        }
        if coin.script_pubkey.is_p2sh() && input.redeem_script.is_none() {
            input.redeem_script = Some(p2wpkh(&key));
        }
        check_script(psbt, index, &key)?;
        Ok(secret)
    }
}

fn unsignable(index: usize, reason: impl ToString) -> SignerError {
    SignerError::Unsignable {
        index,
        reason: reason.to_string(),
    }
}

/// Fails unless the output that input `index` spends is one that `key` alone can spend.
fn check_script(psbt: &Psbt, index: usize, key: &PublicKey) -> Result<(), SignerError> {
    let spent = spent_output(psbt, index)?;
    let (internal, _) = key.x_only_public_key();
    let script = &spent.script_pubkey;
    let witness_script = psbt
        .inputs
        .get(index)
        .and_then(|input| input.witness_script.as_ref());
    let ours = if script.is_p2wsh() {
        // Only `prepare_coin` puts a script there that the PSBT may not have had: the output of a peer's commitment.
        witness_script.is_some_and(|witness| {
            witness.to_p2wsh() == *script
                && witness.as_bytes().starts_with(
                    Builder::new()
                        .push_slice(key.serialize())
                        .push_opcode(OP_CHECKSIGVERIFY)
                        .as_bytes(),
                )
        })
    } else {
        *script == p2wpkh(key)
            || *script == p2wpkh(key).to_p2sh()
            || *script == ScriptBuf::new_p2tr(secp(), internal, None)
    };
    if ours {
        Ok(())
    } else {
        Err(unsignable(index, "its output is not of the key asked for"))
    }
}

fn sign_segwit(psbt: &mut Psbt, index: usize, secret: &SecretKey) -> Result<(), SignerError> {
    spent_output(psbt, index)?;
    let (digest, sighash_type) = psbt
        .sighash_ecdsa(index, &mut SighashCache::new(&psbt.unsigned_tx))
        .map_err(|error| unsignable(index, error))?;
    let signature = ecdsa::Signature {
        signature: sign_low_r(&digest, secret),
        sighash_type,
    };
    let key = bitcoin::PublicKey::new(public_key(secret));
    if let Some(input) = psbt.inputs.get_mut(index) {
        input.partial_sigs.insert(key, signature);
    }
    Ok(())
}

/// The output that input `index` spends. (`Psbt::spend_utxo` would panic on a transaction without that output.)
fn spent_output(psbt: &Psbt, index: usize) -> Result<&TxOut, SignerError> {
    let unknown = SignerError::UnknownSpent { index };
    let (Some(input), Some(tx_input)) = (psbt.inputs.get(index), psbt.unsigned_tx.input.get(index))
    else {
        return Err(unknown);
    };
    let outpoint = tx_input.previous_output;
    match (&input.witness_utxo, &input.non_witness_utxo) {
        (Some(output), _) => Ok(output),
        (None, Some(before)) if before.compute_txid() == outpoint.txid => {
            let vout = usize::try_from(outpoint.vout).unwrap_or(usize::MAX);
            before.output.get(vout).ok_or(unknown)
        }
        (None, Some(_) | None) => Err(unknown),
    }
}

/// The outputs that all inputs spend, each in its input's place.
fn spent_outputs(psbt: &Psbt) -> Result<Vec<TxOut>, SignerError> {
    (0..psbt.inputs.len())
        .map(|index| spent_output(psbt, index).cloned())
        .collect()
}

/// Signs by the key path, with the key tweaked by no script tree.
fn sign_taproot(psbt: &mut Psbt, index: usize, secret: &SecretKey) -> Result<(), SignerError> {
    let spent = spent_outputs(psbt)?;
    let count = psbt.inputs.len();
    let input = psbt
        .inputs
        .get_mut(index)
        .ok_or(SignerError::NoSuchInput { index, count })?;
    let sighash_type = input
        .taproot_hash_ty()
        .map_err(|error| unsignable(index, error))?;
    let digest = SighashCache::new(&psbt.unsigned_tx)
        .taproot_key_spend_signature_hash(index, &Prevouts::All(&spent), sighash_type)
        .map_err(|error| unsignable(index, error))?;
    let pair = Keypair::from_secret_key(secp(), secret)
        .tap_tweak(secp(), None)
        .to_keypair();
    let digest = Message::from_digest(digest.to_byte_array());
    input.tap_key_sig = Some(taproot::Signature {
        signature: secp().sign_schnorr_no_aux_rand(&digest, &pair),
        sighash_type,
    });
    Ok(())
}

//! PSBTs: built for the wallet's coins, and finished once signed.

use bitcoin::absolute::LockTime;
use bitcoin::psbt::{Input, Psbt};
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::secp256k1::PublicKey;
use bitcoin::transaction::Version;
use bitcoin::{
    PublicKey as BitcoinKey, ScriptBuf, Transaction, TxIn, TxOut, Txid, WPubkeyHash, Witness,
};
use ln_types::{BlockHeight, Sat};

use crate::keys::script_of;
use crate::{AddressKind, Origin, Utxo};

/// Why a PSBT is no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PsbtError {
    /// An input that nobody has signed, or not completely.
    #[error("input {index} is not signed: sign it before sending")]
    NotSigned {
        /// Its index.
        index: usize,
    },
    /// An input without the output it spends.
    #[error("input {index} does not say which output it spends")]
    UnknownOutput {
        /// Its index.
        index: usize,
    },
    /// An input whose previous transaction is another one.
    #[error("input {index} carries a transaction that is not the one it spends")]
    WrongTransaction {
        /// Its index.
        index: usize,
    },
    /// Two inputs spend one output.
    #[error("{0} is spent by two inputs")]
    SpentTwice(bitcoin::OutPoint),
    /// More goes out than comes in.
    #[error("outputs of {outputs} exceed inputs of {inputs}")]
    Overspent {
        /// The sum of the inputs.
        inputs: Sat,
        /// The sum of the outputs.
        outputs: Sat,
    },
    /// Parts that do not fit together.
    #[error("malformed PSBT: {0}")]
    Malformed(String),
}

/// Builds a PSBT (version 0) that spends `coins`; `previous` looks up the whole transaction of a coin where it is known.
///
/// Wrapped coins need their redeem script, which `wrapped_key` finds from the key index.
pub fn build_psbt(
    coins: &[Utxo],
    outputs: Vec<TxOut>,
    locktime: BlockHeight,
    previous: impl Fn(&Txid) -> Option<Transaction>,
    wrapped_key: impl Fn(u32) -> Option<PublicKey>,
) -> Psbt {
    let tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::from_height(locktime.0).unwrap_or(LockTime::ZERO),
        input: coins
            .iter()
            .map(|coin| TxIn {
                previous_output: coin.outpoint,
                sequence: coin.sequence(),
                ..TxIn::default()
            })
            .collect(),
        output: outputs,
    };
    let mut psbt = Psbt::from_unsigned_tx(tx).expect("a transaction without scripts or witnesses");
    for (input, coin) in psbt.inputs.iter_mut().zip(coins) {
        *input = psbt_input(coin, &previous, &wrapped_key);
    }
    psbt
}

/// The PSBT's record of an input that spends a coin.
pub fn psbt_input(
    coin: &Utxo,
    previous: impl Fn(&Txid) -> Option<Transaction>,
    wrapped_key: impl Fn(u32) -> Option<PublicKey>,
) -> Input {
    let redeem_script = match &coin.origin {
        Origin::Wallet {
            kind: AddressKind::P2shP2wpkh,
            key_index,
        } => wrapped_key(*key_index).map(|key| script_of(AddressKind::P2wpkh, &key)),
        Origin::Wallet { .. } | Origin::Close(_) => None,
    };
    Input {
        witness_utxo: Some(TxOut {
            value: coin.value.into(),
            script_pubkey: coin.script_pubkey.clone(),
        }),
        non_witness_utxo: previous(&coin.outpoint.txid),
        redeem_script,
        ..Input::default()
    }
}

/// The output an input of the PSBT spends.
pub fn spent_output(psbt: &Psbt, index: usize) -> Result<TxOut, PsbtError> {
    let unknown = || PsbtError::UnknownOutput { index };
    let input = psbt.inputs.get(index).ok_or_else(unknown)?;
    let tx_input = psbt.unsigned_tx.input.get(index).ok_or_else(unknown)?;
    if let Some(previous) = &input.non_witness_utxo {
        if previous.compute_txid() != tx_input.previous_output.txid {
            return Err(PsbtError::WrongTransaction { index });
        }
        let vout = usize::try_from(tx_input.previous_output.vout).map_err(|_| unknown())?;
        return previous.output.get(vout).cloned().ok_or_else(unknown);
    }
    input.witness_utxo.clone().ok_or_else(unknown)
}

/// The fee a PSBT pays, once every input says what it spends.
pub fn psbt_fee(psbt: &Psbt) -> Result<Sat, PsbtError> {
    let mut outpoints: Vec<_> = psbt
        .unsigned_tx
        .input
        .iter()
        .map(|input| input.previous_output)
        .collect();
    outpoints.sort_unstable();
    if let Some(pair) = outpoints
        .windows(2)
        .find(|pair| pair.first() == pair.last())
    {
        return Err(PsbtError::SpentTwice(
            pair.first().copied().unwrap_or_default(),
        ));
    }
    let mut inputs = Sat::ZERO;
    for index in 0..psbt.unsigned_tx.input.len() {
        inputs = inputs.saturating_add(spent_output(psbt, index)?.value.into());
    }
    let outputs: Sat = psbt
        .unsigned_tx
        .output
        .iter()
        .map(|output| Sat::from(output.value))
        .sum();
    inputs
        .checked_sub(outputs)
        .ok_or(PsbtError::Overspent { inputs, outputs })
}

/// Turns signatures into final scripts and witnesses wherever they are complete; the rest stays as it is.
///
/// Knows the coins of the wallet (P2WPKH, wrapped or not, and taproot by key), `to_remote` outputs with anchors, and 2-of-2 outputs.
pub fn finalize(psbt: &mut Psbt) -> Result<(), PsbtError> {
    for index in 0..psbt.inputs.len() {
        let Ok(spent) = spent_output(psbt, index) else {
            continue;
        };
        let Some(input) = psbt.inputs.get_mut(index) else {
            continue;
        };
        if input.final_script_witness.is_some() || input.final_script_sig.is_some() {
            continue;
        }
        let Some(witness) = witness_of(input, &spent.script_pubkey) else {
            continue;
        };
        if spent.script_pubkey.is_p2sh() {
            input.final_script_sig = input.redeem_script.take().map(|script| push(&script));
        }
        input.final_script_witness = Some(witness);
        input.partial_sigs.clear();
        input.bip32_derivation.clear();
        input.tap_key_sig = None;
        input.tap_key_origins.clear();
        input.witness_script = None;
        input.sighash_type = None;
    }
    Ok(())
}

/// A script that pushes another one.
fn push(script: &ScriptBuf) -> ScriptBuf {
    let bytes = PushBytesBuf::try_from(script.to_bytes()).unwrap_or_default();
    Builder::new().push_slice(bytes).into_script()
}

fn witness_of(input: &Input, script_pubkey: &ScriptBuf) -> Option<Witness> {
    if script_pubkey.is_p2tr() {
        return input.tap_key_sig.map(|signature| {
            let mut witness = Witness::new();
            witness.push(signature.to_vec());
            witness
        });
    }
    if script_pubkey.is_p2wsh() {
        let script = input.witness_script.as_ref()?;
        return (script.to_p2wsh() == *script_pubkey)
            .then(|| p2wsh_witness(input, script))
            .flatten();
    }
    let program = if script_pubkey.is_p2sh() {
        let redeem = input.redeem_script.as_ref()?;
        (redeem.to_p2sh() == *script_pubkey).then_some(redeem)?
    } else {
        script_pubkey
    };
    input.partial_sigs.iter().find_map(|(key, signature)| {
        let hash = WPubkeyHash::from(bitcoin::CompressedPublicKey(key.inner));
        (ScriptBuf::new_p2wpkh(&hash) == *program).then(|| {
            let mut witness = Witness::new();
            witness.push(signature.to_vec());
            witness.push(key.to_bytes());
            witness
        })
    })
}

/// The witness of a script with one key or of a 2-of-2.
fn p2wsh_witness(input: &Input, script: &ScriptBuf) -> Option<Witness> {
    let keys: Vec<BitcoinKey> = script
        .instructions()
        .filter_map(|instruction| {
            let instruction = instruction.ok()?;
            BitcoinKey::from_slice(instruction.push_bytes()?.as_bytes()).ok()
        })
        .collect();
    let mut witness = Witness::new();
    if keys.len() == 2 {
        witness.push([]);
    } else if keys.len() != 1 {
        return None;
    }
    for key in &keys {
        witness.push(input.partial_sigs.get(key)?.to_vec());
    }
    witness.push(script);
    Some(witness)
}

/// The transaction of a finished PSBT.
pub fn extract(psbt: &Psbt) -> Result<Transaction, PsbtError> {
    let mut tx = psbt.unsigned_tx.clone();
    if tx.input.len() != psbt.inputs.len() {
        return Err(PsbtError::Malformed(format!(
            "{} inputs but {} input records",
            tx.input.len(),
            psbt.inputs.len()
        )));
    }
    for (index, (tx_input, input)) in tx.input.iter_mut().zip(&psbt.inputs).enumerate() {
        if input.final_script_witness.is_none() && input.final_script_sig.is_none() {
            return Err(PsbtError::NotSigned { index });
        }
        tx_input.script_sig = input.final_script_sig.clone().unwrap_or_default();
        tx_input.witness = input.final_script_witness.clone().unwrap_or_default();
    }
    Ok(tx)
}

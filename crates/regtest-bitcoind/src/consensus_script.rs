//! Script verification by Bitcoin Core's own consensus code, for whole transactions.

use bitcoin::consensus::serialize;
use bitcoin::{Transaction, TxOut};
use bitcoinconsensus::Utxo;
use std::marker::PhantomData;

/// The outputs a transaction spends, in the form the consensus library reads.
///
/// Its entries point into the scripts of the `TxOut`s they were made from, so it borrows those.
struct SpentOutputs<'a> {
    entries: Vec<Utxo>,
    _scripts: PhantomData<&'a [TxOut]>,
}

impl<'a> SpentOutputs<'a> {
    /// `None` if a script or value is too large to be described.
    fn new(outputs: &'a [TxOut]) -> Option<Self> {
        let entries = outputs
            .iter()
            .map(|output| {
                let script = output.script_pubkey.as_bytes();
                Some(Utxo {
                    script_pubkey: script.as_ptr(),
                    script_pubkey_len: u32::try_from(script.len()).ok()?,
                    value: i64::try_from(output.value.to_sat()).ok()?,
                })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            entries,
            _scripts: PhantomData,
        })
    }
}

/// Verifies every input of `tx`, which spends `spent` (one output per input, in order), under all
/// consensus rules including taproot. `Err` is the index of the first input that fails.
pub fn verify_inputs(tx: &Transaction, spent: &[TxOut]) -> Result<(), usize> {
    // The library skips taproot unless it gets every spent output; and it must get them all.
    if spent.len() != tx.input.len() {
        return Err(0);
    }
    let bytes = serialize(tx);
    let outputs = SpentOutputs::new(spent).ok_or(0_usize)?;
    let flags = bitcoinconsensus::VERIFY_ALL_PRE_TAPROOT | bitcoinconsensus::VERIFY_TAPROOT;
    for (index, output) in spent.iter().enumerate() {
        bitcoinconsensus::verify_with_flags(
            output.script_pubkey.as_bytes(),
            output.value.to_sat(),
            &bytes,
            Some(&outputs.entries),
            index,
            flags,
        )
        .map_err(|_| index)?;
    }
    Ok(())
}

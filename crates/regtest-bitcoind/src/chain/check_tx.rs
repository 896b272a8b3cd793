//! Consensus rules for one transaction that need no scripts: shape, finality, relative locks, fee.

use super::Coin;
use crate::params::COINBASE_MATURITY;
use bitcoin::{Amount, OutPoint, Transaction};
use std::collections::HashSet;

/// `nSequence` bit that switches the relative lock off (BIP 68).
const SEQUENCE_DISABLE: u32 = 1 << 31;
/// `nSequence` bit that makes the relative lock count 512-second steps (BIP 68).
const SEQUENCE_TIME: u32 = 1 << 22;
/// The part of `nSequence` that holds the relative lock (BIP 68).
const SEQUENCE_MASK: u32 = 0xffff;
/// Lock times from here on are seconds, below are heights.
const LOCKTIME_THRESHOLD: u32 = 500_000_000;

/// Rules that need nothing but the transaction. `Err` is Core's reject reason.
pub fn check_transaction(tx: &Transaction) -> Result<(), &'static str> {
    if tx.input.is_empty() {
        return Err("bad-txns-vin-empty");
    }
    if tx.output.is_empty() {
        return Err("bad-txns-vout-empty");
    }
    if tx.base_size() > 1_000_000 {
        return Err("bad-txns-oversize");
    }
    let mut total = Amount::ZERO;
    for output in &tx.output {
        // A negative value reads as one beyond the signed range.
        if i64::try_from(output.value.to_sat()).is_err() {
            return Err("bad-txns-vout-negative");
        }
        if output.value > Amount::MAX_MONEY {
            return Err("bad-txns-vout-toolarge");
        }
        total = total
            .checked_add(output.value)
            .filter(|sum| *sum <= Amount::MAX_MONEY)
            .ok_or("bad-txns-txouttotal-toolarge")?;
    }
    let mut seen = HashSet::with_capacity(tx.input.len());
    if !tx
        .input
        .iter()
        .all(|input| seen.insert(input.previous_output))
    {
        return Err("bad-txns-inputs-duplicate");
    }
    if tx.is_coinbase() {
        let length = tx.input.first().map_or(0, |input| input.script_sig.len());
        if !(2..=100).contains(&length) {
            return Err("bad-cb-length");
        }
    } else if tx.input.iter().any(|input| input.previous_output.is_null()) {
        return Err("bad-txns-prevout-null");
    }
    Ok(())
}

/// Whether `tx` may be in a block at `height` whose predecessor has median time past `median_time`.
pub fn is_final(tx: &Transaction, height: u32, median_time: u32) -> bool {
    let lock = tx.lock_time.to_consensus_u32();
    let now = if lock < LOCKTIME_THRESHOLD {
        height
    } else {
        median_time
    };
    lock == 0 || lock < now || !tx.is_lock_time_enabled()
}

/// The first height and the first median time at which the relative locks of a transaction are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceLocks {
    min_height: u32,
    min_time: u64,
}

impl SequenceLocks {
    /// Whether a block at `height`, after one with median time past `median_time`, satisfies them.
    pub fn met_at(self, height: u32, median_time: u32) -> bool {
        self.min_height <= height && self.min_time <= median_time.into()
    }
}

/// BIP 68 locks of `tx`, whose inputs were created at `heights`. `median_time_before(h)` is the
/// median time past of the block before height `h`.
pub fn sequence_locks(
    tx: &Transaction,
    heights: &[u32],
    median_time_before: impl Fn(u32) -> u32,
) -> SequenceLocks {
    let mut locks = SequenceLocks {
        min_height: 0,
        min_time: 0,
    };
    if tx.version.0.cast_unsigned() < 2 {
        return locks;
    }
    for (input, &height) in tx.input.iter().zip(heights) {
        let sequence = input.sequence.to_consensus_u32();
        if sequence & SEQUENCE_DISABLE != 0 {
            continue;
        }
        let value = sequence & SEQUENCE_MASK;
        if sequence & SEQUENCE_TIME != 0 {
            let from = u64::from(median_time_before(height));
            locks.min_time = locks
                .min_time
                .max(from.saturating_add(u64::from(value) << 9));
        } else {
            locks.min_height = locks.min_height.max(height.saturating_add(value));
        }
    }
    locks
}

/// Maturity and money rules for `tx` spending `coins` in a block at `height`; the fee if they hold.
/// `Err` is Core's reject reason and its detail.
pub fn check_inputs(
    tx: &Transaction,
    coins: &[Coin],
    height: u32,
) -> Result<Amount, (&'static str, String)> {
    let mut total_in = Amount::ZERO;
    for coin in coins {
        let age = height.saturating_sub(coin.height);
        if coin.coinbase && age < COINBASE_MATURITY {
            let detail = format!("tried to spend coinbase at depth {age}");
            return Err(("bad-txns-premature-spend-of-coinbase", detail));
        }
        total_in = total_in
            .checked_add(coin.output.value)
            .filter(|sum| *sum <= Amount::MAX_MONEY)
            .ok_or(("bad-txns-inputvalues-outofrange", String::new()))?;
    }
    let total_out = total_out(tx).ok_or(("bad-txns-txouttotal-toolarge", String::new()))?;
    total_in.checked_sub(total_out).ok_or_else(|| {
        let (value_in, value_out) = (btc(total_in), btc(total_out));
        (
            "bad-txns-in-belowout",
            format!("value in ({value_in}) < value out ({value_out})"),
        )
    })
}

/// Sum of the outputs; `None` if it overflows.
pub fn total_out(tx: &Transaction) -> Option<Amount> {
    tx.output
        .iter()
        .try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value))
}

/// An amount as Core writes it in messages: bitcoin, at least two decimals.
pub fn btc(amount: Amount) -> String {
    btc_signed(amount.to_sat().cast_signed())
}

/// Satoshis, possibly negative, as Core writes them in messages.
pub fn btc_signed(sats: i64) -> String {
    let sign = if sats < 0 { "-" } else { "" };
    let sats = sats.unsigned_abs();
    let text = format!("{sign}{}.{:08}", sats / 100_000_000, sats % 100_000_000);
    let trimmed = text.trim_end_matches('0');
    let decimals = trimmed.rsplit('.').next().map_or(0, str::len);
    let kept = trimmed.len() + 2_usize.saturating_sub(decimals);
    text.get(..kept).unwrap_or(&text).to_owned()
}

/// The outpoints of a transaction with the given id.
pub fn outpoints(txid: bitcoin::Txid, tx: &Transaction) -> impl Iterator<Item = OutPoint> {
    (0..u32::try_from(tx.output.len()).unwrap_or(u32::MAX)).map(move |vout| OutPoint { txid, vout })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::absolute::LockTime;
    use bitcoin::transaction::Version;
    use bitcoin::{Sequence, TxIn, TxOut};

    fn tx(lock: u32, sequence: u32) -> Transaction {
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(lock),
            input: vec![TxIn {
                sequence: Sequence(sequence),
                ..TxIn::default()
            }],
            output: vec![TxOut {
                value: Amount::ONE_SAT,
                script_pubkey: bitcoin::ScriptBuf::new(),
            }],
        }
    }

    #[test]
    fn money_is_written_with_two_to_eight_decimals() {
        assert_eq!(btc(Amount::from_sat(1)), "0.00000001");
        assert_eq!(btc(Amount::from_sat(150_000_000)), "1.50");
        assert_eq!(btc(Amount::from_sat(100_000_000)), "1.00");
        assert_eq!(btc(Amount::from_sat(123_456_000)), "1.23456");
    }

    #[test]
    fn a_height_lock_opens_after_its_height() {
        assert!(!is_final(&tx(100, 0), 100, 0));
        assert!(is_final(&tx(100, 0), 101, 0));
        assert!(
            is_final(&tx(100, u32::MAX), 5, 0),
            "final inputs switch it off"
        );
        assert!(!is_final(&tx(LOCKTIME_THRESHOLD, 0), 1, LOCKTIME_THRESHOLD));
        assert!(is_final(
            &tx(LOCKTIME_THRESHOLD, 0),
            1,
            LOCKTIME_THRESHOLD + 1
        ));
    }

    #[test]
    fn relative_locks_count_blocks_or_512_second_steps() {
        let locks = sequence_locks(&tx(0, 10), &[100], |_| 0);
        assert!(!locks.met_at(109, 0));
        assert!(locks.met_at(110, 0));
        let locks = sequence_locks(&tx(0, SEQUENCE_TIME | 2), &[100], |_| 5000);
        assert!(!locks.met_at(1000, 6023));
        assert!(locks.met_at(0, 6024));
        let locks = sequence_locks(&tx(0, SEQUENCE_DISABLE | 0xa), &[100], |_| 0);
        assert!(locks.met_at(0, 0));
    }
}

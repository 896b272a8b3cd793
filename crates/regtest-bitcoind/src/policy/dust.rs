//! Outputs that cost more to spend than they are worth.

use super::FeePerKvb;
use super::script_kind::witness_program;
use bitcoin::{Amount, TxOut};

/// The smallest value of an output with this script that is not dust.
pub fn dust_threshold(output: &TxOut, rate: FeePerKvb) -> Amount {
    let script = &output.script_pubkey;
    if script.is_op_return() || script.len() > 10_000 {
        return Amount::ZERO;
    }
    // What spending it takes: outpoint, script length, signature and key, sequence. Witness bytes
    // count a quarter.
    let spend = if witness_program(script).is_some() {
        32 + 4 + 1 + 107 / 4 + 4
    } else {
        148
    };
    rate.fee(
        u64::try_from(output.size())
            .unwrap_or(u64::MAX)
            .saturating_add(spend),
    )
}

/// Whether an output is worth less than its threshold.
pub fn is_dust(output: &TxOut, rate: FeePerKvb) -> bool {
    output.value < dust_threshold(output, rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::ScriptBuf;

    #[test]
    fn thresholds_are_those_everybody_knows() {
        let threshold = |hex: &str| {
            let script_pubkey = ScriptBuf::from_hex(hex).unwrap();
            let output = TxOut {
                value: Amount::ZERO,
                script_pubkey,
            };
            dust_threshold(&output, FeePerKvb::from_sat_per_kvb(3000)).to_sat()
        };
        assert_eq!(threshold(&format!("76a914{}88ac", "00".repeat(20))), 546);
        assert_eq!(threshold(&format!("a914{}87", "00".repeat(20))), 540);
        assert_eq!(threshold(&format!("0014{}", "00".repeat(20))), 294);
        assert_eq!(threshold(&format!("0020{}", "00".repeat(32))), 330);
        assert_eq!(threshold(&format!("5120{}", "00".repeat(32))), 330);
        assert_eq!(threshold("51024e73"), 240);
        assert_eq!(threshold("6a"), 0);
    }
}

//! What the network considers dust.

use bitcoin::Script;
use ln_types::Sat;

/// The least an output with this script may carry for the network to relay it.
// BOLT 3 §Dust Limits: the size of the output plus 67 or 148 bytes to spend it, at 3 satoshi each; OP_RETURN is never dust.
pub fn dust_limit(script_pubkey: &Script) -> Sat {
    if script_pubkey.is_op_return() {
        return Sat::ZERO;
    }
    let input = if script_pubkey.is_witness_program() {
        67_u64
    } else {
        148
    };
    let script = u64::try_from(script_pubkey.len()).unwrap_or(u64::MAX);
    // 8 bytes of value and one of script length.
    let size = script.saturating_add(9).saturating_add(input);
    Sat::from_sat(size.saturating_mul(3))
}

#[cfg(test)]
mod tests {
    use bitcoin::ScriptBuf;

    use super::*;

    #[test]
    fn every_kind_of_output_has_the_limit_that_bolt_3_lists() {
        for (script, limit) in [
            (
                "76a914000000000000000000000000000000000000000088ac".to_owned(),
                546,
            ),
            (format!("a914{}87", "00".repeat(20)), 540),
            (format!("0014{}", "00".repeat(20)), 294),
            (format!("0020{}", "00".repeat(32)), 330),
            (format!("5120{}", "00".repeat(32)), 330),
            ("51024e73".to_owned(), 240),
            (format!("5228{}", "00".repeat(40)), 354),
            ("6a0400000000".to_owned(), 0),
        ] {
            let script = ScriptBuf::from_hex(&script).unwrap();
            assert_eq!(dust_limit(&script), Sat::from_sat(limit), "{script}");
        }
    }
}

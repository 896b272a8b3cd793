//! The amount in the human-readable part.

use ln_types::Msat;

use crate::InvoiceError;

/// Tenths of a millisatoshi in a bitcoin: the finest unit that can be written.
const TENTHS_PER_BTC: u64 = 1_000_000_000_000;

/// Multipliers and the tenths of a millisatoshi of one unit, the largest first.
const MULTIPLIERS: [(char, u64); 4] = [
    ('m', TENTHS_PER_BTC / 1_000),
    ('u', TENTHS_PER_BTC / 1_000_000),
    ('n', TENTHS_PER_BTC / 1_000_000_000),
    ('p', 1),
];

/// Reads what follows the network's prefix; nothing means that any amount will do.
// BOLT 11 §Human-Readable Part: digits and at most one multiplier, and no part of a millisatoshi.
pub(crate) fn parse(text: &str) -> Result<Option<Msat>, InvoiceError> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = MULTIPLIERS
        .iter()
        .find_map(|(letter, tenths)| Some((text.strip_suffix(*letter)?, *tenths)));
    let (digits, tenths) = found.unwrap_or((text, TENTHS_PER_BTC));
    let end = digits.find(|c: char| !c.is_ascii_digit());
    if digits.is_empty() || end.is_some() {
        let rest = end.and_then(|end| digits.get(end..)).unwrap_or(digits);
        return Err(InvoiceError::AmountPostfix(rest.to_owned()));
    }
    let too_large = || InvoiceError::Amount(digits.to_owned());
    let amount: u64 = digits.parse().map_err(|_| too_large())?;
    let amount = amount.checked_mul(tenths).ok_or_else(too_large)?;
    if amount % 10 != 0 {
        return Err(InvoiceError::SubMillisatoshi(digits.to_owned()));
    }
    Ok(Some(Msat::from_msat(amount / 10)))
}

/// Writes an amount in its shortest form.
pub(crate) fn format(amount: Msat) -> String {
    let tenths = u128::from(amount.as_msat()).saturating_mul(10);
    let whole = |unit: u64| {
        let unit = u128::from(unit);
        let rest = tenths.checked_rem(unit)?;
        (rest == 0).then(|| tenths.checked_div(unit)).flatten()
    };
    if let Some(bitcoin) = whole(TENTHS_PER_BTC) {
        return bitcoin.to_string();
    }
    MULTIPLIERS
        .iter()
        .find_map(|(letter, unit)| Some(format!("{}{letter}", whole(*unit)?)))
        .expect("the last multiplier divides everything")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_their_shortest_form() {
        for (msat, text) in [
            (1, "10p"),
            (100, "1n"),
            (1000, "10n"),
            (2_500_000_000, "25m"),
            (100_000_000_000, "1"),
            (967_878_534, "9678785340p"),
        ] {
            assert_eq!(format(Msat::from_msat(msat)), text);
            assert_eq!(parse(text), Ok(Some(Msat::from_msat(msat))));
        }
    }

    #[test]
    fn other_forms_are_read_too() {
        assert_eq!(parse("1000000000000p"), parse("1"));
        assert_eq!(parse("0025m"), parse("25m"));
        assert_eq!(parse("0"), Ok(Some(Msat::ZERO)));
        assert_eq!(parse(""), Ok(None));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let error = |text| parse(text).unwrap_err().to_string();
        assert_eq!(error("2500x"), "Invalid amount postfix 'x'");
        assert_eq!(error("1x0m"), "Invalid amount postfix 'x0'");
        assert_eq!(
            error("2500000001p"),
            "Invalid sub-millisatoshi amount '2500000001p'"
        );
        assert_eq!(
            error("99999999999999999999"),
            "Invalid amount '99999999999999999999'"
        );
        assert_eq!(error("18446745"), "Invalid amount '18446745'");
    }
}

//! What the fuzz target checks; tests replay the committed corpus through the same function.

use crate::{Expectations, canonical, decode, decode_unsigned};

/// Reads bytes as an invoice. Its letters' case does not matter, and whoever reads it with its signature reads what is read without.
///
/// # Panics
/// When that does not hold.
pub fn decode_invoice(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let wanted = Expectations::default();
    let plain = decode_unsigned(&text, &wanted);
    let signed = decode(&text, &wanted);
    if let Ok(signed) = &signed {
        assert_eq!(
            plain.as_ref().ok(),
            Some(&signed.invoice),
            "the same fields"
        );
        let upper = decode(&text.to_ascii_uppercase(), &wanted);
        assert_eq!(upper.as_ref().ok(), Some(signed), "in upper case, too");
    }
    drop(decode_unsigned(&canonical(&text), &wanted));
}

//! The bech32 text around an invoice's words.

use bech32::primitives::checksum::{Engine, PackedFe32};
use bech32::{Bech32, Fe32, Hrp};

/// Words of checksum at the end.
const CHECKSUM: usize = 6;

/// The human-readable part in lower case, and the words without the checksum; `None` if the text is not valid bech32.
// BOLT 11 §Encoding Overview: bech32 without its limit of 90 characters.
pub(crate) fn split(text: &str) -> Option<(String, Vec<u8>)> {
    let (hrp, data) = text.rsplit_once('1')?;
    let mixed = text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_uppercase());
    if mixed {
        return None;
    }
    let words: Vec<Fe32> = data
        .chars()
        .map(|letter| Fe32::from_char(letter).ok())
        .collect::<Option<_>>()?;
    let hrp = Hrp::parse(hrp).ok()?;
    let mut engine = Engine::<Bech32>::new();
    engine.input_hrp(hrp);
    for word in &words {
        engine.input_fe(*word);
    }
    if *engine.residue() != <Bech32 as bech32::Checksum>::TARGET_RESIDUE {
        return None;
    }
    let (body, _) = words.split_at_checked(words.len().checked_sub(CHECKSUM)?)?;
    let body = body.iter().map(|word| word.to_u8()).collect();
    Some((hrp.to_lowercase(), body))
}

/// The text of a human-readable part and words below 32, with the checksum; `None` for anything bech32 can't hold.
pub(crate) fn join(hrp: &str, words: &[u8]) -> Option<String> {
    let mut engine = Engine::<Bech32>::new();
    engine.input_hrp(Hrp::parse(hrp).ok()?);
    let mut text = String::with_capacity(hrp.len().saturating_add(words.len()).saturating_add(7));
    text.push_str(hrp);
    text.push('1');
    for word in words {
        let word = Fe32::try_from(*word).ok()?;
        engine.input_fe(word);
        text.push(word.to_char());
    }
    engine.input_target_residue();
    for place in (0..CHECKSUM).rev() {
        let word = Fe32::try_from(engine.residue().unpack(place)).ok()?;
        text.push(word.to_char());
    }
    Some(text)
}

/// An invoice as users paste it, without `lightning:` and in lower case.
///
/// BOLT 11 §Encoding Overview.
pub fn canonical(text: &str) -> String {
    let text = text.trim();
    let bare = text
        .strip_prefix("lightning:")
        .or_else(|| text.strip_prefix("LIGHTNING:"))
        .unwrap_or(text);
    bare.to_ascii_lowercase()
}

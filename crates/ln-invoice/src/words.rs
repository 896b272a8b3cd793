//! Five-bit words, the units of bech32.

/// Why words could not be taken.
pub(crate) const TRUNCATED: &str = "truncated";

/// A cursor over words (each below 32).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    left: &'a [u8],
}

impl<'a> Words<'a> {
    pub(crate) fn new(words: &'a [u8]) -> Self {
        Self { left: words }
    }

    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.left
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.left.split_at_checked(count)?;
        self.left = tail;
        Some(head)
    }

    /// Takes `count` words, at most 12, as one big-endian number.
    pub(crate) fn number(&mut self, count: usize) -> Option<u64> {
        self.take(count).map(number)
    }
}

/// Words as one big-endian number; those beyond 64 bits are lost.
pub(crate) fn number(words: &[u8]) -> u64 {
    let append = |sum: u64, word: &u8| sum.wrapping_shl(5) | u64::from(*word);
    words.iter().fold(0, append)
}

/// Whole bytes of words; `None` unless what is left over is fewer than five bits, all zero.
pub(crate) fn to_bytes(words: &[u8]) -> Option<Vec<u8>> {
    let (bytes, rest, bits) = split(words);
    (bits < 5 && rest == 0).then_some(bytes)
}

/// Bytes of words, the last one filled with zero bits.
pub(crate) fn to_padded_bytes(words: &[u8]) -> Vec<u8> {
    let (mut bytes, rest, bits) = split(words);
    if bits > 0 {
        let filled = u32::from(rest).wrapping_shl(8_u32.saturating_sub(bits));
        bytes.push(u8::try_from(filled & 0xff).unwrap_or(0));
    }
    bytes
}

/// Whole bytes, the bits left over, and how many those are.
fn split(words: &[u8]) -> (Vec<u8>, u8, u32) {
    let mut bytes = Vec::with_capacity(words.len());
    let (mut held, mut bits) = (0_u32, 0_u32);
    for word in words {
        held = held.wrapping_shl(5) | u32::from(*word);
        bits = bits.saturating_add(5);
        if let Some(left) = bits.checked_sub(8) {
            bytes.push(u8::try_from(held.wrapping_shr(left) & 0xff).unwrap_or(0));
            bits = left;
            held &= low_bits(left);
        }
    }
    (bytes, u8::try_from(held).unwrap_or(0), bits)
}

fn low_bits(count: u32) -> u32 {
    1_u32.wrapping_shl(count).saturating_sub(1)
}

/// Words of bytes, the last one filled with zero bits.
pub(crate) fn from_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut words = Vec::with_capacity(bytes.len().saturating_mul(2));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = held.wrapping_shl(8) | u32::from(*byte);
        bits = bits.saturating_add(8);
        while let Some(left) = bits.checked_sub(5) {
            words.push(u8::try_from(held.wrapping_shr(left) & 31).unwrap_or(0));
            bits = left;
            held &= low_bits(left);
        }
    }
    if bits > 0 {
        let filled = held.wrapping_shl(5_u32.saturating_sub(bits));
        words.push(u8::try_from(filled & 31).unwrap_or(0));
    }
    words
}

/// A number in exactly `count` words.
pub(crate) fn from_number(number: u64, count: u32) -> Vec<u8> {
    (0..count)
        .rev()
        .map(|place| {
            let word = number.checked_shr(place.saturating_mul(5)).unwrap_or(0) & 31;
            u8::try_from(word).unwrap_or(0)
        })
        .collect()
}

/// A number in as few words as it needs, at least one.
pub(crate) fn from_number_minimal(number: u64) -> Vec<u8> {
    let bits = 64_u32.saturating_sub(number.leading_zeros());
    from_number(number, bits.div_ceil(5).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_words() {
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(37)).collect();
            assert_eq!(to_bytes(&from_bytes(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn a_surplus_word_or_bit_is_refused() {
        assert_eq!(to_bytes(&[0, 0, 0]), None);
        assert_eq!(to_bytes(&[0, 1]), None);
        assert_eq!(to_bytes(&[0, 4]), Some(vec![1]));
        assert_eq!(to_padded_bytes(&[16, 0, 1]), [128, 2]);
    }

    #[test]
    fn numbers_are_minimal() {
        assert_eq!(from_number_minimal(0), [0]);
        assert_eq!(from_number_minimal(31), [31]);
        assert_eq!(from_number_minimal(32), [1, 0]);
        assert_eq!(from_number_minimal(u64::MAX).len(), 13);
    }
}

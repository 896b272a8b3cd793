//! zbase32: five bits to a letter, in an alphabet chosen so that people mix up few of them.

const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// Writes bytes; the last letter is filled with zero bits.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut push = |quintet: u32| {
        let index = usize::try_from(quintet & 31).unwrap_or_default();
        text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'y')));
    };
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            push(bits >> count);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        push(bits << (5 - count));
    }
    text
}

/// Reads what [`encode`] wrote. Nothing when a letter is not of the alphabet, or when what is left over at the end is not zero bits
/// of an unfinished letter.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let quintet = ALPHABET.iter().position(|known| *known == letter)?;
        bits = (bits << 5) | u32::try_from(quintet).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    (count < 5 && bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_letters() {
        assert_eq!(encode(&[]), "");
        assert_eq!(encode(&[0]), "yy");
        assert_eq!(encode(&[0xf0, 0xbf, 0xc7]), "6n9hq");
        assert_eq!(encode(&[0xd4, 0x7a, 0x04]), "4t7ye");
        let bytes: Vec<u8> = (0..65).collect();
        assert_eq!(decode(&encode(&bytes)), Some(bytes));
    }

    #[test]
    fn other_letters_and_stray_bits_are_refused() {
        assert_eq!(decode("l"), None);
        assert_eq!(decode("Y"), None);
        assert_eq!(decode("yyy"), None);
        assert_eq!(decode("y9"), None);
    }
}

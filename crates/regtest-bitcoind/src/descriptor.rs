//! Checksums of output descriptors (BIP 380).

const INPUT_CHARSET: &str = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
const CHECKSUM_CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u64; 5] = [
    0xf5_dee5_1989,
    0xa9_fdca_3312,
    0x1b_ab10_e32d,
    0x37_06b1_677a,
    0x64_4d62_6ffd,
];

fn step(state: u64, value: u64) -> u64 {
    let top = state >> 35;
    let mut next = ((state & 0x7_ffff_ffff) << 5) ^ value;
    for (bit, generator) in GENERATOR.iter().enumerate() {
        if top >> bit & 1 == 1 {
            next ^= generator;
        }
    }
    next
}

/// The eight checksum characters of a descriptor; `None` if it has a character that is not allowed.
pub fn checksum(descriptor: &str) -> Option<String> {
    let mut state = 1;
    let mut class = 0;
    let mut classes = 0;
    for c in descriptor.chars() {
        let position = u64::try_from(INPUT_CHARSET.find(c)?).ok()?;
        state = step(state, position & 31);
        class = class * 3 + (position >> 5);
        classes += 1;
        if classes == 3 {
            state = step(state, class);
            class = 0;
            classes = 0;
        }
    }
    if classes > 0 {
        state = step(state, class);
    }
    for _ in 0..8 {
        state = step(state, 0);
    }
    state ^= 1;
    (0..8)
        .map(|index| {
            let symbol = usize::try_from(state >> (5 * (7 - index)) & 31).ok()?;
            CHECKSUM_CHARSET.get(symbol).copied().map(char::from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_of_bip_380_has_its_checksum() {
        assert_eq!(
            super::checksum("raw(deadbeef)").as_deref(),
            Some("89f8spxm")
        );
    }
}

//! Output descriptors of the on-chain wallet.

use bitcoin::NetworkKind;
use bitcoin::bip32::Xpub;
use ln_keys::secp;
use ln_types::Network;

use crate::failure::Failure;
use crate::files;
use crate::print::keys;

/// One descriptor a line for each kind of address that a wallet gives out or gave out once.
pub(crate) fn dump(path: &str, network: &str, show_secrets: bool) -> Result<String, Failure> {
    let network: Network = network
        .parse()
        .map_err(|error: ln_types::UnknownNetwork| Failure::Usage(error.to_string()))?;
    let kind = match network {
        Network::Bitcoin => NetworkKind::Main,
        Network::Testnet | Network::Testnet4 | Network::Signet | Network::Regtest => {
            NetworkKind::Test
        }
    };
    let secret = files::read_secret(path)?;
    let (base, way) = keys(&secret, kind).descriptor_base();
    let key = if show_secrets {
        base.to_string()
    } else {
        Xpub::from_priv(secp(), &base).to_string()
    };
    let key = format!("{key}/{way}/*");
    let lines = [
        format!("wpkh({key})"),
        format!("sh(wpkh({key}))"),
        format!("tr({key})"),
    ];
    Ok(lines.map(|line| with_checksum(&line)).join("\n"))
}

/// The characters of descriptors in the order that gives them their numbers (BIP 380).
const INPUT: &str = "0123456789()[],'/*abcdefgh@:$%{}\
                     IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~\
                     ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
/// The letters of the checksum.
const OUTPUT: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// BIP 380's polynomial.
const GENERATOR: [u64; 5] = [
    0x00f5_dee5_1989,
    0x00a9_fdca_3312,
    0x001b_ab10_e32d,
    0x0037_06b1_677a,
    0x0064_4d62_6ffd,
];

/// A descriptor with its checksum of eight letters.
fn with_checksum(descriptor: &str) -> String {
    let mut state = 1_u64;
    let mut groups = Vec::new();
    for letter in descriptor.chars() {
        let place = INPUT.find(letter).unwrap_or(0);
        let place = u64::try_from(place).unwrap_or(0);
        state = step(state, place & 31);
        groups.push(place >> 5);
        if let [a, b, c] = groups[..] {
            state = step(state, a * 9 + b * 3 + c);
            groups.clear();
        }
    }
    match groups[..] {
        [a] => state = step(state, a),
        [a, b] => state = step(state, a * 3 + b),
        _ => {}
    }
    for _ in 0..8 {
        state = step(state, 0);
    }
    state ^= 1;
    let letters = (0..8).map(|place| {
        let index = usize::try_from((state >> (5 * (7 - place))) & 31).unwrap_or(0);
        OUTPUT.get(index).copied().map_or('q', char::from)
    });
    let checksum: String = letters.collect();
    format!("{descriptor}#{checksum}")
}

fn step(state: u64, value: u64) -> u64 {
    let top = state >> 35;
    let mut next = ((state & 0x0007_ffff_ffff) << 5) ^ value;
    for (bit, term) in GENERATOR.iter().enumerate() {
        if (top >> bit) & 1 == 1 {
            next ^= term;
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BIP 380's test vector.
    #[test]
    fn checksums_are_those_of_bip_380() {
        assert_eq!(with_checksum("raw(deadbeef)"), "raw(deadbeef)#89f8spxm");
    }
}

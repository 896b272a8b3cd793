//! What a wallet file holds, one record per change, as lines of text.

use super::keys::{AddressKind, KeyPath};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::{ScriptBuf, Transaction};
use std::sync::Arc;

/// One change of a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletRecord {
    /// The seed; the first record.
    Seed([u8; 32]),
    /// An address was given out.
    Issued(KeyPath),
    /// A script got a name.
    Label(ScriptBuf, String),
    /// An unconfirmed transaction of ours, and when it was seen in Unix seconds.
    Transaction(Arc<Transaction>, u64),
}

impl WalletRecord {
    /// The record as bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Seed(seed) => format!("seed {}", seed.as_hex()),
            Self::Issued(path) => {
                format!(
                    "issued {} {} {}",
                    path.kind.name(),
                    u8::from(path.change),
                    path.index
                )
            }
            Self::Label(script, label) => format!("label {} {label}", script.to_hex_string()),
            Self::Transaction(tx, time) => format!("tx {time} {}", serialize_hex(tx.as_ref())),
        }
        .into_bytes()
    }

    /// The record in some bytes; `None` if they make no sense.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (name, rest) = text.split_once(' ')?;
        match name {
            "seed" => Some(Self::Seed(<[u8; 32]>::from_hex(rest).ok()?)),
            "issued" => {
                let mut words = rest.split(' ');
                let kind = AddressKind::from_name(words.next()?)?;
                let change = words.next()? == "1";
                Some(Self::Issued(KeyPath {
                    kind,
                    change,
                    index: words.next()?.parse().ok()?,
                }))
            }
            "label" => {
                let (script, label) = rest.split_once(' ')?;
                Some(Self::Label(
                    ScriptBuf::from_hex(script).ok()?,
                    label.to_owned(),
                ))
            }
            "tx" => {
                let (time, hex) = rest.split_once(' ')?;
                let tx: Transaction = deserialize_hex(hex).ok()?;
                Some(Self::Transaction(Arc::new(tx), time.parse().ok()?))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_the_round_trip() {
        let path = KeyPath {
            kind: AddressKind::Bech32m,
            change: true,
            index: 7,
        };
        let records = [
            WalletRecord::Seed([7; 32]),
            WalletRecord::Issued(path),
            WalletRecord::Label(ScriptBuf::from_bytes(vec![0x51]), "two words".to_owned()),
        ];
        for record in records {
            assert_eq!(WalletRecord::decode(&record.encode()), Some(record));
        }
        assert_eq!(WalletRecord::decode(b"seed 00"), None);
        assert_eq!(WalletRecord::decode(b""), None);
    }
}

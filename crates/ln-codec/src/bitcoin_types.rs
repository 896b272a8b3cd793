//! The wire forms of Bitcoin's own types.

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{self, PublicKey, SecretKey, XOnlyPublicKey, ecdsa, schnorr};
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Transaction, Txid, Witness};

use crate::{Decode, DecodeError, Encode, LongBytes, Reader};

// BOLT 1 §Fundamental Types: a point is 33 bytes, compressed, and must be on the curve.
impl Encode for PublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.serialize());
    }
}

impl Decode for PublicKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_slice(reader.take(secp256k1::constants::PUBLIC_KEY_SIZE)?)
            .map_err(|_| DecodeError::Invalid { what: "point" })
    }
}

impl Encode for XOnlyPublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.serialize());
    }
}

impl Decode for XOnlyPublicKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_slice(reader.take(32)?).map_err(|_| DecodeError::Invalid { what: "x-only key" })
    }
}

impl Encode for SecretKey {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.secret_bytes());
    }
}

impl Decode for SecretKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_slice(reader.take(32)?).map_err(|_| DecodeError::Invalid { what: "secret key" })
    }
}

// BOLT 1 §Fundamental Types: a signature is 64 bytes, r and s.
impl Encode for ecdsa::Signature {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.serialize_compact());
    }
}

impl Decode for ecdsa::Signature {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_compact(reader.take(64)?).map_err(|_| DecodeError::Invalid { what: "signature" })
    }
}

impl Encode for schnorr::Signature {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_ref());
    }
}

impl Decode for schnorr::Signature {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_slice(reader.take(64)?).map_err(|_| DecodeError::Invalid {
            what: "schnorr signature",
        })
    }
}

macro_rules! hashes {
    ($($hash:ty),*) => {$(
        impl Encode for $hash {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_byte_array());
            }
        }
        impl Decode for $hash {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_byte_array(reader.array()?))
            }
        }
    )*};
}

hashes!(Txid, BlockHash, sha256::Hash);

/// The txid in internal byte order and a `u32` index, as our own messages and hsmd's write it.
impl Encode for OutPoint {
    fn encode(&self, out: &mut Vec<u8>) {
        self.txid.encode(out);
        self.vout.encode(out);
    }
}

impl Decode for OutPoint {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            txid: Txid::decode(reader)?,
            vout: u32::decode(reader)?,
        })
    }
}

impl Encode for ScriptBuf {
    fn encode(&self, out: &mut Vec<u8>) {
        let length = u16::try_from(self.len()).expect("scripts of ours and of peers fit a message");
        length.encode(out);
        out.extend_from_slice(self.as_bytes());
    }
}

impl Decode for ScriptBuf {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_bytes(Vec::decode(reader)?))
    }
}

/// A `u32` length and the consensus encoding: for our own messages only.
impl Encode for Transaction {
    fn encode(&self, out: &mut Vec<u8>) {
        LongBytes(serialize(self)).encode(out);
    }
}

impl Decode for Transaction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        deserialize(&LongBytes::decode(reader)?.0).map_err(|_| DecodeError::Invalid {
            what: "transaction",
        })
    }
}

/// A `u16` length and the consensus encoding.
// BOLT 2 §The `tx_signatures` Message: witness_data is written as in a Bitcoin transaction.
impl Encode for Witness {
    fn encode(&self, out: &mut Vec<u8>) {
        serialize(self).encode(out);
    }
}

impl Decode for Witness {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        deserialize(&Vec::<u8>::decode(reader)?)
            .map_err(|_| DecodeError::Invalid { what: "witness" })
    }
}

//! Node ids.

use std::fmt;
use std::str::FromStr;

use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, DecodeError, Encode, Reader};

use crate::known_points::is_point;

/// A node's public key as 33 bytes. It is on the curve: every way of making one checks that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 33]);

/// Why a text is not a node id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a node id: it must be a public key of 66 hex digits")]
pub struct NodeIdError(String);

impl NodeId {
    /// The compressed key.
    pub fn to_bytes(self) -> [u8; 33] {
        self.0
    }

    /// From 33 bytes that are a point.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.try_into().ok()?;
        is_point(&bytes).then_some(Self(bytes))
    }

    /// The key.
    pub fn public_key(self) -> PublicKey {
        PublicKey::from_slice(&self.0).expect("checked when made")
    }
}

impl From<PublicKey> for NodeId {
    fn from(key: PublicKey) -> Self {
        Self(key.serialize())
    }
}

impl Encode for NodeId {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Decode for NodeId {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes = <[u8; 33]>::decode(reader)?;
        Self::from_slice(&bytes).ok_or(DecodeError::Invalid { what: "point" })
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hex())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl FromStr for NodeId {
    type Err = NodeIdError;
    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        let bytes = <[u8; 33]>::from_hex(text).map_err(|_| NodeIdError(text.to_owned()))?;
        Self::from_slice(&bytes).ok_or_else(|| NodeIdError(text.to_owned()))
    }
}

impl serde::Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for NodeId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::serde_text::read(from)
    }
}

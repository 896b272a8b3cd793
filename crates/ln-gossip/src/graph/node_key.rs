//! A node's id as it stands in the store.

use std::fmt;

use bitcoin::hex::DisplayHex;
use ln_types::NodeId;

/// A node's 33 bytes, not checked to be a point: signatures were checked before they got into the store, and a graph of ten thousand
/// nodes is not worth ten thousand square roots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey(pub [u8; 33]);

impl NodeKey {
    /// The id, checked; `None` when a damaged store held something else.
    pub fn to_node_id(self) -> Option<NodeId> {
        NodeId::from_slice(&self.0)
    }
}

impl From<NodeId> for NodeKey {
    fn from(id: NodeId) -> Self {
        Self(id.to_bytes())
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hex())
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({self})")
    }
}

impl serde::Serialize for NodeKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

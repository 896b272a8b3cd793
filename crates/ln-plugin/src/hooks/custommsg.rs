//! `custommsg`: messages of peers that the node does not know.

use ln_rpc::params::Hex;
use ln_types::NodeId;
use serde::{Deserialize, Serialize};

use super::{Continue, Hook};

/// Asked about a message of a type that the node does not know. Filters name types.
pub const CUSTOMMSG: Hook<CustomMessage, Continue> = Hook::named("custommsg");

/// A message that the node does not know; the topic of the same name tells the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomMessage {
    /// Who sent it.
    pub peer_id: NodeId,
    /// The message, with the two bytes of its type.
    pub payload: Hex,
}

impl CustomMessage {
    /// The message's type.
    pub fn message_type(&self) -> u16 {
        self.payload
            .0
            .first_chunk::<2>()
            .map_or(0, |bytes| u16::from_be_bytes(*bytes))
    }
}

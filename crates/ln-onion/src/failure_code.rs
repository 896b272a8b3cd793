//! Failure codes.

use std::fmt;

use ln_codec::{Decode, Encode};

/// The first two bytes of a failure message: a number and four flags.
///
/// BOLT 4 §Failure Messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct FailureCode(pub u16);

impl FailureCode {
    /// The onion could not be read by the node after the one that reports it.
    pub const BADONION: u16 = 0x8000;
    /// The failure is permanent.
    pub const PERM: u16 = 0x4000;
    /// The whole node failed, not just one channel.
    pub const NODE: u16 = 0x2000;
    /// The channel's forwarding parameters were not kept.
    pub const UPDATE: u16 = 0x1000;

    /// Whether one of the flags above is set.
    pub fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }

    /// The name as RPC replies show it, such as `WIRE_UNKNOWN_NEXT_PEER`; `None` for a code nobody defined.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x2002 => "WIRE_TEMPORARY_NODE_FAILURE",
            0x6002 => "WIRE_PERMANENT_NODE_FAILURE",
            0x6003 => "WIRE_REQUIRED_NODE_FEATURE_MISSING",
            0xc004 => "WIRE_INVALID_ONION_VERSION",
            0xc005 => "WIRE_INVALID_ONION_HMAC",
            0xc006 => "WIRE_INVALID_ONION_KEY",
            0x1007 => "WIRE_TEMPORARY_CHANNEL_FAILURE",
            0x4008 => "WIRE_PERMANENT_CHANNEL_FAILURE",
            0x4009 => "WIRE_REQUIRED_CHANNEL_FEATURE_MISSING",
            0x400a => "WIRE_UNKNOWN_NEXT_PEER",
            0x100b => "WIRE_AMOUNT_BELOW_MINIMUM",
            0x100c => "WIRE_FEE_INSUFFICIENT",
            0x100d => "WIRE_INCORRECT_CLTV_EXPIRY",
            0x100e => "WIRE_EXPIRY_TOO_SOON",
            0x400f => "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS",
            18 => "WIRE_FINAL_INCORRECT_CLTV_EXPIRY",
            19 => "WIRE_FINAL_INCORRECT_HTLC_AMOUNT",
            0x1014 => "WIRE_CHANNEL_DISABLED",
            21 => "WIRE_EXPIRY_TOO_FAR",
            0x4016 => "WIRE_INVALID_ONION_PAYLOAD",
            23 => "WIRE_MPP_TIMEOUT",
            0xc018 => "WIRE_INVALID_ONION_BLINDING",
            _ => return None,
        })
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "failure code {:#06x}", self.0),
        }
    }
}

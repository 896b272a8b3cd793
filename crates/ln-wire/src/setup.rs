//! The first message and those about the connection: BOLT 1 §Setup Messages, §Control Messages.

use std::fmt;

use ln_codec::{Decode, Encode, Tlv};
use ln_types::{ChannelId, Features};

use crate::NodeAddress;

/// The first message of each side.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Init {
    /// Old: features below bit 14 once went here. To be ORed with `features`.
    pub globalfeatures: Features,
    /// The sender's features.
    pub features: Features,
    /// Optional records.
    pub tlvs: InitTlvs,
}

/// Records of [`Init`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct InitTlvs {
    /// Chains (`chain_hash`) the sender is interested in; absent means any.
    #[tlv(1, rest)]
    pub networks: Option<Vec<[u8; 32]>>,
    /// The receiver's address as the sender sees it, in raw form: one address descriptor.
    #[tlv(3, fill)]
    pub remote_addr: Option<Vec<u8>>,
}

impl Init {
    /// Both feature fields together.
    // BOLT 1 §The `init` Message: a receiver combines the two fields.
    pub fn all_features(&self) -> Features {
        self.globalfeatures
            .bits()
            .chain(self.features.bits())
            .collect()
    }

    /// The address in `remote_addr`, if it can be read: a strange one is no reason to hang up.
    pub fn remote_address(&self) -> Option<NodeAddress> {
        let bytes = self.tlvs.remote_addr.as_ref()?;
        NodeAddress::from_bytes(bytes).ok()
    }
}

/// Fails a channel, or all channels with the receiver when `channel_id` is [`ChannelId::ALL`].
///
/// (`error` on the wire.)
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct ErrorMessage {
    /// The channel.
    pub channel_id: ChannelId,
    /// Why, for people; written by the peer, so print it with [`ErrorMessage::text`].
    pub data: Vec<u8>,
}

/// Complains about something, without failing a channel.
///
/// (`warning` on the wire.)
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct WarningMessage {
    /// The channel.
    pub channel_id: ChannelId,
    /// Why, for people; written by the peer, so print it with [`WarningMessage::text`].
    pub data: Vec<u8>,
}

/// The bytes as text when all are printable ASCII, else as hex.
// BOLT 1 §The `error` and `warning` Messages: data that is not printable ASCII is not printed verbatim.
fn printable(data: &[u8]) -> String {
    use bitcoin::hex::DisplayHex;
    let plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    if data.iter().all(plain) {
        String::from_utf8_lossy(data).into_owned()
    } else {
        data.to_lower_hex_string()
    }
}

macro_rules! complaint {
    ($name:ident) => {
        impl $name {
            /// With a text of ours; cut when it would not fit a message.
            pub fn new(channel_id: ChannelId, text: &str) -> Self {
                let data = text.bytes().take(60_000).collect();
                Self { channel_id, data }
            }

            /// `data` in a form that can be shown.
            pub fn text(&self) -> String {
                printable(&self.data)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("channel_id", &self.channel_id)
                    .field("data", &self.text())
                    .finish()
            }
        }
    };
}

complaint!(ErrorMessage);
complaint!(WarningMessage);

/// Asks for a [`Pong`], or just pads the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct Ping {
    /// How many bytes the pong should carry; 65532 or more means no pong.
    pub num_pong_bytes: u16,
    /// Padding.
    pub ignored: Vec<u8>,
}

impl Ping {
    /// A number of bytes that nobody sends a pong for.
    pub const UNANSWERED: u16 = 65535;

    /// The pong it wants, if any.
    // BOLT 1 §The `ping` and `pong` Messages: no answer is due from 65532 on.
    pub fn pong(&self) -> Option<Pong> {
        (self.num_pong_bytes < 65532).then(|| Pong {
            ignored: vec![0; usize::from(self.num_pong_bytes)],
        })
    }
}

/// Answers a [`Ping`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct Pong {
    /// Padding.
    pub ignored: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_text_is_shown_only_when_printable() {
        let warning = |data: &[u8]| WarningMessage {
            channel_id: ChannelId::ALL,
            data: data.to_vec(),
        };
        assert_eq!(warning(b"bad gossip").text(), "bad gossip");
        assert_eq!(warning(b"\x1b[31m").text(), "1b5b33316d");
    }

    #[test]
    fn a_ping_for_too_many_bytes_gets_no_pong() {
        let ping = |num_pong_bytes| Ping {
            num_pong_bytes,
            ignored: vec![],
        };
        assert_eq!(ping(3).pong().unwrap().ignored.len(), 3);
        assert_eq!(ping(65531).pong().unwrap().to_bytes().len(), 65533);
        assert_eq!(ping(65532).pong(), None);
    }
}

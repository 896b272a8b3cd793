//! What of a channel is durable.

use std::sync::Arc;

use bitcoin::ScriptBuf;
use bitcoin::secp256k1::ecdsa;
use ln_codec::{Decode, DecodeError, Encode, Reader};
use ln_types::ShortChannelId;

use crate::{BySide, ChannelParams, Commitments};

/// The version of the encoding; readers keep reading all earlier ones.
const VERSION: u8 = 1;

/// The peer's half of the signatures of a `channel_announcement`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RemoteAnnouncement {
    /// The place it signed for.
    pub scid: ShortChannelId,
    /// By its node key.
    pub node_signature: ecdsa::Signature,
    /// By its funding key.
    pub bitcoin_signature: ecdsa::Signature,
}

/// All of a channel that is durable: what lightningd stores and the machine starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    /// What is fixed for its life.
    pub params: Arc<ChannelParams>,
    /// Everything both commitments are derived from.
    pub commitments: Commitments,
    /// Who has sent `channel_ready`.
    pub ready: BySide<bool>,
    /// The alias the peer told us.
    pub remote_alias: Option<ShortChannelId>,
    /// The scripts of `shutdown`: ours once we want to close, the peer's once it said so.
    pub shutdown: BySide<Option<ScriptBuf>>,
    /// The peer's signatures of the announcement.
    pub remote_announcement: Option<RemoteAnnouncement>,
    /// Whether the peer proved that we lost state: our commitments must never be broadcast.
    pub lost_state: bool,
}

impl ChannelState {
    /// A channel whose first commitments are signed.
    pub fn new(params: ChannelParams, commitments: Commitments) -> Self {
        Self {
            params: Arc::new(params),
            commitments,
            ready: BySide::default(),
            remote_alias: None,
            shutdown: BySide::default(),
            remote_announcement: None,
            lost_state: false,
        }
    }
}

impl Encode for ChannelState {
    fn encode(&self, out: &mut Vec<u8>) {
        VERSION.encode(out);
        self.params.encode(out);
        self.commitments.encode(out);
        self.ready.encode(out);
        self.remote_alias.encode(out);
        self.shutdown.encode(out);
        self.remote_announcement.encode(out);
        self.lost_state.encode(out);
    }
}

impl Decode for ChannelState {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = u8::decode(reader)?;
        if version != VERSION {
            return Err(DecodeError::UnknownTag {
                what: "channel state version",
                tag: version.into(),
            });
        }
        Ok(Self {
            params: Arc::new(Decode::decode(reader)?),
            commitments: Decode::decode(reader)?,
            ready: Decode::decode(reader)?,
            remote_alias: Decode::decode(reader)?,
            shutdown: Decode::decode(reader)?,
            remote_announcement: Decode::decode(reader)?,
            lost_state: Decode::decode(reader)?,
        })
    }
}

//! Records of the store that are no peer messages.

use ln_codec::{Decode, Encode, messages};
use ln_types::{BlockHeight, Sat, ShortChannelId};

messages! {
    /// The store's own records.
    pub enum InternalRecord {
        4101 => ChannelAmount(ChannelAmount),
        4103 => DeleteChannel(DeleteChannel),
        4105 => Ended(StoreEnded),
        4106 => ChannelDying(ChannelDying),
        4107 => Uuid(StoreUuid),
    }
}

/// The amount of the channel whose announcement stands just before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ChannelAmount {
    /// The funding output's amount.
    pub satoshis: Sat,
}

/// A channel is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DeleteChannel {
    /// The channel.
    pub scid: ShortChannelId,
}

/// This file is finished; go on in the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct StoreEnded {
    /// Up to where the new file holds nothing that this one does not.
    pub equivalent_offset: u64,
    /// The new file's uuid, to be sure it is the one meant.
    pub uuid: [u8; 32],
}

/// A channel's funding output is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ChannelDying {
    /// The channel.
    pub scid: ShortChannelId,
    /// The height at which it is to be forgotten.
    pub blockheight: BlockHeight,
}

/// Names the file; its first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct StoreUuid {
    /// Random.
    pub uuid: [u8; 32],
}

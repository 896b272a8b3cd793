//! The enum of all messages.

use ln_codec::messages;
use ln_types::ChannelId;

use crate::{
    AcceptChannel, AcceptChannel2, AnnouncementSignatures, ChannelAnnouncement, ChannelReady,
    ChannelReestablish, ChannelUpdate, ClosingComplete, ClosingSig, ClosingSigned,
    CommitmentSigned, ErrorMessage, FundingCreated, FundingSigned, GossipTimestampFilter, Init,
    NodeAnnouncement, OnionMessage, OpenChannel, OpenChannel2, PeerStorage, PeerStorageRetrieval,
    Ping, Pong, QueryChannelRange, QueryShortChannelIds, ReplyChannelRange,
    ReplyShortChannelIdsEnd, RevokeAndAck, Shutdown, SpliceAck, SpliceInit, SpliceLocked,
    StartBatch, Stfu, TxAbort, TxAckRbf, TxAddInput, TxAddOutput, TxComplete, TxInitRbf,
    TxRemoveInput, TxRemoveOutput, TxSignatures, UpdateAddHtlc, UpdateBlockheight, UpdateFailHtlc,
    UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc, WarningMessage,
};

messages! {
    /// Everything a peer may say.
    ///
    /// A number outside the set decodes to `DecodeError::UnknownTag`; [`PeerMessage::may_ignore`] says whether to skip it.
    pub enum PeerMessage {
        1 => Warning(WarningMessage),
        2 => Stfu(Stfu),
        7 => PeerStorage(PeerStorage),
        9 => PeerStorageRetrieval(PeerStorageRetrieval),
        16 => Init(Init),
        17 => Error(ErrorMessage),
        18 => Ping(Ping),
        19 => Pong(Pong),
        32 => OpenChannel(OpenChannel),
        33 => AcceptChannel(AcceptChannel),
        34 => FundingCreated(FundingCreated),
        35 => FundingSigned(FundingSigned),
        36 => ChannelReady(ChannelReady),
        38 => Shutdown(Shutdown),
        39 => ClosingSigned(ClosingSigned),
        40 => ClosingComplete(ClosingComplete),
        41 => ClosingSig(ClosingSig),
        64 => OpenChannel2(OpenChannel2),
        65 => AcceptChannel2(AcceptChannel2),
        66 => TxAddInput(TxAddInput),
        67 => TxAddOutput(TxAddOutput),
        68 => TxRemoveInput(TxRemoveInput),
        69 => TxRemoveOutput(TxRemoveOutput),
        70 => TxComplete(TxComplete),
        71 => TxSignatures(TxSignatures),
        72 => TxInitRbf(TxInitRbf),
        73 => TxAckRbf(TxAckRbf),
        74 => TxAbort(TxAbort),
        77 => SpliceLocked(SpliceLocked),
        80 => SpliceInit(SpliceInit),
        81 => SpliceAck(SpliceAck),
        127 => StartBatch(StartBatch),
        128 => UpdateAddHtlc(UpdateAddHtlc),
        130 => UpdateFulfillHtlc(UpdateFulfillHtlc),
        131 => UpdateFailHtlc(UpdateFailHtlc),
        132 => CommitmentSigned(CommitmentSigned),
        133 => RevokeAndAck(RevokeAndAck),
        134 => UpdateFee(UpdateFee),
        135 => UpdateFailMalformedHtlc(UpdateFailMalformedHtlc),
        136 => ChannelReestablish(ChannelReestablish),
        137 => UpdateBlockheight(UpdateBlockheight),
        256 => ChannelAnnouncement(ChannelAnnouncement),
        257 => NodeAnnouncement(NodeAnnouncement),
        258 => ChannelUpdate(ChannelUpdate),
        259 => AnnouncementSignatures(AnnouncementSignatures),
        261 => QueryShortChannelIds(QueryShortChannelIds),
        262 => ReplyShortChannelIdsEnd(ReplyShortChannelIdsEnd),
        263 => QueryChannelRange(QueryChannelRange),
        264 => ReplyChannelRange(ReplyChannelRange),
        265 => GossipTimestampFilter(GossipTimestampFilter),
        513 => OnionMessage(OnionMessage),
    }
}

impl PeerMessage {
    /// The largest message: a Noise packet's length is a `u16`.
    pub const MAX_LEN: usize = 65535;

    /// The number of an encoded message.
    pub fn peek_number(bytes: &[u8]) -> Option<u16> {
        let head = bytes.first_chunk::<2>()?;
        Some(u16::from_be_bytes(*head))
    }

    /// Whether a message of an unknown number is to be skipped.
    // BOLT 1 §Lightning Message Format: an unknown odd type is ignored, an unknown even one closes the connection.
    pub const fn may_ignore(number: u16) -> bool {
        number % 2 == 1
    }

    /// The channel the message is about, by its temporary or final id; [`ChannelId::ALL`] in an `error` or `warning` about all.
    pub fn channel_id(&self) -> Option<ChannelId> {
        match self {
            Self::Warning(m) => Some(m.channel_id),
            Self::Stfu(m) => Some(m.channel_id),
            Self::Error(m) => Some(m.channel_id),
            Self::OpenChannel(m) => Some(m.temporary_channel_id),
            Self::AcceptChannel(m) => Some(m.temporary_channel_id),
            Self::FundingCreated(m) => Some(m.temporary_channel_id),
            Self::FundingSigned(m) => Some(m.channel_id),
            Self::ChannelReady(m) => Some(m.channel_id),
            Self::Shutdown(m) => Some(m.channel_id),
            Self::ClosingSigned(m) => Some(m.channel_id),
            Self::ClosingComplete(m) => Some(m.channel_id),
            Self::ClosingSig(m) => Some(m.channel_id),
            Self::OpenChannel2(m) => Some(m.temporary_channel_id),
            Self::AcceptChannel2(m) => Some(m.temporary_channel_id),
            Self::TxAddInput(m) => Some(m.channel_id),
            Self::TxAddOutput(m) => Some(m.channel_id),
            Self::TxRemoveInput(m) => Some(m.channel_id),
            Self::TxRemoveOutput(m) => Some(m.channel_id),
            Self::TxComplete(m) => Some(m.channel_id),
            Self::TxSignatures(m) => Some(m.channel_id),
            Self::TxInitRbf(m) => Some(m.channel_id),
            Self::TxAckRbf(m) => Some(m.channel_id),
            Self::TxAbort(m) => Some(m.channel_id),
            Self::SpliceLocked(m) => Some(m.channel_id),
            Self::SpliceInit(m) => Some(m.channel_id),
            Self::SpliceAck(m) => Some(m.channel_id),
            Self::StartBatch(m) => Some(m.channel_id),
            Self::UpdateAddHtlc(m) => Some(m.channel_id),
            Self::UpdateFulfillHtlc(m) => Some(m.channel_id),
            Self::UpdateFailHtlc(m) => Some(m.channel_id),
            Self::CommitmentSigned(m) => Some(m.channel_id),
            Self::RevokeAndAck(m) => Some(m.channel_id),
            Self::UpdateFee(m) => Some(m.channel_id),
            Self::UpdateFailMalformedHtlc(m) => Some(m.channel_id),
            Self::ChannelReestablish(m) => Some(m.channel_id),
            Self::UpdateBlockheight(m) => Some(m.channel_id),
            Self::AnnouncementSignatures(m) => Some(m.channel_id),
            Self::PeerStorage(_)
            | Self::PeerStorageRetrieval(_)
            | Self::Init(_)
            | Self::Ping(_)
            | Self::Pong(_)
            | Self::ChannelAnnouncement(_)
            | Self::NodeAnnouncement(_)
            | Self::ChannelUpdate(_)
            | Self::QueryShortChannelIds(_)
            | Self::ReplyShortChannelIdsEnd(_)
            | Self::QueryChannelRange(_)
            | Self::ReplyChannelRange(_)
            | Self::GossipTimestampFilter(_)
            | Self::OnionMessage(_) => None,
        }
    }

    /// Whether a message of this number is an announcement that is passed on to others.
    pub const fn is_gossip_number(number: u16) -> bool {
        matches!(number, 256..=258)
    }

    /// Whether a message of this number asks for gossip or ends an answer.
    pub const fn is_query_number(number: u16) -> bool {
        matches!(number, 261..=265)
    }

    /// Whether this is an announcement that is passed on to others.
    pub fn is_gossip(&self) -> bool {
        Self::is_gossip_number(self.number())
    }

    /// Whether this asks for gossip or ends an answer.
    pub fn is_query(&self) -> bool {
        Self::is_query_number(self.number())
    }

    /// Whether it starts a channel: its id is one that nobody can know yet.
    pub fn opens_channel(&self) -> bool {
        matches!(self, Self::OpenChannel(_) | Self::OpenChannel2(_))
    }
}

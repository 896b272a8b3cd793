//! Asking for gossip: BOLT 7 §Query Messages.

use ln_codec::{BigSize, Decode, DecodeError, Encode, Fill, Reader, Tlv, decode_rest};
use ln_types::{BlockHeight, ShortChannelId};

/// A list behind an encoding byte, unread: `encoded_short_ids`, `encoded_query_flags` or `encoded_timestamps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedArray(
    /// The encoding byte and the encoded values.
    pub Vec<u8>,
);

/// Encoding type 0: the values one behind the other.
const UNCOMPRESSED: u8 = 0;

impl EncodedArray {
    /// Writes values in the only encoding still allowed.
    pub fn from_values<T: Encode>(values: &[T]) -> Self {
        let mut bytes = vec![UNCOMPRESSED];
        T::encode_many(values, &mut bytes);
        Self(bytes)
    }

    /// Reads whole values to the end.
    // BOLT 7 §Query Messages: encoding 1 was zlib and must not be used; no other is defined.
    pub fn values<T: Decode>(&self) -> Result<Vec<T>, DecodeError> {
        let mut reader = Reader::new(&self.0);
        match u8::decode(&mut reader)? {
            UNCOMPRESSED => decode_rest(&mut reader),
            tag => Err(DecodeError::UnknownTag {
                what: "encoding type",
                tag: u64::from(tag),
            }),
        }
    }
}

/// With a `u16` length.
impl Encode for EncodedArray {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for EncodedArray {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Vec::decode(reader).map(Self)
    }
}

/// As a whole record.
impl Fill for EncodedArray {
    fn encode_fill(&self, out: &mut Vec<u8>) {
        self.0.encode_fill(out);
    }
    fn decode_fill(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Vec::decode_fill(reader).map(Self)
    }
}

/// Asks for what is known about some channels.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct QueryShortChannelIds {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// [`ShortChannelId`]s, ascending.
    pub encoded_short_ids: EncodedArray,
    /// Optional records.
    pub tlvs: QueryShortChannelIdsTlvs,
}

impl QueryShortChannelIds {
    /// The channels asked for.
    pub fn short_ids(&self) -> Result<Vec<ShortChannelId>, DecodeError> {
        self.encoded_short_ids.values()
    }
}

/// Records of [`QueryShortChannelIds`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct QueryShortChannelIdsTlvs {
    /// What is wanted of each channel.
    #[tlv(1, fill)]
    pub query_flags: Option<EncodedArray>,
}

impl QueryShortChannelIdsTlvs {
    /// One flag word per channel, if given.
    pub fn flags(&self) -> Result<Option<Vec<BigSize>>, DecodeError> {
        let flags = self.query_flags.as_ref();
        flags.map(EncodedArray::values).transpose()
    }
}

/// Ends the answer to [`QueryShortChannelIds`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct ReplyShortChannelIdsEnd {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// 0 when the sender does not follow that chain.
    pub full_information: u8,
}

/// Asks which channels were opened in a range of blocks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct QueryChannelRange {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// The first block.
    pub first_blocknum: BlockHeight,
    /// How many blocks.
    pub number_of_blocks: u32,
    /// Optional records.
    pub tlvs: QueryChannelRangeTlvs,
}

/// Records of [`QueryChannelRange`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct QueryChannelRangeTlvs {
    /// What else is wanted: see the constants.
    #[tlv(1)]
    pub query_option: Option<BigSize>,
}

impl QueryChannelRangeTlvs {
    /// Bit of `query_option`: timestamps.
    pub const WANT_TIMESTAMPS: u64 = 1;
    /// Bit of `query_option`: checksums.
    pub const WANT_CHECKSUMS: u64 = 2;
}

/// A part of the answer to [`QueryChannelRange`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReplyChannelRange {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// The first block this part covers.
    pub first_blocknum: BlockHeight,
    /// How many blocks it covers.
    pub number_of_blocks: u32,
    /// 1 on the last part.
    pub sync_complete: u8,
    /// [`ShortChannelId`]s, ascending.
    pub encoded_short_ids: EncodedArray,
    /// Optional records.
    pub tlvs: ReplyChannelRangeTlvs,
}

impl ReplyChannelRange {
    /// The channels named.
    pub fn short_ids(&self) -> Result<Vec<ShortChannelId>, DecodeError> {
        self.encoded_short_ids.values()
    }
}

/// Records of [`ReplyChannelRange`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct ReplyChannelRangeTlvs {
    /// [`ChannelUpdateTimestamps`], one per channel.
    #[tlv(1, fill)]
    pub timestamps_tlv: Option<EncodedArray>,
    /// One per channel.
    #[tlv(3, rest)]
    pub checksums_tlv: Option<Vec<ChannelUpdateChecksums>>,
}

impl ReplyChannelRangeTlvs {
    /// The timestamps, if given.
    pub fn timestamps(&self) -> Result<Option<Vec<ChannelUpdateTimestamps>>, DecodeError> {
        let timestamps = self.timestamps_tlv.as_ref();
        timestamps.map(EncodedArray::values).transpose()
    }
}

/// The timestamps of a channel's two updates; 0 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ChannelUpdateTimestamps {
    /// From `node_id_1`.
    pub timestamp_node_id_1: u32,
    /// From `node_id_2`.
    pub timestamp_node_id_2: u32,
}

/// The CRC32C of a channel's two updates without signature and timestamp; 0 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ChannelUpdateChecksums {
    /// From `node_id_1`.
    pub checksum_node_id_1: u32,
    /// From `node_id_2`.
    pub checksum_node_id_2: u32,
}

/// Asks for gossip of a range of time, as it comes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct GossipTimestampFilter {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// The first second.
    pub first_timestamp: u32,
    /// How many seconds.
    pub timestamp_range: u32,
}

impl GossipTimestampFilter {
    /// Whether a message of this time is wanted.
    // BOLT 7 §The `gossip_timestamp_filter` Message: from the first timestamp on, up to but without its sum with the range.
    pub fn wants(&self, timestamp: u32) -> bool {
        timestamp
            .checked_sub(self.first_timestamp)
            .is_some_and(|offset| offset < self.timestamp_range)
    }
}

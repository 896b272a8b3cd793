//! Makes one of each message from a source of bytes.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)]

use std::sync::LazyLock;

use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey, ecdsa};
use bitcoin::{ScriptBuf, Txid, Witness};
use ln_codec::{BigSize, TlvRecord};
use ln_types::{
    BlockHeight, ChannelId, CltvDelta, CltvExpiry, CommitmentNumber, Features, Feerate, HtlcId,
    Msat, NodeId, PaymentHash, PaymentPreimage, Sat, ShortChannelId, SignedSat,
};
use ln_wire::*;

static SECP256K1: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// Bytes that decide everything; zeros once they run out.
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }
}

pub(crate) trait Sample: Sized {
    fn sample(source: &mut Source<'_>) -> Self;
}

impl<const N: usize> Sample for [u8; N] {
    fn sample(source: &mut Source<'_>) -> Self {
        // Long arrays must not use up the source.
        let step = source.byte();
        let mut value = source.byte();
        std::array::from_fn(|_| {
            value = value.wrapping_mul(5).wrapping_add(step);
            value
        })
    }
}

impl<const N: usize> Sample for Box<[u8; N]> {
    fn sample(source: &mut Source<'_>) -> Self {
        Box::new(Sample::sample(source))
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(impl Sample for $int {
        fn sample(source: &mut Source<'_>) -> Self {
            <$int>::from_be_bytes(std::array::from_fn(|_| source.byte()))
        }
    })*};
}
integers!(u8, u16, u32, u64, i64);

impl Sample for bool {
    fn sample(source: &mut Source<'_>) -> Self {
        source.byte() & 1 == 1
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(source: &mut Source<'_>) -> Self {
        bool::sample(source).then(|| T::sample(source))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(source: &mut Source<'_>) -> Self {
        let count = source.byte() % 8;
        (0..count).map(|_| T::sample(source)).collect()
    }
}

macro_rules! by {
    ($($type:ty: $inner:ty => $make:expr;)*) => {$(impl Sample for $type {
        fn sample(source: &mut Source<'_>) -> Self {
            let make: fn($inner) -> $type = $make;
            make(<$inner as Sample>::sample(source))
        }
    })*};
}

by! {
    ChannelId: [u8; 32] => ChannelId;
    PaymentHash: [u8; 32] => PaymentHash;
    PaymentPreimage: [u8; 32] => PaymentPreimage;
    Txid: [u8; 32] => Txid::from_byte_array;
    Msat: u64 => Msat::from_msat;
    Sat: u64 => Sat::from_sat;
    SignedSat: i64 => SignedSat::from_sat;
    Feerate: u32 => Feerate::from_perkw;
    BlockHeight: u32 => BlockHeight;
    CltvDelta: u16 => CltvDelta;
    CltvExpiry: u32 => CltvExpiry;
    CommitmentNumber: u64 => CommitmentNumber;
    HtlcId: u64 => HtlcId;
    BigSize: u64 => BigSize;
    ShortChannelId: u64 => ShortChannelId::from_u64;
    Features: Vec<u8> => |bytes| Features::from_wire(&bytes);
    FeatureBytes: Vec<u8> => FeatureBytes;
    NodeAddresses: Vec<u8> => NodeAddresses;
    EncodedArray: Vec<u8> => EncodedArray;
    ScriptBuf: Vec<u8> => ScriptBuf::from_bytes;
    Witness: Vec<Vec<u8>> => |items| Witness::from_slice(&items);
    NodeId: PublicKey => NodeId::from;
    OnionPacketBytes: Box<[u8; 1366]> => OnionPacketBytes;
}

fn secret(source: &mut Source<'_>) -> SecretKey {
    let mut bytes = [7; 32];
    bytes[31] = source.byte();
    SecretKey::from_slice(&bytes).unwrap()
}

impl Sample for PublicKey {
    fn sample(source: &mut Source<'_>) -> Self {
        secret(source).public_key(&SECP256K1)
    }
}

/// Records of odd types that no message knows, ascending.
impl Sample for Vec<TlvRecord> {
    fn sample(source: &mut Source<'_>) -> Self {
        let count = u64::from(source.byte() % 3);
        let record = |number| TlvRecord {
            number: 65537 + 2 * number,
            value: Sample::sample(source),
        };
        (0..count).map(record).collect()
    }
}

impl Sample for ecdsa::Signature {
    fn sample(source: &mut Source<'_>) -> Self {
        let key = secret(source);
        let signature = SECP256K1.sign_ecdsa(&Message::from_digest([source.byte(); 32]), &key);
        if !bool::sample(source) {
            return signature;
        }
        // A high S is read and kept.
        let mut bytes = signature.serialize_compact();
        let s = SecretKey::from_slice(&bytes[32..]).unwrap().negate();
        bytes[32..].copy_from_slice(&s.secret_bytes());
        ecdsa::Signature::from_compact(&bytes).unwrap()
    }
}

macro_rules! structs {
    ($($name:ident { $($field:ident),* })*) => {$(impl Sample for $name {
        fn sample(source: &mut Source<'_>) -> Self {
            Self { $($field: Sample::sample(source)),* }
        }
    })*};
}

structs! {
    AcceptChannel { temporary_channel_id, dust_limit_satoshis, max_htlc_value_in_flight_msat, channel_reserve_satoshis,
        htlc_minimum_msat, minimum_depth, to_self_delay, max_accepted_htlcs, funding_pubkey, revocation_basepoint,
        payment_basepoint, delayed_payment_basepoint, htlc_basepoint, first_per_commitment_point, tlvs }
    AcceptChannel2 { temporary_channel_id, funding_satoshis, dust_limit_satoshis, max_htlc_value_in_flight_msat,
        htlc_minimum_msat, minimum_depth, to_self_delay, max_accepted_htlcs, funding_pubkey, revocation_basepoint,
        payment_basepoint, delayed_payment_basepoint, htlc_basepoint, first_per_commitment_point,
        second_per_commitment_point, tlvs }
    AcceptChannelTlvs { upfront_shutdown_script, channel_type }
    AcceptTlvs { upfront_shutdown_script, channel_type, require_confirmed_inputs, will_fund }
    AnnouncementSignatures { channel_id, short_channel_id, node_signature, bitcoin_signature }
    AttributionData { htlc_hold_times, truncated_hmacs }
    ChannelAnnouncement { node_signature_1, node_signature_2, bitcoin_signature_1, bitcoin_signature_2, features,
        chain_hash, short_channel_id, node_id_1, node_id_2, bitcoin_key_1, bitcoin_key_2, extension }
    ChannelReady { channel_id, second_per_commitment_point, tlvs }
    ChannelReadyTlvs { short_channel_id }
    ChannelReestablish { channel_id, next_commitment_number, next_revocation_number, your_last_per_commitment_secret,
        my_current_per_commitment_point, tlvs }
    ChannelReestablishTlvs { next_funding, my_current_funding_locked }
    ChannelUpdate { signature, chain_hash, short_channel_id, timestamp, message_flags, channel_flags,
        cltv_expiry_delta, htlc_minimum_msat, fee_base_msat, fee_proportional_millionths, htlc_maximum_msat, extension }
    ChannelUpdateChecksums { checksum_node_id_1, checksum_node_id_2 }
    ClosingComplete { channel_id, closer_scriptpubkey, closee_scriptpubkey, fee_satoshis, locktime, tlvs }
    ClosingSig { channel_id, closer_scriptpubkey, closee_scriptpubkey, fee_satoshis, locktime, tlvs }
    ClosingSigned { channel_id, fee_satoshis, signature, tlvs }
    ClosingSignedTlvs { fee_range }
    ClosingTlvs { closer_output_only, closee_output_only, closer_and_closee_outputs }
    CommitmentSigned { channel_id, signature, htlc_signature, tlvs }
    CommitmentSignedTlvs { funding_txid }
    ErrorMessage { channel_id, data }
    FeeRange { min_fee_satoshis, max_fee_satoshis }
    FundingCreated { temporary_channel_id, funding_txid, funding_output_index, signature }
    FundingSigned { channel_id, signature }
    GossipTimestampFilter { chain_hash, first_timestamp, timestamp_range }
    Init { globalfeatures, features, tlvs }
    InitTlvs { networks, remote_addr }
    LeaseRates { funding_weight, lease_fee_basis, channel_fee_max_proportional_thousandths, lease_fee_base_sat,
        channel_fee_max_base_msat }
    MyCurrentFundingLocked { my_current_funding_locked_txid, retransmit_flags }
    NextFunding { next_funding_txid, retransmit_flags }
    NodeAnnouncement { signature, features, timestamp, node_id, rgb_color, alias, addresses, extension }
    OnionMessage { path_key, onion_message_packet }
    OpenChannel { chain_hash, temporary_channel_id, funding_satoshis, push_msat, dust_limit_satoshis,
        max_htlc_value_in_flight_msat, channel_reserve_satoshis, htlc_minimum_msat, feerate_per_kw, to_self_delay,
        max_accepted_htlcs, funding_pubkey, revocation_basepoint, payment_basepoint, delayed_payment_basepoint,
        htlc_basepoint, first_per_commitment_point, channel_flags, tlvs }
    OpenChannel2 { chain_hash, temporary_channel_id, funding_feerate_perkw, commitment_feerate_perkw, funding_satoshis,
        dust_limit_satoshis, max_htlc_value_in_flight_msat, htlc_minimum_msat, to_self_delay, max_accepted_htlcs,
        locktime, funding_pubkey, revocation_basepoint, payment_basepoint, delayed_payment_basepoint, htlc_basepoint,
        first_per_commitment_point, second_per_commitment_point, channel_flags, tlvs }
    OpenChannelTlvs { upfront_shutdown_script, channel_type }
    OpeningTlvs { upfront_shutdown_script, channel_type, require_confirmed_inputs, request_funds }
    PeerStorage { blob }
    PeerStorageRetrieval { blob }
    Ping { num_pong_bytes, ignored }
    Pong { ignored }
    QueryChannelRange { chain_hash, first_blocknum, number_of_blocks, tlvs }
    QueryChannelRangeTlvs { query_option }
    QueryShortChannelIds { chain_hash, encoded_short_ids, tlvs }
    QueryShortChannelIdsTlvs { query_flags }
    ReplyChannelRange { chain_hash, first_blocknum, number_of_blocks, sync_complete, encoded_short_ids, tlvs }
    ReplyChannelRangeTlvs { timestamps_tlv, checksums_tlv }
    ReplyShortChannelIdsEnd { chain_hash, full_information }
    RequestFunds { requested_sats, blockheight }
    RevokeAndAck { channel_id, per_commitment_secret, next_per_commitment_point }
    Shutdown { channel_id, scriptpubkey, tlvs }
    ShutdownTlvs { wrong_funding }
    SpliceAck { channel_id, funding_contribution_satoshis, funding_pubkey, tlvs }
    SpliceAckTlvs { require_confirmed_inputs }
    SpliceInit { channel_id, funding_contribution_satoshis, funding_feerate_perkw, locktime, funding_pubkey, tlvs }
    SpliceInitTlvs { require_confirmed_inputs }
    SpliceLocked { channel_id, splice_txid }
    StartBatch { channel_id, batch_size, tlvs }
    StartBatchTlvs { message_type }
    Stfu { channel_id, initiator }
    TxAbort { channel_id, data }
    TxAckRbf { channel_id, tlvs }
    TxAckRbfTlvs { funding_output_contribution, require_confirmed_inputs }
    TxAddInput { channel_id, serial_id, prevtx, prevtx_vout, sequence, tlvs }
    TxAddInputTlvs { shared_input_txid }
    TxAddOutput { channel_id, serial_id, sats, script }
    TxComplete { channel_id }
    TxInitRbf { channel_id, locktime, feerate, tlvs }
    TxInitRbfTlvs { funding_output_contribution, require_confirmed_inputs }
    TxRemoveInput { channel_id, serial_id }
    TxRemoveOutput { channel_id, serial_id }
    TxSignatures { channel_id, txid, witnesses, tlvs }
    TxSignaturesTlvs { shared_input_signature }
    UpdateAddHtlc { channel_id, id, amount_msat, payment_hash, cltv_expiry, onion_routing_packet, tlvs }
    UpdateAddHtlcTlvs { blinded_path, unknown }
    UpdateBlockheight { channel_id, blockheight }
    UpdateFailHtlc { channel_id, id, reason, tlvs }
    UpdateFailHtlcTlvs { attribution_data }
    UpdateFailMalformedHtlc { channel_id, id, sha256_of_onion, failure_code }
    UpdateFee { channel_id, feerate_per_kw }
    UpdateFulfillHtlc { channel_id, id, payment_preimage, tlvs }
    UpdateFulfillHtlcTlvs { attribution_data }
    WarningMessage { channel_id, data }
    WillFund { signature, lease_rates }
    WrongFunding { txid, outnum }
}

macro_rules! all {
    ($($name:ty),* $(,)?) => {
        /// One of each message.
        pub(crate) fn all(bytes: &[u8]) -> Vec<PeerMessage> {
            vec![$(PeerMessage::from(<$name>::sample(&mut Source(bytes)))),*]
        }
    };
}

all!(
    AcceptChannel,
    AcceptChannel2,
    AnnouncementSignatures,
    ChannelAnnouncement,
    ChannelReady,
    ChannelReestablish,
    ChannelUpdate,
    ClosingComplete,
    ClosingSig,
    ClosingSigned,
    CommitmentSigned,
    ErrorMessage,
    FundingCreated,
    FundingSigned,
    GossipTimestampFilter,
    Init,
    NodeAnnouncement,
    OnionMessage,
    OpenChannel,
    OpenChannel2,
    PeerStorage,
    PeerStorageRetrieval,
    Ping,
    Pong,
    QueryChannelRange,
    QueryShortChannelIds,
    ReplyChannelRange,
    ReplyShortChannelIdsEnd,
    RevokeAndAck,
    Shutdown,
    SpliceAck,
    SpliceInit,
    SpliceLocked,
    StartBatch,
    Stfu,
    TxAbort,
    TxAckRbf,
    TxAddInput,
    TxAddOutput,
    TxComplete,
    TxInitRbf,
    TxRemoveInput,
    TxRemoveOutput,
    TxSignatures,
    UpdateAddHtlc,
    UpdateBlockheight,
    UpdateFailHtlc,
    UpdateFailMalformedHtlc,
    UpdateFee,
    UpdateFulfillHtlc,
    WarningMessage,
);

//! Every message that peers exchange, one file per family.
//!
//! Covers BOLT 1 (§Setup Messages, §Control Messages, §Peer storage), BOLT 2 (all messages), BOLT 4 §Onion Messages and BOLT 7 (all
//! messages), and Core Lightning's own extensions of them where a peer may send one.
//!
//! Structs carry the BOLT's name in CamelCase and its field names; records of a message's TLV stream are the fields of
//! `<Message>Tlvs`, in the field `tlvs`. An optional record is an `Option`, or a `bool` when it has no value.
//!
//! Invariants: values and their bytes, nothing else; no rule about what a field may hold beyond what its type can (points are on
//! the curve, signatures are in range but may have a high S). Decoding skips unknown odd records and refuses unknown even ones;
//! gossip messages are written back byte for byte, since others' signatures cover them.
#![warn(clippy::arithmetic_side_effects)]

mod address;
mod announcement_signatures;
mod close;
mod commit;
pub mod fuzz;
mod gossip;
mod htlc;
mod interactive_tx;
mod onion;
mod open;
mod open_v2;
mod peer_message;
mod queries;
mod reestablish;
mod setup;
mod splice;
mod storage;

pub use address::{NodeAddress, NodeAddresses};
pub use announcement_signatures::AnnouncementSignatures;
pub use close::{
    ClosingComplete, ClosingSig, ClosingSigned, ClosingSignedTlvs, ClosingTlvs, FeeRange, Shutdown,
    ShutdownTlvs, WrongFunding,
};
pub use commit::{
    CommitmentSigned, CommitmentSignedTlvs, RevokeAndAck, StartBatch, StartBatchTlvs,
    UpdateBlockheight, UpdateFee,
};
pub use gossip::{ChannelAnnouncement, ChannelUpdate, FeatureBytes, NodeAnnouncement};
pub use htlc::{
    AttributionData, OnionPacketBytes, UpdateAddHtlc, UpdateAddHtlcTlvs, UpdateFailHtlc,
    UpdateFailHtlcTlvs, UpdateFailMalformedHtlc, UpdateFulfillHtlc, UpdateFulfillHtlcTlvs,
};
pub use interactive_tx::{
    TxAbort, TxAckRbf, TxAckRbfTlvs, TxAddInput, TxAddInputTlvs, TxAddOutput, TxComplete,
    TxInitRbf, TxInitRbfTlvs, TxRemoveInput, TxRemoveOutput, TxSignatures, TxSignaturesTlvs,
};
pub use onion::OnionMessage;
pub use open::{
    AcceptChannel, AcceptChannelTlvs, ChannelReady, ChannelReadyTlvs, FundingCreated,
    FundingSigned, OpenChannel, OpenChannelTlvs,
};
pub use open_v2::{
    AcceptChannel2, AcceptTlvs, LeaseRates, OpenChannel2, OpeningTlvs, RequestFunds, WillFund,
};
pub use peer_message::PeerMessage;
pub use queries::{
    ChannelUpdateChecksums, ChannelUpdateTimestamps, EncodedArray, GossipTimestampFilter,
    QueryChannelRange, QueryChannelRangeTlvs, QueryShortChannelIds, QueryShortChannelIdsTlvs,
    ReplyChannelRange, ReplyChannelRangeTlvs, ReplyShortChannelIdsEnd,
};
pub use reestablish::{
    ChannelReestablish, ChannelReestablishTlvs, MyCurrentFundingLocked, NextFunding,
};
pub use setup::{ErrorMessage, Init, InitTlvs, Ping, Pong, WarningMessage};
pub use splice::{SpliceAck, SpliceAckTlvs, SpliceInit, SpliceInitTlvs, SpliceLocked, Stfu};
pub use storage::{PeerStorage, PeerStorageRetrieval};

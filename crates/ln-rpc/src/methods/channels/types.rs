//! States, types and names of channels, as several methods show them.

use ln_types::ShortChannelId;

use crate::shape::{rpc_enum, rpc_object};

rpc_object! {
    /// What kind of channel, as feature bits.
    pub struct ChannelType {
        /// The bits.
        bits: Vec<u32>,
        /// Their names.
        names: Vec<String>,
    }

    /// Names that stand for a channel's place in the chain.
    pub struct ChannelAliases {
        /// The name we gave: peers use it to reach us.
        local: Option<ShortChannelId>,
        /// The name the peer gave: our invoices use it.
        remote: Option<ShortChannelId>,
    }
}

rpc_enum! {
    /// How a channel stands.
    pub enum ChannelState ("should be a channel state") {
        /// The peers are talking about opening it.
        Openingd = "OPENINGD",
        /// Its funding transaction needs more depth.
        ChanneldAwaitingLockin = "CHANNELD_AWAITING_LOCKIN",
        /// It carries payments.
        ChanneldNormal = "CHANNELD_NORMAL",
        /// It takes no new payments, and old ones are being settled.
        ChanneldShuttingDown = "CHANNELD_SHUTTING_DOWN",
        /// The peers are agreeing on the fee of the closing transaction.
        ClosingdSigexchange = "CLOSINGD_SIGEXCHANGE",
        /// The closing transaction is out.
        ClosingdComplete = "CLOSINGD_COMPLETE",
        /// Our commitment transaction is out.
        AwaitingUnilateral = "AWAITING_UNILATERAL",
        /// The funding output was spent.
        FundingSpendSeen = "FUNDING_SPEND_SEEN",
        /// The outputs of the closing are being settled.
        Onchain = "ONCHAIN",
        /// Both peers are talking about funding it.
        DualopendOpenInit = "DUALOPEND_OPEN_INIT",
        /// The funding transaction of both needs more depth.
        DualopendAwaitingLockin = "DUALOPEND_AWAITING_LOCKIN",
        /// It carries payments, and a splice needs more depth.
        ChanneldAwaitingSplice = "CHANNELD_AWAITING_SPLICE",
        /// Commitments of both are signed.
        DualopendOpenCommitted = "DUALOPEND_OPEN_COMMITTED",
        /// Commitments of both can be signed.
        DualopendOpenCommitReady = "DUALOPEND_OPEN_COMMIT_READY",
    }

    /// How an HTLC stands.
    pub enum HtlcState ("should be an HTLC state") {
        /// We offered it.
        SentAddHtlc = "SENT_ADD_HTLC",
        /// We committed the peer to it.
        SentAddCommit = "SENT_ADD_COMMIT",
        /// The peer revoked what was before it.
        RcvdAddRevocation = "RCVD_ADD_REVOCATION",
        /// The peer committed us to it.
        RcvdAddAckCommit = "RCVD_ADD_ACK_COMMIT",
        /// We revoked what was before it: it is irrevocable.
        SentAddAckRevocation = "SENT_ADD_ACK_REVOCATION",
        /// The peer settled it.
        RcvdRemoveHtlc = "RCVD_REMOVE_HTLC",
        /// The peer committed us to the removal.
        RcvdRemoveCommit = "RCVD_REMOVE_COMMIT",
        /// We revoked what had it.
        SentRemoveRevocation = "SENT_REMOVE_REVOCATION",
        /// We committed the peer to the removal.
        SentRemoveAckCommit = "SENT_REMOVE_ACK_COMMIT",
        /// The peer revoked what had it: it is gone.
        RcvdRemoveAckRevocation = "RCVD_REMOVE_ACK_REVOCATION",
        /// The peer offered it.
        RcvdAddHtlc = "RCVD_ADD_HTLC",
        /// The peer committed us to it.
        RcvdAddCommit = "RCVD_ADD_COMMIT",
        /// We revoked what was before it.
        SentAddRevocation = "SENT_ADD_REVOCATION",
        /// We committed the peer to it.
        SentAddAckCommit = "SENT_ADD_ACK_COMMIT",
        /// The peer revoked what was before it: it is irrevocable.
        RcvdAddAckRevocation = "RCVD_ADD_ACK_REVOCATION",
        /// We settled it.
        SentRemoveHtlc = "SENT_REMOVE_HTLC",
        /// We committed the peer to the removal.
        SentRemoveCommit = "SENT_REMOVE_COMMIT",
        /// The peer revoked what had it.
        RcvdRemoveRevocation = "RCVD_REMOVE_REVOCATION",
        /// The peer committed us to the removal.
        RcvdRemoveAckCommit = "RCVD_REMOVE_ACK_COMMIT",
        /// We revoked what had it: it is gone.
        SentRemoveAckRevocation = "SENT_REMOVE_ACK_REVOCATION",
    }

    /// Which way an HTLC goes.
    pub enum HtlcDirection ("should be 'in' or 'out'") {
        /// Towards us.
        In = "in",
        /// Away from us.
        Out = "out",
    }

    /// Why a channel changed its state.
    pub enum StateChangeCause ("should be a cause of a state change") {
        /// It is not recorded.
        Unknown = "unknown",
        /// The node decided.
        Local = "local",
        /// A command asked for it.
        User = "user",
        /// The peer decided.
        Remote = "remote",
        /// A rule was broken.
        Protocol = "protocol",
        /// Something happened on chain.
        Onchain = "onchain",
    }
}

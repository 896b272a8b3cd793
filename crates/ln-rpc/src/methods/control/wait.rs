//! `wait`

use ln_types::{CltvExpiry, Msat, NodeId, PaymentHash, ShortChannelId};

use crate::methods::channels::types::{HtlcDirection, HtlcState};
use crate::methods::invoices::listinvoices::InvoiceStatus;
use crate::methods::payments::sendpay::PaymentStatus;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Waits until something is created, updated or deleted.
    ///
    /// Each list has an index that counts creations, one that counts changes and one that counts deletions. The command answers once
    /// the index reaches `nextvalue`, at once if it has; 0 answers with the present value.
    pub struct Wait = "wait" (WaitParams) -> WaitResponse {
        category: Control,
        since: "v23.08",
    }
}

rpc_params! {
    /// The parameters of `wait`.
    pub struct WaitParams {
        /// Which list.
        subsystem: WaitSubsystem,
        /// Which index of it.
        indexname: WaitIndex,
        /// The value to wait for.
        nextvalue: u64,
    }
}

rpc_object! {
    /// The answer to `wait`: the index, and what changed if we know.
    pub struct WaitResponse {
        /// The list that was watched.
        subsystem: WaitSubsystem,
        /// The index of creations, if that was watched.
        created: Option<u64>,
        /// The index of changes, if that was watched.
        updated: Option<u64>,
        /// The index of deletions, if that was watched.
        deleted: Option<u64>,
        /// The forward that changed.
        forwards: Option<WaitForward>,
        /// The invoice that changed.
        invoices: Option<WaitInvoice>,
        /// The part of a payment that changed.
        sendpays: Option<WaitSendpay>,
        /// The HTLC that changed.
        htlcs: Option<WaitHtlc>,
        /// The coin that moved on chain.
        chainmoves: Option<WaitMove>,
        /// The amount that moved in a channel.
        channelmoves: Option<WaitMove>,
        /// The event of a connection.
        networkevents: Option<WaitNetworkevent>,
        /// The invoice that changed, as older versions said it.
        details: Option<WaitInvoice>,
    }

    /// A forward that changed.
    pub struct WaitForward {
        /// How it stands.
        status: Option<ForwardStatus>,
        /// The channel it came from.
        in_channel: Option<ShortChannelId>,
        /// The HTLC's number in that channel.
        in_htlc_id: Option<u64>,
        /// What came in.
        in_msat: Option<Msat>,
        /// The channel it was to go out by.
        out_channel: Option<ShortChannelId>,
    }

    /// An invoice that changed.
    pub struct WaitInvoice {
        /// How it stands.
        status: Option<InvoiceStatus>,
        /// Our name for it.
        label: Option<String>,
        /// What the payer reads.
        description: Option<String>,
        /// The BOLT 11 invoice.
        bolt11: Option<String>,
        /// The BOLT 12 invoice.
        bolt12: Option<String>,
    }

    /// A part of a payment that changed.
    pub struct WaitSendpay {
        /// How it stands.
        status: Option<PaymentStatus>,
        /// The part's number.
        partid: Option<u64>,
        /// The attempt it belongs to.
        groupid: Option<u64>,
        /// What identifies the payment.
        payment_hash: Option<PaymentHash>,
    }

    /// An HTLC that changed.
    pub struct WaitHtlc {
        /// How it stands.
        state: Option<HtlcState>,
        /// Its number in the channel.
        htlc_id: Option<u64>,
        /// The channel.
        short_channel_id: Option<ShortChannelId>,
        /// The height at which it times out.
        cltv_expiry: Option<CltvExpiry>,
        /// What it carries.
        amount_msat: Option<Msat>,
        /// Whether it comes in or goes out.
        direction: Option<HtlcDirection>,
        /// What unlocks it.
        payment_hash: Option<PaymentHash>,
    }

    /// Money that moved.
    pub struct WaitMove {
        /// The account, a channel id or `wallet`.
        account: String,
        /// What came in.
        credit_msat: Msat,
        /// What went out.
        debit_msat: Msat,
    }

    /// Something that happened to a connection.
    pub struct WaitNetworkevent {
        /// Its number in the order of events.
        created_index: Option<u64>,
        /// What happened.
        kind as "type": Option<NetworkeventType>,
        /// The peer.
        peer_id: Option<NodeId>,
    }
}

rpc_enum! {
    /// The lists that can be watched.
    pub enum WaitSubsystem ("unknown subsystem") {
        /// `listinvoices`.
        Invoices = "invoices",
        /// `listforwards`.
        Forwards = "forwards",
        /// `listsendpays`.
        Sendpays = "sendpays",
        /// `listhtlcs`.
        Htlcs = "htlcs",
        /// `listchainmoves`.
        Chainmoves = "chainmoves",
        /// `listchannelmoves`.
        Channelmoves = "channelmoves",
        /// `listnetworkevents`.
        Networkevents = "networkevents",
    }

    /// The three indexes of a list.
    pub enum WaitIndex ("unknown index") {
        /// Counts what is new.
        Created = "created",
        /// Counts what changed.
        Updated = "updated",
        /// Counts what is gone.
        Deleted = "deleted",
    }

    /// How a forward stands.
    pub enum ForwardStatus ("should be offered, settled, failed or local_failed") {
        /// Passed on to the next node.
        Offered = "offered",
        /// Paid.
        Settled = "settled",
        /// Failed further on.
        Failed = "failed",
        /// Never left this node.
        LocalFailed = "local_failed",
    }

    /// What can happen to a connection.
    pub enum NetworkeventType ("should be a type of network event") {
        /// It was made.
        Connect = "connect",
        /// It could not be made.
        ConnectFail = "connect_fail",
        /// A ping was answered.
        Ping = "ping",
        /// It ended.
        Disconnect = "disconnect",
    }
}

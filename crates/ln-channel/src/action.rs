//! All that a channel can do to the world.

use bitcoin::{ScriptBuf, Txid};
use ln_types::{CommitmentNumber, HtlcId, PaymentPreimage, ShortChannelId};
use ln_wire::{AttributionData, ChannelAnnouncement, ChannelUpdate, PeerMessage};

use crate::{BySide, ChannelError, Htlc};

//~ 3. The machine has no socket, clock or database. It says what is to be done, and this is all it can say. Read the list, then `step` in
//~ `channel.rs`: an event goes in, these come out, and an error leaves everything as it was.
/// Something to do, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "most actions are messages, and there are few at a time"
)]
pub enum Action {
    /// Send a message to the peer.
    Send(PeerMessage),
    /// Make the channel's state durable, then tell the node what happened. A barrier: nothing after it is sent to the peer before
    /// both are done. At most one in a step.
    Persist(Vec<Notice>),
    /// Tell the node what happened, soon and durably; nothing waits for it.
    Forward(Notice),
    /// An offer was lost with the connection before anybody committed to it.
    OfferRefused {
        /// The offer's number.
        request: u64,
        /// Why.
        error: ChannelError,
    },
    /// HTLCs may be offered from now on.
    Reestablished,
    /// Both sides signed the announcement.
    Announce {
        /// The funding output's place.
        scid: ShortChannelId,
        /// The whole message.
        announcement: Box<ChannelAnnouncement>,
    },
    /// The peer's `channel_update` for this channel, not checked yet.
    ChannelUpdate(Box<ChannelUpdate>),
    /// No HTLC is left and both sent `shutdown`: the closing negotiation takes over.
    ShutdownComplete,
    /// Send what is queued, then hang up.
    Disconnect,
    /// The channel must go on chain.
    FailChannel {
        /// Why.
        error: ChannelError,
        /// Whether our commitment may be broadcast: not when the peer proved that we lost state.
        broadcast: bool,
    },
    /// A line for the log, about something odd.
    Log(String),
}

/// What a durable step means to the rest of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// We offered an HTLC.
    Offered {
        /// Its id.
        id: HtlcId,
        /// The offer's number.
        request: u64,
    },
    /// An HTLC of the peer's is irrevocably committed on both sides.
    Received(Box<Htlc>),
    /// An HTLC we offered is paid. Comes again after a reconnection if the peer did not commit to it before.
    Fulfilled {
        /// Its id.
        id: HtlcId,
        /// What proves it.
        preimage: PaymentPreimage,
        /// Who held it for how long.
        attribution_data: Option<AttributionData>,
    },
    /// An HTLC we offered failed and is irrevocably removed.
    Failed {
        /// Its id.
        id: HtlcId,
        /// The encrypted reason.
        reason: Vec<u8>,
        /// Who held it for how long.
        attribution_data: Option<AttributionData>,
    },
    /// An HTLC we offered failed as malformed at the peer and is irrevocably removed.
    FailedMalformed {
        /// Its id.
        id: HtlcId,
        /// The failure code.
        failure_code: u16,
        /// The hash of the onion as the peer saw it.
        sha256_of_onion: [u8; 32],
    },
    /// An HTLC we offered is gone from both commitments.
    OfferedRemoved(HtlcId),
    /// An HTLC of the peer's is gone from both commitments.
    ReceivedRemoved(HtlcId),
    /// The peer sent `channel_ready`, with its alias if it has one.
    RemoteReady(Option<ShortChannelId>),
    /// Both sides have sent `channel_ready`.
    Ready,
    /// `shutdown` went out or came in: the scripts known so far.
    ShuttingDown(BySide<Option<ScriptBuf>>),
    /// The peer revoked a commitment.
    Revoked {
        /// Its number.
        number: CommitmentNumber,
        /// Its txid.
        txid: Txid,
    },
}

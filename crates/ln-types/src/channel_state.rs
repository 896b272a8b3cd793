//! Where a channel is in its life, as operators see it.

use std::fmt;

macro_rules! channel_states {
    ($($(#[$meta:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// A channel's state under Core Lightning's names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ChannelState { $($(#[$meta])* $variant),* }

        impl ChannelState {
            /// The number it has in the database.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number),* }
            }

            /// The name in RPC replies, such as `CHANNELD_NORMAL`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The state with this number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

channel_states! {
    /// v2: being negotiated.
    DualopendOpenInit = 1, "DUALOPEND_OPEN_INIT";
    /// Waiting for the funding transaction's confirmations.
    ChanneldAwaitingLockin = 2, "CHANNELD_AWAITING_LOCKIN";
    /// Usable.
    ChanneldNormal = 3, "CHANNELD_NORMAL";
    /// Closing, HTLCs still being resolved.
    ChanneldShuttingDown = 4, "CHANNELD_SHUTTING_DOWN";
    /// Closing, the fee being negotiated.
    ClosingdSigexchange = 5, "CLOSINGD_SIGEXCHANGE";
    /// Closing transaction broadcast, not yet in a block.
    ClosingdComplete = 6, "CLOSINGD_COMPLETE";
    /// Our commitment broadcast, not yet in a block.
    AwaitingUnilateral = 7, "AWAITING_UNILATERAL";
    /// The funding output is spent in a block.
    FundingSpendSeen = 8, "FUNDING_SPEND_SEEN";
    /// Outputs are being resolved on chain.
    Onchain = 9, "ONCHAIN";
    /// Over.
    Closed = 10, "CLOSED";
    /// v2: commitments exchanged.
    DualopendOpenCommitted = 11, "DUALOPEND_OPEN_COMMITTED";
    /// v2: waiting for confirmations.
    DualopendAwaitingLockin = 12, "DUALOPEND_AWAITING_LOCKIN";
    /// Splicing: waiting for confirmations.
    ChanneldAwaitingSplice = 13, "CHANNELD_AWAITING_SPLICE";
    /// v2: ready to commit.
    DualopendOpenCommitReady = 14, "DUALOPEND_OPEN_COMMIT_READY";
}

impl ChannelState {
    /// Whether a channel daemon serves the channel while the peer is connected.
    pub const fn wants_peer(self) -> bool {
        matches!(
            self,
            Self::ChanneldAwaitingLockin
                | Self::ChanneldNormal
                | Self::ChanneldShuttingDown
                | Self::ClosingdSigexchange
        )
    }

    /// Whether the channel is being closed or is closed.
    pub const fn is_closing(self) -> bool {
        matches!(
            self,
            Self::ChanneldShuttingDown
                | Self::ClosingdSigexchange
                | Self::ClosingdComplete
                | Self::AwaitingUnilateral
                | Self::FundingSpendSeen
                | Self::Onchain
                | Self::Closed
        )
    }
}

impl fmt::Display for ChannelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for ChannelState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

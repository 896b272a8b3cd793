//! What transactions and outputs are called, in Core Lightning's words: the log and `listpeerchannels` show them.

use std::fmt;

use ln_codec::{Decode, Encode};

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident => $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
        pub enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// The name the log shows.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// A transaction that matters for a closed channel.
    TxKind {
        /// The one that opened it.
        FundingTransaction => "FUNDING_TRANSACTION",
        /// A closing both agreed on.
        MutualClose => "MUTUAL_CLOSE",
        /// The peer's commitment.
        TheirUnilateral => "THEIR_UNILATERAL",
        /// A commitment we know nothing about.
        UnknownUnilateral => "UNKNOWN_UNILATERAL",
        /// Our commitment.
        OurUnilateral => "OUR_UNILATERAL",
        /// A commitment the peer had revoked.
        TheirRevokedUnilateral => "THEIR_REVOKED_UNILATERAL",
        /// The peer takes its HTLC back.
        TheirHtlcTimeoutToThem => "THEIR_HTLC_TIMEOUT_TO_THEM",
        /// We take the peer's HTLC with the preimage, from its commitment.
        TheirHtlcFulfillToUs => "THEIR_HTLC_FULFILL_TO_US",
        /// We take our HTLC back, from the peer's commitment.
        OurHtlcTimeoutToUs => "OUR_HTLC_TIMEOUT_TO_US",
        /// The peer takes our HTLC with the preimage.
        OurHtlcFulfillToThem => "OUR_HTLC_FULFILL_TO_THEM",
        /// Our HTLC-timeout transaction.
        OurHtlcTimeoutTx => "OUR_HTLC_TIMEOUT_TX",
        /// Our HTLC-success transaction.
        OurHtlcSuccessTx => "OUR_HTLC_SUCCESS_TX",
        /// We take a delayed output.
        OurDelayedReturnToWallet => "OUR_DELAYED_RETURN_TO_WALLET",
        /// The peer got away with a revoked delayed output.
        TheirDelayedCheat => "THEIR_DELAYED_CHEAT",
        /// We punish a revoked commitment.
        OurPenaltyTx => "OUR_PENALTY_TX",
        /// Too small to be worth a transaction.
        IgnoringTinyPayment => "IGNORING_TINY_PAYMENT",
        /// Resolved by the transaction it is in.
        SelfResolved => "SELF",
        /// Something we cannot explain.
        Unknown => "UNKNOWN_TXTYPE",
    }
}

named! {
    /// An output that matters for a closed channel.
    OutputKind {
        /// The channel's own.
        FundingOutput => "FUNDING_OUTPUT",
        /// Our balance on the peer's commitment.
        OutputToUs => "OUTPUT_TO_US",
        /// The peer's balance on its own commitment.
        DelayedOutputToThem => "DELAYED_OUTPUT_TO_THEM",
        /// The same, revoked.
        DelayedCheatOutputToThem => "DELAYED_CHEAT_OUTPUT_TO_THEM",
        /// Our balance on our commitment, or what an HTLC transaction of ours made.
        DelayedOutputToUs => "DELAYED_OUTPUT_TO_US",
        /// The peer's balance on our commitment.
        OutputToThem => "OUTPUT_TO_THEM",
        /// An HTLC the peer offered.
        TheirHtlc => "THEIR_HTLC",
        /// An HTLC we offered.
        OurHtlc => "OUR_HTLC",
        /// Our anchor.
        AnchorToUs => "ANCHOR_TO_US",
        /// The peer's anchor.
        AnchorToThem => "ANCHOR_TO_THEM",
    }
}

//! What money moved for: the words of the node's accounts.

use std::fmt;

use ln_codec::{Decode, Encode};

macro_rules! move_tags {
    ($($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $bit:literal, $word:literal;)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Their words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// Its bit in the database, counted from 0, as Core Lightning has it.
            pub const fn bit(self) -> u8 {
                match self { $(Self::$variant => $bit),* }
            }

            /// The word in RPC replies.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    )*};
}

move_tags! {
    /// What a coin on chain moved for.
    ChainMoveTag {
        /// It came to the account.
        Deposit = 0, "deposit";
        /// It left the account.
        Withdrawal = 1, "withdrawal";
        /// An output of a commitment the peer had revoked.
        Penalty = 2, "penalty";
        /// A channel was opened with it.
        ChannelOpen = 6, "channel_open";
        /// The funding output was spent.
        ChannelClose = 7, "channel_close";
        /// Our balance on our own commitment, which has to wait.
        DelayedToUs = 8, "delayed_to_us";
        /// An HTLC that timed out.
        HtlcTimeout = 9, "htlc_timeout";
        /// An HTLC that was taken with the preimage.
        HtlcFulfill = 10, "htlc_fulfill";
        /// The output of an HTLC transaction of ours.
        HtlcTx = 11, "htlc_tx";
        /// It goes to the wallet.
        ToWallet = 12, "to_wallet";
        /// An anchor.
        Anchor = 13, "anchor";
        /// The peer's balance.
        ToThem = 14, "to_them";
        /// The peer took an output of ours, as a penalty.
        Penalized = 15, "penalized";
        /// The peer got away with an output it had revoked.
        Stolen = 16, "stolen";
        /// All of it went to the miner.
        ToMiner = 17, "to_miner";
        /// Nothing is done about it.
        Ignored = 27, "ignored";
    }

    /// What an amount moved for in a channel.
    ChannelMoveTag {
        /// A payment of ours, or to us.
        Invoice = 3, "invoice";
        /// A payment of others that went through.
        Routed = 4, "routed";
        /// Given to the fundee when the channel was opened.
        Pushed = 5, "pushed";
        /// The price of a lease.
        LeaseFee = 19, "lease_fee";
        /// A channel that can be used before its funding is in a block.
        ChannelProposed = 22, "channel_proposed";
        /// Balances out what a penalty brought.
        PenaltyAdj = 24, "penalty_adj";
        /// Balances out what happened before accounts were kept.
        JournalEntry = 25, "journal_entry";
    }

    /// What else there is to say of a coin that moved.
    ExtraMoveTag {
        /// We opened the channel.
        Opener = 18, "opener";
        /// The channel is leased.
        Leased = 20, "leased";
        /// The peer had revoked it: we may still take it.
        Stealable = 21, "stealable";
        /// A splice.
        Splice = 23, "splice";
        /// A coin the node's wallet does not know.
        Foreign = 26, "foreign";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_used_once() {
        let mut bits: Vec<u8> = ChainMoveTag::ALL.iter().map(|tag| tag.bit()).collect();
        bits.extend(ChannelMoveTag::ALL.iter().map(|tag| tag.bit()));
        bits.extend(ExtraMoveTag::ALL.iter().map(|tag| tag.bit()));
        bits.sort_unstable();
        assert!(bits.into_iter().eq(0..28));
    }
}

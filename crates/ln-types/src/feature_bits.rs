//! The feature bits of BOLT 9's table.

macro_rules! feature_bits {
    ($($(#[$meta:meta])* $variant:ident = $bit:literal, $name:literal;)*) => {
        /// A pair of bits of BOLT 9's table, named by the even one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FeatureBit { $($(#[$meta])* $variant),* }

        impl FeatureBit {
            /// Every known pair, in table order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The even (compulsory) bit of the pair.
            pub const fn even(self) -> u16 {
                match self { $(Self::$variant => $bit),* }
            }

            /// The odd (optional) bit of the pair.
            pub const fn odd(self) -> u16 {
                self.even() | 1
            }

            /// The name BOLT 9 gives it, such as `option_data_loss_protect`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The pair a bit belongs to.
            pub fn of(bit: u16) -> Option<Self> {
                match bit & !1 { $($bit => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

feature_bits! {
    /// Extra fields in `channel_reestablish` protect a node that lost state.
    DataLossProtect = 0, "option_data_loss_protect";
    /// A shutdown script fixed at opening.
    UpfrontShutdownScript = 4, "option_upfront_shutdown_script";
    /// Gossip queries.
    GossipQueries = 6, "gossip_queries";
    /// TLV onion payloads.
    VarOnion = 8, "var_onion_optin";
    /// Extended gossip queries.
    GossipQueriesEx = 10, "gossip_queries_ex";
    /// An untweaked `to_remote` key.
    StaticRemotekey = 12, "option_static_remotekey";
    /// Payment secrets.
    PaymentSecret = 14, "payment_secret";
    /// Payments in several parts.
    BasicMpp = 16, "basic_mpp";
    /// Channels above 2^24 satoshi.
    Wumbo = 18, "option_support_large_channel";
    /// Anchor outputs, no longer in use for new channels.
    AnchorOutputs = 20, "option_anchor_outputs";
    /// Anchor outputs with zero-fee HTLC transactions.
    Anchors = 22, "option_anchors";
    /// Blinded paths.
    RouteBlinding = 24, "option_route_blinding";
    /// Any segwit version in `shutdown`.
    ShutdownAnysegwit = 26, "option_shutdown_anysegwit";
    /// Dual funding.
    DualFund = 28, "option_dual_fund";
    /// Quiescence.
    Quiesce = 34, "option_quiesce";
    /// Attribution data in failures.
    AttributionData = 36, "option_attribution_data";
    /// Onion messages.
    OnionMessages = 38, "option_onion_messages";
    /// Peer storage.
    ProvideStorage = 42, "option_provide_storage";
    /// Explicit channel types.
    ChannelType = 44, "option_channel_type";
    /// Short channel id aliases.
    ScidAlias = 46, "option_scid_alias";
    /// Metadata in invoices.
    PaymentMetadata = 48, "option_payment_metadata";
    /// Channels usable before confirmation.
    Zeroconf = 50, "option_zeroconf";
    /// Spontaneous payments.
    Keysend = 54, "keysend";
    /// The simple closing protocol.
    SimpleClose = 60, "option_simple_close";
    /// Splicing.
    Splice = 62, "option_splice";
}

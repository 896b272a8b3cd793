//! Hooks: where the node asks plugins before it goes on.

/// The hooks there are.
pub(super) const HOOKS: &[&str] = &[
    "commitment_revocation",
    "custommsg",
    "db_write",
    "htlc_accepted",
    "invoice_payment",
    "onion_message_recv",
    "onion_message_recv_secret",
    "openchannel",
    "openchannel2",
    "openchannel2_changed",
    "openchannel2_sign",
    "peer_connected",
    "rbf_channel",
    "recover",
    "rpc_command",
];

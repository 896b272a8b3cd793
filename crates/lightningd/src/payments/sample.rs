//! A part of a payment, for tests.

use ln_db::{PaymentRow, PaymentStatus};
use ln_types::{Msat, NodeId, PaymentHash, ShortChannelId};

/// The node with this number; its secret key is the number.
pub(crate) fn node(number: u8) -> NodeId {
    use bitcoin::secp256k1::{Secp256k1, SecretKey};
    let mut secret = [0; 32];
    secret[31] = number;
    let secret = SecretKey::from_slice(&secret).unwrap();
    secret.public_key(&Secp256k1::new()).into()
}

/// A pending part over the nodes 1, 2 and 3, which brings 100 msat and costs 101.
pub(crate) fn row(created_index: u64, partid: u64, groupid: u64) -> PaymentRow {
    PaymentRow {
        created_index,
        updated_index: None,
        created_at: 1,
        completed_at: None,
        status: PaymentStatus::Pending,
        payment_hash: PaymentHash([7; 32]),
        partid,
        groupid,
        destination: Some(node(3)),
        amount: Some(Msat::from_msat(100)),
        sent: Msat::from_msat(101),
        total: Some(Msat::from_msat(200)),
        preimage: None,
        path_secrets: vec![[1; 32], [2; 32], [3; 32]],
        route_nodes: vec![node(1), node(2), node(3)],
        route_channels: (1..=3).map(ShortChannelId::from_u64).collect(),
        label: None,
        bolt11: None,
        description: None,
        failure: None,
    }
}

//! Coins set aside and released, as replies show it.

use ln_rpc::methods::wallet::fundpsbt::Reservation;
use ln_types::BlockHeight;
use ln_wallet::Utxo;

use crate::node::Node;

/// What became of a coin, given as it was before.
pub(super) fn reservation(node: &Node, before: &Utxo, tip: BlockHeight) -> Reservation {
    let now = node.wallet.coin(&before.outpoint);
    let until = now
        .and_then(|coin| coin.reserved_until)
        .filter(|until| *until > tip);
    Reservation {
        txid: before.outpoint.txid,
        vout: before.outpoint.vout,
        was_reserved: before.is_reserved(tip),
        reserved: until.is_some(),
        reserved_to_block: until,
    }
}

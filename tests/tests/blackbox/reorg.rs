//! The chain changes its mind.

use serde_json::json;

use crate::support::{CAPACITY_MSAT, Pair};

/// Takes the last blocks away; the hash of the first of them.
fn take_away(pair: &Pair, count: u64) {
    let first = pair.net.chain.height() - count + 1;
    let hash = pair.net.chain.call("getblockhash", json!([first]));
    pair.net.chain.call("invalidateblock", json!([hash]));
}

#[test]
fn six_blocks_with_the_funding_are_replaced() {
    let pair = Pair::start();
    pair.net.announce(&pair.open, &[&pair.l1, &pair.l2]);
    pair.pay(1_000_000, "before");
    // One confirmation by `open_channel`, six by `announce`.
    take_away(&pair, 7);
    assert_eq!(
        pair.net.chain.mempool(),
        std::slice::from_ref(&pair.open.funding_txid)
    );
    pair.net.mine(8, &[&pair.l1, &pair.l2]);
    assert_eq!(pair.wait_quiet(), (CAPACITY_MSAT - 1_000_000, 1_000_000));
    pair.pay(1_000_000, "after");
}

#[test]
fn a_block_on_top_is_replaced() {
    let pair = Pair::start();
    pair.net.mine(2, &[&pair.l1, &pair.l2]);
    take_away(&pair, 1);
    pair.net.mine(2, &[&pair.l1, &pair.l2]);
    pair.pay(1_000_000, "after");
}

/// The funding comes back in another block, so the channel has another place in the chain.
#[test]
fn the_funding_moves_before_the_channel_is_announced() {
    let mut pair = Pair::start();
    pair.net.mine(1, &[&pair.l1, &pair.l2]);
    take_away(&pair, 2);
    let address = pair.net.chain.new_address();
    for _ in 0..3 {
        pair.net.chain.call("generateblock", json!([address, []]));
    }
    pair.net.mine(1, &[&pair.l1, &pair.l2]);
    let moved = format!("{}x1x{}", pair.net.chain.height(), pair.open.funding_outnum);
    for node in [&pair.l1, &pair.l2] {
        node.wait_for("the new short channel id", || {
            let scid = crate::support::channel(node, &pair.open.channel_id)?;
            (scid["short_channel_id"] == moved.as_str()).then_some(())
        });
    }
    pair.open.short_channel_id = moved;
    pair.wait_quiet();
    pair.pay(1_000_000, "after");
}

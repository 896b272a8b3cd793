//! One side closes alone.

use serde_json::json;

use crate::support::{CAPACITY_MSAT, Pair, channel, confirmed_msat};

#[test]
fn the_peer_is_down_and_our_share_comes_back_after_the_delay() {
    let pair = Pair::start();
    pair.pay(1_000_000_000, "before");
    let (ours, theirs) = pair.wait_quiet();
    assert_eq!(ours + theirs, CAPACITY_MSAT);
    pair.l2.stop();
    let (l1, l2, net) = (&pair.l1, &pair.l2, &pair.net);
    let delay = channel(l1, &pair.open.channel_id).unwrap()["our_to_self_delay"]
        .as_u64()
        .unwrap();
    let before = confirmed_msat(l1);
    let closed = l1.call("close", json!({"id": l2.id(), "unilateraltimeout": 1}));
    assert_eq!(closed["type"], "unilateral");
    let commitment = closed["txids"][0].as_str().unwrap().to_owned();
    assert!(net.wait_mempool(1).contains(&commitment));
    net.mine(1, &[l1]);
    net.wait_state(l1, &pair.open.channel_id, "ONCHAIN");
    l1.call("listpeerchannels", json!({}));
    let blocks = u32::try_from(delay).unwrap();
    net.mine(blocks - 2, &[l1]);
    assert!(net.chain.mempool().is_empty(), "the sweep is too early");
    net.mine(1, &[l1]);
    net.wait_mempool(1);
    net.mine(1, &[l1]);
    let back = l1.wait_for("our share in the wallet", || {
        confirmed_msat(l1)
            .checked_sub(before)
            .filter(|back| *back > 0)
    });
    assert!(back < ours && ours - back < 5_000_000, "{back} of {ours}");

    // The peer finds its share when it comes back.
    let before = confirmed_msat(l2);
    assert_eq!(before, 0);
    l2.start_again();
    l2.wait_for("the peer's share in its wallet", || {
        (confirmed_msat(l2) == theirs).then_some(())
    });
    net.mine(100, &[l1, l2]);
    for node in [l1, l2] {
        node.wait_for("the channel among the closed ones", || {
            let listed = node.poll("listclosedchannels", json!({}))?;
            (listed["closedchannels"][0]["channel_id"] == pair.open.channel_id.as_str())
                .then_some(())
        });
        node.call("listclosedchannels", json!({}));
    }
}

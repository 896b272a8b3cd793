//! Processes killed without warning while a channel is being opened, closed or resolved on the chain: no coin is lost.

use std::thread;

use ln_testkit::nodes::{OpenChannel, Seed, TestNet, TestNode, try_wait_until, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::accounts;
use crate::kill::{Victim, kill, mourning, revive};
use crate::support::{
    Pair, channel, channels, confirmed_msat, invoice, reserved, to_us_at_rest, wait_arrived,
};

/// What a channel holds in these tests.
const CAPACITY: Sat = Sat::from_sat(1_000_000);

/// Kills one process of a node when its log is so many lines longer, or the work is done.
fn strike(node: &TestNode, victim: Victim, lines: usize, work: impl FnOnce() + Send) {
    let mark = node.log().end();
    thread::scope(|scope| {
        let work = scope.spawn(work);
        let waited = try_wait_until("the moment to kill", || {
            let come = node.log().lines_after(mark).len() >= lines;
            Ok((come || work.is_finished()).then_some(()))
        });
        waited.unwrap_or_else(|error| panic!("{error}"));
        eprintln!("{victim:?} of {} after {lines} lines", node.name());
        let channelds = kill(node, victim);
        revive(node, victim, &channelds);
    });
}

/// One of these victims, of one of these nodes, at some line of its log.
fn choose<'a>(
    seed: &mut Seed,
    nodes: &[&'a TestNode],
    victims: &[Victim],
    lines: u64,
) -> (&'a TestNode, Victim, usize) {
    let node = *seed.choose(nodes);
    let victim = *seed.choose(victims);
    (node, victim, usize::try_from(seed.below(lines)).unwrap())
}

fn connected(net: &TestNet, from: &TestNode, to: &TestNode) {
    wait_until("a connection", || {
        let place = json!({"id": to.id(), "host": "127.0.0.1", "port": to.port()});
        from.poll("connect", place)
    });
    net.wait_synced(&[from, to]);
}

/// Closes a channel however often it takes, and has the transaction mined.
fn close(net: &TestNet, from: &TestNode, to: &TestNode, open: &OpenChannel) {
    let over = ["CLOSINGD_COMPLETE", "FUNDING_SPEND_SEEN", "ONCHAIN"];
    from.wait_for("the end of the channel", || {
        let state = channel(from, &open.channel_id)?["state"].clone();
        if over.iter().any(|name| state == *name) {
            return Some(());
        }
        let params = json!({"id": open.channel_id, "unilateraltimeout": 0});
        let closed = from.poll("close", params)?;
        assert_eq!(closed["type"], "mutual");
        Some(())
    });
    wait_until("the closing transaction in the mempool", || {
        let spent = net.chain.call(
            "gettxout",
            json!([open.funding_txid, open.funding_outnum, true]),
        );
        spent.is_null().then_some(())
    });
    net.mine(1, &[from, to]);
}

#[test]
fn an_opening_hit_by_a_kill_costs_no_coin() {
    const VICTIMS: &[Victim] = &[
        Victim::Node,
        Victim::Node,
        Victim::Passing("openingd"),
        Victim::Passing("channeld"),
        Victim::Helper("connectd"),
        Victim::Helper("hsmd"),
        Victim::Helper("bcli"),
    ];
    let mut seed = Seed::from_environment("kill an opening");
    let net = TestNet::start();
    let (l1, l2) = (
        net.node_with("l1", mourning()),
        net.node_with("l2", mourning()),
    );
    net.fund(&l1, Sat::from_sat(2_000_000));
    for round in 0..4 {
        connected(&net, &l1, &l2);
        let before = confirmed_msat(&l1);
        let (node, victim, lines) = choose(&mut seed, &[&l1, &l2], VICTIMS, 120);
        strike(node, victim, lines, || {
            let params = json!([l2.id(), CAPACITY.as_sat(), "253perkw"]);
            drop(l1.try_call("fundchannel", params));
        });
        connected(&net, &l1, &l2);
        // What is in the database is broadcast when the node starts, and what was refused is forgotten.
        let listed = channels(&l1);
        let ours: Vec<&Value> = listed
            .iter()
            .filter(|channel| {
                ["CHANNELD_AWAITING_LOCKIN", "CHANNELD_NORMAL"]
                    .contains(&channel["state"].as_str().unwrap())
            })
            .collect();
        eprintln!("round {round}: {} channels", ours.len());
        if let [ours] = ours[..] {
            let open = OpenChannel {
                channel_id: ours["channel_id"].as_str().unwrap().to_owned(),
                short_channel_id: String::new(),
                funding_txid: ours["funding_txid"].as_str().unwrap().to_owned(),
                funding_outnum: ours["funding_outnum"].as_u64().unwrap(),
            };
            wait_until("the funding transaction in the mempool", || {
                net.chain
                    .mempool()
                    .contains(&open.funding_txid)
                    .then_some(())
            });
            net.mine(1, &[&l1, &l2]);
            net.wait_usable(&l1, &open.channel_id);
            net.wait_usable(&l2, &open.channel_id);
            close(&net, &l1, &l2, &open);
        } else {
            assert_eq!(ours.len(), 0, "{listed:?}");
            assert_eq!(net.chain.mempool(), Vec::<String>::new());
        }
        l1.wait_for("all coins", || {
            let free = confirmed_msat(&l1) > before - 5_000_000 && reserved(&l1) == 0;
            free.then_some(())
        });
        accounts::check(&l1);
        accounts::check(&l2);
    }
}

#[test]
fn a_closing_hit_by_a_kill_pays_both_their_shares() {
    const VICTIMS: &[Victim] = &[
        Victim::Node,
        Victim::Node,
        Victim::Passing("channeld"),
        Victim::Passing("closingd"),
        Victim::Passing("closingd"),
        Victim::Helper("connectd"),
        Victim::Helper("hsmd"),
        Victim::Helper("bcli"),
    ];
    let mut seed = Seed::from_environment("kill a closing");
    let net = TestNet::start();
    let (l1, l2) = (
        net.node_with("l1", mourning()),
        net.node_with("l2", mourning()),
    );
    net.fund(&l1, Sat::from_sat(3_000_000));
    let theirs = 300_000_000;
    for round in 0..4 {
        connected(&net, &l1, &l2);
        let before = (confirmed_msat(&l1), confirmed_msat(&l2));
        let open = net.open_funded_channel(&l1, &l2, CAPACITY);
        let due = invoice(&l2, theirs, &format!("round {round}"));
        crate::support::send(&l1, &l2, &open, &due, theirs);
        let hash = &due["payment_hash"];
        assert_eq!(l1.call("waitsendpay", json!([hash]))["status"], "complete");
        for node in [&l1, &l2] {
            to_us_at_rest(node, &open.channel_id);
        }
        let (node, victim, lines) = choose(&mut seed, &[&l1, &l2], VICTIMS, 80);
        strike(node, victim, lines, || {
            let params = json!({"id": open.channel_id, "unilateraltimeout": 0});
            drop(l2.try_call("close", params));
        });
        connected(&net, &l1, &l2);
        close(&net, &l1, &l2, &open);
        l1.wait_for("both shares", || {
            let ours = confirmed_msat(&l1) > before.0 - theirs - 5_000_000;
            (ours && confirmed_msat(&l2) == before.1 + theirs).then_some(())
        });
        accounts::check(&l1);
        accounts::check(&l2);
    }
}

#[test]
fn kills_while_a_channel_is_resolved_on_the_chain_lose_nothing() {
    const VICTIMS: &[Victim] = &[
        Victim::Node,
        Victim::Passing("onchaind"),
        Victim::Passing("onchaind"),
        Victim::Helper("hsmd"),
        Victim::Helper("bcli"),
    ];
    let mut seed = Seed::from_environment("kill on chain");
    let pair = Pair::start_with(mourning());
    let (l1, l2, net) = (&pair.l1, &pair.l2, &pair.net);
    let theirs = 1_000_000_000;
    pair.pay(theirs, "theirs");
    let (ours, _) = pair.wait_quiet();
    // Half of a payment, which times out.
    let due = invoice(l2, theirs, "halves");
    let route = json!([{
        "id": l2.id(),
        "channel": pair.open.short_channel_id,
        "amount_msat": theirs / 2,
        "delay": 15,
    }]);
    l1.call(
        "sendpay",
        json!({
            "route": route,
            "payment_hash": due["payment_hash"],
            "payment_secret": due["payment_secret"],
            "amount_msat": theirs,
            "partid": 1,
            "groupid": 1,
        }),
    );
    wait_arrived(l2, &pair.open.channel_id);
    let before = confirmed_msat(l1);
    l2.pause();
    let closed = l1.call(
        "close",
        json!({"id": pair.open.channel_id, "unilateraltimeout": 1}),
    );
    assert_eq!(closed["type"], "unilateral");
    net.wait_mempool(1);
    net.mine(1, &[l1]);
    l2.go_on();
    net.wait_synced(&[l2]);
    let done = || {
        confirmed_msat(l1) > before + ours - 30_000_000
            && confirmed_msat(l2) == theirs
            && l1.call("listsendpays", json!({"payment_hash": due["payment_hash"]}))["payments"][0]
                ["status"]
                == "failed"
    };
    for _ in 0..100 {
        if done() {
            accounts::check(l1);
            accounts::check(l2);
            return;
        }
        let (node, victim, lines) = choose(&mut seed, &[l1, l2], VICTIMS, 30);
        if seed.below(3) == 0 {
            strike(node, victim, lines, || net.chain.mine(1).truncate(0));
        } else {
            net.chain.mine(1);
        }
        net.wait_synced(&[l1, l2]);
    }
    panic!("the shares did not come back in 100 blocks");
}

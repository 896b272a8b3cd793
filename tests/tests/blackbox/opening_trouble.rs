//! Openings that the peer, the chain or a crash interrupts: no coin is lost, and no channel waits for a transaction that never comes.

use std::thread;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use ln_types::Sat;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::accounts;
use crate::support::{channels, reserved};

/// Two nodes, of which one hangs up at a message.
pub(crate) fn with_fault(
    net: &TestNet,
    faulty: usize,
    fault: &str,
) -> (TestNode, TestNode, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("faults");
    std::fs::write(&script, format!("{fault}\n")).unwrap();
    let options = |index: usize| {
        let options = NodeOptions::default();
        if index == faulty {
            options.argument(format!("--dev-disconnect={}", script.display()))
        } else {
            options
        }
    };
    let l1 = net.node_with("l1", options(1));
    let l2 = net.node_with("l2", options(2));
    (l1, l2, dir)
}

#[test]
fn a_connection_lost_at_any_message_costs_no_coin() {
    for (faulty, fault) in [
        (1, "-WIRE_OPEN_CHANNEL"),
        (1, "+WIRE_OPEN_CHANNEL"),
        (2, "-WIRE_ACCEPT_CHANNEL"),
        (2, "+WIRE_ACCEPT_CHANNEL"),
        (1, "-WIRE_FUNDING_CREATED"),
        (1, "+WIRE_FUNDING_CREATED"),
        (2, "-WIRE_FUNDING_SIGNED"),
    ] {
        let net = TestNet::start();
        let (l1, l2, _dir) = with_fault(&net, faulty, fault);
        net.connect(&l1, &l2);
        net.fund(&l1, Sat::from_sat(1_000_000));
        let refused = l1.call_err("fundchannel", json!([l2.id(), 500_000]));
        assert_eq!(refused.0, -1, "{fault}: {}", refused.1);
        assert_eq!(reserved(&l1), 0, "{fault}");
        assert_eq!(channels(&l1), Vec::<Value>::new(), "{fault}");
        assert_eq!(net.chain.mempool().len(), 0, "{fault}");
        // The next one goes through, once both have noticed the end of the connection.
        l1.wait_for("an opening", || {
            let place = json!({"id": l2.id(), "host": "127.0.0.1", "port": l2.port()});
            l1.poll("connect", place)?;
            l1.poll("fundchannel", json!([l2.id(), 500_000]))
        });
        net.wait_mempool(1);
        net.mine(1, &[&l1, &l2]);
        let id = channels(&l1)[0]["channel_id"].as_str().unwrap().to_owned();
        net.wait_usable(&l1, &id);
    }
}

#[test]
fn a_crash_before_the_transaction_is_out_sends_it_later() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(1_000_000));
    let chain = Pid::from_raw(i32::try_from(net.chain.pid()).unwrap()).unwrap();
    kill_process(chain, Signal::STOP).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| l1.try_call("fundchannel", json!([l2.id(), 500_000, "253perkw"])));
        l1.wait_log("Broadcasting txid");
        l1.kill();
    });
    kill_process(chain, Signal::CONT).unwrap();
    l1.start_again();
    let txids = net.wait_mempool(1);
    let waiting = channels(&l1);
    assert_eq!(waiting[0]["funding_txid"], txids[0].as_str());
    assert_eq!(reserved(&l1), 1);
    net.mine(1, &[&l1, &l2]);
    net.wait_usable(&l1, waiting[0]["channel_id"].as_str().unwrap());
}

#[test]
fn a_transaction_made_while_the_chain_is_away_goes_out_when_it_is_back() {
    let mut net = TestNet::start();
    let impatient = NodeOptions::default().argument("--bitcoin-retry-timeout=1");
    let (l1, l2) = (net.node_with("l1", impatient), net.node("l2"));
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(1_000_000));
    let target = net.chain.new_address();
    net.chain.kill();
    let (code, message) = l1.call_err("withdraw", json!([target, 100_000, "253perkw"]));
    assert_eq!(code, -1, "{message}");
    assert!(message.contains("is kept and will be sent"), "{message}");
    assert_eq!(reserved(&l1), 1);
    let outside = || {
        let mut lines = accounts::chain_moves(&l1);
        lines.retain(|line| line["account_id"] == "external");
        lines
    };
    assert_eq!(outside(), [] as [Value; 0]);
    net.chain.start_again().unwrap();
    let txids = net.wait_mempool(1);
    assert!(message.contains(&txids[0]), "{message}");
    net.mine(1, &[&l1, &l2]);
    assert_eq!(reserved(&l1), 0);
    let paid = l1.wait_for("the payment in the accounts", || outside().pop());
    assert_eq!(paid["credit_msat"], 100_000_000);
    accounts::check(&l1);
}

#[test]
fn a_coin_for_a_channel_that_never_came_is_free_after_a_crash() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(1_000_000));
    net.fund(&l1, Sat::from_sat(2_000_000));
    // What somebody set aside by name stays so: the node can't know what for.
    let funds = l1.call("listfunds", json!({}));
    let outputs = funds["outputs"].as_array().unwrap();
    let small = outputs
        .iter()
        .find(|coin| coin["amount_msat"] == 1_000_000_000)
        .unwrap();
    let named = format!("{}:{}", small["txid"].as_str().unwrap(), small["output"]);
    let psbt = l1.call("utxopsbt", json!([0, "253perkw", 0, [named]]));
    assert_eq!(psbt["reservations"][0]["reserved"], true);
    l2.pause();
    thread::scope(|scope| {
        let asking = scope.spawn(|| l1.try_call("fundchannel", json!([l2.id(), 1_500_000])));
        l1.wait_for("the second coin to be set aside", || {
            (reserved(&l1) == 2).then_some(())
        });
        l1.kill();
        assert!(asking.join().unwrap().is_err());
    });
    l2.go_on();
    l1.start_again();
    l1.wait_log("1 coins were for a transaction that was never made: they are free");
    assert_eq!(reserved(&l1), 1);
    net.connect(&l1, &l2);
    net.open_funded_channel(&l1, &l2, Sat::from_sat(1_500_000));
}

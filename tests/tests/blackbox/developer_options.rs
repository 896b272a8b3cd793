//! Options for those who test nodes.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_PUSHNUM_2};
use bitcoin::script::Builder;
use bitcoin::secp256k1::Secp256k1;
use ln_rpc::RpcError;
use ln_testkit::nodes::{CallError, NodeOptions, TestNet, TestNode};
use ln_testkit::peer;
use ln_types::Sat;
use serde_json::{Value, json};

use crate::plugins::{Script, write_plugin};
use crate::support::{Pair, channels, invoice, payment_status, send};

fn with(argument: &str) -> NodeOptions {
    NodeOptions::default().argument(argument)
}

/// 32 bytes of this value, in hex.
fn secret(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}

#[test]
fn keys_are_forced_upon_a_node() {
    let net = TestNet::start();
    let node = net.node_with("l1", with(&format!("--dev-force-privkey={}", secret(0x12))));
    assert_eq!(node.id(), peer::id(0x12).to_string());
    // The wallet's seed counts for nodes without a mnemonic.
    let address = |name: &str, own: u8, forced: u8| {
        let options = with(&format!("--recover={}", secret(own)))
            .argument(format!("--dev-force-bip32-seed={}", secret(forced)));
        let node = net.node_with(name, options);
        node.call("newaddr", json!(["bech32"]))["bech32"].clone()
    };
    let first = address("l2", 1, 7);
    assert_eq!(address("l3", 2, 7), first);
    assert_ne!(address("l4", 2, 8), first);
}

#[test]
fn every_channel_has_the_secrets_that_are_forced_upon_it() {
    let forced = |first: u8| {
        let secrets: Vec<String> = (first..first + 6).map(secret).collect();
        with(&format!(
            "--dev-force-channel-secrets={}",
            secrets.join("/")
        ))
    };
    let net = TestNet::start();
    let (l1, l2) = (
        net.node_with("l1", forced(0x21)),
        net.node_with("l2", forced(0x31)),
    );
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(1_000_000));
    let funded = l1.call("fundchannel", json!([l2.id(), 500_000]));
    let mut keys = [0x21, 0x31].map(|byte| {
        let key = peer::secret(byte).public_key(&Secp256k1::new());
        bitcoin::PublicKey::new(key)
    });
    keys.sort_by_key(|key| key.inner.serialize());
    // BOLT 3 §Funding Transaction Output: two of two.
    let script = Builder::new()
        .push_opcode(OP_PUSHNUM_2)
        .push_key(&keys[0])
        .push_key(&keys[1])
        .push_opcode(OP_PUSHNUM_2)
        .push_opcode(OP_CHECKMULTISIG)
        .into_script();
    let tx = net
        .chain
        .call("decoderawtransaction", json!([funded["tx"]]));
    let output = &tx["vout"][usize::try_from(funded["outnum"].as_u64().unwrap()).unwrap()];
    let paid_to = output["scriptPubKey"]["hex"].as_str().unwrap();
    assert_eq!(paid_to, format!("{:x}", script.to_p2wsh()));
    net.mine(1, &[&l1, &l2]);
    net.wait_usable(&l1, funded["channel_id"].as_str().unwrap());
}

#[test]
fn the_temporary_id_of_a_channel_is_forced() {
    let net = TestNet::start();
    let options =
        with(&format!("--dev-force-tmp-channel-id={}", secret(0xab))).argument("--log-level=io");
    let (l1, l2) = (net.node_with("l1", options), net.node("l2"));
    net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    // BOLT 2 §The `open_channel` Message: the type, the chain's hash, the temporary id.
    let chain = "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f";
    l1.wait_log(&format!("[OUT] 0020{chain}{}", secret(0xab)));
}

#[test]
fn what_hsmd_refuses_is_not_paid() {
    let pair = Pair::start_with(with("--dev-hsmd-fail-preapprove"));
    let invoice = invoice(&pair.l2, 10_000, "refused");
    let bolt11 = &invoice["bolt11"];
    for (method, params) in [
        ("pay", json!([bolt11])),
        ("preapproveinvoice", json!([bolt11])),
        (
            "check",
            json!({"command_to_check": "preapproveinvoice", "bolt11": bolt11}),
        ),
    ] {
        let refused = pair.l1.call_err(method, params);
        assert_eq!(
            refused,
            (213, "invoice was declined".to_owned()),
            "{method}"
        );
    }
    pair.l1.wait_log("preapprove_invoice: check_only=1");
    assert_eq!(payment_status(&pair.l1, &invoice["payment_hash"]), None);
}

#[test]
fn a_signer_that_cannot_be_asked_without_consequences_is_not_asked() {
    let pair = Pair::start_with(
        with("--dev-hsmd-fail-preapprove").argument("--dev-hsmd-no-preapprove-check"),
    );
    let invoice = invoice(&pair.l2, 10_000, "refused");
    let check = json!({"command_to_check": "preapproveinvoice", "bolt11": invoice["bolt11"]});
    pair.l1.call("check", check);
    pair.l1.wait_log("hsmd too old to check preapprove");
    let (code, _) = pair.l1.call_err("pay", json!([invoice["bolt11"]]));
    assert_eq!(code, 213);
}

#[test]
fn short_signatures_are_complained_of() {
    let net = TestNet::start();
    let options = with("--dev-warn-on-overgrind").allow_complaint("overgrind");
    let l1 = net.node_with("l1", options);
    net.fund(&l1, Sat::from_sat(1_000_000));
    let funds = l1.call("listfunds", json!({}));
    let output = &funds["outputs"][0];
    let coin = format!("{}:{}", output["txid"].as_str().unwrap(), output["output"]);
    // About one in 256 is short: another locktime makes another signature.
    let found = (1..10_000).find_map(|locktime| {
        let drawn = l1.call(
            "utxopsbt",
            json!({
                "satoshi": 100_000, "feerate": "253perkw", "startweight": 0, "utxos": [coin],
                "reserve": 1, "reservedok": true, "locktime": locktime,
            }),
        );
        l1.call("signpsbt", json!([drawn["psbt"]]));
        l1.log()
            .all_with("overgrind: short signature length 70")
            .pop()
    });
    assert!(found.is_some_and(|line| line.contains("**BROKEN**") && line.contains("hsmd")));
}

#[test]
fn a_node_that_does_not_answer_holds_up_the_next_one_where_one_is_attempted_at_a_time() {
    let net = TestNet::start();
    let options = with("--dev-limit-connections-inflight").argument("--dev-timeout-secs=10");
    let l1 = net.node_with("l1", options);
    let silent = net.node_with("l2", with("--dev-handshake-no-reply"));
    let l3 = net.node("l3");
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            let place = json!({"id": silent.id(), "host": "127.0.0.1", "port": silent.port()});
            l1.call_err("connect", place)
        });
        silent.wait_log("Connect IN");
        net.connect(&l1, &l3);
        let gave_up = l1.log().all_with("Failed connected out");
        assert_eq!(gave_up.len(), 1, "{gave_up:?}");
        let (code, text) = first.join().unwrap();
        assert_eq!(code, 401, "{text}");
        assert!(
            text.contains("timed out before init was exchanged"),
            "{text}"
        );
    });
}

#[test]
fn throttled_gossip_takes_its_time() {
    let net = TestNet::start();
    let slow = net.node_with("l1", with("--dev-throttle-gossip"));
    let [l2, l3] = ["l2", "l3"].map(|name| net.node(name));
    for _ in 0..3 {
        let open = net.open_channel(&slow, &l2, Sat::from_sat(1_000_000));
        net.announce(&open, &[&slow, &l2]);
    }
    let start = Instant::now();
    net.connect(&l3, &slow);
    l3.wait_for("all channels in both directions", || {
        let listed = l3.poll("listchannels", json!({}))?;
        (listed["channels"].as_array()?.len() == 6).then_some(())
    });
    // Three announcements of 430 bytes and six updates of 138 at 500 bytes a second, of which 500 come at once and the last is overdrawn.
    assert!(start.elapsed() > Duration::from_secs(2));
}

/// The soft limit of open files of a process, and how far it could be raised.
fn open_files(node: &TestNode) -> (u64, u64) {
    let limits = fs::read_to_string(format!("/proc/{}/limits", node.pid().unwrap())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let mut words = line.unwrap().split_whitespace().skip(3);
    let mut number = || words.next().unwrap().parse().unwrap_or(u64::MAX);
    (number(), number())
}

#[test]
fn there_is_room_for_open_files_of_all_channels() {
    let pair = Pair::start_with(with("--dev-fd-limit-multiplier=4294967295"));
    // Without channels there is enough anyway.
    assert!(pair.l1.log().all_with("WARNING").is_empty());
    let (soft, hard) = open_files(&pair.l1);
    assert!(soft >= hard.min(65_536), "{soft} of {hard}");
    pair.l1.restart();
    pair.l1
        .wait_log("WARNING: we have 1 channels but file descriptors limited to ");
    let (soft, hard) = open_files(&pair.l1);
    assert_eq!(soft, hard);
}

#[test]
fn a_channel_that_is_not_funded_is_forgotten_sooner() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    let l2 = net.node_with("l2", with("--dev-max-funding-unconfirmed-blocks=3"));
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(1_000_000));
    l1.call("fundchannel", json!([l2.id(), 500_000]));
    let address = net.chain.new_address();
    let empty_block = || {
        net.chain.call("generateblock", json!([address, []]));
        net.wait_synced(&[&l2]);
    };
    for _ in 0..2 {
        empty_block();
    }
    assert_eq!(channels(&l2).len(), 1);
    for _ in 0..3 {
        empty_block();
    }
    l2.wait_log("the funding transaction was not confirmed in 3 blocks");
    l2.wait_for("nothing of the channel", || {
        channels(&l2).is_empty().then_some(())
    });
}

/// Sends a payment that must fail; how.
fn failure(pair: &Pair, invoice: &Value) -> RpcError {
    let (l1, l2) = (&pair.l1, &pair.l2);
    send(l1, l2, &pair.open, invoice, 10_000);
    let hash = json!({"payment_hash": invoice["payment_hash"]});
    match l1.try_call("waitsendpay", hash) {
        Err(CallError::Rpc(error)) => error,
        other => panic!("it should have failed: {other:?}"),
    }
}

#[test]
fn no_onion_can_be_read() {
    let pair = Pair::start_with(with("--dev-fail-process-onionpacket"));
    let invoice = invoice(&pair.l2, 10_000, "unreadable");
    let error = failure(&pair, &invoice);
    assert_eq!(error.code.number(), 202);
    // BOLT 4 §Failure Messages: BADONION, PERM, 5.
    assert_eq!(error.data.unwrap()["failcode"], 0x8000 + 0x4000 + 5);
}

#[test]
fn failures_are_as_long_as_is_wanted() {
    let options = with("--dev-onion-reply-length=1111").argument("--log-level=io");
    let pair = Pair::start_with(options);
    let paid = invoice(&pair.l2, 10_000, "gone");
    pair.l2
        .call("delinvoice", json!({"label": "gone", "status": "unpaid"}));
    let error = failure(&pair, &paid);
    let name = &error.data.unwrap()["failcodename"];
    assert_eq!(name, "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS");
    // BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`: type, channel, HTLC, length, reason.
    // BOLT 4 §Returning Errors: 32 bytes of HMAC and two lengths come on top.
    let line = pair.l1.wait_log("[IN] 0083");
    let (_, bytes) = line.split_once("[IN] ").unwrap();
    let reason = &bytes[2 * (2 + 32 + 8)..];
    let length = u16::from_str_radix(&reason[..4], 16).unwrap();
    assert_eq!(length, 32 + 2 + 2 + 1111);
}

#[test]
fn plugins_count_as_unchanged() {
    let net = TestNet::start();
    let dir = tempfile::TempDir::new().unwrap();
    let options =
        with("--dev-no-plugin-checksum").argument(format!("--plugin-dir={}", dir.path().display()));
    let script = Script {
        manifest: json!({"options": [], "rpcmethods": []}),
        branches: "",
    };
    let path = write_plugin(dir.path(), "same.sh", &script);
    let l1 = net.node_with("l1", options);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}# changed\n")).unwrap();
    let mark = l1.log().end();
    l1.call("plugin", json!(["rescan"]));
    let (_, text) = l1.call_err("plugin", json!(["start", path]));
    assert!(text.contains("already registered"), "{text}");
    assert_eq!(l1.log().find_after(mark, "same.sh"), None);
}

#[test]
fn estimates_are_not_made_up() {
    let net = TestNet::start();
    let made_up = net.node("l1").call("feerates", json!(["perkw"]));
    assert!(made_up.get("warning_missing_feerates").is_none());
    let l2 = net.node_with("l2", with("--dev-no-fake-fees=true"));
    let none = l2.call("feerates", json!(["perkw"]));
    assert!(none.get("warning_missing_feerates").is_some(), "{none}");
    net.node_with("l3", with("--dev-ignore-ibd=true"));
}

#[test]
fn an_htlc_that_is_not_committed_to_ends_the_connection() {
    let net = TestNet::start();
    let stuck = || with("--dev-disable-commit-after=0");
    let patient = net.node_with("l1", stuck().argument("--dev-no-htlc-timeout"));
    let l2 = net.node_with("l2", stuck());
    let payee = net.node("l3");
    let payments = [&patient, &l2].map(|from| {
        let open = net.open_channel(from, &payee, Sat::from_sat(1_000_000));
        let invoice = invoice(&payee, 10_000, from.name());
        json!({
            "route": [{
                "id": payee.id(), "channel": open.short_channel_id, "amount_msat": 10_000, "delay": 15,
            }],
            "payment_hash": invoice["payment_hash"], "payment_secret": invoice["payment_secret"],
        })
    });
    let [first, second] = payments;
    thread::scope(|scope| {
        scope.spawn(|| drop(patient.try_call("sendpay", first)));
        patient.wait_log("peer_out WIRE_UPDATE_ADD_HTLC");
        let failed = l2.try_call("sendpay", second);
        // The other one has waited for longer.
        let hung_up = "lightningd asked us to disconnect";
        let patient_hung_up = patient.log().all_with(hung_up);
        patient.kill();
        assert!(matches!(failed, Err(CallError::Rpc(_))), "{failed:?}");
        l2.wait_log("Adding HTLC too slow: killing connection");
        l2.wait_log(hung_up);
        assert_eq!(patient_hung_up, Vec::<String>::new());
    });
}

//! Plugins that are asked: what they say counts, and what they fail to say harms nobody.

use std::fs;
use std::path::{Path, PathBuf};

use ln_testkit::nodes::{NodeOptions, OpenChannel, TestNet, TestNode, wait_until};
use ln_testkit::schemas;
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, heard, manifest, put, wait_heard, write_plugin};
use crate::support::{invoice, invoice_status, payment_status, send};

/// A plugin whose answer to a hook is what stands in a file; without one it goes on. `release` gives the answer it held back, and
/// `rest` comes back when every question before it has been dealt with.
pub(crate) fn judge(dir: &Path, name: &str, hooks: &Value) -> PathBuf {
    let script = Script {
        manifest: manifest(json!({
            "hooks": hooks,
            "rpcmethods": [
                {"name": format!("release-{name}"), "usage": ""},
                {"name": format!("die-{name}"), "usage": ""},
                {"name": format!("rest-{name}"), "usage": ""},
            ],
        })),
        branches: r#"
    release-*) reply '{}'; id=$held; reply "$(cat "$0.held")" ;;
    die-*) exit 1 ;;
    rest-*) reply '{}' ;;
    init) reply '{}' ;;
    shutdown) ;;
    *)
        printf '%s\n' "${0##*/}" >>"${0%/*}/asked"
        if [ -e "$0.held" ]; then held=$id
        elif [ -e "$0.$method" ]; then reply "$(cat "$0.$method")"
        else reply '{"result":"continue"}'; fi ;;
    "#,
    };
    write_plugin(dir, name, &script)
}

pub(crate) fn answers(plugin: &Path, hook: &str, answer: &Value) {
    let file = format!("{}.{hook}", plugin.display());
    put(Path::new(&file), &answer.to_string());
}

/// What the first question of a hook told; it fits its schema.
fn asked(plugin: &Path, hook: &str) -> Value {
    let payload = wait_heard(plugin, hook);
    schemas::check_hook(hook, &payload).assert(&payload.to_string());
    payload
}

pub(crate) struct Judged {
    pub(crate) l1: TestNode,
    pub(crate) l2: TestNode,
    /// The second node's plugin.
    pub(crate) plugin: PathBuf,
    _dir: TempDir,
    // Last: the nodes end before their chain.
    pub(crate) net: TestNet,
}

/// Two nodes, of which the second has a plugin with these hooks.
pub(crate) fn judged(hooks: &Value) -> Judged {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = judge(dir.path(), "judge", hooks);
    let options = NodeOptions::default()
        .argument(format!("--plugin={}", plugin.display()))
        .allow_complaint("plugin-judge: answered the hook")
        .allow_complaint("plugin-judge: failed in the hook");
    Judged {
        l1: net.node("l1"),
        l2: net.node_with("l2", options),
        plugin,
        _dir: dir,
        net,
    }
}

impl Judged {
    pub(crate) fn open(&self) -> OpenChannel {
        self.net
            .open_channel(&self.l1, &self.l2, Sat::from_sat(1_000_000))
    }

    /// Sends a payment for an invoice of the second node's.
    pub(crate) fn pay(&self, open: &OpenChannel, label: &str) -> Value {
        let bill = invoice(&self.l2, 10_000, label);
        send(&self.l1, &self.l2, open, &bill, 10_000);
        bill["payment_hash"].clone()
    }

    /// Waits for the end of a payment: its status.
    pub(crate) fn outcome(&self, hash: &Value) -> String {
        self.l1.wait_for("the end of a payment", || {
            payment_status(&self.l1, hash).filter(|status| status != "pending")
        })
    }

    fn failcode(&self, hash: &Value) -> Value {
        let params = json!({"payment_hash": hash});
        let Err(ln_testkit::nodes::CallError::Rpc(error)) = self.l1.try_call("waitsendpay", params)
        else {
            panic!("the payment should have failed");
        };
        error.data.unwrap()["failcode"].clone()
    }
}

#[test]
fn a_peer_may_be_refused() {
    let Judged { l1, l2, plugin, .. } = &judged(&json!(["peer_connected"]));
    answers(
        plugin,
        "peer_connected",
        &json!({"result": "disconnect", "error_message": "not today"}),
    );
    let target = format!("{}@127.0.0.1:{}", l2.id(), l2.port());
    l1.poll("connect", json!({"id": target}));
    l1.wait_log("not today");
    assert_eq!(l2.call("listpeers", json!({}))["peers"], json!([]));
    let payload = asked(plugin, "peer_connected");
    assert_eq!(payload["peer"]["id"], l1.id());
    assert_eq!(payload["peer"]["direction"], "in");
    let target = format!("{}@127.0.0.1:{}", l1.id(), l1.port());
    // The end of the first connection may still be under way.
    l2.wait_for("the plugin's word", || {
        let (_, text) = l2.call_err("connect", json!({"id": target}));
        text.contains("not today").then_some(())
    });
    // Nonsense counts as if nobody had been asked.
    answers(plugin, "peer_connected", &json!({"result": "whatever"}));
    l2.wait_for("a connection", || l2.poll("connect", json!({"id": target})));
    l2.wait_log("BROKEN** plugin-judge: answered the hook peer_connected");
}

#[test]
fn a_channel_may_be_refused_or_taken_on_other_terms() {
    let Judged {
        l1,
        l2,
        plugin,
        net,
        ..
    } = &judged(&json!(["openchannel", "peer_connected"]));
    net.connect(l1, l2);
    net.fund(l1, Sat::from_sat(5_000_000));
    let fund = json!({"id": l2.id(), "amount": 1_000_000});
    let refusal = json!({"result": "reject", "error_message": "too small for us"});
    answers(plugin, "openchannel", &refusal);
    let error = l1.call_err("fundchannel", fund.clone());
    assert!(error.1.contains("too small for us"), "{error:?}");
    let payload = asked(plugin, "openchannel");
    assert_eq!(payload["openchannel"]["funding_msat"], 1_000_000_000);
    // Terms that can't be read are a refusal, too: the channel could be another than was meant.
    net.connect(l1, l2);
    let nowhere = json!({"result": "continue", "close_to": "nowhere"});
    answers(plugin, "openchannel", &nowhere);
    l1.call_err("fundchannel", fund.clone());
    // A refusal stays one, whatever terms come with it.
    net.connect(l1, l2);
    let both = json!({"result": "reject", "error_message": "no", "close_to": "nowhere"});
    answers(plugin, "openchannel", &both);
    l1.call_err("fundchannel", fund.clone());
    l2.wait_log("'close_to' contradicts the result 'reject': the channel is refused");
    net.connect(l1, l2);
    let address = l2.call("newaddr", json!({}))["p2tr"].clone();
    let terms = json!({"result": "continue", "close_to": address, "mindepth": 2});
    answers(plugin, "openchannel", &terms);
    let opened = l1.call("fundchannel", fund);
    assert_eq!(opened["mindepth"], 2, "{opened}");
}

#[test]
fn payments_may_be_refused_when_they_are_complete() {
    let all = judged(&json!(["invoice_payment"]));
    let open = all.open();
    answers(&all.plugin, "invoice_payment", &json!({"result": "reject"}));
    let hash = all.pay(&open, "refused");
    assert_eq!(all.failcode(&hash), 0x400f);
    assert_eq!(invoice_status(&all.l2, "refused"), "unpaid");
    let payload = asked(&all.plugin, "invoice_payment");
    assert_eq!(payload["payment"]["label"], "refused");
    assert_eq!(payload["payment"]["msat"], 10_000);
    let reason = json!({"failure_message": "2002"});
    answers(&all.plugin, "invoice_payment", &reason);
    let hash = all.pay(&open, "for a reason");
    assert_eq!(all.failcode(&hash), 0x2002);
    // Yes and no: the preimage stays here.
    let both = json!({"result": "continue", "failure_message": "2002"});
    answers(&all.plugin, "invoice_payment", &both);
    let hash = all.pay(&open, "yes and no");
    assert_eq!(all.failcode(&hash), 0x2002);
    assert_eq!(invoice_status(&all.l2, "yes and no"), "unpaid");
    for (label, answer) in [
        ("nonsense", json!([])),
        ("taken", json!({"result": "continue"})),
    ] {
        answers(&all.plugin, "invoice_payment", &answer);
        let hash = all.pay(&open, label);
        assert_eq!(all.outcome(&hash), "complete", "{label}");
    }
}

#[test]
fn a_payment_to_oneself_is_judged_like_any_other() {
    let Judged { l2, plugin, .. } = &judged(&json!(["invoice_payment"]));
    let bill = invoice(l2, 10_000, "own");
    for (answer, code) in [
        (json!({"result": "reject"}), 0x400f),
        (json!({"failure_message": "2002"}), 0x2002),
    ] {
        answers(plugin, "invoice_payment", &answer);
        let (_, text) = l2.call_err("pay", json!([bill["bolt11"]]));
        assert!(text.contains("refused"), "{text}");
        assert_eq!(invoice_status(l2, "own"), "unpaid");
        let hash = json!({"payment_hash": bill["payment_hash"]});
        let parts = l2.call("listsendpays", hash.clone());
        let last = parts["payments"].as_array().unwrap().last().unwrap();
        assert_eq!(last["status"], "failed");
        let Err(ln_testkit::nodes::CallError::Rpc(error)) = l2.try_call("waitsendpay", hash) else {
            panic!("the payment should have failed");
        };
        assert_eq!(error.data.unwrap()["failcode"], code);
    }
    assert_eq!(asked(plugin, "invoice_payment")["payment"]["label"], "own");
    answers(plugin, "invoice_payment", &json!({"result": "continue"}));
    assert_eq!(
        l2.call("pay", json!([bill["bolt11"]]))["status"],
        "complete"
    );
    assert_eq!(invoice_status(l2, "own"), "paid");
}

#[test]
fn htlcs_may_be_failed_fulfilled_or_given_another_payload() {
    let all = judged(&json!(["htlc_accepted"]));
    let open = all.open();
    let answer = |answer: Value| answers(&all.plugin, "htlc_accepted", &answer);
    let hash = all.pay(&open, "usual");
    assert_eq!(all.outcome(&hash), "complete");
    let payload = asked(&all.plugin, "htlc_accepted");
    assert_eq!(payload["htlc"]["payment_hash"], hash);
    assert_eq!(
        payload["htlc"]["short_channel_id"],
        open.short_channel_id.as_str()
    );
    assert_eq!(payload["peer_id"], all.l1.id());
    assert_eq!(payload["onion"]["total_msat"], 10_000);

    answer(json!({"result": "fail", "failure_message": "4016"}));
    let hash = all.pay(&open, "failed");
    assert_eq!(all.failcode(&hash), 0x4016);
    // What makes no sense gives nothing away.
    answer(json!({"result": "resolve", "payment_key": "00".repeat(32)}));
    let hash = all.pay(&open, "wrong key");
    assert_eq!(all.failcode(&hash), 0x400f);
    answer(json!({"result": "continue", "failure_message": "4016"}));
    let hash = all.pay(&open, "yes and no");
    assert_eq!(all.failcode(&hash), 0x2002);
    answer(json!({"result": "resolve"}));
    let hash = all.pay(&open, "no key");
    assert_eq!(all.failcode(&hash), 0x2002);
    // A payload that is no payment for us.
    answer(json!({"result": "continue", "payload": "0203010000"}));
    let hash = all.pay(&open, "other payload");
    assert_eq!(all.outcome(&hash), "failed");
    answer(json!("what?"));
    let hash = all.pay(&open, "nonsense");
    assert_eq!(all.outcome(&hash), "complete");

    // A payment that only the plugin knows of.
    let key = "42".repeat(32);
    let real = sha256_of_42();
    answer(json!({"result": "resolve", "payment_key": key}));
    let mut bill = invoice(&all.l2, 10_000, "template");
    bill["payment_hash"] = json!(real);
    send(&all.l1, &all.l2, &open, &bill, 10_000);
    assert_eq!(all.outcome(&json!(real)), "complete");
}

/// SHA-256 of 32 bytes 0x42.
fn sha256_of_42() -> String {
    use bitcoin::hashes::{Hash, sha256};
    sha256::Hash::hash(&[0x42; 32]).to_string()
}

#[test]
fn an_htlc_held_over_a_restart_is_asked_about_again() {
    let all = judged(&json!(["htlc_accepted"]));
    let open = all.open();
    let held = json!({"result": "continue"});
    answers(&all.plugin, "held", &held);
    let hash = all.pay(&open, "held");
    asked(&all.plugin, "htlc_accepted");
    assert_eq!(payment_status(&all.l1, &hash).as_deref(), Some("pending"));
    fs::remove_file(format!("{}.heard", all.plugin.display())).unwrap();
    all.l2.restart();
    let again = asked(&all.plugin, "htlc_accepted");
    assert_eq!(again["htlc"]["payment_hash"], hash);
    all.l2.call("release-judge", json!({}));
    assert_eq!(all.outcome(&hash), "complete");
    // The plugin's end is no answer: the payment goes on without it.
    let hash = all.pay(&open, "orphaned");
    wait_until("the second question", || {
        let questions = heard(&all.plugin).into_iter();
        let mut questions = questions.filter(|message| message["method"] == "htlc_accepted");
        questions.find(|message| message["params"]["htlc"]["payment_hash"] == hash)
    });
    all.l2.poll("die-judge", json!({}));
    assert_eq!(all.outcome(&hash), "complete");
}

#[test]
fn requests_may_be_replaced_or_answered() {
    let all = judged(&json!([{"name": "rpc_command", "filters": ["getinfo", "listpeers"]}]));
    let (l2, plugin) = (&all.l2, &all.plugin);
    let answer = |answer: Value| answers(plugin, "rpc_command", &answer);
    l2.call("getinfo", json!({}));
    let payload = asked(plugin, "rpc_command");
    assert_eq!(payload["rpc_command"]["method"], "getinfo");
    answer(json!({"return": {"result": {"mine": 1}}}));
    assert_eq!(l2.poll("getinfo", json!({})), Some(json!({"mine": 1})));
    answer(json!({"return": {"error": {"code": 77, "message": "no"}}}));
    assert_eq!(l2.call_err("getinfo", json!({})), (77, "no".to_owned()));
    answer(json!({"replace": {"jsonrpc": "2.0", "id": 0, "method": "listpeers", "params": {}}}));
    assert_eq!(l2.poll("getinfo", json!({})), Some(json!({"peers": []})));
    // Others than those in the filter are not asked about.
    l2.call("listfunds", json!({}));
    for nonsense in [json!({}), json!({"replace": 1}), json!([])] {
        answer(nonsense);
        l2.call("getinfo", json!({}));
    }
    // With a plugin that never answers the node can still be managed.
    answers(plugin, "held", &json!({}));
    l2.call("plugin", json!(["stop", plugin.display().to_string()]));
    l2.call("getinfo", json!({}));
}

#[test]
fn plugins_are_asked_in_the_order_they_wish_for() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let hook = |more: Value| {
        let mut hook = json!({"name": "custommsg"});
        hook.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([hook])
    };
    judge(dir.path(), "a", &hook(json!({"after": ["c"]})));
    judge(dir.path(), "b", &hook(json!({})));
    judge(dir.path(), "c", &hook(json!({"before": ["b", "nobody"]})));
    judge(dir.path(), "d", &hook(json!({"filters": [7777]})));
    // Its wish can't be met: it does not run.
    judge(
        dir.path(),
        "e",
        &hook(json!({"before": ["c"], "after": ["a"]})),
    );
    let l1 = net.node("l1");
    let options = NodeOptions::default()
        .argument(format!("--plugin-dir={}", dir.path().display()))
        .allow_complaint("answered the hook");
    let l2 = net.node_with("l2", options);
    l2.wait_log("plugin-e: can't be used: its place in the chain");
    net.connect(&l1, &l2);
    l1.call(
        "sendcustommsg",
        json!({"node_id": l2.id(), "msg": "777700"}),
    );
    let payload = asked(&dir.path().join("b"), "custommsg");
    assert_eq!(payload, json!({"peer_id": l1.id(), "payload": "777700"}));
    let order = wait_until("all to be asked", || {
        let order = fs::read_to_string(dir.path().join("asked")).unwrap_or_default();
        (order.lines().count() == 3).then_some(order)
    });
    assert_eq!(order, "c\na\nb\n");
}

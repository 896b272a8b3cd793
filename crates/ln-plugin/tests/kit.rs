//! What the kit promises: order, answers that come later, panics, options that change, the end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod host;

use std::collections::BTreeSet;
use std::mem;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use ln_plugin::hooks::{
    CUSTOMMSG, Continue, HTLC_ACCEPTED, HtlcAcceptedAnswer, RPC_COMMAND, RpcCommandAnswer,
};
use ln_plugin::protocol::{FeatureBits, HookFilter, Manifest};
use ln_plugin::topics::{CONNECT, Topic};
use ln_plugin::{
    Init, LogLevel, Method, NotNow, Plugin, PluginOption, Responder, RpcError, RpcErrorCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use host::Host;

const LEVEL: PluginOption<i64> = PluginOption::new("level", "how high").with_default("1");
const NAMES: PluginOption<Vec<String>> = PluginOption::new("names", "who");
const LOUD: PluginOption<bool> = PluginOption::new("loud", "whether to shout").flag();

#[derive(Default)]
struct State {
    level: Mutex<i64>,
    names: Mutex<Vec<String>>,
    held: Mutex<Vec<Responder<HtlcAcceptedAnswer>>>,
    told: Mutex<Vec<u64>>,
}

#[derive(Deserialize)]
struct Transfer {
    to: String,
    amount: u64,
}

fn plugin() -> Plugin<State> {
    let plugin = Plugin::new(|init: &Init| match init.option(&LEVEL) {
        Some(0) => Err(NotNow::Disabled("nothing to do".to_owned())),
        level => Ok(State {
            level: Mutex::new(level.unwrap_or_default()),
            ..State::default()
        }),
    });
    let plugin = plugin
        .dynamic_option(&LEVEL, |state: &State, level| {
            if level > 9 {
                return Err("level goes up to 9".to_owned());
            }
            *state.level.lock().unwrap() = level;
            Ok(())
        })
        .dynamic_option(&NAMES, |state, names| {
            *state.names.lock().unwrap() = names;
            Ok(())
        })
        .option(&LOUD)
        .method(Method::new("show", ""), |state, _| {
            let level = *state.level.lock().unwrap();
            Ok(json!({ "level": level, "names": *state.names.lock().unwrap(), "told": *state.told.lock().unwrap() }))
        })
        .method(TRANSFER, |_, call| {
            let wanted: Transfer = call.args.read()?;
            call.message(LogLevel::Info, "on its way");
            call.progress(0, 2);
            Ok(json!({ "to": wanted.to, "amount": wanted.amount }))
        })
        .check(|_, call| {
            let wanted: Transfer = call.args.read()?;
            if wanted.amount > 100 {
                return Err(RpcError::invalid_params("too much"));
            }
            Ok(())
        })
        .method_later(Method::new("echo", "text"), |_, text: Value, responder| {
            std::thread::spawn(move || responder.answer(text));
        })
        .method_later(Method::new("drop", ""), |_, _: Value, responder: Responder<()>| {
            drop(responder);
        })
        .method(Method::new("panic", ""), |_, _| -> Result<(), RpcError> {
            panic!("on purpose")
        })
        .workers(2)
        .dynamic();
    with_hooks(plugin)
}

fn with_hooks(plugin: Plugin<State>) -> Plugin<State> {
    plugin
        .hook_later(
            HTLC_ACCEPTED.before("other.py"),
            |state: &Arc<State>, told, responder| {
                assert_eq!(told.onion.shared_secret.0, [7; 32]);
                state.held.lock().unwrap().push(responder);
            },
        )
        .hook(CUSTOMMSG.filter(33001), |_, told, call| {
            call.log.info(told.message_type().to_string());
            Ok(Continue::Continue)
        })
        .hook(RPC_COMMAND.filter("stop"), |_, told, _| {
            Ok(RpcCommandAnswer::replace(
                told.rpc_command,
                "getinfo",
                json!({}),
            ))
        })
        .method(Method::new("let-go", ""), |state, _| {
            let held = mem::take(&mut *state.held.lock().unwrap());
            let count = held.len();
            for responder in held {
                responder.answer(HtlcAcceptedAnswer::fail([0x20, 2]));
            }
            Ok(count)
        })
        .subscribe(Topic::<u64>::named("number"), |state, number, call| {
            assert_ne!(number, 3, "on purpose");
            assert_eq!(call.origin(), None);
            state.told.lock().unwrap().push(number);
        })
        .subscribe(CONNECT, |_, _, _| {})
        .on_shutdown(|_| {})
        .features(FeatureBits {
            node: [101].into_iter().collect(),
            ..FeatureBits::default()
        })
        .custom_messages(&[33002])
}

const TRANSFER: Method = Method::new("transfer", "to amount")
    .description("Moves something.")
    .long_description("Moves something from here to there.")
    .deprecated(&["v26.06"]);

fn htlc(id: u64) -> Value {
    json!({
        "onion": {"payload": "00", "next_onion": "", "shared_secret": "07".repeat(32), "news": 1},
        "htlc": {
            "short_channel_id": "1x2x3", "id": id, "amount_msat": 5, "cltv_expiry": 9, "cltv_expiry_relative": 8,
            "payment_hash": "00".repeat(32)
        }
    })
}

#[test]
fn the_manifest_has_all_that_can_be_declared() {
    let mut host = Host::start(plugin());
    let reply = host.call("getmanifest", &json!({})).unwrap();
    let manifest: Manifest = serde_json::from_value(reply).unwrap();
    manifest.check().unwrap();
    assert!(manifest.cancheck && manifest.dynamic && manifest.options[0].dynamic);
    assert!(!manifest.options[2].dynamic);
    let transfer = &manifest.rpcmethods[1];
    assert_eq!(transfer.description.as_deref(), Some("Moves something."));
    assert!(transfer.deprecated.is_some() && transfer.long_description.is_some());
    assert_eq!(manifest.subscriptions, ["number", "connect", "shutdown"]);
    assert_eq!(manifest.hooks[0].before, ["other.py"]);
    assert_eq!(manifest.hooks[1].filters, [HookFilter::Number(33001)]);
    assert_eq!(manifest.custommessages, [33002]);
    assert!(manifest.featurebits.node.has_bit(101));
}

#[test]
fn a_plugin_without_work_says_so_and_ends_well() {
    let mut host = Host::start(plugin());
    let reply = host.init(json!({"level": 0})).unwrap();
    assert_eq!(reply, json!({"disable": "nothing to do"}));
    assert_eq!(host.wait(), 0);
}

#[test]
fn a_thousand_htlcs_are_held_by_two_workers() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    for id in 0..1000 {
        host.ask(&format!("htlc{id}"), "htlc_accepted", &htlc(id));
    }
    let mut let_go = 0;
    let mut answered = BTreeSet::new();
    while answered.len() < 1000 {
        host.ask("go", "let-go", &json!([]));
        loop {
            let answer = host.next_value();
            if answer["id"] == "go" {
                let_go += answer["result"].as_u64().unwrap();
                break;
            }
            assert_eq!(
                answer["result"],
                json!({"result": "fail", "failure_message": "2002"})
            );
            answered.insert(answer["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(let_go, 1000);
}

#[test]
fn notifications_are_heard_in_order_and_one_that_panics_harms_no_other() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    let numbers: Vec<u64> = (0..500).collect();
    for number in &numbers {
        host.tell("number", &json!({ "number": number }));
    }
    let heard: Vec<u64> = numbers.into_iter().filter(|number| *number != 3).collect();
    while host.call("show", &json!([])).unwrap()["told"] != json!(heard) {}
}

#[test]
fn a_plugin_that_only_hears_hears_all_in_order_and_answers_what_it_is_asked() {
    let plugin = Plugin::new(|_: &Init| Ok::<_, String>(())).subscribe_all(|(), call| {
        let told: Value = call.payload().unwrap();
        assert_ne!(told["number"], 3, "on purpose");
        let origin = call.origin().unwrap_or("the node");
        call.log.info(format!("{} {told} of {origin}", call.method));
    });
    let mut host = Host::start(plugin);
    host.init(json!({})).unwrap();
    host.tell("number", &json!({ "number": 2 }));
    host.tell("number", &json!({ "number": 3 }));
    host.ask("cln:x#1", "x", &json!([]));
    // As other plugins' notifications come, one nobody understands, and one as it is written by hand.
    host.send(
        b"{\"jsonrpc\":\"2.0\",\"method\":\"theirs\",\"origin\":\"other\",\"params\":[4]}\n\n",
    );
    host.send(b"{\"method\":\"old\"}\n\n");
    host.send(b"{\"jsonrpc\": \"2.0\",\n \"method\": \"number\", \"params\": {\"number\": 5}}\n");
    let mut said = Vec::new();
    while said.len() < 6 {
        let value = host.next_value();
        let line = value["params"]["message"].as_str();
        let line = line.and_then(|text| text.lines().next());
        let text = line.map_or_else(|| value["error"]["code"].to_string(), str::to_owned);
        said.push(text);
    }
    assert_eq!(
        said,
        [
            "number {\"number\":2} of the node",
            "the handler of number panicked",
            "-32601",
            "theirs [4] of other",
            "from lightningd: a message must have \"jsonrpc\": \"2.0\"",
            "number {\"number\":5} of the node",
        ]
    );
    host.tell("shutdown", &json!({}));
    assert_eq!(host.wait(), 0);
}

#[test]
fn every_request_is_answered_once_whatever_the_handler_does() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    assert_eq!(
        host.call("echo", &json!(["x"])).unwrap(),
        json!({"text": "x"})
    );
    for method in ["drop", "panic"] {
        let error = host.call(method, &json!([])).unwrap_err();
        assert_eq!(error.code, RpcErrorCode::PluginError, "{method}");
    }
    let error = host.call("htlc_accepted", &json!({"htlc": 1})).unwrap_err();
    assert!(error.message.contains("htlc_accepted"), "{error}");
    let peer = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let told = json!({"peer_id": peer, "payload": "80e900"});
    assert_eq!(
        host.call("custommsg", &told).unwrap(),
        json!({"result": "continue"})
    );
    let command = json!({"rpc_command": {"id": "a", "method": "stop", "params": []}});
    let replaced = host.call("rpc_command", &command).unwrap();
    assert_eq!(replaced["replace"]["method"], "getinfo");
    assert_eq!(replaced["replace"]["id"], "a");
}

#[test]
fn the_caller_hears_how_it_goes() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    host.ask(
        "a/cln:transfer#1",
        "transfer",
        &json!({"to": "you", "amount": 5}),
    );
    let message = host.next_value();
    let params = json!({"id": "a/cln:transfer#1", "level": "info", "message": "on its way"});
    assert_eq!(
        (&message["method"], &message["params"]),
        (&json!("message"), &params)
    );
    let progress = host.next_value();
    assert_eq!(
        progress["params"],
        json!({"id": "a/cln:transfer#1", "num": 0, "total": 2})
    );
    assert_eq!(host.next_value()["result"]["amount"], 5);
}

#[test]
fn calls_can_be_checked_without_being_made() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    let mut check = |params: Value| host.call("check", &params);
    assert!(check(json!(["transfer", "you", 5])).is_ok());
    let named = json!({"command_to_check": "transfer", "to": "you", "amount": 500});
    assert_eq!(check(named).unwrap_err().message, "too much");
    assert!(check(json!(["transfer", "you"])).is_err());
    assert!(check(json!(["echo", 1, 2])).is_err());
    let level = json!({"command_to_check": "setconfig", "config": "level", "val": "5"});
    assert!(check(level).is_ok());
    assert!(check(json!(["nothing"])).is_err());
    assert!(check(json!([])).is_err());
    assert_eq!(host.call("show", &json!([])).unwrap()["level"], 1);
}

#[test]
fn options_change_while_it_runs() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    host.call("setconfig", &json!({"config": "level", "val": "5"}))
        .unwrap();
    host.call("setconfig", &json!({"config": "names", "val": ["a", "b"]}))
        .unwrap();
    let shown = host.call("show", &json!([])).unwrap();
    assert_eq!(
        (&shown["level"], &shown["names"]),
        (&json!(5), &json!(["a", "b"]))
    );
    for (config, val) in [
        ("level", "ten"),
        ("level", "10"),
        ("loud", "true"),
        ("none", "1"),
    ] {
        let wish = json!({"config": config, "val": val});
        let error = host.call("setconfig", &wish).unwrap_err();
        assert_eq!(error.code, RpcErrorCode::InvalidParams, "{config} {val}");
    }
    assert_eq!(host.call("show", &json!([])).unwrap()["level"], 5);
}

#[test]
fn it_ends_when_told_to() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    host.tell("shutdown", &json!({}));
    assert_eq!(host.wait(), 0);
}

#[test]
fn the_node_can_be_called_back() {
    use std::io::{Read, Write};
    let dir = std::env::temp_dir().join(format!("ln-plugin-rpc-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let socket = dir.join("rpc");
    let listener = UnixListener::bind(&socket).unwrap();
    // Each connection serves two calls and is closed.
    let node = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            for _ in 0..2 {
                let mut buffer = [0; 1000];
                let count = stream.read(&mut buffer).unwrap();
                let request: Value = serde_json::from_slice(&buffer[..count]).unwrap();
                let reply =
                    json!({"jsonrpc": "2.0", "id": request["id"], "result": request["params"]});
                stream.write_all(reply.to_string().as_bytes()).unwrap();
            }
        }
    });
    let rpc = ln_plugin::Rpc::at(&socket);
    for number in 0..4 {
        // The node may have hung up without this side having noticed: then the call fails, and the next one does not.
        let call = || rpc.call_typed::<Vec<u64>>("m", &json!([number]));
        let answer = call().or_else(|_| call()).unwrap();
        assert_eq!(answer, [number]);
    }
    node.join().unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(rpc.call("m", &json!([])).is_err());
}

//! A plugin made with the kit, seen from lightningd's side.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod host;

use ln_plugin::protocol::{Configuration, Manifest, Message, OptionType, write_notification};
use ln_plugin::topics::Topic;
use ln_plugin::{Call, Init, Method, Plugin, PluginOption};
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::{Map, Value, json};

use host::Host;

const GREETING: PluginOption<String> =
    PluginOption::new("greeting", "what to say").with_default("\"hello\"");
const TIMES: PluginOption<i64> = PluginOption::new("times", "how often").with_default("1");
const SECRET: PluginOption<String> = PluginOption::new("secret", "not shown").concealed();
const NAMES: PluginOption<Vec<String>> = PluginOption::new("names", "to whom");
const DEV: PluginOption<bool> = PluginOption::new("dev-odd", "for tests").developer_only();

struct State {
    greeting: String,
    names: Vec<String>,
}

fn greet(state: &State, call: &Call<'_>) -> Result<Value, RpcError> {
    let name: String = call.args.required("name")?;
    call.log.debug(format!("greeting {name}"));
    Ok(json!({ "text": format!("{} {name}", state.greeting), "others": state.names }))
}

fn plugin() -> Plugin<State> {
    Plugin::new(|init: &Init| {
        if init.option(&TIMES) == Some(13) {
            return Err("13 brings bad luck".to_owned());
        }
        Ok(State {
            greeting: init.option(&GREETING).unwrap(),
            names: init.option(&NAMES).unwrap_or_default(),
        })
    })
    .option(&GREETING)
    .option(&TIMES)
    .option(&SECRET)
    .option(&NAMES)
    .option(&DEV)
    .method(Method::new("greet", "name [loud]"), greet)
    .method(Method::new("fail", ""), |_, _| {
        Err::<(), _>(RpcError::new(RpcErrorCode::BcliError, "no luck"))
    })
    .method(Method::new("panic", ""), |_, _| -> Result<(), RpcError> {
        panic!("on purpose")
    })
    .subscribe(Topic::<Value>::named("connect"), |_, told, call| {
        call.log.notify("greeted", &told);
    })
    .topic("greeted")
}

#[test]
fn the_manifest_says_what_was_declared() {
    let mut host = Host::start(plugin());
    let reply = host.call("getmanifest", &json!({"allow-deprecated-apis": false}));
    let manifest: Manifest = serde_json::from_value(reply.unwrap()).unwrap();
    manifest.check().unwrap();
    let options: Vec<_> = manifest
        .options
        .iter()
        .map(|option| (option.name.as_str(), option.kind, option.multi))
        .collect();
    assert_eq!(
        options,
        [
            ("greeting", OptionType::String, false),
            ("times", OptionType::Int, false),
            ("secret", OptionType::StringConceal, false),
            ("names", OptionType::String, true),
        ]
    );
    assert_eq!(manifest.rpcmethods[0].usage, "name [loud]");
    assert_eq!(manifest.subscriptions, ["connect"]);
    assert_eq!(manifest.notifications[0].method, "greeted");
    assert!(!manifest.dynamic);
    assert_eq!(host.close(), 0);
}

#[test]
fn methods_answer_with_the_options_they_began_with() {
    let mut host = Host::start(plugin());
    host.init(json!({"greeting": "hi", "names": ["a", "b"]}))
        .unwrap();
    let reply = host.call("greet", &json!(["you"])).unwrap();
    assert_eq!(reply, json!({"text": "hi you", "others": ["a", "b"]}));
    let reply = host.call("greet", &json!({"name": "you"})).unwrap();
    assert_eq!(reply["text"], "hi you");
    let error = host.call("greet", &json!([])).unwrap_err();
    assert_eq!(error.code, RpcErrorCode::InvalidParams);
    let error = host.call("fail", &json!([])).unwrap_err();
    assert_eq!((error.code.number(), &*error.message), (500, "no luck"));
    let error = host.call("nothing", &json!([])).unwrap_err();
    assert_eq!(error.code, RpcErrorCode::MethodNotFound);
    assert_eq!(host.close(), 0);
}

#[test]
fn a_handler_that_panics_fails_alone() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    for _ in 0..10 {
        let error = host.call("panic", &json!([])).unwrap_err();
        assert_eq!(error.code, RpcErrorCode::PluginError);
    }
    assert!(host.call("greet", &json!(["you"])).is_ok());
    assert_eq!(host.close(), 0);
}

#[test]
fn notifications_are_heard_and_sent() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    let mut out = Vec::new();
    write_notification(&mut out, "connect", &json!({"id": 7})).unwrap();
    host.send(&out);
    let text = host.next();
    let Message::Notification { method, params, .. } = Message::parse(&text).unwrap() else {
        panic!("a notification, not {text}");
    };
    assert_eq!(
        (&*method, params.unwrap().get()),
        ("greeted", r#"{"id":7}"#)
    );
}

#[test]
fn a_plugin_that_can_not_begin_says_why_and_ends() {
    let mut host = Host::start(plugin());
    let error = host.init(json!({"times": 13})).unwrap_err();
    assert_eq!(error.message, "13 brings bad luck");
    let logged = host.next();
    assert!(logged.contains("13 brings bad luck"), "{logged}");
    assert_eq!(host.close(), 1);
}

#[test]
fn a_plugin_that_panics_when_it_begins_ends() {
    let begin = |_: &Init| -> Result<(), String> { panic!("on purpose") };
    let mut host = Host::start(Plugin::new(begin));
    let params = json!({"options": {}, "configuration": Configuration::default()});
    host.ask("cln:init#1", "init", &params);
    let logged = host.next();
    assert!(
        logged.contains("the plugin panicked and can't go on"),
        "{logged}"
    );
    assert_eq!(host.wait(), 1);
}

#[test]
fn nonsense_from_the_host_ends_the_plugin() {
    let mut host = Host::start(plugin());
    host.send(b"HTTP/1.1 200 OK\r\n");
    assert_eq!(host.close(), 1);
    let mut host = Host::start(plugin());
    host.send(br#"{"id": 1, "method": "getmanifest"}"#);
    assert_eq!(host.close(), 1);
}

#[test]
fn options_fall_back_to_their_defaults() {
    let mut host = Host::start(plugin());
    host.init(Value::Object(Map::new())).unwrap();
    let reply = host.call("greet", &json!(["you"])).unwrap();
    assert_eq!(reply, json!({"text": "hello you", "others": []}));
}

#[test]
fn the_database_is_copied_before_init_and_after() {
    let kept = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = std::sync::Arc::clone(&kept);
    let mut host = Host::start(plugin().copy_database(move |transaction| {
        if transaction.writes.is_empty() {
            return Err("nothing to keep".to_owned());
        }
        keep.lock().unwrap().push(transaction.data_version);
        Ok(())
    }));
    let manifest = host.call("getmanifest", &json!({})).unwrap();
    assert_eq!(manifest["hooks"][0]["name"], "db_write");
    let write = |version: u32| json!({"data_version": version, "writes": ["SELECT 1"]});
    let done = json!({"result": "continue"});
    assert_eq!(host.call("db_write", &write(1)).unwrap(), done);
    host.init(json!({})).unwrap();
    assert_eq!(host.call("db_write", &write(2)).unwrap(), done);
    let refused = host.call("db_write", &json!({"data_version": 3, "writes": []}));
    assert_eq!(refused.unwrap_err().message, "nothing to keep");
    assert_eq!(*kept.lock().unwrap(), [1, 2]);
}

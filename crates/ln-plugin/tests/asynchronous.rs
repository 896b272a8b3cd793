//! Handlers that are futures.
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod host;

use std::sync::Arc;

use ln_plugin::hooks::{PEER_CONNECTED, PeerConnectedAnswer};
use ln_plugin::{Asker, Init, Method, Plugin, RpcError, RpcErrorCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use host::Host;

fn plugin() -> Plugin<Semaphore> {
    Plugin::new(|_: &Init| Ok::<_, String>(Semaphore::new(0)))
        .method_async(Method::new("wait", "number"), wait)
        .method_async(Method::new("panic", ""), |_, params: Value, _| async move {
            Ok::<_, RpcError>(params["number"].as_u64().expect("on purpose"))
        })
        .method(Method::new("open", "count"), |gate, call| {
            gate.add_permits(usize::from(call.args.required::<u16>("count")?));
            Ok(json!({}))
        })
        .hook_async(PEER_CONNECTED, |_, told, _| async move {
            let error_message = Some(told.peer.addr);
            Ok(PeerConnectedAnswer::Disconnect { error_message })
        })
        .workers(1)
}

async fn wait(gate: Arc<Semaphore>, params: Value, asker: Asker) -> Result<Value, RpcError> {
    asker.progress(0, 1, None);
    gate.acquire().await.unwrap().forget();
    Ok(params["number"].clone())
}

#[test]
fn hundreds_wait_on_one_worker() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    for number in 0..300 {
        host.ask(&number.to_string(), "wait", &json!([number]));
    }
    for _ in 0..300 {
        assert_eq!(host.next_value()["method"], "progress");
    }
    host.ask("open", "open", &json!([300]));
    let mut sum = 0;
    for _ in 0..301 {
        sum += host.next_value()["result"].as_u64().unwrap_or_default();
    }
    assert_eq!(sum, 300 * 299 / 2);
}

#[test]
fn a_future_that_panics_answers_and_hooks_are_typed() {
    let mut host = Host::start(plugin());
    host.init(json!({})).unwrap();
    let error = host.call("panic", &json!([])).unwrap_err();
    assert_eq!(error.code, RpcErrorCode::PluginError);
    let id = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let told = json!({"peer": {"id": id, "direction": "in", "addr": "x:1", "features": "80"}});
    let answer = host.call("peer_connected", &told).unwrap();
    assert_eq!(
        answer,
        json!({"result": "disconnect", "error_message": "x:1"})
    );
}

//! `async` handlers: a method that takes its time, tells how it goes, and calls the node.

use std::process;
use std::sync::Arc;
use std::time::Duration;

use ln_plugin::{Asker, Init, LogLevel, Method, Plugin, Rpc, RpcError};
use serde::Deserialize;
use serde_json::{Value, json};

const SLOW: Method = Method::new("slow", "[seconds]").description("Waits, then says who we are.");

#[derive(Debug, Deserialize)]
struct Wanted {
    seconds: Option<u32>,
}

async fn slow(rpc: Arc<Rpc>, wanted: Wanted, asker: Asker) -> Result<Value, RpcError> {
    let seconds = wanted.seconds.unwrap_or(3);
    asker.message(LogLevel::Info, "this takes a while");
    for second in 0..seconds {
        asker.progress(second, seconds, None);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // The client waits for the node's answer: not on the thread that all async handlers share.
    let info = tokio::task::spawn_blocking(move || rpc.call("getinfo", &json!({}))).await;
    let failed = |error: &dyn std::fmt::Display| RpcError::lightningd(error.to_string());
    let info = info.map_err(|error| failed(&error))?;
    let info = info.map_err(|error| failed(&error))?;
    Ok(json!({ "waited": seconds, "id": info.get("id") }))
}

fn main() {
    let plugin = Plugin::new(|init: &Init| Ok::<_, String>(init.rpc()))
        .method_async(SLOW, slow)
        .dynamic();
    process::exit(plugin.run());
}

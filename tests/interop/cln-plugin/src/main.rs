//! A greeter like the others, made with the crate `cln-plugin`; and what that crate can do besides: hooks, a topic of its own, an option that changes,
//! calls to the node with `cln-rpc`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use anyhow::Error;
use cln_plugin::options::{DefaultStringConfigOption, IntegerConfigOption};
use cln_plugin::{messages, Builder, HookBuilder, HookFilter, Plugin, RpcMethodBuilder};
use cln_rpc::model::requests::{GetinfoRequest, InvoiceRequest};
use cln_rpc::primitives::{Amount, AmountOrAny};
use cln_rpc::ClnRpc;
use serde_json::{json, Value};

const GREETING: DefaultStringConfigOption =
    DefaultStringConfigOption::new_str_with_default("greeting", "Hello", "What hello says.");
const LIMIT: IntegerConfigOption =
    IntegerConfigOption::new_i64_no_default("crate-limit", "The most one payment may be, in msat.");
const TOPIC: &str = "crate_greeted";

/// How many HTLCs it was asked about.
#[derive(Clone, Default)]
struct State(Arc<AtomicU64>);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let limit = LIMIT.dynamic();
    let plugin = Builder::new(tokio::io::stdin(), tokio::io::stdout())
        .dynamic()
        .option(GREETING)
        .option(limit)
        .setconfig_callback(setconfig)
        .rpcmethod_from_builder(
            RpcMethodBuilder::new("hello", hello)
                .description("Says hello to {name}.")
                .usage("[name]"),
        )
        .rpcmethod("crate-asked", "How many HTLCs it was asked about.", asked)
        .rpcmethod("crate-info", "What the node says of itself, by cln-rpc.", info)
        .rpcmethod("crate-invoice", "An invoice, by cln-rpc.", invoice)
        .rpcmethod("crate-limit-now", "The limit.", limit_now)
        .subscribe("connect", |_, told| noted("connect", told))
        .subscribe("disconnect", |_, told| noted("disconnect", told))
        .subscribe(TOPIC, |_, told| heard(told))
        .notification(messages::NotificationTopic::new(TOPIC))
        .hook("htlc_accepted", judge)
        .hook_from_builder(
            HookBuilder::new("rpc_command", command)
                .filters(vec![HookFilter::Str("ping".to_owned())]),
        )
        .start(State::default())
        .await?;
    match plugin {
        Some(plugin) => plugin.join().await,
        None => Ok(()),
    }
}

async fn noted(topic: &'static str, told: Value) -> Result<(), Error> {
    let id = told[topic]["id"].as_str().unwrap_or_default().to_owned();
    log::info!("{topic}: {id}");
    Ok(())
}

async fn heard(told: Value) -> Result<(), Error> {
    log::info!("heard {told}");
    Ok(())
}

async fn hello(plugin: Plugin<State>, params: Value) -> Result<Value, Error> {
    // The crate leaves it to its user to look at parameters.
    let given = match &params {
        Value::Array(items) if items.len() <= 1 => items.first(),
        Value::Object(members) if members.keys().all(|key| key == "name") => members.get("name"),
        _ => anyhow::bail!("hello takes one parameter: name, a text"),
    };
    let name = given.map_or(Some("world"), Value::as_str);
    let name = name.ok_or_else(|| anyhow::anyhow!("name must be a text"))?;
    let text = format!("{} {name}", plugin.option(&GREETING)?);
    // The crate puts it into a member named like the topic, too.
    let told = json!({ "name": name });
    plugin.send_custom_notification(TOPIC.to_owned(), told).await?;
    Ok(json!(text))
}

async fn asked(plugin: Plugin<State>, _: Value) -> Result<Value, Error> {
    Ok(json!({ "asked": plugin.state().0.load(Ordering::SeqCst) }))
}

async fn node(plugin: &Plugin<State>) -> Result<ClnRpc, Error> {
    let configuration = plugin.configuration();
    let socket = std::path::Path::new(&configuration.lightning_dir).join(configuration.rpc_file);
    ClnRpc::new(socket).await
}

async fn info(plugin: Plugin<State>, _: Value) -> Result<Value, Error> {
    let info = node(&plugin).await?.call_typed(&GetinfoRequest {}).await?;
    Ok(json!({ "id": info.id.to_string(), "height": info.blockheight }))
}

async fn invoice(plugin: Plugin<State>, params: Value) -> Result<Value, Error> {
    let label = params.get("label").and_then(Value::as_str).unwrap_or("one");
    let wish: InvoiceRequest = serde_json::from_value(json!({
        "amount_msat": AmountOrAny::Amount(Amount::from_msat(5000)),
        "label": label,
        "description": "made by cln-rpc",
    }))?;
    let made = node(&plugin).await?.call_typed(&wish).await?;
    Ok(json!({ "bolt11": made.bolt11 }))
}

async fn limit_now(plugin: Plugin<State>, _: Value) -> Result<Value, Error> {
    Ok(json!({ "limit": plugin.option_str(LIMIT.name)?.and_then(|limit| limit.as_i64()) }))
}

async fn setconfig(plugin: Plugin<State>, params: Value) -> Result<Value, Error> {
    let (config, val) = (params["config"].as_str(), params["val"].as_str());
    let limit = val.unwrap_or_default().parse()?;
    plugin.set_option_str(
        config.unwrap_or_default(),
        cln_plugin::options::Value::Integer(limit),
    )?;
    Ok(json!({}))
}

/// Payments above the limit are failed.
async fn judge(plugin: Plugin<State>, told: Value) -> Result<Value, Error> {
    plugin.state().0.fetch_add(1, Ordering::SeqCst);
    let limit = plugin.option_str(LIMIT.name)?.and_then(|limit| limit.as_i64());
    let amount = told["htlc"]["amount_msat"].as_i64();
    if limit.is_some() && amount > limit {
        return Ok(json!({ "result": "fail", "failure_message": "2002" }));
    }
    Ok(json!({ "result": "continue" }))
}

/// Answers in the place of the node.
async fn command(_: Plugin<State>, told: Value) -> Result<Value, Error> {
    let id = &told["rpc_command"]["id"];
    Ok(json!({ "return": { "result": { "replaced": true, "id": id } } }))
}

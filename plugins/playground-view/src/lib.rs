//! A plugin that draws nodes, their channels and payments on a web page, live.
//!
//! It is meant for a few nodes of one person on one machine: `lightning-playground` gives it the RPC sockets of all its nodes. Without
//! any it draws its own node. The page is one file without anything from elsewhere; it is told what changes by server-sent events.
//!
//! - `/` is the page, `/state` what it draws as JSON, `/events` the stream of changes.
//! - The method `playground-view` tells the address.
//!
//! Invariants: it listens on the loopback interface only, answers nobody who came by another name, reads from nodes and never changes
//! anything; nodes are asked only while somebody looks; what browsers and nodes send is bounded, and nothing in it panics. A node that
//! goes away stays in the picture, and is live again when it is back.

mod ask;
mod http;
mod options;
mod picture;
mod serve;
mod watch;

use std::sync::Arc;

use ln_plugin::topics::Topic;
use ln_plugin::{Call, Init, Method, Plugin, RpcError};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::watch::Room;

const TELL: Method =
    Method::new("playground-view", "").description("Tells where the page is that draws the nodes.");

/// Notifications that tell of something to be drawn.
const TOPICS: &[&str] = &[
    "block_added",
    "channel_state_changed",
    "connect",
    "disconnect",
    "invoice_payment",
    "sendpay_failure",
    "sendpay_success",
];

/// What the plugin is while it runs.
#[derive(Debug)]
pub struct View {
    room: Arc<Room>,
    port: u16,
}

/// Runs the plugin until lightningd closes its stdin, and returns the exit code.
pub fn run() -> i32 {
    plugin().run()
}

/// The plugin.
pub fn plugin() -> Plugin<View> {
    let plugin = options::declare(Plugin::new(begin))
        .method(TELL, tell)
        .dynamic();
    TOPICS.iter().fold(plugin, |plugin, topic| {
        // What is told does not matter: the nodes are asked how they stand.
        plugin.subscribe(Topic::<IgnoredAny>::named(topic), |view, _, _| {
            view.room.look_again();
        })
    })
}

fn begin(init: &Init) -> Result<View, String> {
    let options = options::read(init)?;
    let room = Room::open(options.nodes);
    let port = serve::start(&room, options.port)?;
    init.log().info(format!("the page is at {}", address(port)));
    Ok(View { room, port })
}

#[expect(clippy::unnecessary_wraps, reason = "what a method is")]
fn tell(view: &View, _call: &Call<'_>) -> Result<Value, RpcError> {
    Ok(json!({ "url": address(view.port), "nodes": view.room.names() }))
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}/")
}

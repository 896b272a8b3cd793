//! Plugins: the protocol between lightningd and a plugin, and the kit with which plugins in Rust are written.
//!
//! A plugin is a program that lightningd (or Core Lightning) starts and talks to over its standard input and output. It can add options
//! and methods, hear what happens, and be asked before the node goes on. This is one:
//!
//! ```no_run
//! use ln_plugin::topics::CONNECT;
//! use ln_plugin::{Call, Init, Method, Plugin, PluginOption, RpcError};
//!
//! const GREETING: PluginOption<String> =
//!     PluginOption::new("greeting", "what to say").with_default("\"hi\"");
//! const HELLO: Method = Method::new("hello", "name [loud]").description("Says hello.");
//!
//! struct State { greeting: String }
//!
//! fn hello(state: &State, call: &Call<'_>) -> Result<serde_json::Value, RpcError> {
//!     let name: String = call.args.required("name")?;
//!     let loud: Option<bool> = call.args.optional("loud")?;
//!     let text = format!("{} {name}", state.greeting);
//!     Ok(serde_json::json!({ "text": if loud == Some(true) { text.to_uppercase() } else { text } }))
//! }
//!
//! fn main() {
//!     let plugin = Plugin::new(|init: &Init| -> Result<State, String> {
//!         Ok(State { greeting: init.option(&GREETING).unwrap_or_default() })
//!     });
//!     let plugin = plugin
//!         .option(&GREETING)
//!         .method(HELLO, hello)
//!         .subscribe(CONNECT, |_, peer, call| call.log.info(format!("{} is here", peer.id)))
//!         .dynamic();
//!     std::process::exit(plugin.run());
//! }
//! ```
//!
//! # The parts
//!
//! - **State.** What [`Plugin::new`] makes when lightningd says `init`: options and the node are known by then. Handlers share it, so what
//!   changes is behind a `Mutex` or the like. A plugin that can't work says why; [`NotNow::Disabled`] is no error.
//! - **Options** are constants, [`PluginOption`]. Those added with [`Plugin::dynamic_option`] may change while the plugin runs.
//! - **Methods** are declared by a [`Method`]. Parameters come by name or by position as its usage line says; [`Args::required`] takes them one by
//!   one, [`Args::read`] all at once into a type. [`Call::message`] and [`Call::progress`] tell the caller how it goes. lightningd's `check`
//!   is answered from the usage line, and by [`Plugin::check`].
//! - **Hooks** ([`hooks`]) and **notifications** ([`topics`]) are constants with the type of what is told and of what may be answered.
//!   Notifications are heard one after the other in their order; hooks and methods are worked on by a few threads ([`Plugin::workers`]).
//! - **The node's RPC**: [`Init::rpc`], to be kept in the state.
//! - **Log**: [`Log`]. Standard output belongs to the protocol: `println!` would end the plugin; `eprintln!` is fine.
//!
//! # Answering later
//!
//! A handler that waits keeps a thread. To hold something (an HTLC until a shop has looked at its stock, say), take a [`Responder`] and return;
//! it may be used from any thread, at any time, and thousands may be held:
//!
//! ```no_run
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//! use ln_plugin::hooks::{HTLC_ACCEPTED, HtlcAcceptedAnswer};
//! use ln_plugin::{Call, Init, Method, Plugin, Responder, RpcError};
//!
//! #[derive(Default)]
//! struct Held(Mutex<Vec<Responder<HtlcAcceptedAnswer>>>);
//!
//! Plugin::new(|_: &Init| Ok::<_, String>(Held::default()))
//!     .hook_later(HTLC_ACCEPTED, |state: &Arc<Held>, told, responder| {
//!         responder.asker().log().info(format!("holding {}", told.htlc.payment_hash));
//!         state.0.lock().unwrap().push(responder);
//!     })
//!     .method(Method::new("let-go", ""), |state: &Held, _: &Call<'_>| {
//!         let held = std::mem::take(&mut *state.0.lock().unwrap());
//!         let count = held.len();
//!         held.into_iter().for_each(|responder| responder.answer(HtlcAcceptedAnswer::CONTINUE));
//!         Ok::<_, RpcError>(serde_json::json!({ "let_go": count }))
//!     })
//!     .run();
//! ```
//!
//! With the feature `tokio`, handlers may be `async`: `Plugin::hook_async`, `Plugin::method_async`.
//!
//! # The protocol
//!
//! [`protocol`] holds what both sides say to each other, as types: the host in lightningd and the kit share them. A message is a JSON-RPC 2.0
//! text; lightningd writes to the plugin's stdin, the plugin to its stdout, each text ended by an empty line. The book's chapter on the
//! messages shows each of them.
//!
//! # Invariants
//!
//! - What comes from outside is bounded and nothing in it panics: 64 MiB of requests and as much of notifications may wait.
//! - Every request is answered exactly once: a handler that fails, panics, or drops its [`Responder`] answers with an error, and nothing else is
//!   harmed. (In a program built with `panic = "abort"` a panic ends the plugin.) Either way the node's log has the panic, with its backtrace.
//! - Notifications are heard in order; a handler of one may take its time without keeping requests waiting.
//! - Messages are written whole: any thread may log or answer at any time.
//! - The built-in plugins are written with this kit and use nothing else to talk to lightningd.

pub mod hooks;
pub mod protocol;
mod sdk;
pub mod topics;

pub use ln_rpc::client::ClientError;
pub use ln_rpc::jsonrpc::{LogLevel, Stage};
pub use ln_rpc::params::{FromParam, Hex};
pub use ln_rpc::{RpcError, RpcErrorCode};
pub use sdk::{
    Args, Asker, Call, Init, Log, Method, NotNow, OptionValue, Plugin, PluginOption, Responder, Rpc,
};

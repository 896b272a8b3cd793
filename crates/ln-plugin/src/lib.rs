//! Plugins: the protocol between lightningd and a plugin, and the kit with which plugins in Rust are written.
//!
//! [`protocol`] holds what both sides say to each other, as types: the host in lightningd and the kit here share them. A message is a
//! JSON-RPC 2.0 text; lightningd writes to the plugin's stdin, the plugin to its stdout, each text ended by an empty line.
//!
//! [`Plugin`] is the kit: declare options, methods, hooks and subscriptions, say how to begin, `run`. Built-in plugins are written with it as
//! any other.
//!
//! ```no_run
//! use ln_plugin::{Args, Call, Init, Plugin};
//! use ln_rpc::RpcError;
//!
//! struct State { greeting: String }
//!
//! fn hello(state: &State, call: &Call<'_>) -> Result<serde_json::Value, RpcError> {
//!     let name: String = call.args.required("name")?;
//!     Ok(serde_json::json!({ "hello": format!("{} {name}", state.greeting) }))
//! }
//!
//! Plugin::new(|_init: &Init| Ok(State { greeting: "hi".to_owned() }))
//!     .method("hello", "name", hello)
//!     .run();
//! ```
//!
//! Invariants: everything a plugin or a host sends is input from outside: sizes are bounded, and nothing in it panics. A handler that panics or
//! fails answers its own request with an error and nothing else.

pub mod protocol;
mod sdk;

pub use sdk::{Args, Call, Init, Log, OptionValue, Plugin, PluginOption};

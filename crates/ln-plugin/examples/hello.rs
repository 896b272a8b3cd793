//! A method with an option, and a notification.
//!
//! `cargo build -p ln-plugin --example hello`, then `lightning-cli plugin start $PWD/target/debug/examples/hello` and `lightning-cli hello you`.

use std::process;

use ln_plugin::topics::CONNECT;
use ln_plugin::{Call, Init, Method, Plugin, PluginOption, RpcError};
use serde::{Deserialize, Serialize};

const GREETING: PluginOption<String> =
    PluginOption::new("greeting", "What to say.").with_default("\"Hello\"");
const HELLO: Method = Method::new("hello", "[name]").description("Says hello to somebody.");

#[derive(Debug)]
struct State {
    greeting: String,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    name: Option<String>,
}

#[derive(Debug, Serialize)]
struct Hello {
    text: String,
}

fn hello(state: &State, call: &Call<'_>) -> Result<Hello, RpcError> {
    let wanted: Wanted = call.args.read()?;
    let name = wanted.name.as_deref().unwrap_or("world");
    Ok(Hello {
        text: format!("{} {name}", state.greeting),
    })
}

fn begin(init: &Init) -> Result<State, String> {
    let greeting = init.option(&GREETING).unwrap_or_default();
    if greeting.is_empty() {
        return Err("greeting must not be empty".to_owned());
    }
    init.log().info(format!("will say {greeting}"));
    Ok(State { greeting })
}

fn main() {
    let plugin = Plugin::new(begin)
        .option(&GREETING)
        .method(HELLO, hello)
        .subscribe(CONNECT, |_, peer, call| {
            call.log.info(format!("{} is here", peer.id));
        })
        .dynamic();
    process::exit(plugin.run());
}

//! The chain backend: what lightningd wants to know of the chain, asked of bitcoind over its HTTP RPC.
//!
//! Five methods make a backend: `getchaininfo`, `estimatefees`, `getrawblockbyheight`, `getutxout`, `sendrawtransaction`; any plugin that
//! has them can take this one's place. A sixth, `waitblockchange`, is ours: it answers when the tip changes, so that nobody needs to poll.
//!
//! The options are those of Core Lightning's plugin of the same name, and the settings that are not given come from bitcoin.conf, as for
//! bitcoin-cli, which is not run. Exactly the calls that Core Lightning's plugin makes are made, with positional parameters, so that
//! proxies between the two keep working.
//!
//! Invariants: whatever bitcoind answers, or if it does not, a method answers with an error at worst, within `bitcoin-retry-timeout`; sizes of
//! replies are bounded; nothing but the plugin's own options and bitcoin.conf is read.

mod amount;
mod backend;
mod client;
mod conf;
mod credentials;
mod endpoint;
mod http;
mod methods;
mod options;
mod startup;

use std::time::Duration;

use ln_plugin::Plugin;

pub use backend::Backend;

/// How long to wait before bitcoind is asked again after it did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs the plugin until lightningd closes its stdin, and returns the exit code.
pub fn run() -> i32 {
    plugin(PAUSE).run()
}

/// The plugin. `pause` is the time between two attempts to reach bitcoind: a second, but for tests.
pub fn plugin(pause: Duration) -> Plugin<Backend> {
    let plugin = Plugin::new(move |init| startup::begin(init, pause));
    // A long wait for a block must not keep the other calls waiting.
    methods::declare(options::declare(plugin)).workers(6)
}

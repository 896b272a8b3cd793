//! The beginning: bitcoind must be there and fit.

use std::time::{Duration, Instant};

use ln_plugin::Init;
use ln_types::Network;
use serde::Deserialize;
use serde_json::json;

use crate::Backend;
use crate::client::CallError;
use crate::options::Options;

/// The oldest bitcoind that will do.
const MIN_VERSION: u32 = 220_000;
/// For how long to keep trying to reach it: as long as Core Lightning does, and well within the minute that lightningd gives a plugin to begin.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one call may take at least, however little patience there is: a bitcoind that works answers sooner, unless it is very busy.
const SHORTEST_CALL: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct NetworkInfo {
    version: u32,
    localrelay: bool,
}

/// Reaches bitcoind and looks whether it fits; a text for the operator says why not.
pub(crate) fn begin(init: &Init, pause: Duration) -> Result<Backend, String> {
    let options = Options::read(init)?;
    let network = init.network().map_err(|error| error.to_string())?;
    let mut backend = Backend::new(options, network, init.log(), pause)?;
    let info = network_info(&backend, network)?;
    if info.version < MIN_VERSION {
        return Err(format!(
            "Unsupported bitcoind version {}, at least {MIN_VERSION} required.",
            info.version
        ));
    }
    // Without transactions passing by, bitcoind has no idea of fees.
    if !info.localrelay {
        return Err(
            "The 'blocksonly' mode of bitcoind, or any option deactivating transaction relay is not supported."
                .to_owned(),
        );
    }
    backend.version = info.version;
    backend
        .log
        .info("bitcoin-cli initialized and connected to bitcoind.");
    Ok(backend)
}

/// Asks until there is an answer or `bitcoin-retry-timeout` has passed. One that takes the call and does not answer uses up the time, too.
fn network_info(backend: &Backend, network: Network) -> Result<NetworkInfo, String> {
    let started = Instant::now();
    let patience = backend.options.retry_timeout.min(PATIENCE);
    loop {
        let left = patience.saturating_sub(started.elapsed());
        let timeout = left.max(SHORTEST_CALL).min(backend.options.client_timeout);
        let error = match backend.call_within("getnetworkinfo", &json!([]), timeout) {
            Ok(info) => return Ok(info),
            Err(error) => error,
        };
        if !error.is_passing() || started.elapsed() >= patience {
            return Err(unreachable_text(backend, network, &error));
        }
        backend.wait();
    }
}

fn unreachable_text(backend: &Backend, network: Network, error: &CallError) -> String {
    let command = backend.command("echo", &json!(["'hello world'"]));
    format!(
        "\n{error}\n\nThis node is on the network '{network}': another one is chosen by --network, as in --network=regtest.\n\n\
         Make sure you have bitcoind running and that bitcoin-cli is able to connect to bitcoind.\n\n\
         You can verify that your Bitcoin Core installation is ready for use by running:\n\n    $ {command}\n"
    )
}

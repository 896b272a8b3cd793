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
/// How often to try to reach it.
const ATTEMPTS: u32 = 30;
/// How long all that may take; lightningd gives a plugin two minutes to begin.
const PATIENCE: Duration = Duration::new(60, 0);
/// How long one of them may take.
const TIMEOUT: Duration = Duration::from_secs(30);

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

fn network_info(backend: &Backend, network: Network) -> Result<NetworkInfo, String> {
    let started = Instant::now();
    let timeout = backend.options.client_timeout.min(TIMEOUT);
    let mut attempts = 1..ATTEMPTS;
    loop {
        let error = match backend.call_within("getnetworkinfo", &json!([]), timeout) {
            Ok(info) => return Ok(info),
            Err(error) => error,
        };
        let again = error.is_passing() && started.elapsed() < PATIENCE;
        if !again || attempts.next().is_none() {
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

//! The options.

use std::path::PathBuf;
use std::time::Duration;

use ln_plugin::{Init, Plugin, PluginOption};

use crate::Backend;

const DATADIR: PluginOption<String> = PluginOption::new(
    "bitcoin-datadir",
    "bitcoind's data directory, with bitcoin.conf and the cookie",
);
const CLI: PluginOption<String> = PluginOption::new(
    "bitcoin-cli",
    "bitcoin-cli pathname (only shown in messages: bitcoind is asked directly)",
);
const RPCUSER: PluginOption<String> = PluginOption::new("bitcoin-rpcuser", "bitcoind RPC username");
const RPCPASSWORD: PluginOption<String> =
    PluginOption::new("bitcoin-rpcpassword", "bitcoind RPC password");
const RPCCONNECT: PluginOption<String> =
    PluginOption::new("bitcoin-rpcconnect", "bitcoind RPC host to connect to");
const RPCPORT: PluginOption<i64> = PluginOption::new("bitcoin-rpcport", "bitcoind RPC host's port");
const RPCCLIENTTIMEOUT: PluginOption<i64> = PluginOption::new(
    "bitcoin-rpcclienttimeout",
    "bitcoind RPC timeout in seconds during HTTP requests",
)
.with_default("60");
const RETRY_TIMEOUT: PluginOption<i64> = PluginOption::new(
    "bitcoin-retry-timeout",
    "how many seconds to keep trying to reach bitcoind before a call fails; at start 30 at most",
)
.with_default("60");
const DEV_NO_FAKE_FEES: PluginOption<bool> =
    PluginOption::new("dev-no-fake-fees", "Suppress fee faking for regtest").developer_only();
const DEV_IGNORE_IBD: PluginOption<bool> = PluginOption::new(
    "dev-ignore-ibd",
    "Never tell lightningd we're doing initial block download",
)
.developer_only();

/// How long a call may take when the operator sets no limit.
const LONGEST_CALL: Duration = Duration::new(3600, 0);

/// The options as they are set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) datadir: Option<PathBuf>,
    pub(crate) cli: Option<String>,
    pub(crate) rpcuser: Option<String>,
    pub(crate) rpcpassword: Option<String>,
    pub(crate) rpcconnect: Option<String>,
    pub(crate) rpcport: Option<u16>,
    pub(crate) client_timeout: Duration,
    pub(crate) retry_timeout: Duration,
    pub(crate) no_fake_fees: bool,
    pub(crate) ignore_ibd: bool,
}

pub(crate) fn declare(plugin: Plugin<Backend>) -> Plugin<Backend> {
    plugin
        .option(&DATADIR)
        .option(&CLI)
        .option(&RPCUSER)
        .option(&RPCPASSWORD)
        .option(&RPCCONNECT)
        .option(&RPCPORT)
        .option(&RPCCLIENTTIMEOUT)
        .option(&RETRY_TIMEOUT)
        .option(&DEV_NO_FAKE_FEES)
        .option(&DEV_IGNORE_IBD)
}

impl Options {
    /// Reads them; a text says which one is wrong.
    pub(crate) fn read(init: &Init) -> Result<Self, String> {
        let seconds = |option: &PluginOption<i64>, name: &str| {
            let value = init.option(option).unwrap_or_default();
            let value = u64::try_from(value);
            value
                .map(Duration::from_secs)
                .map_err(|_| format!("{name} must not be negative"))
        };
        let retry_timeout = seconds(&RETRY_TIMEOUT, "bitcoin-retry-timeout")?;
        let client_timeout = seconds(&RPCCLIENTTIMEOUT, "bitcoin-rpcclienttimeout")?;
        let rpcport = init.option(&RPCPORT).map(u16::try_from).transpose();
        Ok(Self {
            datadir: init.option(&DATADIR).map(PathBuf::from),
            cli: init.option(&CLI),
            rpcuser: init.option(&RPCUSER),
            rpcpassword: init.option(&RPCPASSWORD),
            rpcconnect: init.option(&RPCCONNECT),
            rpcport: rpcport.map_err(|_| "bitcoin-rpcport must be a port".to_owned())?,
            // A request may take as long as we would keep trying anyway; zero is no limit for bitcoin-cli, and an hour for us.
            client_timeout: match client_timeout {
                Duration::ZERO => LONGEST_CALL,
                given => given.max(retry_timeout),
            },
            retry_timeout,
            no_fake_fees: init.option(&DEV_NO_FAKE_FEES).unwrap_or_default(),
            ignore_ibd: init.option(&DEV_IGNORE_IBD).unwrap_or_default(),
        })
    }
}

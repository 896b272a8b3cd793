//! Where the programs are.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// The programs that are run.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) lightningd: PathBuf,
    pub(crate) lightning_cli: PathBuf,
    pub(crate) bitcoind: PathBuf,
    pub(crate) bitcoin_cli: PathBuf,
}

impl Programs {
    /// Finds them: those the environment names, else those beside this program.
    pub(crate) fn find() -> Result<Self> {
        Ok(Self {
            lightningd: find("LIGHTNINGD", "lightningd")?,
            lightning_cli: find("LIGHTNING_CLI", "lightning-cli")?,
            bitcoind: find("BITCOIND", "regtest-bitcoind")?,
            bitcoin_cli: find("BITCOIN_CLI", "regtest-cli")?,
        })
    }
}

fn find(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(given) = env::var_os(variable).filter(|given| !given.is_empty()) {
        return Ok(PathBuf::from(given));
    }
    let own = env::current_exe().context("can't tell where this program is")?;
    let beside = own.with_file_name(name);
    if !beside.is_file() {
        bail!(
            "there is no {}: build it with `cargo build --release -p lightningd -p lightning-cli -p regtest-bitcoind`, or set {variable}",
            beside.display()
        );
    }
    Ok(beside)
}

//! The settings, understood.

use std::cell::Cell;
use std::path::PathBuf;
use std::str::FromStr;

use ln_daemon::VERSION;
use ln_rpc::deprecated::Promises;
use ln_rpc::params::ParamEnv;
use ln_types::{CltvDelta, Feerate, Msat, Network, Sat};

use super::{DevConfig, Networking, OptionError, Settings};
use crate::log::LogFilter;

/// Everything the node runs by.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The chain.
    pub(crate) network: Network,
    /// The directory of all networks.
    pub(crate) base_dir: PathBuf,
    /// The directory of this network: the working directory.
    pub(crate) network_dir: PathBuf,
    pub(crate) developer: bool,
    pub(crate) allow_deprecated: bool,
    /// What of the deprecated is allowed even so.
    pub(crate) promises: Promises,
    pub(crate) rpc_file: String,
    pub(crate) rpc_file_mode: u32,
    pub(crate) pid_file: PathBuf,
    pub(crate) database: PathBuf,
    /// A second file that holds the same after each commit.
    pub(crate) database_backup: Option<PathBuf>,
    /// Blocks to look at again, or a negative height to start from.
    pub(crate) rescan: i64,
    pub(crate) alias: Option<[u8; 32]>,
    pub(crate) rgb: Option<[u8; 3]>,
    pub(crate) fee_base: Msat,
    pub(crate) fee_ppm: u32,
    /// `setconfig` can change it.
    pub(crate) min_capacity: Cell<Sat>,
    /// Whether payments may be sent in several parts.
    pub(crate) pays_in_parts: bool,
    /// Whether a payment is answered only when each of its parts has ended. `setconfig` can change it.
    pub(crate) waits_for_all_parts: Cell<bool>,
    pub(crate) ignore_fee_limits: bool,
    /// opening, mutual_close, unilateral_close, delayed_to_us, htlc_resolution, penalty.
    pub(crate) force_feerates: Option<[Feerate; 6]>,
    pub(crate) htlc_minimum: Msat,
    pub(crate) htlc_maximum: Option<Msat>,
    pub(crate) watchtime_blocks: u16,
    pub(crate) funding_confirms: u32,
    pub(crate) commit_fee_percent: u32,
    pub(crate) commit_feerate_offset: u32,
    pub(crate) max_concurrent_htlcs: u16,
    pub(crate) max_dust_exposure: Msat,
    pub(crate) cltv_delta: CltvDelta,
    pub(crate) cltv_final: CltvDelta,
    pub(crate) emergency_reserve: Msat,
    pub(crate) net: Networking,
    pub(crate) hsm_passphrase: bool,
    /// Programs to run in place of helpers, by the helper's name.
    pub(crate) subdaemons: Vec<(String, String)>,
    pub(crate) dev: DevConfig,
}

/// The log's part of the settings.
pub(crate) struct LogConfig {
    pub(crate) filters: Vec<LogFilter>,
    pub(crate) files: Vec<String>,
    pub(crate) prefix: String,
    pub(crate) timestamps: bool,
}

impl LogConfig {
    /// Understands the log's options.
    pub(crate) fn new(settings: &Settings) -> Result<Self, OptionError> {
        let files = settings.every("log-file");
        let mut filters = Vec::new();
        for setting in settings
            .all()
            .iter()
            .filter(|setting| setting.name == "log-level")
        {
            let text = setting.value.as_deref().unwrap_or_default();
            filters.push(
                LogFilter::parse(text, &files)
                    .map_err(|problem| OptionError::new(setting, problem))?,
            );
        }
        Ok(Self {
            filters,
            files,
            prefix: settings.text("log-prefix").unwrap_or_default().to_owned(),
            timestamps: settings.bool("log-timestamps", true)?,
        })
    }
}

/// Reads one setting by a rule of its own.
pub(super) fn special<T>(
    settings: &Settings,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, OptionError> {
    let Some(setting) = settings.last(name) else {
        return Ok(None);
    };
    let text = setting.value.as_deref().unwrap_or_default();
    read(text)
        .map(Some)
        .map_err(|problem| OptionError::new(setting, problem))
}

/// The network the settings ask for.
pub(crate) fn network(settings: &Settings) -> Result<Network, OptionError> {
    let shorthand = |name: &str| {
        matches!(
            name,
            "mainnet" | "testnet" | "testnet4" | "signet" | "regtest"
        )
    };
    let found = settings
        .all()
        .iter()
        .rev()
        .find(|setting| setting.name == "network" || shorthand(&setting.name));
    let Some(setting) = found else {
        return Ok(Network::Bitcoin);
    };
    let name = match setting.name.as_str() {
        "network" => setting.value.as_deref().unwrap_or_default(),
        shorthand => shorthand,
    };
    Network::from_str(name).map_err(|error| OptionError::new(setting, error))
}

/// The database, and the second file that holds the same.
fn wallet(text: &str) -> Result<(PathBuf, Option<PathBuf>), String> {
    let paths = text
        .strip_prefix("sqlite3://")
        .ok_or("only sqlite3://PATH and sqlite3://PATH:BACKUP are supported")?;
    let (path, backup) = match paths.split_once(':') {
        None => (paths, None),
        Some((path, backup)) => (path, Some(backup)),
    };
    if path.is_empty() || backup.is_some_and(|backup| backup.is_empty() || backup == path) {
        return Err("needs two different files: sqlite3://PATH:BACKUP".to_owned());
    }
    Ok((path.into(), backup.map(PathBuf::from)))
}

fn alias(text: &str) -> Result<[u8; 32], String> {
    let mut alias = [0; 32];
    let bytes = text.as_bytes();
    let place = alias
        .get_mut(..bytes.len())
        .ok_or_else(|| format!("is {} bytes long, at most 32 fit", bytes.len()))?;
    place.copy_from_slice(bytes);
    Ok(alias)
}

fn rgb(text: &str) -> Result<[u8; 3], String> {
    bitcoin::hex::FromHex::from_hex(text)
        .map_err(|_| format!("'{text}' is not a colour: write six hex digits, such as ff0000"))
}

fn feerates(text: &str) -> Result<[Feerate; 6], String> {
    let mut rates = Vec::new();
    for part in text.split('/') {
        let rate: u32 = part
            .parse()
            .map_err(|_| format!("'{part}' is not a feerate per kiloweight"))?;
        rates.push(Feerate::from_perkw(rate));
    }
    let last = *rates.last().ok_or("needs at least one feerate")?;
    rates.resize(rates.len().max(6), last);
    rates
        .try_into()
        .map_err(|_| "takes at most six feerates, separated by '/'".to_owned())
}

fn concurrent(text: &str) -> Result<u16, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (1..=483).contains(number))
        .ok_or_else(|| format!("'{text}' is not a number from 1 to 483"))
}

fn octal(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8).map_err(|_| format!("'{text}' is not an octal mode such as 0600"))
}

/// The helpers that another program may stand in for.
const SUBDAEMONS: &[&str] = &[
    "channeld", "closingd", "connectd", "gossipd", "hsmd", "onchaind", "openingd",
];

/// The name of a helper, with or without what stands before it in a list of processes.
pub(super) fn helper(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("lightning_").unwrap_or(text);
    if !SUBDAEMONS.contains(&name) {
        let known = SUBDAEMONS.join(", ");
        return Err(format!("'{name}' is no helper: use one of {known}"));
    }
    Ok(name.to_owned())
}

fn subdaemons(settings: &Settings) -> Result<Vec<(String, String)>, OptionError> {
    let mut found = Vec::new();
    for setting in settings
        .all()
        .iter()
        .filter(|setting| setting.name == "subdaemon")
    {
        let text = setting.value.as_deref().unwrap_or_default();
        let (name, path) = text.split_once(':').ok_or_else(|| {
            OptionError::new(setting, "write NAME:PATH, such as hsmd:/usr/bin/signer")
        })?;
        let name = helper(name).map_err(|problem| OptionError::new(setting, problem))?;
        found.push((name, path.to_owned()));
    }
    Ok(found)
}

/// What was promised. What there is nothing of here is nothing to complain of: it is for another version.
fn promises(settings: &Settings) -> Promises {
    let mut promises = Promises::default();
    for name in settings.every("i-promise-to-fix-broken-api-user") {
        promises.add(&name);
    }
    promises
}

/// Whether the operator is to be asked for a passphrase.
fn asks_passphrase(settings: &Settings, allow_deprecated: bool) -> Result<bool, OptionError> {
    let old = settings.last("encrypted-hsm");
    if let Some(old) = old.filter(|_| !allow_deprecated) {
        return Err(OptionError::new(old, "is deprecated: write hsm-passphrase"));
    }
    Ok(old.is_some() || settings.flag("hsm-passphrase"))
}

/// Refuses values whose meaning is not built yet.
fn refuse_unbuilt(settings: &Settings) -> Result<(), OptionError> {
    match settings.last("require-confirmed-inputs") {
        Some(setting) if settings.bool("require-confirmed-inputs", false)? => {
            Err(OptionError::new(
                setting,
                "true is not supported yet by this version: there is no dual funding",
            ))
        }
        _ => Ok(()),
    }
}

impl Config {
    /// Under which rules parameters are read where nobody says otherwise.
    pub(crate) fn param_env(&self) -> ParamEnv {
        ParamEnv {
            developer: self.developer,
            deprecated_ok: self.allow_deprecated,
            promises: self.promises,
            version: VERSION,
            ..ParamEnv::default()
        }
    }

    /// Changes an option while the node runs, or only checks whether it could be. Nothing for an option that can't be changed.
    pub(crate) fn set_dynamic(
        &self,
        name: &str,
        text: &str,
        check_only: bool,
    ) -> Option<Result<(), String>> {
        let number = || {
            text.parse()
                .map_err(|_| format!("'{text}' is not a number"))
        };
        let truth = || {
            super::settings::truth(text)
                .ok_or_else(|| format!("'{text}' is neither true nor false"))
        };
        match name {
            "min-capacity-sat" => Some(number().map(|sat| {
                if !check_only {
                    self.min_capacity.set(Sat::from_sat(sat));
                }
            })),
            "xpay-slow-mode" => Some(truth().map(|slow| {
                if !check_only {
                    self.waits_for_all_parts.set(slow);
                }
            })),
            "xpay-handle-pay" => Some(truth().map(drop)),
            _ => None,
        }
    }

    /// The program to run in place of a helper, if one was given.
    pub(crate) fn subdaemon(&self, name: &str) -> Option<&str> {
        let given = self
            .subdaemons
            .iter()
            .rev()
            .find(|(given, _)| given == name);
        given.map(|(_, path)| path.as_str())
    }

    /// Understands all settings. `base_dir` is where everything is kept.
    pub(crate) fn new(settings: &Settings, base_dir: PathBuf) -> Result<Self, OptionError> {
        let network = network(settings)?;
        let test = network.is_test();
        let pick_htlcs = if test { 483 } else { 30 };
        let pick = |main, on_test| if test { on_test } else { main };
        let network_dir = base_dir.join(network.name());
        let developer = settings.flag("developer");
        let allow_deprecated = settings.bool("allow-deprecated-apis", !developer)?;
        refuse_unbuilt(settings)?;
        let dev = DevConfig::new(settings)?;
        let (database, database_backup) = special(settings, "wallet", wallet)?.unzip();
        let pid_file = settings
            .text("pid-file")
            .map_or_else(|| format!("lightningd-{network}.pid").into(), PathBuf::from);
        Ok(Self {
            network,
            pid_file: base_dir.join(pid_file),
            database: database.unwrap_or_else(|| network_dir.join("lightningd.sqlite3")),
            database_backup: database_backup.flatten(),
            base_dir,
            network_dir,
            developer,
            allow_deprecated,
            promises: promises(settings),
            rpc_file: settings
                .text("rpc-file")
                .unwrap_or("lightning-rpc")
                .to_owned(),
            rpc_file_mode: special(settings, "rpc-file-mode", octal)?.unwrap_or(0o600),
            rescan: settings.parsed("rescan", pick(15, 30))?,
            alias: special(settings, "alias", alias)?,
            rgb: special(settings, "rgb", rgb)?,
            fee_base: settings.parsed("fee-base", Msat::from_msat(if test { 1 } else { 1000 }))?,
            fee_ppm: settings.parsed("fee-per-satoshi", 10)?,
            min_capacity: Cell::new(settings.parsed("min-capacity-sat", Sat::from_sat(10_000))?),
            pays_in_parts: !settings.flag("disable-mpp"),
            waits_for_all_parts: Cell::new(settings.bool("xpay-slow-mode", false)?),
            ignore_fee_limits: settings.bool("ignore-fee-limits", test)?,
            force_feerates: special(settings, "force-feerates", feerates)?,
            htlc_minimum: settings.parsed("htlc-minimum-msat", Msat::ZERO)?,
            htlc_maximum: special(settings, "htlc-maximum-msat", |text| {
                text.parse()
                    .map_err(|e: ln_types::AmountError| e.to_string())
            })?,
            watchtime_blocks: settings.parsed("watchtime-blocks", if test { 6 } else { 144 })?,
            funding_confirms: settings.parsed("funding-confirms", if test { 1 } else { 3 })?,
            commit_fee_percent: settings.parsed("commit-fee", 100)?,
            commit_feerate_offset: settings.parsed("commit-feerate-offset", 5)?,
            max_concurrent_htlcs: special(settings, "max-concurrent-htlcs", concurrent)?
                .unwrap_or(pick_htlcs),
            max_dust_exposure: settings
                .parsed("max-dust-htlc-exposure-msat", Msat::from_msat(50_000_000))?,
            cltv_delta: CltvDelta(settings.parsed("cltv-delta", if test { 6 } else { 34 })?),
            cltv_final: CltvDelta(settings.parsed("cltv-final", if test { 10 } else { 18 })?),
            emergency_reserve: settings
                .parsed("min-emergency-msat", Msat::from_msat(25_000_000))?,
            net: Networking::new(settings, network)?,
            hsm_passphrase: asks_passphrase(settings, allow_deprecated)?,
            subdaemons: subdaemons(settings)?,
            dev,
        })
    }
}

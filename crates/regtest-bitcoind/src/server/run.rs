//! Starting and ending the program.

use super::auth::{Auth, cookie_path};
use super::connection::{Shared, State, random_bytes, serve, unix_now};
use super::log::Log;
use super::options::Options;
use super::store::Store;
use crate::node::{Node, Settings};
use crate::policy::{FeePerKvb, Policy};
use crate::rpc::WalletFiles;
use crate::rpc::args::parse_fixed;
use crate::wallet::Wallet;
use crate::wallet::keys::AddressKind;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Most connections served at a time.
const MAX_CONNECTIONS: usize = 512;

/// Options that are understood or, having no meaning here, ignored.
pub const KNOWN_OPTIONS: &[&str] = &[
    // Understood.
    "?",
    "h",
    "help",
    "version",
    "datadir",
    "conf",
    "includeconf",
    "regtest",
    "chain",
    "server",
    "daemon",
    "daemonwait",
    "rpcport",
    "rpcbind",
    "rpcuser",
    "rpcpassword",
    "rpcauth",
    "rpccookiefile",
    "rpcservertimeout",
    "fallbackfee",
    "minrelaytxfee",
    "incrementalrelayfee",
    "dustrelayfee",
    "blockmintxfee",
    "acceptnonstdtxn",
    "permitbaremultisig",
    "datacarrier",
    "datacarriersize",
    "limitancestorcount",
    "limitancestorsize",
    "limitdescendantcount",
    "limitdescendantsize",
    "addresstype",
    "changetype",
    "wallet",
    "disablewallet",
    "maxtipage",
    "printtoconsole",
    "debuglogfile",
    "pid",
    "persistmempool",
    "inmemory",
    "reindex",
    // Ignored.
    "addnode",
    "addrmantest",
    "alertnotify",
    "assumevalid",
    "asmap",
    "bantime",
    "bind",
    "blockfilterindex",
    "blocknotify",
    "blocksdir",
    "blocksonly",
    "checkblocks",
    "checklevel",
    "checkmempool",
    "coinstatsindex",
    "connect",
    "dbcache",
    "debug",
    "debugexclude",
    "discover",
    "dns",
    "dnsseed",
    "externalip",
    "fixedseeds",
    "forcednsseed",
    "keypool",
    "listen",
    "listenonion",
    "loglevel",
    "logips",
    "logsourcelocations",
    "logthreadnames",
    "logtimemicros",
    "logtimestamps",
    "maxconnections",
    "maxmempool",
    "mempoolexpiry",
    "mempoolfullrbf",
    "maxtxfee",
    "natpmp",
    "networkactive",
    "onlynet",
    "par",
    "paytxfee",
    "peerbloomfilters",
    "port",
    "proxy",
    "prune",
    "rest",
    "rpcallowip",
    "rpcthreads",
    "rpcwhitelist",
    "rpcworkqueue",
    "seednode",
    "settings",
    "shrinkdebugfile",
    "spendzeroconfchange",
    "stopafterblockimport",
    "stopatheight",
    "startupnotify",
    "timeout",
    "testactivationheight",
    "txconfirmtarget",
    "txindex",
    "uacomment",
    "upnp",
    "v2transport",
    "vbparams",
    "walletbroadcast",
    "walletdir",
    "walletnotify",
    "walletrbf",
    "whitebind",
    "whitelist",
    "zmqpubhashblock",
    "zmqpubhashtx",
    "zmqpubrawblock",
    "zmqpubrawtx",
    "zmqpubsequence",
];

/// A fee rate given in bitcoin per 1000 virtual bytes.
fn fee_rate(options: &Options, name: &str, default: FeePerKvb) -> Result<FeePerKvb, String> {
    let Some(text) = options.get(name) else {
        return Ok(default);
    };
    parse_fixed(text, 8)
        .and_then(|sats| u64::try_from(sats).ok())
        .map(FeePerKvb::from_sat_per_kvb)
        .ok_or_else(|| format!("Invalid amount for -{name}=<amount>: '{text}'"))
}

fn policy(options: &Options) -> Result<Policy, String> {
    let usual = Policy::default();
    let count = |name: &str, default: usize| -> Result<usize, String> {
        let default = u64::try_from(default).unwrap_or(u64::MAX);
        options
            .number(name, default)
            .map(|n| usize::try_from(n).unwrap_or(usize::MAX))
    };
    let kilobytes = |name: &str, default: u64| -> Result<u64, String> {
        Ok(options.number(name, default / 1000)?.saturating_mul(1000))
    };
    let carrier = count("datacarriersize", usual.data_carrier_bytes.unwrap_or(0))?;
    Ok(Policy {
        min_relay: fee_rate(options, "minrelaytxfee", usual.min_relay)?,
        incremental_relay: fee_rate(options, "incrementalrelayfee", usual.incremental_relay)?,
        dust_relay: fee_rate(options, "dustrelayfee", usual.dust_relay)?,
        min_block: fee_rate(options, "blockmintxfee", usual.min_block)?,
        require_standard: !options.flag("acceptnonstdtxn", false),
        bare_multisig: options.flag("permitbaremultisig", true),
        data_carrier_bytes: options.flag("datacarrier", true).then_some(carrier),
        max_mempool_bytes: options.number("maxmempool", 300)?.saturating_mul(1_000_000),
        ancestor_count: count("limitancestorcount", usual.ancestor_count)?,
        ancestor_vbytes: kilobytes("limitancestorsize", usual.ancestor_vbytes)?,
        descendant_count: count("limitdescendantcount", usual.descendant_count)?,
        descendant_vbytes: kilobytes("limitdescendantsize", usual.descendant_vbytes)?,
    })
}

fn settings(options: &Options) -> Result<Settings, String> {
    let usual = Settings::default();
    let kind = |name: &str, default: AddressKind| match options.get(name) {
        None => Ok(default),
        Some(text) => AddressKind::from_name(text)
            .ok_or_else(|| format!("Unknown address type '{text}' in -{name}")),
    };
    let fallback = fee_rate(options, "fallbackfee", FeePerKvb::from_sat_per_kvb(1000))?;
    let address_kind = kind("addresstype", usual.address_kind)?;
    Ok(Settings {
        fallback_fee: (fallback.to_sat_per_kvb() > 0).then_some(fallback),
        address_kind,
        change_kind: kind("changetype", address_kind)?,
        wallets_enabled: !options.flag("disablewallet", false),
        wallet_on_demand: options.get("wallet") != Some("0"),
        max_tip_age: options.number("maxtipage", usual.max_tip_age)?,
        data_dir: options.data_dir().display().to_string(),
    })
}

/// Keeps a second instance out of the directory for as long as it lives.
fn lock_directory(dir: &Path) -> Result<File, String> {
    let path = dir.join(".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file =
        file.map_err(|error| format!("Cannot write to directory '{}': {error}", dir.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!(
            "Cannot obtain a lock on directory {}. Bitcoin Core is probably already running.",
            dir.display()
        )),
        Err(TryLockError::Error(error)) => {
            Err(format!("Cannot lock directory {}: {error}", dir.display()))
        }
    }
}

/// The sockets to listen on: both loopback addresses unless told otherwise.
fn listen(options: &Options) -> Result<Vec<TcpListener>, String> {
    let port = options.number("rpcport", 18443)?;
    let port = u16::try_from(port).map_err(|_| format!("Invalid port in -rpcport: '{port}'"))?;
    let bind = options.all("rpcbind");
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        format!(
            "Unable to bind to {what} on this computer: {error}. Is another node using this port? Choose another with -rpcport."
        )
    };
    if bind.is_empty() {
        let first = TcpListener::bind(("127.0.0.1", port))
            .map_err(|error| failed(&format!("127.0.0.1:{port}"), &error))?;
        let port = first.local_addr().map_or(port, |address| address.port());
        // A machine without IPv6 is no error.
        let second = TcpListener::bind(("::1", port)).ok();
        return Ok(std::iter::once(first).chain(second).collect());
    }
    let mut listeners = Vec::new();
    for text in bind {
        let addresses: Vec<SocketAddr> = match text.to_socket_addrs() {
            Ok(found) => found.collect(),
            Err(_) => (text, port)
                .to_socket_addrs()
                .map_err(|error| format!("Invalid -rpcbind address '{text}': {error}"))?
                .collect(),
        };
        for address in addresses {
            listeners.push(TcpListener::bind(address).map_err(|error| failed(text, &error))?);
        }
    }
    Ok(listeners)
}

fn open_log(options: &Options, chain_dir: Option<&Path>) -> Log {
    let name = options.get("debuglogfile").unwrap_or("debug.log");
    let file = chain_dir.filter(|_| name != "0").and_then(|dir| {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(dir.join(name))
            .ok()
    });
    Log::new(options.flag("printtoconsole", true), file)
}

/// Loads everything into a node.
fn load(options: &Options, log: &Log, chain_dir: Option<&Path>) -> Result<State, String> {
    let now = unix_now();
    let mut node = Node::new(policy(options)?, settings(options)?, now);
    let store = match chain_dir {
        None => Store::in_memory(),
        Some(dir) => {
            let (store, records) = Store::open(dir)
                .map_err(|error| format!("Error opening {}: {error}", dir.display()))?;
            for record in records {
                node.replay(record);
            }
            store
        }
    };
    node.wallets_on_disk = store.wallet_names();
    let mut state = State { node, store };
    if options.flag("persistmempool", true) {
        let loaded = state.store.load_mempool(&mut state.node);
        loaded.map_err(|error| format!("Error reading mempool.dat: {error}"))?;
    }
    for name in options.all("wallet") {
        if name == "0" || state.node.wallets.contains_key(name) {
            continue;
        }
        let records = state.store.read(name);
        let wallet = records.and_then(|records| Wallet::load(name, &records));
        let wallet =
            wallet.ok_or_else(|| format!("Wallet '{name}' does not exist or is damaged"))?;
        state.node.add_wallet(wallet, now);
    }
    let tip = state.node.chain.tip();
    log.line(
        now,
        &format!(
            "Loaded best chain: hashBestChain={} height={}",
            tip.hash, tip.height
        ),
    );
    Ok(state)
}

/// Refuses other chains, and a data directory that is not there.
fn check_places(options: &Options) -> Result<(), String> {
    match options.is_regtest() {
        Ok(true) => {}
        Ok(false) => {
            return Err(
                "regtest is the only chain known here: add -regtest, or regtest=1 to bitcoin.conf"
                    .to_owned(),
            );
        }
        Err(other) => {
            return Err(format!(
                "chain '{other}' is not known here, only regtest is"
            ));
        }
    }
    if options.get("datadir").is_some() && !options.data_dir().is_dir() {
        let dir = options.data_dir();
        return Err(format!(
            "Specified data directory \"{}\" does not exist.",
            dir.display()
        ));
    }
    Ok(())
}

/// Runs the daemon until it is told to stop. `Err` is what to print after `Error: `.
pub fn run(options: &Options) -> Result<(), String> {
    check_places(options)?;
    let in_memory = options.flag("inmemory", false);
    let chain_dir = options.chain_dir();
    fs::create_dir_all(&chain_dir)
        .map_err(|error| format!("Cannot make directory {}: {error}", chain_dir.display()))?;
    let _lock = lock_directory(&chain_dir)?;
    let kept_in = (!in_memory).then_some(chain_dir.as_path());
    let log = open_log(options, kept_in);
    log.line(unix_now(), &version_line("daemon"));
    log.line(
        unix_now(),
        &format!("Using data directory {}", chain_dir.display()),
    );
    let listeners = listen(options)?;
    let mut state = load(options, &log, kept_in)?;
    let auth = Auth::set_up(options, random_bytes())?;
    let idle = Duration::from_secs(options.number("rpcservertimeout", 30)?.max(1));
    let pid_path = chain_dir.join(options.get("pid").unwrap_or("bitcoind.pid"));
    // The file is for people's scripts; the daemon works without it.
    let _best_effort = fs::write(&pid_path, format!("{}\n", std::process::id()));
    for listener in &listeners {
        if let Ok(address) = listener.local_addr() {
            log.line(
                unix_now(),
                &format!(
                    "Binding RPC on address {} port {}",
                    address.ip(),
                    address.port()
                ),
            );
        }
    }
    let mut first = state.node.take_effects();
    first.chain.clear();
    let shared = Arc::new(Shared::new(state, auth, log, idle));
    for line in first.log {
        shared.log.line(unix_now(), &line);
    }
    watch_signals(&shared);
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    for listener in listeners {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || accept_all(&shared, &listener));
    }
    shared.log.line(unix_now(), "init message: Done loading");
    shared.wait_for_stop();
    for address in addresses {
        // Wakes the thread that waits for connections.
        let _gone = TcpStream::connect_timeout(&address, Duration::from_millis(200));
    }
    shut_down(&shared, options, &pid_path)
}

fn shut_down(shared: &Shared, options: &Options, pid_path: &Path) -> Result<(), String> {
    shared.log.line(unix_now(), "Shutdown: In progress...");
    // Let running calls finish their replies.
    for _ in 0..20 {
        if shared.connections.load(Ordering::SeqCst) == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut state = shared.lock();
    let written = shared.carry_out(&mut state);
    let closed = state.store.close(&state.node);
    if options.get("rpcpassword").is_none_or(str::is_empty) {
        let _gone = fs::remove_file(cookie_path(options));
    }
    let _gone = fs::remove_file(pid_path);
    shared.log.line(unix_now(), "Shutdown: done");
    written.map_err(|error| error.message)?;
    closed.map_err(|error| format!("cannot write to the data directory: {error}"))
}

fn accept_all(shared: &Arc<Shared>, listener: &TcpListener) {
    for stream in listener.incoming() {
        if shared.is_stopping() {
            return;
        }
        let Ok(mut stream) = stream else {
            // Out of descriptors, most likely: give connections time to end.
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        if shared.connections.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
            let _gone =
                super::http::write_reply(&mut stream, 503, "Work queue depth exceeded", false);
            shared.connections.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            serve(&shared, stream);
            shared.connections.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Ends the program on SIGTERM and SIGINT.
fn watch_signals(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    let (ready, wait_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            // A closed terminal must not end a daemon.
            let _ignored = signal(SignalKind::hangup());
            let (Ok(mut term), Ok(mut int)) = (
                signal(SignalKind::terminate()),
                signal(SignalKind::interrupt()),
            ) else {
                return;
            };
            let _started = ready.send(());
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        });
        shared.stop();
    });
    // Without the handlers the default action ends us just as well.
    let _unavailable = wait_ready.recv();
}

/// What `-version` prints, in Bitcoin Core's form.
pub fn version_line(what: &str) -> String {
    format!(
        "Bitcoin Core {what} version v29.0.0 (regtest-bitcoind {})",
        env!("CARGO_PKG_VERSION")
    )
}

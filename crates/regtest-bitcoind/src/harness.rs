//! For tests: a chain in a process of its own, on a free port and a fresh directory.
//!
//! With `BITCOIND=/path/to/bitcoind` in the environment that program runs instead of ours, so that
//! every test can be checked against the original. Two things the original does not do by itself are
//! done for it: its wallet is loaded again after a restart, and what it has not written yet is written
//! before it is killed.

use crate::client::{Client, ClientError};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt,
};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// User and password every chain started here accepts.
pub const CREDENTIALS: &str = "regtest:regtest";
/// The wallet's name.
const WALLET: &str = "test";
/// How long a start, a stop or a call may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(180);

/// Why a chain could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start a private chain: {0}")]
pub struct StartError(String);

/// A running chain. Dropped, it is killed and its directory removed.
#[derive(Debug)]
pub struct RegtestChain {
    program: PathBuf,
    arguments: Vec<String>,
    port: ReservedPort,
    child: Child,
    client: Mutex<Client>,
    dir: TempDir,
}

/// The program that `BITCOIND` names.
fn original() -> Option<PathBuf> {
    let given = std::env::var_os("BITCOIND")?;
    (!given.is_empty()).then(|| PathBuf::from(given))
}

/// Whether another program than ours runs the chains of tests: `BITCOIND` names one.
pub fn is_original() -> bool {
    original().is_some()
}

/// The program to run: `BITCOIND`, else ours, built beside the test that runs.
fn program() -> Result<PathBuf, StartError> {
    if let Some(given) = original() {
        return Ok(given);
    }
    let own = std::env::current_exe().map_err(|error| StartError(error.to_string()))?;
    // A test is in target/<profile>/deps/, an example in target/<profile>/examples/.
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|dir| dir.join("regtest-bitcoind"));
    if let Some(found) = found.into_iter().find(|path| path.is_file()) {
        return Ok(found);
    }
    build()?;
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|dir| dir.join("regtest-bitcoind"));
    found
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            StartError(
                "regtest-bitcoind is not built: run `cargo build -p regtest-bitcoind`".to_owned(),
            )
        })
}

/// Builds the program: cargo does not build binaries of dependencies for a test.
fn build() -> Result<(), StartError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "-p", "regtest-bitcoind", "--bins"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .map_err(|error| StartError(format!("cargo build: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(StartError(format!("cargo build: {status}")))
    }
}

/// A port of 127.0.0.1 for a server to be started, as long as this value lives.
///
/// A port that was merely free a moment ago may be somebody else's by the time the server listens, or while it is being restarted. This one
/// is bound all the time, by a socket that does not listen, so that the system gives it to nobody who asks for any port; who asks for this
/// one, and allows that addresses are used again as servers do, gets it.
#[derive(Debug)]
pub struct ReservedPort {
    port: u16,
    _bound: OwnedFd,
}

impl ReservedPort {
    /// Reserves one.
    ///
    /// # Panics
    /// If the loopback interface has no free port.
    #[expect(
        clippy::new_without_default,
        reason = "a default that takes something from the system would surprise"
    )]
    pub fn new() -> Self {
        Self::any().expect("the loopback interface has a free port")
    }

    fn any() -> std::io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let bound = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&bound, true)?;
        bind(&bound, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddrV4::try_from(getsockname(&bound)?)?;
        Ok(Self {
            port: address.port(),
            _bound: bound,
        })
    }

    /// The port.
    pub fn number(&self) -> u16 {
        self.port
    }
}

fn spawn(program: &Path, dir: &Path, port: u16, extra: &[String]) -> Result<Child, StartError> {
    let (user, password) = CREDENTIALS.split_once(':').unwrap_or_default();
    Command::new(program)
        .arg("-regtest")
        .arg(format!("-datadir={}", dir.display()))
        .arg(format!("-rpcport={port}"))
        .arg(format!("-rpcuser={user}"))
        .arg(format!("-rpcpassword={password}"))
        .args([
            "-server",
            "-txindex",
            "-listen=0",
            "-fallbackfee=0.00001",
            "-printtoconsole=0",
        ])
        .args(extra)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| StartError(format!("{}: {error}", program.display())))
}

impl RegtestChain {
    /// Starts a chain with nothing but the genesis block, and a wallet.
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(&[])
    }

    /// Starts a chain with more arguments for bitcoind.
    pub fn start_with(arguments: &[&str]) -> Result<Self, StartError> {
        let program = program()?;
        let dir = TempDir::new().map_err(|error| StartError(error.to_string()))?;
        let reserved = ReservedPort::new();
        let port = reserved.number();
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let child = spawn(&program, dir.path(), port, &arguments)?;
        let client = Client::new(&format!("127.0.0.1:{port}"), CREDENTIALS, Some(PATIENCE));
        let mut chain = Self {
            program,
            arguments,
            port: reserved,
            child,
            client: Mutex::new(client),
            dir,
        };
        chain.wait_until_up()?;
        // Ours would make one by itself; bitcoind does not.
        let _exists_or_off = chain.try_call("createwallet", json!([WALLET]));
        Ok(chain)
    }

    fn wait_until_up(&mut self) -> Result<(), StartError> {
        let end = Instant::now() + PATIENCE;
        while self.try_call("getblockcount", json!([])).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(StartError(format!(
                    "{} ended: {status}",
                    self.program.display()
                )));
            }
            if Instant::now() > end {
                return Err(StartError(format!(
                    "{} does not answer",
                    self.program.display()
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The port of its RPC server on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its data directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Calls a method.
    pub fn try_call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        let mut client = self
            .client
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        client.call(method, &params)
    }

    /// Calls a method that must succeed.
    ///
    /// # Panics
    /// If the call fails.
    pub fn call(&self, method: &str, params: Value) -> Value {
        match self.try_call(method, params.clone()) {
            Ok(result) => result,
            Err(error) => panic!("{method} {params}: {error}"),
        }
    }

    /// Calls a method that must fail; code and message.
    ///
    /// # Panics
    /// If the call succeeds, or fails for want of a connection.
    pub fn call_err(&self, method: &str, params: Value) -> (i64, String) {
        match self.try_call(method, params.clone()) {
            Err(ClientError::Rpc(code, message)) => (code, message),
            other => panic!("{method} {params} should have been refused: {other:?}"),
        }
    }

    /// Mines blocks to a fresh address of the wallet; their hashes.
    pub fn mine(&self, count: u32) -> Vec<String> {
        let address = self.new_address();
        let hashes = self.call("generatetoaddress", json!([count, address]));
        let hashes = hashes.as_array().cloned().unwrap_or_default();
        hashes
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// Height of the tip.
    pub fn height(&self) -> u64 {
        self.call("getblockcount", json!([])).as_u64().unwrap_or(0)
    }

    /// A fresh address of the wallet.
    pub fn new_address(&self) -> String {
        self.call("getnewaddress", json!([]))
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Sends an amount in bitcoin to an address from the wallet; the transaction id.
    pub fn send(&self, address: &str, amount: &str) -> String {
        let txid = self.call("sendtoaddress", json!([address, amount]));
        txid.as_str().unwrap_or_default().to_owned()
    }

    /// Ids of the unconfirmed transactions.
    pub fn mempool(&self) -> Vec<String> {
        let list = self.call("getrawmempool", json!([]));
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// The version, such as 290000: ours is that of the bitcoind it follows.
    pub fn version(&self) -> u64 {
        let info = self.call("getnetworkinfo", json!([]));
        info.get("version").and_then(Value::as_u64).unwrap_or(0)
    }

    /// Kills the process without warning. It may be dead already.
    pub fn kill(&mut self) {
        if is_original() {
            // bitcoind keeps its index of blocks in memory for an hour; this call has it written. It fails if there is none to ask.
            let _written = self.try_call("gettxoutsetinfo", json!(["none"]));
        }
        let _already_dead = self.child.kill();
        let _already_dead = self.child.wait();
    }

    /// Starts the process again after [`Self::kill`] or an end of its own, on the same directory.
    pub fn start_again(&mut self) -> Result<(), StartError> {
        self.child
            .wait()
            .map_err(|error| StartError(error.to_string()))?;
        self.child = spawn(&self.program, self.dir.path(), self.port(), &self.arguments)?;
        self.wait_until_up()?;
        if is_original() {
            let _none_or_loaded = self.try_call("loadwallet", json!([WALLET]));
        }
        Ok(())
    }

    /// Kills the process without warning and starts it again on the same directory.
    pub fn kill_and_restart(&mut self) -> Result<(), StartError> {
        self.kill();
        self.start_again()
    }

    /// Stops the process by RPC and starts it again on the same directory.
    pub fn stop_and_restart(&mut self) -> Result<(), StartError> {
        let _closed = self.try_call("stop", json!([]));
        self.start_again()
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the process to end by itself; its exit code.
    pub fn wait_for_exit(&mut self) -> Option<i32> {
        self.child.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for RegtestChain {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _already_dead = self.child.wait();
    }
}

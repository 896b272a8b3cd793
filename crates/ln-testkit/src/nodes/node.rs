//! One node.

use std::fs::{self, OpenOptions};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use ln_rpc::RpcError;
use ln_rpc::client::{Client, ClientError};
use regtest_bitcoind::harness::ReservedPort;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::log::{LogMark, NodeLog};
use super::options::NodeOptions;
use super::processes::{
    HelperProcess, children, descendants, process_is_running, send_signal, stop_process,
};
use super::programs::program;
use super::wait::{patience, try_wait_until, wait_until};
use crate::schemas;

/// The line that tells that a node is up.
const READY: &str = "Server started with public key";
/// What a line of the worst level contains.
const BROKEN: &str = "**BROKEN**";

/// Why a call has no result.
#[derive(Debug)]
pub enum CallError {
    /// The node refused.
    Rpc(RpcError),
    /// The connection failed: the node ended, or is not up.
    Connection(String),
}

impl From<ClientError> for CallError {
    fn from(error: ClientError) -> Self {
        if let ClientError::Rpc(error) = error {
            return Self::Rpc(error);
        }
        Self::Connection(error.to_string())
    }
}

/// A node and its directory. Dropped, it is killed with all its helpers, and its directory removed.
///
/// A test that fails prints the end of the log; a test that passes fails after all if the log has a line of level BROKEN.
#[derive(Debug)]
pub struct TestNode {
    name: String,
    dir: TempDir,
    arguments: Vec<String>,
    options: NodeOptions,
    log: NodeLog,
    child: Mutex<Option<Child>>,
    /// Those that must have ended before it is started again: they may hold its port.
    helpers: Mutex<Vec<HelperProcess>>,
    /// Where the log was when the process started.
    started: Mutex<LogMark>,
    id: OnceLock<String>,
    /// The same after a restart, so that peers find it again.
    port: ReservedPort,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TestNode {
    /// Starts a node on the chain whose RPC is at this port of 127.0.0.1, and waits until it is up.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(name: &str, chain_port: u16, credentials: &str, options: NodeOptions) -> Self {
        let node = Self::prepare(name, chain_port, credentials, options);
        node.launch();
        node
    }

    /// A node that is not started yet.
    fn prepare(name: &str, chain_port: u16, credentials: &str, options: NodeOptions) -> Self {
        let dir = TempDir::with_prefix(format!("{name}-")).expect("there is room for a node");
        let base = dir.path().display();
        let (user, password) = credentials.split_once(':').unwrap_or_default();
        let mut arguments = vec![
            format!("--lightning-dir={base}"),
            "--network=regtest".to_owned(),
            "--developer".to_owned(),
            // As without --developer: `pay` is deprecated since 26.06.
            "--allow-deprecated-apis=true".to_owned(),
            "--dev-fast-gossip".to_owned(),
            "--dev-fast-reconnect".to_owned(),
            "--disable-dns".to_owned(),
            "--autoconnect-seeker-peers=0".to_owned(),
            "--log-level=trace".to_owned(),
            format!("--log-file={base}/log"),
            format!("--alias={name}"),
            format!("--bitcoin-rpcuser={user}"),
            format!("--bitcoin-rpcpassword={password}"),
            "--bitcoin-rpcconnect=127.0.0.1".to_owned(),
            format!("--bitcoin-rpcport={chain_port}"),
        ];
        if options.unix_socket {
            arguments.push(format!("--bind-addr={base}/peers"));
        }
        arguments.extend(options.arguments.iter().cloned());
        Self {
            name: name.to_owned(),
            log: NodeLog::new(dir.path().join("log")),
            dir,
            arguments,
            options,
            child: Mutex::new(None),
            helpers: Mutex::default(),
            started: Mutex::default(),
            id: OnceLock::new(),
            port: ReservedPort::new(),
        }
    }

    /// Starts the process and waits until it is up.
    fn launch(&self) {
        *lock(&self.started) = self.log.end();
        let child = self
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        *lock(&self.child) = Some(child);
        self.wait_log(READY);
        let info = self.wait_for("getinfo", || self.poll("getinfo", json!({})));
        let id = text(&info, "/id");
        assert_eq!(
            *self.id.get_or_init(|| id.clone()),
            id,
            "the node keeps its key"
        );
        // Others may be gone, and their numbers somebody else's, by the time this one ends.
        let mut lasting = self.helpers();
        lasting.retain(|helper| helper.name.starts_with("lightning_"));
        *lock(&self.helpers) = lasting;
    }

    fn spawn(&self) -> io::Result<Child> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.path().join("output"))?;
        Command::new(program("lightningd"))
            .args(&self.arguments)
            .arg(format!("--addr=127.0.0.1:{}", self.port()))
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
    }

    /// Its name in the test.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its node id in hex.
    pub fn id(&self) -> &str {
        self.id.get().map_or("", String::as_str)
    }

    /// The TCP port at which it listens for peers.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The unix socket at which it listens for peers, with [`NodeOptions::unix_socket`].
    pub fn peer_socket(&self) -> PathBuf {
        self.dir.path().join("peers")
    }

    /// Its base directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The socket of its JSON-RPC.
    pub fn rpc_socket(&self) -> PathBuf {
        self.dir.path().join("regtest/lightning-rpc")
    }

    /// Its log.
    pub fn log(&self) -> &NodeLog {
        &self.log
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        lock(&self.child).as_ref().map(Child::id)
    }

    /// Calls a method on a connection of its own.
    pub fn try_call(&self, method: &str, params: Value) -> Result<Value, CallError> {
        let connection = |error: io::Error| CallError::Connection(error.to_string());
        let mut client = Client::connect(&self.rpc_socket()).map_err(connection)?;
        client.set_timeout(Some(patience())).map_err(connection)?;
        Ok(client.call(method, &params)?)
    }

    /// Calls a method that must succeed; the reply must fit the published schema where that is at hand.
    ///
    /// # Panics
    /// If it fails or the reply does not fit.
    pub fn call(&self, method: &str, params: Value) -> Value {
        match self.try_call(method, params.clone()) {
            Ok(reply) => {
                let what = format!("{}: {method} {params}: the reply {reply}", self.name);
                schemas::check_reply(method, &reply).assert(&what);
                reply
            }
            Err(error) => panic!("{}: {method} {params}: {error:?}", self.name),
        }
    }

    /// Calls a method that must be refused: code and message.
    ///
    /// # Panics
    /// If it succeeds or the node is not there.
    pub fn call_err(&self, method: &str, params: Value) -> (i32, String) {
        match self.try_call(method, params.clone()) {
            Err(CallError::Rpc(error)) => (error.code.number(), error.message.clone()),
            other => {
                panic!(
                    "{}: {method} {params} should have been refused: {other:?}",
                    self.name
                )
            }
        }
    }

    /// Calls a method for a look within a wait: `None` while it fails. The reply is not checked.
    pub fn poll(&self, method: &str, params: Value) -> Option<Value> {
        self.try_call(method, params).ok()
    }

    /// Waits for a condition while the node runs.
    ///
    /// # Panics
    /// If it does not come true, or the process ends.
    pub fn wait_for<T>(&self, what: &str, mut check: impl FnMut() -> Option<T>) -> T {
        let waited = try_wait_until(what, || match check() {
            Some(value) => Ok(Some(value)),
            None => self.ended().map_or(Ok(None), |status| {
                Err(format!("{} ended: {status}", self.name))
            }),
        });
        waited.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Waits for a line of the log with this text since the process started; the line.
    ///
    /// # Panics
    /// If it does not come.
    pub fn wait_log(&self, needle: &str) -> String {
        let mark = *lock(&self.started);
        self.wait_log_after(mark, needle)
    }

    /// Waits for a line of the log with this text after a mark; the line.
    ///
    /// # Panics
    /// If it does not come.
    pub fn wait_log_after(&self, mark: LogMark, needle: &str) -> String {
        let what = format!("\"{needle}\" in the log");
        self.wait_for(&what, || self.log.find_after(mark, needle))
    }

    /// How the process ended, if it has.
    fn ended(&self) -> Option<ExitStatus> {
        lock(&self.child)
            .as_mut()
            .and_then(|child| child.try_wait().ok().flatten())
    }

    /// The processes below it.
    pub fn helpers(&self) -> Vec<HelperProcess> {
        self.pid().map(descendants).unwrap_or_default()
    }

    /// The processes it has started itself, and not those that these have.
    pub fn own_helpers(&self) -> Vec<HelperProcess> {
        self.pid().map(children).unwrap_or_default()
    }

    /// The helper with this name (`channeld`), if one runs.
    pub fn helper(&self, name: &str) -> Option<HelperProcess> {
        let full = format!("lightning_{name}");
        let mut helpers = self.helpers().into_iter();
        helpers.find(|helper| helper.name == full || helper.name == name)
    }

    /// Stops it as an operator does and waits until it and its helpers have ended.
    ///
    /// # Panics
    /// If it does not end, or not well.
    pub fn stop(&self) {
        self.note_helpers();
        self.call("stop", json!({}));
        let status = self.wait_for_exit();
        assert!(
            status.success(),
            "{}: ended with {status} when stopped",
            self.name
        );
    }

    /// Waits for it and its helpers to end by themselves.
    ///
    /// # Panics
    /// If they do not.
    pub fn wait_for_exit(&self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        let status = wait_until(&what, || {
            self.note_helpers();
            self.ended()
        });
        *lock(&self.child) = None;
        self.wait_for_helpers();
        status
    }

    /// Kills it without warning and waits until its helpers have noticed.
    ///
    /// # Panics
    /// If a helper goes on.
    pub fn kill(&self) {
        self.note_helpers();
        if let Some(mut child) = lock(&self.child).take() {
            let _already_dead = child.kill();
            let _already_dead = child.wait();
        }
        self.wait_for_helpers();
    }

    /// Makes it and its helpers stand still until [`Self::go_on`].
    ///
    /// # Panics
    /// If one of them goes on.
    pub fn pause(&self) {
        // The node first: from then on it starts no more helpers.
        if let Some(pid) = self.pid() {
            stop_process(pid);
        }
        for helper in self.helpers() {
            stop_process(helper.pid);
        }
    }

    /// Lets it go on after [`Self::pause`].
    pub fn go_on(&self) {
        let helpers = self.helpers();
        let pids = self.pid().into_iter();
        for pid in pids.chain(helpers.iter().map(|helper| helper.pid)) {
            send_signal(pid, Signal::CONT);
        }
    }

    /// Keeps in mind which helpers there are; of a node that has ended they can't be found any more.
    fn note_helpers(&self) {
        let mut known = lock(&self.helpers);
        known.retain(|helper| process_is_running(helper.pid));
        for helper in self.helpers() {
            if !known.contains(&helper) {
                known.push(helper);
            }
        }
    }

    fn wait_for_helpers(&self) {
        for helper in mem::take(&mut *lock(&self.helpers)) {
            let what = format!("the end of {} of {}", helper.name, self.name);
            wait_until(&what, || (!process_is_running(helper.pid)).then_some(()));
        }
    }

    /// Starts it again after [`Self::stop`], [`Self::kill`] or an end of its own, on the same directory and port.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_again(&self) {
        assert!(
            self.pid().is_none() || self.ended().is_some(),
            "{} runs already",
            self.name
        );
        self.wait_for_helpers();
        self.launch();
    }

    /// Stops it and starts it again.
    ///
    /// # Panics
    /// If it does not end or not come up.
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    fn complaints(&self) -> Vec<String> {
        let mut lines = self.log.all_with(BROKEN);
        lines.retain(|line| {
            !self
                .options
                .allowed_complaints
                .iter()
                .any(|allowed| line.contains(allowed))
        });
        lines
    }

    fn show(&self) {
        let output = fs::read_to_string(self.dir.path().join("output")).unwrap_or_default();
        eprintln!("---- {}: log\n{}", self.name, self.log.tail());
        eprintln!("---- {}: output\n{output}----", self.name);
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        let helpers = self.helpers();
        if let Some(mut child) = lock(&self.child).take() {
            let _already_dead = child.kill();
            let _already_dead = child.wait();
        }
        for helper in &helpers {
            helper.kill();
        }
        if thread::panicking() {
            self.show();
            return;
        }
        let complaints = self.complaints();
        if !complaints.is_empty() {
            self.show();
            panic!("{} complained:\n{}", self.name, complaints.join("\n"));
        }
    }
}

/// A text member of a reply; empty if it is not there.
fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

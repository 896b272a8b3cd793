//! For developers: trying to do what must not be possible.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::{getppid, test_kill_process};

use crate::profile::{Helper, May};

/// A file that nobody would miss.
const VICTIM: &str = "victim";

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What was tried.
    pub what: &'static str,
    /// What the system said; `None`: it let us.
    pub refused: Option<String>,
}

/// Tries what `how` names: `all` is what ends in a refusal, `exec`, `fork` what ends the process. The working directory is the network's.
pub fn attempt(helper: Helper, how: &str) -> Vec<Attempt> {
    match how {
        "exec" => vec![tried("become another program", become_another())],
        "fork" => vec![tried("start a program", start_another())],
        _ => all(helper),
    }
}

fn tried<T>(what: &'static str, result: io::Result<T>) -> Attempt {
    let refused = result.err().map(|error| error.to_string());
    Attempt { what, refused }
}

fn become_another() -> io::Result<()> {
    Err(Command::new("/bin/true").exec())
}

fn start_another() -> io::Result<()> {
    Command::new("/bin/true").spawn()?.wait().map(drop)
}

fn all(helper: Helper) -> Vec<Attempt> {
    let mut attempts = vec![
        tried("read hsm_secret", File::open("hsm_secret")),
        tried("read the database", File::open("lightningd.sqlite3")),
        tried("read gossip_store", File::open("gossip_store")),
        tried("list the directory", fs::read_dir(".")),
        tried("make a file", File::create("broken-out")),
        tried("make a directory", fs::create_dir("broken-out")),
        tried("change the database", change("lightningd.sqlite3")),
        tried("rename a file", fs::rename(VICTIM, "broken-out")),
        tried(
            "link to the secret",
            fs::hard_link("hsm_secret", "broken-out"),
        ),
        tried("remove a file", fs::remove_file(VICTIM)),
        tried("read the memory of lightningd", of_master("mem")),
        tried("read the environment of lightningd", of_master("environ")),
        tried("send a signal to lightningd", signal_master()),
        tried("listen for TCP", TcpListener::bind("127.0.0.1:0")),
        tried(
            "connect to the RPC socket",
            UnixStream::connect("lightning-rpc"),
        ),
    ];
    if !helper.profile().allows(May::UseNetwork) {
        // A port nobody listens at refuses, too: in other words.
        attempts.push(tried("connect over TCP", TcpStream::connect("127.0.0.1:9")));
        attempts.push(tried("use UDP", UdpSocket::bind("127.0.0.1:0")));
        attempts.push(tried(
            "read a file of the system",
            File::open("/etc/passwd"),
        ));
    }
    attempts
}

fn change(path: &str) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

fn of_master(what: &str) -> io::Result<File> {
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    File::open(Path::new("/proc").join(parent.to_string()).join(what))
}

fn signal_master() -> io::Result<()> {
    let parent = getppid().ok_or(io::ErrorKind::NotFound)?;
    Ok(test_kill_process(parent)?)
}

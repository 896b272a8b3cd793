//! Running in the background, and telling who started the node how far it is.
//!
//! With `daemon` the process that was started starts a second one, the node, and waits until it serves. What the node has to say until
//! then goes through a pipe to the terminal of the first; its exit code is the first one's if it does not come up.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::options::Settings;

/// Set for the process in the background.
const MARK: &str = "FULGURITE_IN_BACKGROUND";
/// What it says once it serves; no text has it.
const READY: u8 = 0;

/// Whether this process is the one in the background.
fn is_background() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Whether a process for the background is to be started.
pub(crate) fn is_wanted(settings: &Settings) -> bool {
    settings.flag("daemon") && !is_background()
}

/// Says something to whoever started the node: on standard error, or through the pipe. Without anybody who listens there is nobody to tell.
pub(crate) fn say(text: &str) {
    if is_background() {
        let mut pipe = std::io::stdout();
        drop(pipe.write_all(text.as_bytes()).and_then(|()| pipe.flush()));
    } else {
        drop(std::io::stderr().write_all(text.as_bytes()));
    }
}

/// Starts the node in the background and waits until it serves or has ended; the exit code.
pub(crate) fn start(settings: &Settings, arguments: &[OsString]) -> anyhow::Result<i32> {
    let files = settings.every("log-file");
    if files.is_empty() || files.iter().any(|file| file == "-") {
        bail!("daemon needs log-file: a file, since in the background there is no terminal");
    }
    let (mut reader, writer) = std::io::pipe().context("daemon")?;
    // Only a passphrase is asked for at the terminal.
    let asks = settings.flag("hsm-passphrase");
    let terminal = || {
        if asks {
            Stdio::inherit()
        } else {
            Stdio::null()
        }
    };
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("lightningd")
        .args(arguments)
        .env(MARK, "1")
        .stdin(terminal())
        .stdout(writer)
        .stderr(terminal());
    let mut child = command
        .spawn()
        .context("can't start the node in the background")?;
    // The last writing end must be the child's, or its end would not be seen.
    drop(command);
    let mut byte = [0];
    let mut said = Vec::new();
    while let Ok(1) = reader.read(&mut byte) {
        let [byte] = byte;
        if byte == READY {
            return Ok(0);
        }
        said.push(byte);
        if byte == b'\n' || byte == b' ' {
            say(&String::from_utf8_lossy(&said));
            said.clear();
        }
    }
    say(&String::from_utf8_lossy(&said));
    let status = child.wait().context("waiting for the node")?;
    Ok(status.code().unwrap_or(1))
}

/// The node serves: the process that started it need not wait any more, and systemd may go on.
pub(crate) fn ready() {
    if is_background() {
        say("\0");
        // Fails only for the leader of a group, which this process is not.
        let _of_a_group = rustix::process::setsid();
    }
    notify(&format!("READY=1\nMAINPID={}\n", std::process::id()));
}

/// The node ends.
pub(crate) fn stopping() {
    notify("STOPPING=1\n");
}

/// Tells the service manager, if it asked for that.
fn notify(state: &str) {
    let Ok(name) = std::env::var("NOTIFY_SOCKET") else {
        return;
    };
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&name),
    };
    let told = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    // A service manager that does not listen is not our affair.
    drop(told);
}

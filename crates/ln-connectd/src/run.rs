//! How the daemon starts and ends.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use ln_daemon::{Helper, Home, Shell};
use ln_ipc::connectd::ToConnectd;
use ln_ipc::gossipd::GossipdToConnectd;
use ln_ipc::status::LogLevel;
use ln_ipc::{AsyncReader, AsyncStream, FrameError};
use tokio::task::LocalSet;

use crate::daemon::Daemon;
use crate::hsm::Hsm;
use crate::limits::{GOSSIPD_BYTES, MASTER_BYTES};
use crate::outbox::Outbox;
use crate::places::Places;
use crate::shared::Shared;
use crate::tor::OnionService;

/// The descriptor of hsmd.
const FD_HSMD: i32 = 3;
/// The descriptor of gossipd.
const FD_GOSSIPD: i32 = 4;

/// What the daemon talks to.
#[derive(Debug)]
pub struct Descriptors {
    /// lightningd: `ToConnectd` and `FromConnectd`.
    pub master: OwnedFd,
    /// hsmd, for ECDH with the node's key.
    pub hsmd: OwnedFd,
    /// gossipd: `ConnectdToGossipd` and `GossipdToConnectd`.
    pub gossipd: OwnedFd,
}

/// Why the daemon can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectdError {
    /// The runtime could not be started.
    #[error("can't start the runtime")]
    Runtime(#[source] io::Error),
    /// A socket of ours is unusable, or lightningd sent what can't be read.
    #[error("lost touch with lightningd")]
    Master(#[from] FrameError),
    /// The first message was not `Init`.
    #[error("message {0} instead of init")]
    NoInit(&'static str),
}

/// Runs as the process `lightning_connectd`, with the descriptors it inherited.
pub fn main() {
    let mut shell = Shell::start("lightning_connectd");
    let master = match shell.as_fd().try_clone_to_owned() {
        Ok(master) => master,
        Err(error) => shell.fail(format!("can't duplicate a descriptor: {error}")),
    };
    let descriptors = Descriptors {
        master,
        hsmd: ln_daemon::inherited(FD_HSMD, "hsmd"),
        gossipd: ln_daemon::inherited(FD_GOSSIPD, "gossipd"),
    };
    if let Err(error) = run(descriptors, Home::Process) {
        shell.fail(error.to_string());
    }
}

/// Works until lightningd closes its socket.
pub fn run(descriptors: Descriptors, home: Home) -> Result<(), ConnectdError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // A thread that looked a name up must not stay behind: the sandbox binds the thread that enters it and those it starts.
        .thread_keep_alive(Duration::ZERO)
        .build()
        .map_err(ConnectdError::Runtime)?;
    let result = LocalSet::new().block_on(&runtime, serve(descriptors, home));
    // A name lookup may hang in a thread of its own.
    runtime.shutdown_background();
    match result {
        Err(ConnectdError::Master(FrameError::Closed)) => Ok(()),
        other => other,
    }
}

async fn serve(descriptors: Descriptors, home: Home) -> Result<(), ConnectdError> {
    let (mut master, master_writer) = AsyncStream::new(descriptors.master)?.split();
    let (gossipd, gossipd_writer) = AsyncStream::new(descriptors.gossipd)?.split();
    let hsm = Hsm::start(AsyncStream::new(descriptors.hsmd)?);
    let first: ToConnectd = master.recv().await?;
    ln_daemon::panic_if_asked();
    let name = first.name();
    let ToConnectd::Init(init) = first else {
        return Err(ConnectdError::NoInit(name));
    };
    let to_master = Outbox::new(MASTER_BYTES);
    let to_gossipd = Outbox::new(GOSSIPD_BYTES);
    let taken = Places::take(&init, &hsm).await;
    let shared = Rc::new(Shared::new(init, to_master.clone(), to_gossipd.clone()));
    shared.tell(Places::reply(&taken));
    let Places {
        listeners,
        services,
        ..
    } = taken.unwrap_or_default();
    for service in &services {
        let (address, target) = (&service.address, service.target());
        let text = format!("Tor leads {address} to {target}");
        shared.log(LogLevel::Info, None, text);
    }
    let read = still_read(&shared, &services);
    let mut daemon = Daemon::new(Rc::clone(&shared), hsm, listeners);
    // All that takes rights is done: sockets are bound, files open, limits raised. No peer has said anything yet.
    for line in home.confine(Helper::Connectd, &read) {
        shared.log(line.level, None, line.text);
    }
    daemon.keep_onions(services);
    tokio::task::spawn_local(async move {
        // gossipd's end is lightningd's to notice.
        let _ = to_gossipd.write_to(gossipd_writer).await;
    });
    tokio::select! {
        error = to_master.write_to(master_writer) => Err(error.into()),
        error = work(&mut daemon, &mut master, gossipd) => Err(error.into()),
    }
}

/// The directories that are read after the start: those for looking names up, unless that is not done, and that of Tor's cookie, which Tor
/// replaces when it starts.
fn still_read(shared: &Shared, services: &[OnionService]) -> Vec<PathBuf> {
    let cookies = services.iter().filter_map(OnionService::cookie);
    let mut read: Vec<_> = cookies
        .filter_map(|cookie| ln_sandbox::alone(cookie.parent()?))
        .collect();
    if shared.lookup.is_allowed() && !shared.always_use_proxy {
        read.extend(ln_sandbox::for_names());
    }
    read
}

async fn work(daemon: &mut Daemon, master: &mut AsyncReader, gossipd: AsyncReader) -> FrameError {
    let mut gossipd = FromGossipd {
        reader: gossipd,
        store_follows: false,
    };
    let mut gossipd_lives = true;
    loop {
        tokio::select! {
            message = master.recv() => {
                ln_daemon::panic_if_asked();
                let handled = match message {
                    Ok(message) => daemon.on_master(message, master).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = handled {
                    return error;
                }
            }
            said = gossipd.next(), if gossipd_lives => match said {
                Ok(Said::Message(message)) => daemon.on_gossipd(message),
                Ok(Said::Store(store)) => daemon.on_store(store),
                Err(_gone) => gossipd_lives = false,
            },
            event = daemon.next_event() => daemon.on_event(event),
        }
    }
}

/// What gossipd says.
struct FromGossipd {
    reader: AsyncReader,
    store_follows: bool,
}

enum Said {
    Message(GossipdToConnectd),
    Store(OwnedFd),
}

impl FromGossipd {
    /// The next thing. Cancel safe: nobody is kept waiting by a descriptor that does not come.
    async fn next(&mut self) -> Result<Said, FrameError> {
        if self.store_follows {
            let store = self.reader.recv_fd().await?;
            self.store_follows = false;
            return Ok(Said::Store(store));
        }
        let message = self.reader.recv().await?;
        self.store_follows = matches!(message, GossipdToConnectd::Store(_));
        Ok(Said::Message(message))
    }
}

//! Start and loop.

use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::path::Path;

use ln_daemon::{FD_PEER, Helper, Shell, inherited};
use ln_ipc::gossipd::{ConnectdToGossipd, ToGossipd};
use ln_ipc::{AsyncStream, FrameError};
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::StorePlace;
use crate::daemon::Daemon;

/// lightningd, which opens the store for us.
const FD_STORE: RawFd = 4;

/// How often time passes for the daemon.
const TICK: Duration = Duration::from_secs(50);
/// The same with `dev-fast-gossip-prune`.
const FAST_TICK: Duration = Duration::from_secs(2);

/// Why the daemon ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GossipdError {
    /// lightningd is gone.
    #[error("lightningd: {0}")]
    Master(FrameError),
    /// The first message was not `Init`.
    #[error("lightningd began with {0} instead of Init")]
    NoInit(&'static str),
    /// The runtime could not be started.
    #[error("runtime: {0}")]
    Runtime(std::io::Error),
}

/// Becomes lightning_gossipd: lightningd is on descriptor 0 and, for the store, on 4, connectd on 3. Returns when lightningd is gone.
pub fn run() {
    let mut shell = Shell::start("lightning_gossipd");
    let connectd = inherited(FD_PEER, "connectd");
    let store = inherited(FD_STORE, "lightningd, for the store");
    let master = match shell.as_fd().try_clone_to_owned() {
        Ok(master) => master,
        Err(error) => shell.fail(format!("can't use the socket to lightningd: {error}")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    shell.confine(Helper::Gossipd);
    let place = |name: &str| StorePlace::at(Path::new(name)).through(store);
    let result = runtime
        .map_err(GossipdError::Runtime)
        .and_then(|runtime| runtime.block_on(serve(master, connectd, place)));
    match result {
        // A socket closed with our log lines unread is an error of the socket.
        Ok(()) | Err(GossipdError::Master(FrameError::Closed | FrameError::Io(_))) => (),
        Err(error) => shell.fail(error.to_string()),
    }
}

/// Serves lightningd and connectd until lightningd is gone. `place` knows what becomes of the store's name.
pub async fn serve(
    master: OwnedFd,
    connectd: OwnedFd,
    place: impl FnOnce(&str) -> StorePlace,
) -> Result<(), GossipdError> {
    let (mut from_master, to_master) = AsyncStream::new(master)
        .map_err(GossipdError::Master)?
        .split();
    let (mut from_connectd, to_connectd) = AsyncStream::new(connectd)
        .map_err(GossipdError::Master)?
        .split();
    let first: ToGossipd = from_master.recv().await.map_err(GossipdError::Master)?;
    ln_daemon::panic_if_asked();
    let ToGossipd::Init(init) = first else {
        return Err(GossipdError::NoInit(first.name()));
    };
    let tick = if init.fast_gossip_prune {
        FAST_TICK
    } else {
        TICK
    };
    let mut daemon = Daemon::new(&init, place(&init.gossip_store), to_master, to_connectd);
    daemon.announce_start();
    daemon.flush().await.map_err(GossipdError::Master)?;
    let mut ticks = interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connectd_is_there = true;
    loop {
        tokio::select! {
            biased;
            message = from_master.recv::<ToGossipd>() => match message {
                Ok(message) => {
                    ln_daemon::panic_if_asked();
                    daemon.on_lightningd(message);
                }
                Err(FrameError::Decode(error)) => daemon.complain(&format!("bad message from lightningd: {error}")),
                Err(error) => return Err(GossipdError::Master(error)),
            },
            message = from_connectd.recv::<ConnectdToGossipd>(), if connectd_is_there => match message {
                Ok(message) => daemon.on_connectd(message),
                Err(FrameError::Decode(error)) => daemon.complain(&format!("bad message from connectd: {error}")),
                // lightningd ends us when connectd dies; until then there is our own node to serve.
                Err(_) => connectd_is_there = false,
            },
            _ = ticks.tick() => daemon.on_tick(),
        }
        daemon.flush().await.map_err(GossipdError::Master)?;
    }
}

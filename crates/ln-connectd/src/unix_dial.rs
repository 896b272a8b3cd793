//! Connecting to peers at unix sockets, which lightningd does for us: a connectd that a stranger took over must not reach other programs' sockets.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use ln_ipc::connectd::{ConnectdDialUnix, FromConnectd};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::outbox::Outbox;

/// Who waits for lightningd.
#[derive(Debug, Default)]
pub(crate) struct UnixDials {
    next: Cell<u64>,
    waiting: RefCell<HashMap<u64, oneshot::Sender<io::Result<OwnedFd>>>>,
}

impl UnixDials {
    /// Has lightningd connect to `path`.
    pub(crate) async fn dial(&self, lightningd: &Outbox, path: &str) -> io::Result<UnixStream> {
        let request = self.next.get();
        self.next.set(request.wrapping_add(1));
        let (sender, answer) = oneshot::channel();
        self.waiting.borrow_mut().insert(request, sender);
        let path = path.to_owned();
        lightningd.push(&FromConnectd::from(ConnectdDialUnix { request, path }));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        let socket = answer.await.map_err(gone)??;
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        UnixStream::from_std(socket)
    }

    /// lightningd has an answer. Whoever gave up meanwhile does not hear it.
    pub(crate) fn answered(&self, request: u64, socket: io::Result<OwnedFd>) {
        if let Some(waiter) = self.waiting.borrow_mut().remove(&request) {
            drop(waiter.send(socket));
        }
    }
}

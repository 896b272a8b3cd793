//! Connecting to unix sockets for connectd, which may make none: otherwise whoever takes it over could reach the RPC socket.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use ln_ipc::connectd::{ConnectdDialUnix, ConnectdUnixDialled, ToConnectd};
use ln_ipc::to_errno;
use ln_types::NetAddr;
use rustix::io::Errno;
use tokio::net::UnixStream;

use crate::node::Node;

/// Where peers were said to be by the operator or the database, not by connectd.
#[derive(Debug, Default)]
pub(super) struct UnixPlaces(RefCell<HashSet<String>>);

impl UnixPlaces {
    /// Notes those of these addresses that are unix sockets.
    pub(super) fn note<'a>(&self, addresses: impl IntoIterator<Item = &'a NetAddr>) {
        for address in addresses {
            if let NetAddr::Unix(path) = address {
                self.0.borrow_mut().insert(path.clone());
            }
        }
    }
}

/// Connects where connectd wants to.
pub(super) async fn dial(node: Rc<Node>, ask: ConnectdDialUnix) {
    let known = node.peers.unix_places.0.borrow().contains(&ask.path);
    let dialled = if known {
        connect(&ask.path).await
    } else {
        Err(Errno::ACCESS.into())
    };
    let errno = dialled.as_ref().err().map_or(0, to_errno);
    let request = ask.request;
    let answer = ToConnectd::from(ConnectdUnixDialled { request, errno });
    if let Some(connectd) = node.connectd.get() {
        connectd.send_with_fds(&answer, dialled.into_iter().collect());
    }
}

async fn connect(path: &str) -> io::Result<OwnedFd> {
    Ok(UnixStream::connect(path).await?.into_std()?.into())
}

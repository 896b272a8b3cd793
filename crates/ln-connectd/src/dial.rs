//! Connecting to a peer: address after address.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use ln_types::{NetAddr, NodeId};
use tokio::net::TcpStream;

use crate::establish::{Direction, EstablishError, Established, establish};
use crate::hsm::Hsm;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::socks;

/// Addresses still to be tried; more may be added while an attempt is on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses(Rc<RefCell<VecDeque<NetAddr>>>);

impl Addresses {
    /// Adds those that are not waiting already.
    pub(crate) fn add(&self, addresses: impl IntoIterator<Item = NetAddr>) {
        let mut waiting = self.0.borrow_mut();
        for address in addresses {
            if !waiting.contains(&address) {
                waiting.push_back(address);
            }
        }
    }

    fn next(&self) -> Option<NetAddr> {
        self.0.borrow_mut().pop_front()
    }

    /// One that was taken is to be tried again.
    fn put_back(&self, address: NetAddr) {
        self.0.borrow_mut().push_front(address);
    }

    /// Takes all that are left.
    pub(crate) fn take(&self) -> Vec<NetAddr> {
        self.0.take().into()
    }
}

/// No address worked.
#[derive(Debug)]
pub(crate) struct DialFailure {
    /// What happened at each.
    pub(crate) reason: String,
    /// There was none to try.
    pub(crate) no_address: bool,
    /// There was no descriptor for a socket: what was not tried is still waiting.
    pub(crate) no_descriptors: bool,
}

/// Tries the addresses in order until a connection is established.
pub(crate) async fn dial(
    shared: &Shared,
    hsm: &Hsm,
    id: NodeId,
    addresses: &Addresses,
) -> Result<Established, DialFailure> {
    let mut errors = Vec::new();
    loop {
        let Some(address) = addresses.next() else {
            return Err(failure(&errors, false));
        };
        let attempt = async {
            let socket = connect(shared, &address).await?;
            let direction = Direction::Outgoing(id);
            establish(shared, hsm, socket, address.clone(), direction).await
        };
        match attempt.await {
            Ok(established) => return Ok(established),
            Err(error) => {
                let no_descriptors = error.is_lack_of_descriptors();
                errors.push(format!("{address}: {error}. "));
                if no_descriptors {
                    addresses.put_back(address);
                    return Err(failure(&errors, true));
                }
            }
        }
    }
}

fn failure(errors: &[String], no_descriptors: bool) -> DialFailure {
    DialFailure {
        reason: if errors.is_empty() {
            "no address known for the peer: give one with `connect ID@HOST:PORT`".to_owned()
        } else {
            format!("All addresses failed: {}", errors.concat())
        },
        no_address: errors.is_empty(),
        no_descriptors,
    }
}

async fn connect(shared: &Shared, address: &NetAddr) -> Result<Socket, EstablishError> {
    let connecting = async {
        match address {
            NetAddr::Unix(path) => {
                let dialled = shared.unix_dials.dial(&shared.master, path).await?;
                Ok(Socket::Unix(dialled))
            }
            NetAddr::TorV3(host, port) => through_proxy(shared, host, *port).await,
            NetAddr::Ipv4(_, port) | NetAddr::Ipv6(_, port) | NetAddr::Dns(_, port)
                if shared.always_use_proxy =>
            {
                through_proxy(shared, &address.host(), *port).await
            }
            NetAddr::Ipv4(ip, port) => tcp(shared, TcpStream::connect((*ip, *port)).await?),
            NetAddr::Ipv6(ip, port) => tcp(shared, TcpStream::connect((*ip, *port)).await?),
            NetAddr::Dns(host, port) => by_name(shared, host, *port).await,
        }
    };
    match tokio::time::timeout(shared.timeout, connecting).await {
        Ok(connected) => connected.map_err(EstablishError::Connect),
        Err(_elapsed) => Err(EstablishError::ConnectTimeout),
    }
}

fn tcp(shared: &Shared, stream: TcpStream) -> std::io::Result<Socket> {
    Socket::tcp(stream, &shared.dev)
}

/// Looks a name up and tries all it stands for.
async fn by_name(shared: &Shared, host: &str, port: u16) -> std::io::Result<Socket> {
    let found = shared.lookup.find(host, port).await;
    let found = found.map_err(std::io::Error::other)?;
    tcp(shared, TcpStream::connect(found.as_slice()).await?)
}

async fn through_proxy(shared: &Shared, host: &str, port: u16) -> std::io::Result<Socket> {
    let proxy = shared.proxy.as_ref();
    let proxy = proxy.ok_or_else(|| {
        let text = "need a proxy: onion addresses are reached through Tor's SOCKS port, such as proxy=127.0.0.1:9050";
        std::io::Error::other(text)
    })?;
    let mut stream = TcpStream::connect(proxy.to_string()).await.map_err(|error| {
        std::io::Error::other(format!(
            "the proxy {proxy} can't be reached ({error}): is it running? it is named by the option proxy"
        ))
    })?;
    socks::connect(&mut stream, host, port).await?;
    tcp(shared, stream)
}

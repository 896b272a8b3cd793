//! Listening for peers.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::time::Duration;

use ln_ipc::status::LogLevel;
use ln_types::NetAddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;

use crate::daemon::Event;
use crate::shared::Shared;
use crate::socket::Socket;

/// Connections the kernel holds until we accept them.
const BACKLOG: i32 = 128;
/// How long not to accept when the process has no descriptors left.
const REST: Duration = Duration::from_millis(100);

/// Somebody connected.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) socket: Socket,
    pub(crate) address: NetAddr,
    /// For telling floods from crowds; unix sockets have none.
    pub(crate) ip: Option<IpAddr>,
}

/// An address we listen on.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

impl Listener {
    /// Listens on one address. The error says what to do.
    pub(crate) fn bind(address: &NetAddr) -> Result<Self, String> {
        let bound = match address {
            NetAddr::Unix(path) => bind_unix(path),
            NetAddr::Ipv4(ip, port) => bind_tcp((*ip, *port).into()),
            NetAddr::Ipv6(ip, port) => bind_tcp((*ip, *port).into()),
            NetAddr::Dns(host, port) => bind_name(host, *port),
            NetAddr::TorV3(..) => Err(io::Error::other("an onion address can't be bound")),
        };
        bound.map_err(|error| {
            format!("Failed to bind socket for {address}: {error}: is another node running there?")
        })
    }

    /// Where it listens, with the real port.
    pub(crate) fn address(&self) -> io::Result<NetAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(NetAddr::from),
            Self::Unix(_, path) => Ok(NetAddr::Unix(path.clone())),
        }
    }

    /// Accepts for ever.
    pub(crate) async fn run(self, shared: Rc<Shared>, events: mpsc::Sender<Event>) {
        let mut complained = false;
        loop {
            // Every connection may cause lines in the log.
            shared.master.room().await;
            let event = match self.accept().await {
                Ok(incoming) => Event::Incoming(incoming),
                Err(error) => {
                    if !complained {
                        let text = format!("accepting a connection failed: {error}");
                        shared.log(LogLevel::Unusual, None, text);
                        complained = true;
                    }
                    tokio::time::sleep(REST).await;
                    Event::NoDescriptors
                }
            };
            if events.send(event).await.is_err() {
                return;
            }
        }
    }

    async fn accept(&self) -> io::Result<Incoming> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok(Incoming {
                    socket: Socket::tcp(stream)?,
                    address: address.into(),
                    ip: Some(address.ip().to_canonical()),
                })
            }
            Self::Unix(listener, path) => {
                let (stream, _) = listener.accept().await?;
                Ok(Incoming {
                    socket: Socket::Unix(stream),
                    address: NetAddr::Unix(path.clone()),
                    ip: None,
                })
            }
        }
    }
}

fn bind_unix(path: &str) -> io::Result<Listener> {
    // Left behind by a node that was killed.
    let _ = std::fs::remove_file(path);
    Ok(Listener::Unix(UnixListener::bind(path)?, path.to_owned()))
}

fn bind_tcp(address: SocketAddr) -> io::Result<Listener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        // So that 0.0.0.0 can be bound to the same port, whatever the system's default.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    TcpListener::from_std(socket.into()).map(Listener::Tcp)
}

fn bind_name(host: &str, port: u16) -> io::Result<Listener> {
    let mut addresses = (host, port).to_socket_addrs()?;
    let first = addresses.next();
    bind_tcp(first.ok_or_else(|| io::Error::other("the name has no address"))?)
}

//! Listening for peers.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use ln_ipc::status::LogLevel;
use ln_types::NetAddr;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;

use crate::daemon::Event;
use crate::shared::Shared;
use crate::socket::Socket;

/// How long not to accept when the process has no descriptors left.
const REST: Duration = Duration::from_millis(100);

/// Somebody connected.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) socket: Socket,
    pub(crate) address: NetAddr,
    /// For telling floods from crowds; unix sockets have none.
    pub(crate) ip: Option<IpAddr>,
    /// Whether the websocket protocol is to be spoken first.
    pub(crate) websocket: bool,
}

/// An address we listen on.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: ListeningSocket,
    /// Whether peers speak the websocket protocol there.
    pub(crate) websocket: bool,
}

#[derive(Debug)]
enum ListeningSocket {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

impl Listener {
    /// Over TCP.
    pub(crate) fn tcp(socket: TcpListener, websocket: bool) -> Self {
        let socket = ListeningSocket::Tcp(socket);
        Self { socket, websocket }
    }

    /// At a path.
    pub(crate) fn unix(socket: UnixListener, path: String) -> Self {
        Self {
            socket: ListeningSocket::Unix(socket, path),
            websocket: false,
        }
    }

    /// Where it listens, with the real port.
    pub(crate) fn address(&self) -> io::Result<NetAddr> {
        match &self.socket {
            ListeningSocket::Tcp(listener) => listener.local_addr().map(NetAddr::from),
            ListeningSocket::Unix(_, path) => Ok(NetAddr::Unix(path.clone())),
        }
    }

    /// Accepts for ever.
    pub(crate) async fn run(self, shared: Rc<Shared>, events: mpsc::Sender<Event>) {
        let mut complained = false;
        loop {
            // Every connection may cause lines in the log.
            shared.master.room().await;
            let event = match self.accept(&shared).await {
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

    async fn accept(&self, shared: &Shared) -> io::Result<Incoming> {
        match &self.socket {
            ListeningSocket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok(Incoming {
                    socket: Socket::tcp(stream, &shared.dev)?,
                    address: address.into(),
                    ip: Some(address.ip().to_canonical()),
                    websocket: self.websocket,
                })
            }
            ListeningSocket::Unix(listener, path) => {
                let (stream, _) = listener.accept().await?;
                Ok(Incoming {
                    socket: Socket::Unix(stream),
                    address: NetAddr::Unix(path.clone()),
                    ip: None,
                    websocket: false,
                })
            }
        }
    }
}

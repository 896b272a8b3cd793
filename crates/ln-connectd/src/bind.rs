//! Taking addresses to listen at, and saying what to do when one can't be had.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use ln_types::{NetAddr, OwnAddress};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::listen::Listener;
use crate::lookup::{Lookup, LookupError};

/// Connections the kernel holds until we accept them.
const BACKLOG: i32 = 128;

/// Why an address can't be listened at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BindError {
    #[error(
        "Failed to bind socket for {0}: Address already in use: another program (another node, perhaps) listens there: choose another \
         port with addr or bind-addr, or do not listen at all with autolisten=false"
    )]
    InUse(NetAddr),
    #[error(
        "Failed to bind socket for {0}: Permission denied: ports below 1024 are the system's: choose a higher one, or give the node the \
         capability CAP_NET_BIND_SERVICE"
    )]
    LowPort(NetAddr),
    #[error(
        "Failed to bind socket for {0}: it is no address of this machine: listen at one that it has, or at all with 0.0.0.0 or [::], and \
         tell others of {0} with announce-addr"
    )]
    NotOurs(NetAddr),
    #[error(
        "Failed to bind socket for {0}: something that is no socket is there: remove it or choose another path"
    )]
    NoSocket(NetAddr),
    #[error(
        "Failed to bind socket for {0}: its directory is not there: make it or choose another path"
    )]
    NoDirectory(NetAddr),
    #[error("Failed to bind socket for {0}: {1}")]
    Other(NetAddr, io::Error),
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error("{0} is only announced, use announce-addr")]
    OnlyAnnounced(String),
}

impl BindError {
    fn new(address: NetAddr, error: io::Error) -> Self {
        let low = address.port().is_some_and(|port| port < 1024);
        match Errno::from_io_error(&error) {
            Some(Errno::ADDRINUSE) => Self::InUse(address),
            Some(Errno::ACCESS | Errno::PERM) if low => Self::LowPort(address),
            Some(Errno::ADDRNOTAVAIL) => Self::NotOurs(address),
            Some(Errno::NOENT | Errno::NOTDIR) => Self::NoDirectory(address),
            _ => Self::Other(address, error),
        }
    }

    /// Whether this machine has nothing of the kind, so that the other kind will do.
    fn is_missing_family(&self) -> bool {
        match self {
            Self::NotOurs(_) => true,
            Self::Other(_, error) => Errno::from_io_error(error) == Some(Errno::AFNOSUPPORT),
            Self::InUse(_)
            | Self::LowPort(_)
            | Self::NoSocket(_)
            | Self::NoDirectory(_)
            | Self::Lookup(_)
            | Self::OnlyAnnounced(_) => false,
        }
    }
}

/// Listens at all that an address stands for.
pub(crate) async fn listen_at(
    address: &OwnAddress,
    lookup: &Lookup,
) -> Result<Vec<Listener>, BindError> {
    match address {
        OwnAddress::Everywhere { port, websocket } => everywhere(*port, *websocket),
        OwnAddress::At { address, websocket } => {
            let listener = match address {
                NetAddr::Unix(path) => bind_unix(path).await?,
                NetAddr::Ipv4(ip, port) => bind_tcp((*ip, *port).into(), *websocket)?,
                NetAddr::Ipv6(ip, port) => bind_tcp((*ip, *port).into(), *websocket)?,
                NetAddr::Dns(host, port) => {
                    let found = lookup.find(host, *port).await?;
                    return by_name(&found, *websocket).map(|listener| vec![listener]);
                }
                NetAddr::TorV3(..) => return Err(BindError::OnlyAnnounced(address.to_string())),
            };
            Ok(vec![listener])
        }
        OwnAddress::Name { .. } => Err(BindError::OnlyAnnounced(address.to_string())),
        OwnAddress::Tor(_) => Ok(Vec::new()),
    }
}

/// IPv6 and IPv4, or the one of them that this machine has.
fn everywhere(port: u16, websocket: bool) -> Result<Vec<Listener>, BindError> {
    let places = [
        IpAddr::from(Ipv6Addr::UNSPECIFIED),
        Ipv4Addr::UNSPECIFIED.into(),
    ];
    let mut listeners = Vec::new();
    let mut missing = None;
    for ip in places {
        match bind_tcp((ip, port).into(), websocket) {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.is_missing_family() => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

/// The first address of a name that is one of this machine's.
fn by_name(addresses: &[SocketAddr], websocket: bool) -> Result<Listener, BindError> {
    let mut last = None;
    for address in addresses {
        match bind_tcp(*address, websocket) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.is_missing_family() => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.expect("a name that was found has an address"))
}

fn bind_tcp(address: SocketAddr, websocket: bool) -> Result<Listener, BindError> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let take = || -> io::Result<TcpListener> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        if address.is_ipv6() {
            // So that 0.0.0.0 can be bound to the same port, whatever the system's default.
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        bind(&socket, &address)?;
        listen(&socket, BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    let listener = take().map_err(|error| BindError::new(address.into(), error))?;
    Ok(Listener::tcp(listener, websocket))
}

/// A socket that a node left behind when it was killed is replaced, one where somebody listens is not.
async fn bind_unix(path: &str) -> Result<Listener, BindError> {
    let address = || NetAddr::Unix(path.to_owned());
    let failed = |error| BindError::new(address(), error);
    match Path::new(path).symlink_metadata() {
        Ok(found) if !found.file_type().is_socket() => return Err(BindError::NoSocket(address())),
        Ok(_) => {
            let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
            // Whatever else happens, somebody may be there.
            if !UnixStream::connect(path)
                .await
                .is_err_and(|error| refused(&error))
            {
                return Err(BindError::InUse(address()));
            }
            std::fs::remove_file(path).map_err(failed)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    Ok(Listener::unix(listener, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn listen(text: &str) -> Result<Vec<Listener>, String> {
        let lookup = Lookup::new(false, Duration::from_mins(1));
        let address = OwnAddress::parse(text, 9735).unwrap();
        let listeners = listen_at(&address, &lookup).await;
        listeners.map_err(|error| error.to_string())
    }

    async fn refused(text: &str) -> String {
        listen(text).await.expect_err(text)
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_told_with_what_to_do() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = refused(&format!("127.0.0.1:{port}")).await;
        assert!(error.contains("another program"), "{error}");
        assert!(error.contains("autolisten=false"), "{error}");
        // One half of everywhere that is taken is not left out silently.
        let error = refused(&format!(":{port}")).await;
        assert!(error.contains("another program"), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_told() {
        let error = refused("192.0.2.1:9735").await;
        assert!(error.contains("announce-addr"), "{error}");
    }

    #[tokio::test]
    async fn names_need_dns_and_localhost_does_not() {
        let error = refused("node.example.com:9735").await;
        assert!(error.contains("disable-dns"), "{error}");
        assert_eq!(listen("localhost:0").await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers");
        let path = path.to_str().unwrap();
        drop(listen(path).await.unwrap());
        assert!(Path::new(path).exists(), "it is left behind");
        let _there = listen(path).await.unwrap();
        let error = refused(path).await;
        assert!(error.contains("another program"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes");
        std::fs::write(&path, "precious").unwrap();
        let error = refused(path.to_str().unwrap()).await;
        assert!(error.contains("no socket is there"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        let error = refused(path.join("below").to_str().unwrap()).await;
        assert!(error.contains("directory is not there"), "{error}");
    }
}

//! What an operator says about a node's own addresses: where to listen, what to announce.

use std::fmt;

use ln_codec::{Decode, Encode};

use crate::net_addr::{NetAddr, NetAddrError, split_port};

/// Where Tor's control port is unless another is given.
const TOR_CONTROL_PORT: u16 = 9051;
/// Bytes of text that a Tor service's key can be made of.
const MAX_TOR_TEXT: usize = 64;
/// Bytes of a unix socket's path that the system takes.
const MAX_SOCKET_PATH: usize = 107;

/// One value of `addr`, `bind-addr` or `announce-addr`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum OwnAddress {
    /// All of this machine's addresses, IPv6 and IPv4: the empty host.
    Everywhere {
        /// The TCP port.
        port: u16,
        /// Whether peers speak the websocket protocol there.
        websocket: bool,
    },
    /// One address; a host name stands for the addresses it has.
    At {
        /// The address.
        address: NetAddr,
        /// Whether peers speak the websocket protocol there.
        websocket: bool,
    },
    /// `dns:`: a host name that is announced as such.
    Name {
        /// The name.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// `autotor:` and `statictor:`: an onion service that Tor makes for us.
    Tor(TorService),
}

/// An onion service to be made through Tor's control port.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TorService {
    /// Tor's control port.
    pub control: NetAddr,
    /// The service's port, which peers connect to.
    pub port: u16,
    /// What its key, and with that its name, is made from.
    pub key: TorKey,
}

/// What the key of an onion service is made from.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum TorKey {
    /// Chance: another name at each start.
    Chance,
    /// The node's own key: the same name always.
    Node,
    /// A text: the same name wherever the text is used. Whoever knows the text can take the name over.
    Text(String),
}

/// Never shows the text.
impl fmt::Debug for TorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chance => "Chance",
            Self::Node => "Node",
            Self::Text(_) => "Text(..)",
        })
    }
}

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnAddressError {
    /// The part that is an address is none.
    #[error(transparent)]
    Address(#[from] NetAddrError),
    /// A name was to follow.
    #[error("'{0}': dns: is followed by a host name, such as dns:node.example.com:9735")]
    NoName(String),
    /// A host name that nobody could look up.
    #[error(
        "'{0}' is not a host name: it is letters, digits and hyphens, in parts of up to 63 with dots between them"
    )]
    BadName(String),
    /// A path does not fit.
    #[error(
        "the path '{0}' is too long for a unix socket: use one of at most {MAX_SOCKET_PATH} bytes"
    )]
    LongPath(String),
    /// Only TCP can carry a websocket.
    #[error("'{0}': ws: is followed by an address, such as ws:0.0.0.0:9737 or ws::9737")]
    BadWebsocket(String),
    /// Tor must be somewhere.
    #[error(
        "'{0}': {1} is followed by the address of Tor's control port, such as {1}127.0.0.1:9051"
    )]
    NoTor(String, &'static str),
    /// A port for the service.
    #[error("torport={0}: is not a port from 1 to 65535")]
    TorPort(String),
    /// A text for the key.
    #[error("torblob: is {0} bytes long, but from 1 to {MAX_TOR_TEXT} are taken")]
    TorText(usize),
    /// Only a fixed service is made from a text.
    #[error("torblob: an autotor: service has a new key at each start, use statictor:")]
    TorTextUnwanted,
    /// No other.
    #[error("unknown addition '/{0}': use /torport=PORT, with statictor: also /torblob=TEXT")]
    TorAddition(String),
}

impl OwnAddress {
    /// Reads a value; where no port is given it is `default_port`, the network's.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, OwnAddressError> {
        if text.starts_with('/') {
            if text.len() > MAX_SOCKET_PATH {
                return Err(OwnAddressError::LongPath(text.to_owned()));
            }
            let address = NetAddr::Unix(text.to_owned());
            let websocket = false;
            return Ok(Self::At { address, websocket });
        }
        if let Some(rest) = text.strip_prefix("dns:") {
            return name(text, rest, default_port);
        }
        for prefix in ["autotor:", "statictor:"] {
            if let Some(rest) = text.strip_prefix(prefix) {
                return tor(prefix, rest, default_port).map(Self::Tor);
            }
        }
        let (place, websocket) = match text.strip_prefix("ws:") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        if place.is_empty() {
            let port = default_port;
            return Ok(Self::Everywhere { port, websocket });
        }
        // Not `::`, which is IPv6 alone.
        if let Some(port) = place.strip_prefix(':').filter(|rest| !rest.contains(':')) {
            let port = NetAddr::parse_port(place, port)?;
            return Ok(Self::Everywhere { port, websocket });
        }
        let address = NetAddr::parse(place, default_port)?;
        match &address {
            NetAddr::Dns(host, _) => check_name(host)?,
            NetAddr::TorV3(..) | NetAddr::Unix(_) if websocket => {
                return Err(OwnAddressError::BadWebsocket(text.to_owned()));
            }
            NetAddr::Ipv4(..) | NetAddr::Ipv6(..) | NetAddr::TorV3(..) | NetAddr::Unix(_) => {}
        }
        Ok(Self::At { address, websocket })
    }

    /// The port it takes on this machine, if it takes one.
    pub fn listening_port(&self) -> Option<u16> {
        match self {
            Self::Everywhere { port, .. } => Some(*port),
            Self::At { address, .. } => address.port(),
            Self::Name { .. } | Self::Tor(_) => None,
        }
    }
}

/// `:9735`, `ws:127.0.0.1:9736`, `dns:example.com:9735`, `statictor:127.0.0.1:9051/torport=9735`: without what a key is made from.
impl fmt::Display for OwnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = |websocket: &bool| if *websocket { "ws:" } else { "" };
        match self {
            Self::Everywhere { port, websocket } => write!(f, "{}:{port}", prefix(websocket)),
            Self::At { address, websocket } => write!(f, "{}{address}", prefix(websocket)),
            Self::Name { host, port } => write!(f, "dns:{host}:{port}"),
            Self::Tor(service) => {
                let kind = match service.key {
                    TorKey::Chance => "autotor",
                    TorKey::Node | TorKey::Text(_) => "statictor",
                };
                write!(f, "{kind}:{}/torport={}", service.control, service.port)
            }
        }
    }
}

fn name(text: &str, rest: &str, default_port: u16) -> Result<OwnAddress, OwnAddressError> {
    let no_name = || OwnAddressError::NoName(text.to_owned());
    let (host, port) = split_port(rest, default_port)?;
    if host.is_empty() || host.contains(['[', ':']) {
        return Err(no_name());
    }
    match NetAddr::from_host(host, port) {
        Some(NetAddr::Dns(host, port)) => {
            check_name(&host)?;
            Ok(OwnAddress::Name { host, port })
        }
        Some(_) => Err(no_name()),
        None => Err(OwnAddressError::BadName(host.to_owned())),
    }
}

// BOLT 7 §The `node_announcement` Message: a hostname is of ASCII characters, what is not is in Punycode.
fn check_name(host: &str) -> Result<(), OwnAddressError> {
    let fits = |part: &str| {
        (1..=63).contains(&part.len()) && !part.starts_with('-') && !part.ends_with('-')
    };
    let parts = host.strip_suffix('.').unwrap_or(host);
    // All digits and dots: an IPv4 address gone wrong.
    let number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if parts.split('.').all(fits) && !parts.bytes().all(number) {
        return Ok(());
    }
    Err(OwnAddressError::BadName(host.to_owned()))
}

/// What follows `autotor:` or `statictor:`.
fn tor(prefix: &'static str, rest: &str, default_port: u16) -> Result<TorService, OwnAddressError> {
    let mut parts = rest.split('/');
    let control = parts.next().unwrap_or_default();
    let no_tor = || OwnAddressError::NoTor(format!("{prefix}{control}"), prefix);
    if control.is_empty() {
        return Err(no_tor());
    }
    let control = match NetAddr::parse(control, TOR_CONTROL_PORT)? {
        NetAddr::TorV3(..) | NetAddr::Unix(_) => return Err(no_tor()),
        NetAddr::Ipv4(_, 0) | NetAddr::Ipv6(_, 0) | NetAddr::Dns(_, 0) => return Err(no_tor()),
        address @ (NetAddr::Ipv4(..) | NetAddr::Ipv6(..) | NetAddr::Dns(..)) => address,
    };
    let is_static = prefix == "statictor:";
    let mut service = TorService {
        control,
        port: default_port,
        key: if is_static {
            TorKey::Node
        } else {
            TorKey::Chance
        },
    };
    for part in parts {
        if let Some(port) = part.strip_prefix("torport=") {
            let number = port.parse().ok().filter(|port| *port != 0);
            service.port = number.ok_or_else(|| OwnAddressError::TorPort(port.to_owned()))?;
        } else if let Some(start) = part.strip_prefix("torblob=") {
            if !is_static {
                return Err(OwnAddressError::TorTextUnwanted);
            }
            if !(1..=MAX_TOR_TEXT).contains(&start.len()) {
                return Err(OwnAddressError::TorText(start.len()));
            }
            service.key = TorKey::Text(start.to_owned());
        } else {
            return Err(OwnAddressError::TorAddition(part.to_owned()));
        }
    }
    Ok(service)
}

#[cfg(test)]
#[path = "own_address_tests.rs"]
mod tests;

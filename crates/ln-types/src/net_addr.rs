//! Where a node can be reached.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ln_codec::{Decode, DecodeError, Encode, Reader};

/// An address of a peer, or one to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NetAddr {
    /// An IPv4 address and port.
    Ipv4(Ipv4Addr, u16),
    /// An IPv6 address and port.
    Ipv6(Ipv6Addr, u16),
    /// A Tor v3 onion service: the name with `.onion`, and port.
    TorV3(String, u16),
    /// A host name and port.
    Dns(String, u16),
    /// A unix socket's path.
    Unix(String),
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetAddrError {
    /// It is nothing like one.
    #[error(
        "'{0}' is not an address: write HOST, HOST:PORT, [IPV6]:PORT or the /path of a unix socket"
    )]
    Form(String),
    /// The brackets or what is in them.
    #[error(
        "'{0}' is not an address: an IPv6 address with a port is written in brackets, such as [::1]:9735"
    )]
    Ipv6(String),
    /// An onion name of another length or with other letters.
    #[error(
        "'{0}' is not an onion address: Tor's names have 56 letters and digits before .onion (those with 16 are no longer served)"
    )]
    Onion(String),
    /// What stands behind the last colon.
    #[error("'{0}' is not an address: '{1}' is not a port (a number up to 65535)")]
    Port(String, String),
}

/// The host and port of a text whose host has no colon in it.
pub(crate) fn split_port(text: &str, default_port: u16) -> Result<(&str, u16), NetAddrError> {
    match text.rsplit_once(':') {
        Some((host, port)) => Ok((host, NetAddr::parse_port(text, port)?)),
        None => Ok((text, default_port)),
    }
}

impl NetAddr {
    /// Reads an address; one without a port gets `default_port`.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, NetAddrError> {
        let bad_ipv6 = || NetAddrError::Ipv6(text.to_owned());
        if text.starts_with('/') {
            return Ok(Self::Unix(text.to_owned()));
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::Ipv6(address, default_port));
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (host, after) = rest.split_once(']').ok_or_else(bad_ipv6)?;
            let port = match after.strip_prefix(':') {
                Some(port) => Self::parse_port(text, port)?,
                None if after.is_empty() => default_port,
                None => return Err(bad_ipv6()),
            };
            return Ok(Self::Ipv6(host.parse().map_err(|_| bad_ipv6())?, port));
        }
        if text.matches(':').count() > 1 {
            return Err(bad_ipv6());
        }
        let (host, port) = split_port(text, default_port)?;
        Self::from_host(host, port).ok_or_else(|| {
            if host.to_ascii_lowercase().ends_with(".onion") {
                NetAddrError::Onion(host.to_owned())
            } else {
                NetAddrError::Form(text.to_owned())
            }
        })
    }

    /// Reads the port within `text`.
    pub(crate) fn parse_port(text: &str, port: &str) -> Result<u16, NetAddrError> {
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let number = port.parse().ok().filter(|_| digits);
        number.ok_or_else(|| NetAddrError::Port(text.to_owned(), port.to_owned()))
    }

    /// From a host as typed (address, onion name or host name) and a port.
    pub fn from_host(host: &str, port: u16) -> Option<Self> {
        if host.starts_with('/') {
            return Some(Self::Unix(host.to_owned()));
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Some(Self::Ipv4(address, port));
        }
        if let Ok(address) = host.parse::<Ipv6Addr>() {
            return Some(Self::Ipv6(address, port));
        }
        let plausible =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if host.is_empty() || host.len() > 255 || !host.bytes().all(plausible) {
            return None;
        }
        let lower = host.to_ascii_lowercase();
        match lower.strip_suffix(".onion") {
            Some(name) => {
                let base32 = |byte: u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte);
                let fits = name.len() == 56 && name.bytes().all(base32);
                fits.then(|| Self::TorV3(lower.clone(), port))
            }
            None => Some(Self::Dns(host.to_owned(), port)),
        }
    }

    /// The kind as RPC replies name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ipv4(..) => "ipv4",
            Self::Ipv6(..) => "ipv6",
            Self::TorV3(..) => "torv3",
            Self::Dns(..) => "dns",
            Self::Unix(_) => "local socket",
        }
    }

    /// The host without the port, or the unix socket's path.
    pub fn host(&self) -> String {
        match self {
            Self::Ipv4(address, _) => address.to_string(),
            Self::Ipv6(address, _) => address.to_string(),
            Self::TorV3(host, _) | Self::Dns(host, _) => host.clone(),
            Self::Unix(path) => path.clone(),
        }
    }

    /// Whether it is an IP address that can be reached from everywhere. `local_counts` is for private chains, where loopback is all there
    /// is.
    pub fn is_public(&self, local_counts: bool) -> bool {
        match self {
            Self::Ipv4(ip, _) => is_public_v4(*ip) || (local_counts && ip.is_loopback()),
            Self::Ipv6(ip, _) => is_public_v6(*ip) || (local_counts && ip.is_loopback()),
            Self::TorV3(..) | Self::Dns(..) | Self::Unix(_) => false,
        }
    }

    /// The port, where there is one.
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Ipv4(_, port)
            | Self::Ipv6(_, port)
            | Self::TorV3(_, port)
            | Self::Dns(_, port) => Some(*port),
            Self::Unix(_) => None,
        }
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let shared = a == 100 && b & 0xc0 == 64; // RFC 6598
    !(a == 0
        || shared
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let documentation = a == 0x2001 && b == 0xdb8;
    !(documentation
        || ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local())
}

impl From<SocketAddr> for NetAddr {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::Ipv4(*v4.ip(), v4.port()),
            SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
                Some(v4) => Self::Ipv4(v4, v6.port()),
                None => Self::Ipv6(*v6.ip(), v6.port()),
            },
        }
    }
}

/// `127.0.0.1:9735`, `[::1]:9735`, `name.onion:9735`, `/path`.
impl fmt::Display for NetAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(address, port) => write!(f, "{address}:{port}"),
            Self::Ipv6(address, port) => write!(f, "[{address}]:{port}"),
            Self::TorV3(host, port) | Self::Dns(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => f.write_str(path),
        }
    }
}

impl FromStr for NetAddr {
    type Err = NetAddrError;
    fn from_str(text: &str) -> Result<Self, NetAddrError> {
        Self::parse(text, 9735)
    }
}

/// As text: only our own processes exchange this type.
impl Encode for NetAddr {
    fn encode(&self, out: &mut Vec<u8>) {
        self.to_string().encode(out);
    }
}

impl Decode for NetAddr {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        String::decode(reader)?
            .parse()
            .map_err(|_| DecodeError::Invalid { what: "address" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_alike() {
        for text in [
            "127.0.0.1:9735",
            "[::1]:19846",
            "localhost:1",
            "/tmp/l2/peer",
        ] {
            assert_eq!(text.parse::<NetAddr>().unwrap().to_string(), text);
        }
        assert_eq!(
            NetAddr::parse("::1", 7).unwrap(),
            NetAddr::Ipv6(Ipv6Addr::LOCALHOST, 7)
        );
        for text in [
            "",
            "a b",
            "127.0.0.1:x",
            "127.0.0.1:65536",
            "[::1",
            "[::1]x",
            "short.onion",
        ] {
            assert!(text.parse::<NetAddr>().is_err(), "{text}");
        }
    }

    #[test]
    fn private_addresses_are_not_public() {
        let public = |text: &str| text.parse::<NetAddr>().unwrap().is_public(false);
        for text in ["8.8.8.8:9735", "[2606:4700::1111]:9735"] {
            assert!(public(text), "{text}");
        }
        for text in [
            "127.0.0.1:1",
            "10.1.2.3:1",
            "192.168.0.1:1",
            "172.16.0.1:1",
            "169.254.1.1:1",
            "100.64.0.1:1",
            "0.0.0.0:1",
            "[::1]:1",
            "[fd00::1]:1",
            "[fe80::1]:1",
            "/tmp/socket",
            "example.com:1",
        ] {
            assert!(!public(text), "{text}");
        }
        let local = |text: &str| text.parse::<NetAddr>().unwrap().is_public(true);
        assert!(local("127.0.0.1:1") && !local("10.0.0.1:1"));
    }
}

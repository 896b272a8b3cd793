//! Where the node is reached and how it reaches others: the options about addresses, proxies and Tor.

use std::net::{Ipv4Addr, Ipv6Addr};

use ln_ipc::connectd::{ConnectdAddress, Password};
use ln_types::{NetAddr, Network, OwnAddress};

use super::{OptionError, Setting, Settings};

/// Where Tor's SOCKS port is unless another is given.
const SOCKS_PORT: u16 = 9050;

/// The options about connections.
#[derive(Debug, Clone)]
pub(crate) struct Networking {
    /// Where to listen and what to announce.
    pub(crate) addresses: Vec<ConnectdAddress>,
    pub(crate) proxy: Option<NetAddr>,
    pub(crate) always_use_proxy: bool,
    pub(crate) use_dns: bool,
    pub(crate) message_padding: bool,
    pub(crate) tor_password: Option<Password>,
    pub(crate) discovery: Discovery,
    /// The port that others are told with an address that peers saw.
    pub(crate) discovered_port: u16,
    /// Peers to have at least, to hear of the network.
    pub(crate) gossip_peers: usize,
}

/// Whether addresses that peers see us at are announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discovery {
    /// Yes.
    On,
    /// No.
    Off,
    /// If there is nothing else to announce.
    Auto,
}

impl Networking {
    /// Understands the options.
    pub(crate) fn new(settings: &Settings, network: Network) -> Result<Self, OptionError> {
        let always_use_proxy = settings.bool("always-use-proxy", false)?;
        let proxy = settings.last("proxy").map(proxy).transpose()?;
        if let (true, None, Some(setting)) =
            (always_use_proxy, &proxy, settings.last("always-use-proxy"))
        {
            let problem =
                "needs a proxy: give one with --proxy=HOST[:PORT], such as --proxy=127.0.0.1:9050";
            return Err(OptionError::new(setting, problem));
        }
        let discovery = settings.last("announce-addr-discovered");
        let discovered_port = settings.last("announce-addr-discovered-port");
        let tor_password = settings.last("tor-service-password");
        Ok(Self {
            addresses: addresses(settings, network)?,
            proxy,
            always_use_proxy,
            use_dns: !settings.flag("disable-dns"),
            message_padding: settings.bool("message-padding", false)?,
            tor_password: tor_password.map(password).transpose()?,
            discovery: discovery.map_or(Ok(Discovery::Auto), self::discovery)?,
            gossip_peers: if is_alone(settings) {
                0
            } else {
                settings.parsed("autoconnect-seeker-peers", 10)?
            },
            discovered_port: discovered_port.map_or(Ok(network.lightning_port()), port)?,
        })
    }

    /// Whether every connection goes through the proxy: always, too, for a node that is known by onion addresses alone. Connections from its own
    /// address would tell who it is.
    pub(crate) fn hides(&self) -> bool {
        self.always_use_proxy || self.is_only_on_tor()
    }

    /// Whether all addresses are onion services.
    pub(crate) fn is_only_on_tor(&self) -> bool {
        let on_tor = |given: &ConnectdAddress| match &given.address {
            OwnAddress::Tor(_) => true,
            OwnAddress::At { address, .. } => matches!(address, NetAddr::TorV3(..)),
            OwnAddress::Everywhere { .. } | OwnAddress::Name { .. } => false,
        };
        !self.addresses.is_empty() && self.addresses.iter().all(on_tor)
    }
}

/// Neither listens nor connects.
fn is_alone(settings: &Settings) -> bool {
    settings.flag("offline") || settings.flag("recover")
}

fn text(setting: &Setting) -> &str {
    setting.value.as_deref().unwrap_or_default()
}

fn proxy(setting: &Setting) -> Result<NetAddr, OptionError> {
    let address = NetAddr::parse(text(setting), SOCKS_PORT);
    match address.map_err(|error| OptionError::new(setting, error))? {
        NetAddr::Ipv4(_, 0) | NetAddr::Ipv6(_, 0) | NetAddr::Dns(_, 0) => Err(OptionError::new(
            setting,
            "port 0: give the port of the SOCKS5 proxy",
        )),
        NetAddr::TorV3(..) | NetAddr::Unix(_) => Err(OptionError::new(
            setting,
            "is no place of a SOCKS5 proxy: write HOST[:PORT], such as 127.0.0.1:9050",
        )),
        address @ (NetAddr::Ipv4(..) | NetAddr::Ipv6(..) | NetAddr::Dns(..)) => Ok(address),
    }
}

/// It becomes part of a line.
fn password(setting: &Setting) -> Result<Password, OptionError> {
    let password = text(setting);
    if password.chars().any(char::is_control) {
        let problem = "has a control character, which no password of Tor's has";
        return Err(OptionError::new(setting, problem));
    }
    Ok(Password(password.to_owned()))
}

fn discovery(setting: &Setting) -> Result<Discovery, OptionError> {
    match text(setting).to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(Discovery::On),
        "off" | "false" | "no" | "0" => Ok(Discovery::Off),
        "auto" => Ok(Discovery::Auto),
        other => {
            let problem = format!("'{other}' is none of on, off and auto");
            Err(OptionError::new(setting, problem))
        }
    }
}

fn port(setting: &Setting) -> Result<u16, OptionError> {
    let number = text(setting).parse().ok().filter(|port| *port != 0);
    number.ok_or_else(|| {
        let problem = format!("'{}' is not a port from 1 to 65535", text(setting));
        OptionError::new(setting, problem)
    })
}

/// Everything that `addr`, `bind-addr` and `announce-addr` say; nothing when the node is to be alone.
fn addresses(settings: &Settings, network: Network) -> Result<Vec<ConnectdAddress>, OptionError> {
    let mut found: Vec<ConnectdAddress> = Vec::new();
    for setting in settings.all() {
        let (listen, announce) = match setting.name.as_str() {
            "addr" => (true, true),
            "bind-addr" => (true, false),
            "announce-addr" => (false, true),
            _ => continue,
        };
        let given = one(setting, network, listen, announce)
            .map_err(|problem| OptionError::new(setting, problem))?;
        for other in &found {
            check_both(&given, other).map_err(|problem| OptionError::new(setting, problem))?;
        }
        found.push(given);
    }
    if settings.bool("autolisten", true)? && found.is_empty() {
        found.push(ConnectdAddress {
            option: "autolisten".to_owned(),
            address: OwnAddress::Everywhere {
                port: network.lightning_port(),
                websocket: false,
            },
            listen: true,
            announce: true,
        });
    }
    if is_alone(settings) {
        found.clear();
    }
    Ok(found)
}

fn one(
    setting: &Setting,
    network: Network,
    listen: bool,
    announce: bool,
) -> Result<ConnectdAddress, String> {
    let typed = text(setting);
    let address = OwnAddress::parse(typed, network.lightning_port());
    let address = address.map_err(|error| error.to_string())?;
    let (mut listen, mut announce) = (listen, announce);
    match &address {
        OwnAddress::Everywhere { .. } if !listen => {
            return Err(format!(
                "'{typed}' is no address that others can connect to: give one"
            ));
        }
        OwnAddress::Everywhere { websocket, .. } | OwnAddress::At { websocket, .. }
            if *websocket && announce =>
        {
            return Err(format!(
                "websockets can't be announced: use --bind-addr={typed}"
            ));
        }
        OwnAddress::Everywhere { .. } => {}
        OwnAddress::At {
            address: NetAddr::TorV3(..),
            ..
        } if listen => {
            return Err(format!(
                "nobody can listen at an onion address: use --announce-addr={typed}, and --bind-addr for where Tor leads it to"
            ));
        }
        OwnAddress::At {
            address: NetAddr::Unix(_),
            ..
        } => {
            if !listen {
                return Err(format!(
                    "a unix socket can't be announced: use --bind-addr={typed}"
                ));
            }
            // A path means nothing to others.
            announce = false;
        }
        OwnAddress::At { address, .. } if !listen => check_announced(address)?,
        OwnAddress::At { .. } => {}
        OwnAddress::Name { host, port } if listen => {
            return Err(format!(
                "dns: is only for announcing: use --announce-addr={typed}, and --bind-addr={host}:{port} to listen"
            ));
        }
        OwnAddress::Name { port: 0, .. } => return Err(NO_PORT.to_owned()),
        OwnAddress::Name { .. } => {}
        // Either is wanted with the other.
        OwnAddress::Tor(_) => listen = true,
    }
    Ok(ConnectdAddress {
        option: setting.place(),
        address,
        listen,
        announce,
    })
}

const NO_PORT: &str = "port 0 can't be announced: give the port that others connect to";

fn check_announced(address: &NetAddr) -> Result<(), String> {
    let nowhere = match address {
        NetAddr::Ipv4(ip, _) => ip.is_unspecified(),
        NetAddr::Ipv6(ip, _) => ip.is_unspecified(),
        NetAddr::TorV3(..) | NetAddr::Dns(..) | NetAddr::Unix(_) => false,
    };
    if nowhere {
        return Err(format!(
            "'{address}' is no address that others can connect to: give one"
        ));
    }
    match address.port() {
        Some(0) => Err(NO_PORT.to_owned()),
        _ => Ok(()),
    }
}

/// Two addresses must not be the same or in each other's way.
fn check_both(given: &ConnectdAddress, other: &ConnectdAddress) -> Result<(), String> {
    let both_listen = given.listen && other.listen;
    let both_announce = given.announce && other.announce;
    let (address, place) = (&given.address, &other.option);
    if *address == other.address && (both_listen || both_announce) {
        return Err(format!(
            "{address} is given twice, also by {place}: leave one out"
        ));
    }
    let is_name = |own: &OwnAddress| matches!(own, OwnAddress::Name { .. });
    // BOLT 7 §The `node_announcement` Message: at most one host name is announced.
    if is_name(address) && is_name(&other.address) {
        return Err(format!(
            "only one dns: name can be announced, and {place} names {}: leave one out",
            other.address
        ));
    }
    if both_listen && let Some(port) = clash(address, &other.address) {
        return Err(format!(
            "{address} and {} (from {place}) both want port {port}: give one of them another, or leave it out",
            other.address
        ));
    }
    Ok(())
}

/// The port that two addresses can't both be listened at with.
fn clash(one: &OwnAddress, other: &OwnAddress) -> Option<u16> {
    let port = one.listening_port().filter(|port| *port != 0)?;
    if other.listening_port() != Some(port) {
        return None;
    }
    let v4 = overlap(ipv4(one), ipv4(other), Ipv4Addr::UNSPECIFIED);
    let v6 = overlap(ipv6(one), ipv6(other), Ipv6Addr::UNSPECIFIED);
    (v4 || v6).then_some(port)
}

fn overlap<T: PartialEq>(one: Option<T>, other: Option<T>, all: T) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other || one == all || other == all,
        _ => false,
    }
}

/// What is listened at of IPv4. What a name stands for is not known yet.
fn ipv4(address: &OwnAddress) -> Option<Ipv4Addr> {
    match address {
        OwnAddress::Everywhere { .. } => Some(Ipv4Addr::UNSPECIFIED),
        OwnAddress::At {
            address: NetAddr::Ipv4(ip, _),
            ..
        } => Some(*ip),
        OwnAddress::At { .. } | OwnAddress::Name { .. } | OwnAddress::Tor(_) => None,
    }
}

/// See [`ipv4`].
fn ipv6(address: &OwnAddress) -> Option<Ipv6Addr> {
    match address {
        OwnAddress::Everywhere { .. } => Some(Ipv6Addr::UNSPECIFIED),
        OwnAddress::At {
            address: NetAddr::Ipv6(ip, _),
            ..
        } => Some(*ip),
        OwnAddress::At { .. } | OwnAddress::Name { .. } | OwnAddress::Tor(_) => None,
    }
}

#[cfg(test)]
#[path = "networking_tests.rs"]
mod tests;

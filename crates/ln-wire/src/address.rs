//! Addresses of nodes.

use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::BASE32_NOPAD;
use ln_codec::{Decode, DecodeError, Encode, Fill, Reader};
use ln_types::NetAddr;

/// Where a node can be reached.
///
/// BOLT 7 §The `node_announcement` Message: an address descriptor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeAddress {
    /// Type 1.
    Ipv4 {
        /// The address.
        ip: Ipv4Addr,
        /// The TCP port.
        port: u16,
    },
    /// Type 2.
    Ipv6 {
        /// The address.
        ip: Ipv6Addr,
        /// The TCP port.
        port: u16,
    },
    /// Type 3: a Tor v2 service. Nobody can connect to one any more.
    TorV2 {
        /// The service's identifier.
        onion_addr: [u8; 10],
        /// The port.
        port: u16,
    },
    /// Type 4: a Tor v3 service.
    TorV3 {
        /// The key, checksum and version.
        onion_addr: [u8; 35],
        /// The port.
        port: u16,
    },
    /// Type 5: a name to look up.
    Dns {
        /// ASCII, at most 255 bytes.
        hostname: String,
        /// The TCP port.
        port: u16,
    },
}

impl NodeAddress {
    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Self::Ipv4 { port, .. }
            | Self::Ipv6 { port, .. }
            | Self::TorV2 { port, .. }
            | Self::TorV3 { port, .. }
            | Self::Dns { port, .. } => *port,
        }
    }
}

impl NodeAddress {
    /// The address as the rest of the node knows it; `None` for a Tor v2 service, which nobody can reach.
    pub fn to_net_addr(&self) -> Option<NetAddr> {
        Some(match self {
            Self::Ipv4 { ip, port } => NetAddr::Ipv4(*ip, *port),
            Self::Ipv6 { ip, port } => NetAddr::Ipv6(*ip, *port),
            Self::TorV2 { .. } => return None,
            Self::TorV3 { onion_addr, port } => {
                let name = BASE32_NOPAD.encode(onion_addr).to_ascii_lowercase();
                NetAddr::TorV3(format!("{name}.onion"), *port)
            }
            Self::Dns { hostname, port } => NetAddr::Dns(hostname.clone(), *port),
        })
    }

    /// The descriptor of an address; `None` for what can't be announced (a unix socket, an onion name that is none).
    pub fn from_net_addr(address: &NetAddr) -> Option<Self> {
        Some(match address {
            NetAddr::Ipv4(ip, port) => Self::Ipv4 {
                ip: *ip,
                port: *port,
            },
            NetAddr::Ipv6(ip, port) => Self::Ipv6 {
                ip: *ip,
                port: *port,
            },
            NetAddr::TorV3(host, port) => {
                let name = host.strip_suffix(".onion")?.to_ascii_uppercase();
                let bytes = BASE32_NOPAD.decode(name.as_bytes()).ok()?;
                Self::TorV3 {
                    onion_addr: bytes.try_into().ok()?,
                    port: *port,
                }
            }
            NetAddr::Dns(hostname, port) => {
                let hostname = hostname.clone();
                let fits = hostname.is_ascii() && hostname.len() <= 255;
                return fits.then_some(Self::Dns {
                    hostname,
                    port: *port,
                });
            }
            NetAddr::Unix(_) => return None,
        })
    }
}

impl Encode for NodeAddress {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ipv4 { ip, port } => (1_u8, (ip.octets(), *port)).encode(out),
            Self::Ipv6 { ip, port } => (2_u8, (ip.octets(), *port)).encode(out),
            Self::TorV2 { onion_addr, port } => (3_u8, (*onion_addr, *port)).encode(out),
            Self::TorV3 { onion_addr, port } => (4_u8, (*onion_addr, *port)).encode(out),
            Self::Dns { hostname, port } => {
                let bytes = hostname.as_bytes();
                let bytes = bytes.get(..255).unwrap_or(bytes);
                5_u8.encode(out);
                u8::try_from(bytes.len())
                    .expect("cut to 255 above")
                    .encode(out);
                out.extend_from_slice(bytes);
                port.encode(out);
            }
        }
    }
}

impl Decode for NodeAddress {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::decode(reader)? {
            1 => {
                let ip = Ipv4Addr::from(reader.array::<4>()?);
                let port = u16::decode(reader)?;
                Ok(Self::Ipv4 { ip, port })
            }
            2 => {
                let ip = Ipv6Addr::from(reader.array::<16>()?);
                let port = u16::decode(reader)?;
                Ok(Self::Ipv6 { ip, port })
            }
            3 => {
                let onion_addr = reader.array()?;
                let port = u16::decode(reader)?;
                Ok(Self::TorV2 { onion_addr, port })
            }
            4 => {
                let onion_addr = reader.array()?;
                let port = u16::decode(reader)?;
                Ok(Self::TorV3 { onion_addr, port })
            }
            5 => {
                let length = usize::from(u8::decode(reader)?);
                let hostname = reader.take(length)?;
                // BOLT 7 §The `node_announcement` Message: a hostname is ASCII.
                if !hostname.is_ascii() {
                    return Err(DecodeError::Invalid { what: "hostname" });
                }
                let hostname = String::from_utf8_lossy(hostname).into_owned();
                let port = u16::decode(reader)?;
                Ok(Self::Dns { hostname, port })
            }
            tag => Err(DecodeError::UnknownTag {
                what: "address descriptor",
                tag: u64::from(tag),
            }),
        }
    }
}

/// One address that is the whole record, as in `init`'s `remote_addr`.
impl Fill for NodeAddress {
    fn encode_fill(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
    fn decode_fill(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode(reader)
    }
}

/// The addresses of a `node_announcement`, kept as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct NodeAddresses(
    /// The bytes of `addresses`.
    pub Vec<u8>,
);

impl NodeAddresses {
    /// The descriptors up to the first of an unknown type; a descriptor that the bytes end in is an error.
    // BOLT 7 §The `node_announcement` Message: the first descriptor of an unknown type is ignored (with all after it).
    pub fn parse(&self) -> Result<Vec<NodeAddress>, DecodeError> {
        let mut reader = Reader::new(&self.0);
        let mut addresses = Vec::new();
        while reader
            .peek()
            .first()
            .is_some_and(|tag| (1..=5).contains(tag))
        {
            addresses.push(NodeAddress::decode(&mut reader)?);
        }
        Ok(addresses)
    }
}

impl FromIterator<NodeAddress> for NodeAddresses {
    fn from_iter<I: IntoIterator<Item = NodeAddress>>(addresses: I) -> Self {
        let mut bytes = Vec::new();
        for address in addresses {
            address.encode(&mut bytes);
        }
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_after_an_unknown_type_are_ignored() {
        let known = NodeAddress::Ipv4 {
            ip: Ipv4Addr::LOCALHOST,
            port: 9735,
        };
        let mut list = NodeAddresses::from_iter([known.clone()]);
        list.0.extend_from_slice(&[77, 1, 2, 3]);
        assert_eq!(list.parse(), Ok(vec![known]));
    }

    #[test]
    fn addresses_survive_the_way_to_net_addr_and_back() {
        for text in [
            "127.0.0.1:9735",
            "[2001:db8::1]:1",
            "example.org:2",
            "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion:3",
        ] {
            let address: NetAddr = text.parse().unwrap();
            let descriptor = NodeAddress::from_net_addr(&address).unwrap();
            assert_eq!(descriptor.to_net_addr(), Some(address));
            assert_eq!(
                NodeAddress::from_bytes(&descriptor.to_bytes()),
                Ok(descriptor)
            );
        }
    }

    #[test]
    fn a_cut_address_is_an_error() {
        assert!(NodeAddresses(vec![1, 127, 0, 0]).parse().is_err());
        assert!(NodeAddresses(vec![5, 9, b'a']).parse().is_err());
        assert!(NodeAddresses(vec![5, 1, 0xc3, 0, 1]).parse().is_err());
    }
}

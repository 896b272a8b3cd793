//! Which addresses are worth telling.

use std::net::{Ipv4Addr, Ipv6Addr};

use ln_types::NetAddr;

/// Whether an IP address can be reached from everywhere. `local_counts` is for private chains, where loopback is all there is.
pub(crate) fn is_public(address: &NetAddr, local_counts: bool) -> bool {
    match address {
        NetAddr::Ipv4(ip, _) => is_public_v4(*ip) || (local_counts && ip.is_loopback()),
        NetAddr::Ipv6(ip, _) => is_public_v6(*ip) || (local_counts && ip.is_loopback()),
        NetAddr::TorV3(..) | NetAddr::Dns(..) | NetAddr::Unix(_) => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_not_told() {
        let public = |text: &str| is_public(&text.parse().unwrap(), false);
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
        assert!(is_public(&"127.0.0.1:1".parse().unwrap(), true));
        assert!(!is_public(&"10.0.0.1:1".parse().unwrap(), true));
    }
}

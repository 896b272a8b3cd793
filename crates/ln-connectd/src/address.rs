//! What others see of an address.

use std::net::UdpSocket;

use ln_types::NetAddr;

/// An address we listen at as others see it: for all addresses of this machine it is the one that it would use for a packet to far away.
/// `None` where there is no way out.
pub(crate) fn seen_from_outside(address: &NetAddr) -> Option<NetAddr> {
    // Of a range that everybody routes; nothing is sent there.
    let (from, to, port) = match address {
        NetAddr::Ipv4(ip, port) if ip.is_unspecified() => ("0.0.0.0:0", "8.8.8.8:53", *port),
        NetAddr::Ipv6(ip, port) if ip.is_unspecified() => {
            ("[::]:0", "[2001:4860:4860::8888]:53", *port)
        }
        NetAddr::Ipv4(..)
        | NetAddr::Ipv6(..)
        | NetAddr::TorV3(..)
        | NetAddr::Dns(..)
        | NetAddr::Unix(_) => return Some(address.clone()),
    };
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    let mut seen = socket.local_addr().ok()?;
    seen.set_port(port);
    Some(seen.into())
}

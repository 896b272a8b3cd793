//! Where a peer is to be found, as users write it and as replies show it.

use ln_rpc::RpcError;
use ln_rpc::methods::peers::connect::{PeerAddress, PeerAddressType};
use ln_types::NetAddr;

/// The parts of `id@host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The text of the id.
    pub(super) id: String,
    /// The host, as it was written.
    pub(super) host: Option<String>,
    /// The port.
    pub(super) port: Option<u16>,
}

/// Puts the parameters of `connect` together: what stands behind the `@` must not be given a second time.
pub(super) fn target(
    id: &str,
    host: Option<String>,
    port: Option<u16>,
) -> Result<Target, RpcError> {
    let twice = |what: &str| {
        RpcError::invalid_params(format!(
            "Can't specify {what} as both xxx@yyy and separate argument"
        ))
    };
    let Some((id, after)) = id.split_once('@') else {
        return Ok(Target {
            id: id.to_owned(),
            host,
            port,
        });
    };
    if host.is_some() {
        return Err(twice("host"));
    }
    let (at_host, at_port) =
        split(after).ok_or_else(|| RpcError::invalid_params("malformed host @part"))?;
    if at_port.is_some() && port.is_some() {
        return Err(twice("port"));
    }
    Ok(Target {
        id: id.to_owned(),
        host: Some(at_host),
        port: at_port.or(port),
    })
}

/// Splits `host`, `host:port`, `[v6]:port`, a bare IPv6 address or a path.
fn split(text: &str) -> Option<(String, Option<u16>)> {
    if text.is_empty() {
        return None;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None if after.is_empty() => None,
            None => return None,
        };
        return Some((host.to_owned(), port));
    }
    let bare = text.starts_with('/') || text.matches(':').count() != 1;
    match text.split_once(':') {
        Some((host, port)) if !bare => Some((host.to_owned(), Some(port.parse().ok()?))),
        Some(_) | None => Some((text.to_owned(), None)),
    }
}

/// An address in a reply.
pub(crate) fn shown(address: &NetAddr) -> PeerAddress {
    let kind = match address {
        // A peer is connected by the address its name stands for, which nobody told us.
        NetAddr::Ipv4(..) | NetAddr::Dns(..) => PeerAddressType::Ipv4,
        NetAddr::Ipv6(..) => PeerAddressType::Ipv6,
        NetAddr::TorV3(..) => PeerAddressType::Torv3,
        NetAddr::Unix(_) => PeerAddressType::LocalSocket,
    };
    let local = matches!(address, NetAddr::Unix(_));
    PeerAddress {
        kind,
        socket: local.then(|| address.host()),
        address: (!local).then(|| address.host()),
        port: address.port(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(id: &str) -> (String, Option<String>, Option<u16>) {
        let found = target(id, None, None).unwrap();
        (found.id, found.host, found.port)
    }

    #[test]
    fn host_and_port_are_found_behind_the_id() {
        let some = |host: &str, port| ("02ab".to_owned(), Some(host.to_owned()), port);
        assert_eq!(parts("02ab"), ("02ab".to_owned(), None, None));
        assert_eq!(parts("02ab@1.2.3.4"), some("1.2.3.4", None));
        assert_eq!(parts("02ab@host:9735"), some("host", Some(9735)));
        assert_eq!(parts("02ab@[::1]:9735"), some("::1", Some(9735)));
        assert_eq!(parts("02ab@fe80::1"), some("fe80::1", None));
        assert_eq!(parts("02ab@/tmp/a:1"), some("/tmp/a:1", None));
    }

    #[test]
    fn nothing_may_be_said_twice() {
        let error = |id: &str, host: Option<&str>, port| {
            target(id, host.map(str::to_owned), port)
                .unwrap_err()
                .message
        };
        assert!(error("a@b", Some("c"), None).starts_with("Can't specify host"));
        assert!(error("a@b:1", None, Some(2)).starts_with("Can't specify port"));
        assert_eq!(error("a@", None, None), "malformed host @part");
        assert_eq!(error("a@h:x", None, None), "malformed host @part");
        assert_eq!(target("a@b", None, Some(2)).unwrap().port, Some(2));
    }
}

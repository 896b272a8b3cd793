//! Looking host names up.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Whether names may be looked up, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup {
    allowed: bool,
    patience: Duration,
}

/// Why a name is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LookupError {
    #[error(
        "dns disabled: '{0}' is not looked up with disable-dns or always-use-proxy: give an IP address"
    )]
    Disabled(String),
    #[error(
        "the host name '{0}' can't be looked up: {1}: check its spelling and this machine's name servers"
    )]
    Failed(String, io::Error),
    #[error("the host name '{0}' has no address")]
    Nothing(String),
    #[error("looking up the host name '{0}' took too long: check this machine's name servers")]
    Slow(String),
}

impl Lookup {
    /// A name is waited for so long.
    pub(crate) fn new(allowed: bool, patience: Duration) -> Self {
        Self { allowed, patience }
    }

    /// Whether any name may be looked up.
    pub(crate) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// All addresses of a name; at least one. `localhost` needs no lookup, so it works with `disable-dns`, too.
    pub(crate) async fn find(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, LookupError> {
        let name = || host.to_owned();
        if !self.allowed && host == "localhost" {
            // The system is not asked: its files are out of reach then.
            let here = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
            return Ok(here.map(|ip: IpAddr| (ip, port).into()).to_vec());
        }
        if !self.allowed {
            return Err(LookupError::Disabled(name()));
        }
        let looking = tokio::net::lookup_host((host, port));
        let found = match tokio::time::timeout(self.patience, looking).await {
            Ok(found) => found.map_err(|error| LookupError::Failed(name(), error))?,
            Err(_elapsed) => return Err(LookupError::Slow(name())),
        };
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(LookupError::Nothing(name()));
        }
        Ok(found)
    }
}

//! Who we say we are.

use std::path::PathBuf;

use data_encoding::BASE64;

/// User and password, or the file bitcoind writes them to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Set by the operator.
    Password {
        /// The user, perhaps empty.
        user: String,
        /// The password.
        password: String,
    },
    /// Made anew by bitcoind whenever it starts.
    Cookie(PathBuf),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Password { .. } => f.write_str("Password(..)"),
            Self::Cookie(path) => f.debug_tuple("Cookie").field(path).finish(),
        }
    }
}

impl Credentials {
    /// The value of the `Authorization` header. The cookie is read each time: it changes when bitcoind restarts.
    pub(crate) fn header(&self) -> Result<String, String> {
        let pair = match self {
            Self::Password { user, password } => format!("{user}:{password}"),
            Self::Cookie(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    format!("can't read the cookie {}: {error}", path.display())
                })?;
                text.trim_end().to_owned()
            }
        };
        Ok(format!("Basic {}", BASE64.encode(pair.as_bytes())))
    }
}

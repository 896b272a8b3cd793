//! `recover`: the node was started to recover funds.

use serde::{Deserialize, Serialize};

use super::{Continue, Hook};

/// Asked when the node was started with `recover`.
pub const RECOVER: Hook<Recover, Continue> = Hook::named("recover");

/// From what the node recovers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recover {
    /// The secret, in codex32.
    pub codex32: String,
}

/// Not shown: it is the secret of everything.
impl std::fmt::Debug for Recover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recover(..)")
    }
}

//! Peers that break the rules against a node that has an honest channel, too: they are answered, and nothing else happens.

mod closing;
pub(crate) mod living;
mod normal;
mod opening;
mod peer;

//! The methods, one file each, in folders by what they are about.

mod info;
mod registry;

pub mod accounts;
pub mod channels;
pub mod control;
pub mod datastore;
pub mod developer;
pub mod gossip;
pub mod invoices;
pub mod payments;
pub mod peers;
pub mod plugins;
pub mod wallet;

pub use info::{Category, Deprecation, Method, MethodInfo, Nothing};
pub use registry::{find, registry};

pub(crate) use info::rpc_method;

//! The methods, one file each.

mod info;
mod registry;

pub mod control;
pub mod invoices;

pub use info::{Category, Deprecation, Method, MethodInfo};
pub use registry::{find, registry};

pub(crate) use info::rpc_method;

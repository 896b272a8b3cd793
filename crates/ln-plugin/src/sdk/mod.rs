//! The kit.

mod args;
mod call;
mod incoming;
mod lane;
mod method;
mod option;
mod output;
mod panic;
mod plugin;
mod reply;
mod rpc;
mod run;
#[cfg(feature = "tokio")]
mod runtime;
mod setconfig;

pub use args::Args;
pub use call::{Call, Init, NotNow};
pub use method::Method;
pub use option::{OptionValue, PluginOption};
pub use output::Log;
pub use plugin::Plugin;
pub use reply::{Asker, Responder};
pub use rpc::Rpc;

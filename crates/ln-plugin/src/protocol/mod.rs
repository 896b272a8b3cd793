//! What lightningd and a plugin say to each other.

mod hook;
mod init;
mod log;
mod manifest;
mod message;
mod option;

pub use hook::{HookDecl, HookFilter};
pub use init::{Configuration, DisableReply, FeatureSets, GetManifestParams, InitParams, Proxy};
pub use log::{LogParams, MessageParams, ProgressParams};
pub use manifest::{FeatureBits, Manifest, ManifestError, MethodDecl, TopicDecl};
pub use message::{Message, ProtocolError, glance, write_notification, write_request};
pub use option::{Deprecation, OptionDecl, OptionType};

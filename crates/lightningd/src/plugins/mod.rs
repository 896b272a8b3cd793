//! Plugins: processes that extend the node over their standard input and output.
//!
//! A plugin's life: a [`Candidate`] is found in the settings, [`process`] starts it, `getmanifest` says what it offers, [`host`] takes
//! that into its tables, `init` lets it work, and from then on it serves methods, hears of [`topics`] and is asked in hooks. When its process
//! ends by itself another takes its place ([`restart`]), and so does one with a new version of its file ([`reload`]).
//!
//! Invariant: a plugin is outside: whatever it says or fails to say ends at most itself, and the node only where the operator asked
//! for that (`important-plugin`).

mod autoreload;
mod budget;
mod builtin;
mod caller;
mod candidates;
mod complaints;
mod error;
mod events;
mod excerpt;
mod hear_log;
mod hooks;
mod host;
mod inbound;
mod life;
mod lifecycle;
mod manage;
mod manifest;
mod method;
mod options;
mod permissions;
mod process;
mod queue;
mod reading;
mod reload;
mod request_id;
mod restart;
mod restart_policy;
mod save_io;
mod shutdown;
mod stats;
mod tap;
mod topics;

pub(crate) use builtin::BUILTIN_PLUGINS;
pub(crate) use caller::{Caller, adopt_orphans};
pub(crate) use candidates::candidates;
pub(crate) use error::PluginError;
pub(crate) use hooks::{
    AcceptedHtlc, HookTimeouts, HtlcChanges, HtlcVerdict, OpeningVerdict, RequestVerdict,
};
pub(crate) use host::{HostConfig, PluginHost};
pub(crate) use manage::GivenOption;
pub(crate) use method::PluginMethod;
pub(crate) use options::{NewValue, PluginOption};
pub(crate) use permissions::Permissions;
pub(crate) use process::{PluginProcess, Stage};
pub(crate) use reload::Reload;
pub(crate) use restart_policy::RestartPolicy;

//! `dev-connectd-exhaust-fds`: what happens when no descriptors are left, without thousands of connections.

use std::io::stderr;
use std::os::fd::OwnedFd;

use ln_ipc::status::LogLevel;
use rustix::io::dup;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::shared::Shared;

/// How many descriptors may be open afterwards, unless more are open already: taking a million would only take long.
const FEW: u64 = 256;

/// Descriptors taken so that nobody else has them.
#[derive(Debug, Default)]
pub(crate) struct TakenFds(Vec<OwnedFd>);

impl TakenFds {
    /// Takes all there are.
    pub(crate) fn exhaust(&mut self, shared: &Shared) {
        let limit = Rlimit {
            current: Some(FEW),
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            let text = format!("dev_exhaust_fds: the limit can't be lowered: {error}");
            shared.log(LogLevel::Unusual, None, text);
        }
        while let Ok(taken) = dup(stderr()) {
            self.0.push(taken);
        }
        let text = "dev_exhaust_fds: expect failures".to_owned();
        shared.log(LogLevel::Unusual, None, text);
    }
}

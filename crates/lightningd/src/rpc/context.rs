//! What a handler knows of its request besides the parameters.

use std::cell::Cell;
use std::rc::Rc;

use ln_rpc::jsonrpc::{LogLevel, Stage, write_message, write_progress};
use ln_rpc::params::ParamEnv;
use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::connection::Outbox;

/// What was switched on for one connection.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    /// Whether `message` and `progress` are wanted.
    pub(crate) notifications: Cell<bool>,
    /// Whether deprecated things are allowed, if the connection said so itself.
    pub(crate) deprecations: Cell<Option<bool>>,
    /// Told when the client hangs up.
    hung_up: Notify,
    gone: Cell<bool>,
}

impl Switches {
    /// When what is returned goes, the client has gone.
    pub(super) fn until_gone(self: &Rc<Self>) -> UntilGone {
        UntilGone(Rc::clone(self))
    }
}

/// Tells of the end of a connection when it goes.
#[derive(Debug)]
pub(super) struct UntilGone(Rc<Switches>);

impl Drop for UntilGone {
    fn drop(&mut self) {
        self.0.gone.set(true);
        self.0.hung_up.notify_waiters();
    }
}

/// One request's surroundings. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The request's id as the client wrote it.
    pub(crate) id: Rc<RawValue>,
    /// The connection's switches.
    pub(crate) switches: Rc<Switches>,
    /// The way back.
    pub(crate) outbox: Outbox,
    /// Under which rules parameters are read.
    pub(crate) env: ParamEnv,
    /// Whether the client speaks as those of 2019 did, and is answered alike.
    pub(crate) is_old: bool,
}

impl Context {
    /// Waits until the client hangs up.
    pub(crate) async fn gone(&self) {
        let hung_up = self.switches.hung_up.notified();
        if !self.switches.gone.get() {
            hung_up.await;
        }
    }

    /// Tells the client something while its request is being worked on, if it wants to know.
    pub(crate) async fn message(&self, level: LogLevel, text: &str) {
        if self.switches.notifications.get() {
            let mut out = Vec::new();
            write_message(&mut out, &self.id, level, text);
            self.outbox.send(out).await;
        }
    }

    /// The same without waiting: a client that does not read misses it.
    pub(crate) fn tell_message(&self, level: LogLevel, text: &str) {
        if self.switches.notifications.get() {
            let mut out = Vec::new();
            write_message(&mut out, &self.id, level, text);
            self.outbox.offer(out);
        }
    }

    /// Tells the client how far its request is, if it wants to know.
    pub(crate) fn tell_progress(&self, num: u32, total: u32, stage: Option<Stage>) {
        if self.switches.notifications.get() {
            let mut out = Vec::new();
            write_progress(&mut out, &self.id, num, total, stage);
            self.outbox.offer(out);
        }
    }
}

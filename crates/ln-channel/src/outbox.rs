//! Collects the actions of one step in the right order around the barrier.

use ln_wire::PeerMessage;

use crate::{Action, Notice};

/// The actions of one step. Its state is made durable at most once, before the first message that needs it.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    before: Vec<Action>,
    persist: bool,
    pub(crate) notices: Vec<Notice>,
    after: Vec<Action>,
}

impl Outbox {
    /// Sends a message that needs nothing durable.
    pub(crate) fn send(&mut self, message: impl Into<PeerMessage>) {
        self.push(Action::Send(message.into()));
    }

    /// Sends a message that must not go out before the state of this step is durable.
    pub(crate) fn send_durable(&mut self, message: impl Into<PeerMessage>) {
        self.persist();
        self.after.push(Action::Send(message.into()));
    }

    /// Does something else, in order.
    pub(crate) fn push(&mut self, action: Action) {
        if self.after.is_empty() {
            self.before.push(action);
        } else {
            self.after.push(action);
        }
    }

    /// Does something once the state of this step is durable.
    pub(crate) fn push_durable(&mut self, action: Action) {
        self.persist();
        self.after.push(action);
    }

    /// Makes the state of this step durable.
    pub(crate) fn persist(&mut self) {
        self.persist = true;
    }

    /// Makes the state of this step durable, and tells the node something about it.
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.persist = true;
        self.notices.push(notice);
    }

    /// A line for the log.
    pub(crate) fn log(&mut self, line: String) {
        self.push(Action::Log(line));
    }

    /// The actions in order.
    pub(crate) fn into_actions(self) -> Vec<Action> {
        let mut actions = self.before;
        if self.persist || !self.notices.is_empty() {
            actions.push(Action::Persist(self.notices));
        }
        actions.extend(self.after);
        actions
    }
}

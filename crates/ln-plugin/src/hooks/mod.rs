//! Hooks: where lightningd asks plugins before it goes on. One file each: what it tells, and what may be answered.
//!
//! A hook is a constant, used once: `plugin.hook(HTLC_ACCEPTED, ..)`, `plugin.hook(CUSTOMMSG.filter(33001), ..)`. Members that are
//! not known are passed over when read, so newer nodes do no harm.

mod commitment_revocation;
mod custommsg;
mod db_write;
mod htlc_accepted;
mod invoice_payment;
mod openchannel;
mod peer_connected;
mod recover;
mod rpc_command;

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::protocol::{HookDecl, HookFilter};

pub use commitment_revocation::{COMMITMENT_REVOCATION, CommitmentRevocation};
pub use custommsg::{CUSTOMMSG, CustomMessage};
pub(crate) use db_write::DB_WRITE;
pub use db_write::DbWrite;
pub use htlc_accepted::{
    AcceptedHtlc, AcceptedOnion, HTLC_ACCEPTED, HtlcAccepted, HtlcAcceptedAnswer,
};
pub use invoice_payment::{INVOICE_PAYMENT, IncomingPayment, InvoicePayment, InvoicePaymentAnswer};
pub use openchannel::{ChannelType, IncomingChannel, OPENCHANNEL, OpenChannel, OpenChannelAnswer};
pub use peer_connected::{
    ConnectedPeer, Direction, PEER_CONNECTED, PeerConnected, PeerConnectedAnswer,
};
pub use recover::{RECOVER, Recover};
pub use rpc_command::{
    Command, CommandError, RPC_COMMAND, Replacement, RpcCommand, RpcCommandAnswer,
    RpcCommandOutcome,
};

/// A hook: `P` is what lightningd tells, `A` what may be answered.
#[derive(Clone)]
pub struct Hook<P, A> {
    pub(crate) name: &'static str,
    before: Vec<&'static str>,
    after: Vec<&'static str>,
    filters: Vec<HookFilter>,
    types: PhantomData<fn(P) -> A>,
}

impl<P, A> fmt::Debug for Hook<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({})", self.name)
    }
}

impl<P, A> Hook<P, A> {
    /// A hook by its name: for those that have no constant here.
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            before: Vec::new(),
            after: Vec::new(),
            filters: Vec::new(),
            types: PhantomData,
        }
    }

    /// A plugin (its file's name) that should be asked after this one.
    #[must_use]
    pub fn before(mut self, plugin: &'static str) -> Self {
        self.before.push(plugin);
        self
    }

    /// A plugin that should be asked before this one.
    #[must_use]
    pub fn after(mut self, plugin: &'static str) -> Self {
        self.after.push(plugin);
        self
    }

    /// Which calls it wants: a message type for `custommsg`, a method's name for `rpc_command`. Without any it wants all.
    #[must_use]
    pub fn filter(mut self, wanted: impl Into<HookFilter>) -> Self {
        self.filters.push(wanted.into());
        self
    }

    pub(crate) fn declaration(&self) -> HookDecl {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        HookDecl {
            name: self.name.to_owned(),
            before: owned(&self.before),
            after: owned(&self.after),
            filters: self.filters.clone(),
        }
    }
}

impl From<u16> for HookFilter {
    fn from(message_type: u16) -> Self {
        Self::Number(message_type.into())
    }
}

impl From<&str> for HookFilter {
    fn from(method: &str) -> Self {
        Self::Text(method.to_owned())
    }
}

/// The answer to a hook where nothing else can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Continue {
    /// Go on.
    #[default]
    Continue,
}

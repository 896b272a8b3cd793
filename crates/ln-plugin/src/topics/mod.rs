//! Notifications: what happens, told to those who subscribed.
//!
//! A topic is a constant: `plugin.subscribe(CONNECT, |state, told, call| ..)`, where `told` is a [`Connected`]. Topics of other plugins are
//! named: `Topic::<MyType>::named("theirs")`. Members that are not known are passed over when read.

mod channels;
mod money;
mod node;
mod payments;

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde_json::value::RawValue;

pub use crate::hooks::CustomMessage;
pub use channels::{
    CHANNEL_OPEN_FAILED, CHANNEL_OPENED, CHANNEL_STATE_CHANGED, ChannelOpenFailed, ChannelOpened,
    ChannelStateChanged,
};
pub use money::{AccountBalance, BALANCE_SNAPSHOT, BalanceSnapshot, COIN_MOVEMENT, CoinMovement};
pub use node::{
    BLOCK_ADDED, BlockAdded, CONNECT, CUSTOMMSG, Connected, DEPRECATED_ONESHOT, DISCONNECT,
    DeprecatedOneshot, Disconnected, LOG, LogLine, PLUGIN_STARTED, PLUGIN_STOPPED, PluginLife,
    WARNING,
};
pub use payments::{
    FORWARD_EVENT, ForwardEvent, INVOICE_CREATION, INVOICE_PAYMENT, InvoiceCreated, InvoicePaid,
    SENDPAY_FAILURE, SENDPAY_SUCCESS, SendpayFailure, SendpayFailureData, SendpaySuccess,
};

/// A topic: `P` is what is told.
#[derive(Clone, Copy)]
pub struct Topic<P> {
    pub(crate) name: &'static str,
    told: PhantomData<fn() -> P>,
}

impl<P> fmt::Debug for Topic<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.name)
    }
}

impl<P> Topic<P> {
    /// A topic by its name: another plugin's, or one that has no constant here.
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            told: PhantomData,
        }
    }
}

/// What a notification tells: the node puts it into a member with the topic's name, plugins may or may not.
pub(crate) fn fields<'a>(topic: &str, params: &'a str) -> &'a str {
    let members: HashMap<String, &'a RawValue> = serde_json::from_str(params).unwrap_or_default();
    match members.get(topic) {
        Some(told) if members.len() == 1 => told.get(),
        _ => params,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_found_in_both_forms() {
        assert_eq!(fields("connect", r#"{"connect":{"id":1}}"#), r#"{"id":1}"#);
        assert_eq!(fields("mine", r#"{"a":1,"mine":2}"#), r#"{"a":1,"mine":2}"#);
        assert_eq!(fields("mine", "[1]"), "[1]");
    }
}

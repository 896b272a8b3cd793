//! What lightningd said and somebody is to work on, read once and kept.

use serde_json::value::RawValue;

use crate::protocol::{Message, ProtocolError};

/// A request, or a notification if it has no id.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) id: Option<Box<RawValue>>,
    pub(super) method: String,
    pub(super) params: Option<Box<RawValue>>,
    /// The plugin that sent a notification; nothing if it is one of the node's own.
    pub(super) origin: Option<String>,
}

impl Incoming {
    /// Reads a text; nothing if it is an answer, which nobody waits for.
    pub(super) fn read(text: &str) -> Result<Option<Self>, ProtocolError> {
        Ok(match Message::parse(text)? {
            Message::Request { id, method, params } => Some(Self {
                id: Some(id.to_owned()),
                method: method.into_owned(),
                params: params.map(ToOwned::to_owned),
                origin: None,
            }),
            Message::Notification {
                method,
                params,
                origin,
            } => Some(Self {
                id: None,
                method: method.into_owned(),
                params: params.map(ToOwned::to_owned),
                origin: origin.map(Into::into),
            }),
            Message::Response { .. } => None,
        })
    }

    /// What it holds, in bytes.
    pub(super) fn size(&self) -> usize {
        let params = self.params.as_deref().map_or("", RawValue::get);
        self.method.len().saturating_add(params.len())
    }
}

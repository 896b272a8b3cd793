//! What lightningd said and somebody is to work on, read once and kept.

use serde_json::value::RawValue;

use crate::protocol::{Message, ProtocolError, glance};

/// Something that waits for somebody.
#[derive(Debug)]
pub(super) enum Incoming {
    Asked(Asked),
    Told(Told),
}

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: Box<RawValue>,
    pub(super) method: String,
    pub(super) params: Option<Box<RawValue>>,
}

/// A notification.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) topic: String,
    pub(super) params: Option<Box<str>>,
    /// The plugin that sent it; nothing if it is one of the node's own.
    pub(super) origin: Option<String>,
}

/// What takes room while it waits.
pub(super) trait Size {
    /// In bytes.
    fn size(&self) -> usize;
}

impl Size for Asked {
    fn size(&self) -> usize {
        let params = self.params.as_deref().map_or("", RawValue::get);
        self.method.len().saturating_add(params.len())
    }
}

impl Size for Told {
    fn size(&self) -> usize {
        let params = self.params.as_deref().unwrap_or_default();
        self.topic.len().saturating_add(params.len())
    }
}

impl Incoming {
    /// Reads a text; nothing if it is an answer, which nobody waits for.
    pub(super) fn read(text: &str) -> Result<Option<Self>, ProtocolError> {
        if let Some((topic, params)) = glance(text) {
            return Ok(Some(Self::Told(Told {
                topic: topic.to_owned(),
                params: Some(params.into()),
                origin: None,
            })));
        }
        Ok(match Message::parse(text)? {
            Message::Request { id, method, params } => Some(Self::Asked(Asked {
                id: id.to_owned(),
                method: method.into_owned(),
                params: params.map(ToOwned::to_owned),
            })),
            Message::Notification {
                method,
                params,
                origin,
            } => Some(Self::Told(Told {
                topic: method.into_owned(),
                params: params.map(|params| params.get().into()),
                origin: origin.map(Into::into),
            })),
            Message::Response { .. } => None,
        })
    }
}

//! Requests out, replies in.

use std::cell::RefCell;
use std::os::fd::OwnedFd;

use ln_codec::{Decode, Encode};
use ln_ipc::hsmd::{FromHsmd, ToHsmd};
use ln_ipc::{FrameError, Stream};
use ln_signer::SignerError;

/// Requests sent before their replies are read. hsmd stops reading from a client that leaves replies unread, so this must be few
/// enough for the replies to fit into a socket's buffer, whatever the kernel counts for each.
const MAX_PIPELINED: usize = 64;

/// A connection to hsmd.
#[derive(Debug)]
pub struct HsmConnection {
    stream: RefCell<Stream>,
}

/// A connection that broke can't be used again; whoever has it fails its request and reports.
fn unavailable(error: FrameError) -> SignerError {
    SignerError::Unavailable(if matches!(error, FrameError::Closed) {
        "it closed the connection, as it does after a request it refuses".to_owned()
    } else {
        error.to_string()
    })
}

impl HsmConnection {
    /// Speaks over the descriptor lightningd handed out.
    pub fn new(socket: OwnedFd) -> Self {
        Self {
            stream: RefCell::new(Stream::new(socket)),
        }
    }

    /// Sends requests and gives their replies to `pick`, in order, which takes from each what it should be.
    pub(crate) fn ask_many<T>(
        &self,
        requests: impl IntoIterator<Item = ToHsmd>,
        pick: impl Fn(FromHsmd) -> Option<T>,
    ) -> Result<Vec<T>, SignerError> {
        let requests: Vec<Vec<u8>> = requests
            .into_iter()
            .map(|request| request.to_bytes())
            .collect();
        let mut stream = self.stream.borrow_mut();
        let mut replies = Vec::with_capacity(requests.len());
        for batch in requests.chunks(MAX_PIPELINED) {
            stream.send_many(batch).map_err(unavailable)?;
            for _ in batch {
                let bytes = stream.recv_raw().map_err(unavailable)?;
                let reply = FromHsmd::from_bytes(&bytes)
                    .map_err(|error| unavailable(FrameError::Decode(error)))?;
                let (name, number) = (reply.name(), reply.number());
                replies.push(pick(reply).ok_or_else(|| {
                    SignerError::Unavailable(format!("unexpected reply {name} ({number})"))
                })?);
            }
        }
        Ok(replies)
    }

    /// Sends one request and waits for its reply.
    pub(crate) fn ask<T>(
        &self,
        request: impl Into<ToHsmd>,
        pick: impl Fn(FromHsmd) -> Option<T>,
    ) -> Result<T, SignerError> {
        self.ask_many([request.into()], pick)?
            .pop()
            .ok_or_else(|| SignerError::Unavailable("no reply".to_owned()))
    }

    /// Sends a request that has no reply.
    pub(crate) fn tell(&self, request: impl Into<ToHsmd>) -> Result<(), SignerError> {
        self.stream
            .borrow_mut()
            .send(&request.into())
            .map_err(unavailable)
    }

    /// Sends a request whose reply a descriptor follows.
    pub(crate) fn ask_for_fd(
        &self,
        request: impl Into<ToHsmd>,
        is_reply: impl Fn(FromHsmd) -> Option<()>,
    ) -> Result<OwnedFd, SignerError> {
        self.ask(request, is_reply)?;
        self.stream.borrow_mut().recv_fd().map_err(unavailable)
    }
}

/// Bytes that fit behind the 16-bit count of hsmd's messages.
pub(crate) fn counted(what: &'static str, bytes: &[u8]) -> Result<Vec<u8>, SignerError> {
    let length = bytes.len();
    u16::try_from(length)
        .map(|_| bytes.to_vec())
        .map_err(|_| SignerError::TooLong { what, length })
}

/// Takes one kind of reply.
macro_rules! reply {
    ($variant:ident) => {
        |reply| {
            if let ln_ipc::hsmd::FromHsmd::$variant(body) = reply {
                Some(body)
            } else {
                None
            }
        }
    };
}
pub(crate) use reply;

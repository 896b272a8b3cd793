//! What lightningd hears besides replies.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ln_codec::WireString;
use ln_ipc::hsmd::{HsmdStatus, HsmstatusClientBadRequest};
use ln_ipc::status::{LogLevel, Status, StatusFail, StatusLog};
use ln_ipc::{FrameError, MAX_FRAME, QueuedStream};
use ln_types::NodeId;

/// Bytes of log lines that may wait for lightningd; what comes then is lost.
const MAX_QUEUED: usize = 1 << 20;
/// How much of a bad request is shown.
const MAX_SHOWN: usize = 1024;

/// The status connection to lightningd.
#[derive(Debug)]
pub(crate) struct Reporter {
    stream: QueuedStream,
}

impl Reporter {
    pub(crate) fn new(socket: OwnedFd) -> Result<Self, FrameError> {
        Ok(Self {
            stream: QueuedStream::new(socket, MAX_FRAME)?,
        })
    }

    fn status(&mut self, status: Status) {
        if self.stream.queued_bytes() < MAX_QUEUED {
            self.stream.queue(&status);
        }
    }

    /// Writes a line to the node's log, about one peer or about none.
    pub(crate) fn log(&mut self, level: LogLevel, peer: Option<NodeId>, text: impl Into<String>) {
        self.status(
            StatusLog {
                level,
                peer,
                text: text.into(),
            }
            .into(),
        );
    }

    /// Says why hsmd ends.
    pub(crate) fn fail(&mut self, text: &str) {
        self.log(LogLevel::Broken, None, text);
        self.status(
            StatusFail {
                text: text.to_owned(),
            }
            .into(),
        );
    }

    /// Reports a request that should not have been made.
    pub(crate) fn bad_request(&mut self, peer: NodeId, reason: &str, request: &[u8]) {
        self.log(LogLevel::Broken, Some(peer), format!("{peer}: {reason}"));
        let report = HsmstatusClientBadRequest {
            id: peer,
            description: WireString(reason.to_owned()),
            msg: request.iter().take(MAX_SHOWN).copied().collect(),
        };
        if self.stream.queued_bytes() < MAX_QUEUED {
            self.stream.queue(&HsmdStatus::from(report));
        }
    }

    /// Sends what lightningd takes now.
    pub(crate) fn flush(&mut self) -> Result<(), FrameError> {
        self.stream.flush()
    }

    /// Whether something waits to be sent.
    pub(crate) fn wants_write(&self) -> bool {
        self.stream.wants_write()
    }

    /// The stream, to send the last of it.
    pub(crate) fn stream(&mut self) -> &mut QueuedStream {
        &mut self.stream
    }
}

impl AsFd for Reporter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

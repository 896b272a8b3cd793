//! One client's connection.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ln_ipc::{FrameError, QueuedStream};

use crate::dispatch::{Dispatcher, Leave, Step};
use crate::handle::Identity;
use crate::report::Reporter;

/// The requests of one client answered in a row before the others are looked at.
const MAX_TURN: usize = 256;

/// A client and its connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: QueuedStream,
    identity: Identity,
    /// Whether requests are left over from the last turn.
    backlog: bool,
}

impl From<FrameError> for Leave {
    /// A connection that breaks in whatever way is gone.
    fn from(_: FrameError) -> Self {
        Self::Gone
    }
}

impl Connection {
    pub(crate) fn new(
        socket: OwnedFd,
        max_frame: usize,
        identity: Identity,
    ) -> Result<Self, FrameError> {
        Ok(Self {
            stream: QueuedStream::new(socket, max_frame)?,
            identity,
            backlog: false,
        })
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn stream(&mut self) -> &mut QueuedStream {
        &mut self.stream
    }

    /// Whether replies wait for the client: then no request of it is read.
    pub(crate) fn wants_write(&self) -> bool {
        self.stream.wants_write()
    }

    /// Whether it can be served without waiting for its socket.
    pub(crate) fn has_backlog(&self) -> bool {
        self.backlog && !self.stream.wants_write()
    }

    /// Answers what is there, in order, within one turn. New clients are put into `newcomers`.
    pub(crate) fn serve(
        &mut self,
        dispatcher: &mut Dispatcher,
        reporter: &mut Reporter,
        newcomers: &mut Vec<Self>,
    ) -> Result<(), Leave> {
        self.stream.flush()?;
        if self.stream.wants_write() {
            return Ok(());
        }
        if !self.backlog {
            self.stream.fill()?;
        }
        self.backlog = false;
        for _ in 0..MAX_TURN {
            let Some(message) = self.stream.next_message()? else {
                return Ok(self.stream.flush()?);
            };
            match dispatcher.step(&self.identity, &message, reporter)? {
                Step::Silent => {}
                Step::Reply(reply) => self.stream.queue(&reply),
                Step::NewClient(fd, client) => {
                    self.stream.queue(&Step::new_client_reply());
                    self.stream.queue_fd(fd);
                    newcomers.push(*client);
                }
                Step::Last(reply, end) => {
                    self.stream.queue(&reply);
                    return Err(Leave::End(end));
                }
            }
        }
        self.backlog = true;
        Ok(self.stream.flush()?)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

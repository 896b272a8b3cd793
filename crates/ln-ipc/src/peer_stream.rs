//! Peer messages between connectd and the daemon of a channel.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::{FrameError, Stream};

/// The peer as a channel daemon sees it: whole, decrypted peer messages in frames.
#[derive(Debug)]
pub struct PeerStream(Stream);

impl PeerStream {
    /// Speaks over a socket whose other end connectd holds.
    pub fn new(socket: OwnedFd) -> Self {
        Self(Stream::new(socket))
    }

    /// Sends encoded peer messages, in order, with one system call.
    pub fn send(&mut self, messages: &[Vec<u8>]) -> Result<(), FrameError> {
        self.0.send_many(messages)
    }

    /// Waits for the next peer message; [`FrameError::Closed`] means the peer is gone.
    pub fn recv(&mut self) -> Result<Vec<u8>, FrameError> {
        self.0.recv_raw()
    }

    /// Whether a message can be read without waiting for the socket.
    pub fn has_message(&self) -> bool {
        self.0.has_message()
    }

    /// Reads what is left of messages read from the socket in part or whole, so that the socket can be handed to another process.
    pub fn drain(&mut self) -> Result<Vec<Vec<u8>>, FrameError> {
        let mut messages = Vec::new();
        while self.0.has_bytes() {
            messages.push(self.recv()?);
        }
        Ok(messages)
    }
}

impl AsFd for PeerStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

//! The stream as blocking daemons use it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ln_codec::{Decode, Encode};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};

use crate::frame::{FrameBuffer, FrameError, send_fd, write_frame};

/// A stream of messages between two processes, blocking.
#[derive(Debug)]
pub struct Stream {
    socket: OwnedFd,
    buffer: FrameBuffer,
}

impl Stream {
    /// Speaks over a connected unix stream socket.
    pub fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            buffer: FrameBuffer::default(),
        }
    }

    /// Two connected sockets, closed on exec.
    pub fn pair() -> Result<(OwnedFd, OwnedFd), FrameError> {
        Ok(socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?)
    }

    /// Sends one message.
    pub fn send(&mut self, message: &impl Encode) -> Result<(), FrameError> {
        self.send_raw(&message.to_bytes())
    }

    /// Sends one already encoded message.
    pub fn send_raw(&mut self, message: &[u8]) -> Result<(), FrameError> {
        let mut frame = Vec::with_capacity(message.len() + 4);
        write_frame(message, &mut frame);
        self.write_all(&frame)
    }

    /// Sends several messages with one system call.
    pub fn send_many(&mut self, messages: &[Vec<u8>]) -> Result<(), FrameError> {
        let mut frames = Vec::with_capacity(messages.iter().map(|message| message.len() + 4).sum());
        for message in messages {
            write_frame(message, &mut frames);
        }
        self.write_all(&frames)
    }

    /// Sends one message and the descriptors it announces.
    pub fn send_with_fds(
        &mut self,
        message: &impl Encode,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), FrameError> {
        self.send(message)?;
        for fd in fds {
            retry(self.socket.as_fd(), PollFlags::OUT, || {
                send_fd(self.socket.as_fd(), *fd)
            })?;
        }
        Ok(())
    }

    /// Waits for the next message.
    pub fn recv<T: Decode>(&mut self) -> Result<T, FrameError> {
        Ok(T::from_bytes(&self.recv_raw()?)?)
    }

    /// Waits for the next message and leaves it encoded.
    pub fn recv_raw(&mut self) -> Result<Vec<u8>, FrameError> {
        loop {
            if let Some(message) = self.buffer.next_frame()? {
                return Ok(message);
            }
            self.fill()?;
        }
    }

    /// Waits for the descriptor that follows the message just read.
    pub fn recv_fd(&mut self) -> Result<OwnedFd, FrameError> {
        loop {
            if let Some(fd) = self.buffer.next_fd()? {
                return Ok(fd);
            }
            self.fill()?;
        }
    }

    /// Whether a message can be read without waiting for the socket.
    pub fn has_message(&self) -> bool {
        self.buffer.has_frame()
    }

    /// Whether bytes of a message, maybe not all of it, were read from the socket and not used yet.
    pub fn has_bytes(&self) -> bool {
        self.buffer.has_bytes()
    }

    fn fill(&mut self) -> Result<(), FrameError> {
        let Self { socket, buffer } = self;
        match retry(socket.as_fd(), PollFlags::IN, || {
            buffer.fill(socket.as_fd())
        })? {
            0 => Err(FrameError::Closed),
            _ => Ok(()),
        }
    }

    fn write_all(&self, mut bytes: &[u8]) -> Result<(), FrameError> {
        while !bytes.is_empty() {
            let sent = retry(self.socket.as_fd(), PollFlags::OUT, || {
                send(&self.socket, bytes, SendFlags::NOSIGNAL)
            })?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Repeats a call that was interrupted, or whose non-blocking socket was not ready.
fn retry<T>(
    socket: BorrowedFd<'_>,
    wanted: PollFlags,
    mut call: impl FnMut() -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                poll(&mut [PollFd::from_borrowed_fd(socket, wanted)], None)?;
            }
            done => return done,
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Status, StatusBillboard};

    #[test]
    fn messages_and_descriptors_keep_their_order() {
        let (left, right) = Stream::pair().unwrap();
        let (mut left, mut right) = (Stream::new(left), Stream::new(right));
        let (one, two) = Stream::pair().unwrap();
        let billboard = |text: &str| {
            Status::from(StatusBillboard {
                permanent: false,
                text: text.to_owned(),
            })
        };
        left.send(&billboard("first")).unwrap();
        left.send_with_fds(&billboard("second"), &[one.as_fd()])
            .unwrap();
        left.send(&billboard("third")).unwrap();
        drop(one);
        assert_eq!(right.recv::<Status>().unwrap(), billboard("first"));
        assert_eq!(right.recv::<Status>().unwrap(), billboard("second"));
        let mut passed = Stream::new(right.recv_fd().unwrap());
        assert_eq!(right.recv::<Status>().unwrap(), billboard("third"));
        Stream::new(two).send(&billboard("through")).unwrap();
        assert_eq!(passed.recv::<Status>().unwrap(), billboard("through"));
        drop(left);
        assert!(matches!(right.recv_raw(), Err(FrameError::Closed)));
    }
}

//! The stream as a daemon uses it that serves many clients and may wait for none of them.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ln_codec::Encode;
use rustix::net::{SendFlags, send};
use zeroize::Zeroizing;

use crate::frame::{FrameBuffer, FrameError, send_fd, write_frame};

/// What waits to be sent.
#[derive(Debug)]
enum Queued {
    /// Frames, and how much of them was sent.
    Bytes(Zeroizing<Vec<u8>>, usize),
    /// A descriptor.
    Fd(OwnedFd),
}

/// A stream of messages that never blocks. Sent messages are wiped from memory.
#[derive(Debug)]
pub struct QueuedStream {
    socket: OwnedFd,
    buffer: FrameBuffer,
    queue: VecDeque<Queued>,
    max_frame: usize,
}

impl QueuedStream {
    /// Speaks over a connected unix stream socket, which becomes non-blocking. Messages over `max_frame` bytes are refused.
    pub fn new(socket: OwnedFd, max_frame: usize) -> Result<Self, FrameError> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(Self {
            socket,
            buffer: FrameBuffer::default(),
            queue: VecDeque::new(),
            max_frame,
        })
    }

    /// Reads what is there. Call it when the socket is readable, then take messages until there is none.
    pub fn fill(&mut self) -> Result<(), FrameError> {
        match self.buffer.fill(self.socket.as_fd()) {
            Ok(0) => Err(FrameError::Closed),
            Ok(_) => Ok(()),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The next whole message.
    pub fn next_message(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, FrameError> {
        match self.buffer.announced_length() {
            Some(length) if length > self.max_frame => Err(FrameError::TooLarge { length }),
            _ => Ok(self.buffer.next_frame()?.map(Zeroizing::new)),
        }
    }

    /// Puts a message behind all others.
    pub fn queue(&mut self, message: &impl Encode) {
        let message = Zeroizing::new(message.to_bytes());
        let last = match self.queue.back_mut() {
            Some(Queued::Bytes(bytes, _)) => bytes,
            Some(Queued::Fd(_)) | None => {
                self.queue.push_back(Queued::Bytes(Zeroizing::default(), 0));
                let Some(Queued::Bytes(bytes, _)) = self.queue.back_mut() else {
                    return;
                };
                bytes
            }
        };
        write_frame(&message, last);
    }

    /// Puts a descriptor behind all messages.
    pub fn queue_fd(&mut self, fd: OwnedFd) {
        self.queue.push_back(Queued::Fd(fd));
    }

    /// Sends what the socket takes now.
    pub fn flush(&mut self) -> Result<(), FrameError> {
        while let Some(first) = self.queue.front_mut() {
            let sent = match first {
                Queued::Bytes(bytes, start) => {
                    let rest = bytes.get(*start..).unwrap_or_default();
                    send(&self.socket, rest, SendFlags::NOSIGNAL).map(|sent| {
                        *start += sent;
                        *start >= bytes.len()
                    })
                }
                Queued::Fd(fd) => send_fd(self.socket.as_fd(), fd.as_fd()).map(|()| true),
            };
            match sent {
                Ok(true) => {
                    self.queue.pop_front();
                }
                Ok(false) | Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Whether something waits to be sent: then nothing more should be read.
    pub fn wants_write(&self) -> bool {
        !self.queue.is_empty()
    }
}

impl QueuedStream {
    /// How many bytes wait to be sent.
    pub fn queued_bytes(&self) -> usize {
        self.queue
            .iter()
            .map(|queued| match queued {
                Queued::Bytes(bytes, start) => bytes.len().saturating_sub(*start),
                Queued::Fd(_) => 1,
            })
            .sum()
    }
}

impl AsFd for QueuedStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;
    use crate::status::{Status, StatusBillboard};

    fn billboard(text: &str) -> Status {
        Status::from(StatusBillboard {
            permanent: false,
            text: text.to_owned(),
        })
    }

    #[test]
    fn nothing_blocks_and_nothing_is_lost() {
        let (left, right) = Stream::pair().unwrap();
        let mut left = QueuedStream::new(left, 1 << 20).unwrap();
        let mut right = Stream::new(right);
        let (one, two) = Stream::pair().unwrap();
        let long = "x".repeat(50_000);
        for _ in 0..50 {
            left.queue(&billboard(&long));
        }
        left.queue_fd(one);
        left.queue(&billboard("last"));
        left.flush().unwrap();
        assert!(left.wants_write());
        for _ in 0..50 {
            assert_eq!(right.recv::<Status>().unwrap(), billboard(&long));
            left.flush().unwrap();
        }
        let mut passed = Stream::new(right.recv_fd().unwrap());
        assert_eq!(right.recv::<Status>().unwrap(), billboard("last"));
        Stream::new(two).send(&billboard("through")).unwrap();
        assert_eq!(passed.recv::<Status>().unwrap(), billboard("through"));
        assert!(!left.wants_write());
        left.fill().unwrap();
        assert!(left.next_message().unwrap().is_none());
    }

    #[test]
    fn an_oversized_message_is_refused_before_it_arrives() {
        let (left, right) = Stream::pair().unwrap();
        let mut left = QueuedStream::new(left, 1000).unwrap();
        send(&right, &1001_u32.to_be_bytes(), SendFlags::empty()).unwrap();
        left.fill().unwrap();
        assert!(matches!(
            left.next_message(),
            Err(FrameError::TooLarge { length: 1001 })
        ));
    }
}

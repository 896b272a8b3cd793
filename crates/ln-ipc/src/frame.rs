//! Cutting a byte stream with passed descriptors into messages.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// The largest message between two of our processes, in bytes.
pub const MAX_FRAME: usize = 1 << 27;

/// How much is asked of the socket at once: many messages of peers, and little for a process to keep.
const CHUNK: usize = 16 * 1024;
/// Descriptors that may arrive with one chunk.
const FDS_PER_CHUNK: usize = 8;

/// Why a stream between two processes can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The socket failed.
    #[error("internal socket failed")]
    Io(#[from] io::Error),
    /// The other side closed it.
    #[error("the other process closed its socket")]
    Closed,
    /// A length prefix above [`MAX_FRAME`].
    #[error("message of {length} bytes is over the limit of {MAX_FRAME}")]
    TooLarge {
        /// The announced length.
        length: usize,
    },
    /// A message that can't be decoded.
    #[error("message can't be decoded")]
    Decode(#[from] ln_codec::DecodeError),
    /// A message announced a descriptor and none came.
    #[error("a message came without its file descriptor")]
    MissingFd,
}

impl From<rustix::io::Errno> for FrameError {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// The number of an encoded message.
pub fn message_number(message: &[u8]) -> Option<u16> {
    message
        .first_chunk()
        .map(|bytes| u16::from_be_bytes(*bytes))
}

/// Appends the frame of `message` to `out`.
pub(crate) fn write_frame(message: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(message.len()).expect("messages are below MAX_FRAME");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(message);
}

/// Received bytes and descriptors not used yet.
#[derive(Debug, Default)]
pub(crate) struct FrameBuffer {
    bytes: Vec<u8>,
    start: usize,
    fds: VecDeque<OwnedFd>,
}

impl FrameBuffer {
    /// Takes the next whole message, if it is there.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let pending = self.bytes.get(self.start..).unwrap_or_default();
        let Some((prefix, rest)) = pending.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > MAX_FRAME {
            return Err(FrameError::TooLarge { length });
        }
        let Some(message) = rest.get(..length) else {
            return Ok(None);
        };
        let message = message.to_vec();
        self.start += 4 + length;
        Ok(Some(message))
    }

    /// Takes the next descriptor and the byte that came with it, if both are there.
    pub(crate) fn next_fd(&mut self) -> Result<Option<OwnedFd>, FrameError> {
        if self.start >= self.bytes.len() {
            return Ok(None);
        }
        self.start += 1;
        self.fds.pop_front().map(Some).ok_or(FrameError::MissingFd)
    }

    /// The length of the next message, if its prefix is there.
    pub(crate) fn announced_length(&self) -> Option<usize> {
        let prefix = self.bytes.get(self.start..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*prefix)).ok()
    }

    /// Whether there are bytes not used yet.
    pub(crate) fn has_bytes(&self) -> bool {
        self.start < self.bytes.len()
    }

    /// Whether a whole message is there already.
    pub(crate) fn has_frame(&self) -> bool {
        let pending = self.bytes.get(self.start..).unwrap_or_default();
        pending
            .split_first_chunk::<4>()
            .is_some_and(|(prefix, rest)| {
                usize::try_from(u32::from_be_bytes(*prefix))
                    .is_ok_and(|length| length <= rest.len() || length > MAX_FRAME)
            })
    }

    /// Reads once from the socket; zero bytes mean it is closed.
    pub(crate) fn fill(&mut self, socket: BorrowedFd<'_>) -> rustix::io::Result<usize> {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        if self.bytes.is_empty() && self.bytes.capacity() > 2 * CHUNK {
            // A large message went through; its space is not kept.
            self.bytes = Vec::new();
        }
        let length = self.bytes.len();
        self.bytes.resize(length + CHUNK, 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_PER_CHUNK))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = {
            let tail = self.bytes.get_mut(length..).unwrap_or_default();
            recvmsg(
                socket,
                &mut [IoSliceMut::new(tail)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
        };
        let received = match received {
            Ok(received) => received,
            Err(errno) => {
                self.bytes.truncate(length);
                return Err(errno);
            }
        };
        self.bytes.truncate(length + received.bytes);
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.fds.extend(fds);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(rustix::io::Errno::MSGSIZE);
        }
        Ok(received.bytes)
    }
}

/// Sends one byte that carries a descriptor.
pub(crate) fn send_fd(socket: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let fds = [fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let byte = [0_u8];
    sendmsg(
        socket,
        &[io::IoSlice::new(&byte)],
        &mut control,
        SendFlags::NOSIGNAL,
    )
    .map(|_| ())
}

//! The stream as lightningd, connectd and gossipd use it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};

use ln_codec::{Decode, Encode};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::frame::{FrameBuffer, FrameError, send_fd, write_frame};

/// A stream of messages between two processes, for a tokio runtime.
#[derive(Debug)]
pub struct AsyncStream {
    reader: AsyncReader,
    writer: AsyncWriter,
}

/// The reading half.
#[derive(Debug)]
pub struct AsyncReader {
    socket: Arc<UnixStream>,
    buffer: FrameBuffer,
}

/// The writing half. Whole messages only: keep one writer per socket.
#[derive(Debug, Clone)]
pub struct AsyncWriter {
    socket: Arc<UnixStream>,
}

/// Ends a conversation from elsewhere. It keeps nothing open by itself.
#[derive(Debug, Clone)]
pub struct HangUp(Weak<UnixStream>);

impl HangUp {
    /// From now on nothing is written: the other side reads the end of the stream, and what it says until it hangs up can still be read.
    pub fn hang_up(&self) {
        if let Some(socket) = self.0.upgrade() {
            // One whose other side is gone has ended already.
            let _gone_already = rustix::net::shutdown(&socket, rustix::net::Shutdown::Write);
        }
    }
}

impl AsyncStream {
    /// Speaks over a connected unix stream socket. Must run inside a runtime.
    pub fn new(socket: OwnedFd) -> Result<Self, FrameError> {
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        let socket = Arc::new(UnixStream::from_std(socket)?);
        let reader = AsyncReader {
            socket: Arc::clone(&socket),
            buffer: FrameBuffer::default(),
        };
        Ok(Self {
            reader,
            writer: AsyncWriter { socket },
        })
    }

    /// The two halves.
    pub fn split(self) -> (AsyncReader, AsyncWriter) {
        (self.reader, self.writer)
    }

    /// See [`AsyncWriter::hang_up`].
    pub fn hang_up(&self) -> HangUp {
        self.writer.hang_up()
    }

    /// See [`AsyncReader::recv`].
    pub async fn recv<T: Decode>(&mut self) -> Result<T, FrameError> {
        self.reader.recv().await
    }

    /// See [`AsyncReader::recv_raw`].
    pub async fn recv_raw(&mut self) -> Result<Vec<u8>, FrameError> {
        self.reader.recv_raw().await
    }

    /// See [`AsyncReader::recv_fd`].
    pub async fn recv_fd(&mut self) -> Result<OwnedFd, FrameError> {
        self.reader.recv_fd().await
    }

    /// See [`AsyncWriter::send`].
    pub async fn send(&mut self, message: &impl Encode) -> Result<(), FrameError> {
        self.writer.send(message).await
    }

    /// See [`AsyncWriter::send_with_fds`].
    pub async fn send_with_fds(
        &mut self,
        message: &impl Encode,
        fds: &[OwnedFd],
    ) -> Result<(), FrameError> {
        self.writer
            .send_raw_with_fds(&message.to_bytes(), fds)
            .await
    }
}

impl AsyncReader {
    /// Waits for the next message. Cancel safe: what was read stays buffered.
    pub async fn recv<T: Decode>(&mut self) -> Result<T, FrameError> {
        Ok(T::from_bytes(&self.recv_raw().await?)?)
    }

    /// Waits for the next message and leaves it encoded. Cancel safe.
    pub async fn recv_raw(&mut self) -> Result<Vec<u8>, FrameError> {
        loop {
            if let Some(message) = self.buffer.next_frame()? {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    /// Waits for the descriptor that follows the message just read. Cancel safe.
    pub async fn recv_fd(&mut self) -> Result<OwnedFd, FrameError> {
        loop {
            if let Some(fd) = self.buffer.next_fd()? {
                return Ok(fd);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), FrameError> {
        let Self { socket, buffer } = self;
        let read = socket
            .async_io(Interest::READABLE, || {
                buffer.fill(socket.as_fd()).map_err(io::Error::from)
            })
            .await?;
        if read == 0 {
            Err(FrameError::Closed)
        } else {
            Ok(())
        }
    }
}

impl AsyncWriter {
    /// What ends the conversation while the writer is elsewhere.
    pub fn hang_up(&self) -> HangUp {
        HangUp(Arc::downgrade(&self.socket))
    }

    /// Sends one message.
    pub async fn send(&self, message: &impl Encode) -> Result<(), FrameError> {
        self.send_raw_with_fds(&message.to_bytes(), &[]).await
    }

    /// Sends one encoded message and the descriptors it announces. Not cancel safe.
    pub async fn send_raw_with_fds(
        &self,
        message: &[u8],
        fds: &[OwnedFd],
    ) -> Result<(), FrameError> {
        let mut frame = Vec::with_capacity(message.len() + 4);
        write_frame(message, &mut frame);
        self.write_all(&frame).await?;
        for fd in fds {
            self.send_fd(fd.as_fd()).await?;
        }
        Ok(())
    }

    /// Sends many encoded messages with as few system calls as possible. Not cancel safe.
    pub async fn send_many(&self, messages: &[Vec<u8>]) -> Result<(), FrameError> {
        let mut frames = Vec::with_capacity(messages.iter().map(|message| message.len() + 4).sum());
        for message in messages {
            write_frame(message, &mut frames);
        }
        self.write_all(&frames).await
    }

    async fn send_fd(&self, fd: BorrowedFd<'_>) -> Result<(), FrameError> {
        let socket = self.socket.as_fd();
        Ok(self
            .socket
            .async_io(Interest::WRITABLE, || {
                send_fd(socket, fd).map_err(io::Error::from)
            })
            .await?)
    }

    async fn write_all(&self, mut bytes: &[u8]) -> Result<(), FrameError> {
        while !bytes.is_empty() {
            let sent = self
                .socket
                .async_io(Interest::WRITABLE, || self.socket.try_write(bytes))
                .await?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }
}

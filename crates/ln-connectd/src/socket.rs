//! A byte stream to a peer or to a process of ours, and the buffers at both its ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ln_ipc::connectd::ConnectdDev;
use rustix::net::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::limits::CLOSE_TIME;
use crate::websocket::WebSocket;

/// How much is asked of a socket at least.
const CHUNK: usize = 16 * 1024;
/// A buffer that is empty keeps no more room than this.
const IDLE_ROOM: usize = 64 * 1024;

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Web(Box<WebSocket>),
}

impl Socket {
    /// A TCP socket, with Nagle's algorithm off: whatever is worth sending is sent now. `dev-keep-nagle` leaves it on.
    pub(crate) fn tcp(stream: TcpStream, dev: &ConnectdDev) -> io::Result<Self> {
        stream.set_nodelay(!dev.keep_nagle)?;
        Ok(Self::Tcp(stream))
    }

    /// The same connection, with the peer's bytes inside websocket messages.
    pub(crate) async fn into_websocket(self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => {
                let websocket = WebSocket::accept(stream).await?;
                Ok(Self::Web(Box::new(websocket)))
            }
            Self::Unix(_) | Self::Web(_) => Ok(self),
        }
    }

    /// Bytes that the kernel holds for us.
    pub(crate) fn unread(&self) -> u64 {
        let unread = match self {
            Self::Web(socket) => {
                let here = u64::try_from(socket.buffered()).unwrap_or(u64::MAX);
                rustix::io::ioctl_fionread(socket.tcp()).map(|below| below.saturating_add(here))
            }
            Self::Tcp(stream) => rustix::io::ioctl_fionread(stream),
            Self::Unix(stream) => rustix::io::ioctl_fionread(stream),
        };
        unread.unwrap_or_default()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if let Self::Web(socket) = self {
            return socket.poll_read(cx, into);
        }
        let mut buffer = ReadBuf::new(into);
        let polled = match self {
            Self::Web(_) => return Poll::Ready(Ok(0)),
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        };
        polled.map_ok(|()| buffer.filled().len())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Web(socket) => socket.poll_write(cx, bytes),
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Says that nothing more will come, and waits a while for the other side to close: closing at once, with bytes of theirs unread,
    /// would make the kernel throw away what they have not read yet.
    pub(crate) async fn close_gently(mut self) {
        let _ = match &self {
            Self::Tcp(stream) => rustix::net::shutdown(stream, Shutdown::Write),
            Self::Unix(stream) => rustix::net::shutdown(stream, Shutdown::Write),
            Self::Web(socket) => rustix::net::shutdown(socket.tcp(), Shutdown::Write),
        };
        let mut waste = vec![0; CHUNK];
        let discard = async {
            while std::future::poll_fn(|cx| self.poll_read(cx, &mut waste))
                .await
                .is_ok_and(|read| read > 0)
            {}
        };
        let _ = tokio::time::timeout(CLOSE_TIME, discard).await;
    }
}

/// Bytes received and not used yet.
#[derive(Debug, Default)]
pub(crate) struct InBuffer {
    /// Room; only `start..end` means something.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl InBuffer {
    /// What is there.
    pub(crate) fn pending(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// Uses up `count` bytes. They stay where they are until the next [`Self::poll_fill`].
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// `length` bytes that stand `back` bytes before the first unused one: part of what was consumed last.
    pub(crate) fn consumed(&self, back: usize, length: usize) -> &[u8] {
        let from = self.start - back;
        self.bytes.get(from..from + length).unwrap_or_default()
    }

    /// Reads once; `wanted` is how many bytes would be enough for the next step. 0 means that the other side closed.
    pub(crate) fn poll_fill(
        &mut self,
        socket: &mut Socket,
        cx: &mut Context<'_>,
        wanted: usize,
    ) -> Poll<io::Result<usize>> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = wanted.max(self.end + CHUNK);
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        let tail = self.bytes.get_mut(self.end..).unwrap_or_default();
        let polled = socket.poll_read(cx, tail);
        match &polled {
            Poll::Ready(Ok(read)) => self.end += read,
            // Idle connections hold no memory.
            Poll::Pending if self.end == 0 => self.bytes = Vec::new(),
            Poll::Ready(Err(_)) | Poll::Pending => (),
        }
        polled
    }
}

/// Bytes on their way out.
#[derive(Debug, Default)]
pub(crate) struct OutBuffer {
    /// Append here.
    pub(crate) bytes: Vec<u8>,
    start: usize,
}

impl OutBuffer {
    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Writes what the socket takes; returns whether it took anything.
    pub(crate) fn write(&mut self, socket: &mut Socket, cx: &mut Context<'_>) -> io::Result<bool> {
        let before = self.len();
        while self.len() > 0 {
            let pending = self.bytes.get(self.start..).unwrap_or_default();
            match socket.poll_write(cx, pending) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => self.start += written,
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        let written = before - self.len();
        if self.len() == 0 {
            self.start = 0;
            self.bytes.clear();
            self.bytes.shrink_to(IDLE_ROOM);
        } else if self.start > IDLE_ROOM {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        Ok(written > 0)
    }

    /// Writes everything.
    pub(crate) async fn flush(&mut self, socket: &mut Socket) -> io::Result<()> {
        std::future::poll_fn(|cx| match self.write(socket, cx) {
            Err(error) => Poll::Ready(Err(error)),
            Ok(_) if self.len() == 0 => Poll::Ready(Ok(())),
            Ok(_) => Poll::Pending,
        })
        .await
    }
}

/// Reads exactly as many bytes as `into` holds; used before a connection has its buffers.
pub(crate) async fn read_exact(socket: &mut Socket, into: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < into.len() {
        let tail = into.get_mut(filled..).unwrap_or_default();
        match std::future::poll_fn(|cx| socket.poll_read(cx, tail)).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(())
}

/// Writes all of `bytes`; used before a connection has its buffers.
pub(crate) async fn write_all(socket: &mut Socket, bytes: &[u8]) -> io::Result<()> {
    let mut out = OutBuffer::default();
    out.bytes.extend_from_slice(bytes);
    out.flush(socket).await
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_kernel_gathers_what_is_sent_only_if_developers_want_that() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        for keep_nagle in [false, true] {
            let stream = TcpStream::connect(place).await.unwrap();
            let dev = ConnectdDev {
                keep_nagle,
                ..ConnectdDev::default()
            };
            let Ok(Socket::Tcp(stream)) = Socket::tcp(stream, &dev) else {
                panic!("a TCP socket stays one");
            };
            assert_eq!(stream.nodelay().unwrap(), !keep_nagle);
        }
    }
}

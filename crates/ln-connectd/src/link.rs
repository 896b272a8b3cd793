//! A socket to the daemon of a channel: `u32` length, then a whole peer message, both ways.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use ln_wire::PeerMessage;
use tokio::net::UnixStream;

use crate::mux::LinkId;
use crate::socket::{InBuffer, OutBuffer, Socket};

/// Bytes of the length prefix.
const PREFIX: usize = 4;

/// A daemon of ours wants to send what no peer could take.
#[derive(Debug, thiserror::Error)]
#[error("message of {length} bytes is over the limit of 65535")]
pub(crate) struct TooLong {
    length: usize,
}

/// A message that was just received, in the link's buffer until the next call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    length: usize,
}

/// The connection to one daemon.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    socket: Socket,
    input: InBuffer,
    output: OutBuffer,
    wanted: usize,
    /// The daemon does not read any more.
    deaf: bool,
}

impl Link {
    /// Takes over the socket that lightningd passed.
    pub(crate) fn new(id: LinkId, socket: OwnedFd) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self {
            id,
            socket: Socket::Unix(UnixStream::from_std(socket)?),
            input: InBuffer::default(),
            output: OutBuffer::default(),
            wanted: PREFIX,
            deaf: false,
        })
    }

    /// Whether the daemon said more than was read. The kernel is asked, since the runtime may not have heard of it yet.
    pub(crate) fn has_more(&self) -> bool {
        self.socket.unread() > 0
    }

    /// Queues a message of the peer for the daemon.
    pub(crate) fn push(&mut self, message: &[u8]) {
        if self.deaf {
            return;
        }
        let length = u32::try_from(message.len()).expect("peer messages are below 64 KiB");
        self.output.bytes.extend_from_slice(&length.to_be_bytes());
        self.output.bytes.extend_from_slice(message);
    }

    /// Bytes the daemon has not taken yet.
    pub(crate) fn queued(&self) -> usize {
        self.output.len()
    }

    /// Writes what the daemon takes; returns whether it took anything.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>) -> bool {
        self.output
            .write(&mut self.socket, cx)
            .unwrap_or_else(|_closed| {
                // What it still says is read until it closes the other direction too.
                self.deaf = true;
                self.output = OutBuffer::default();
                true
            })
    }

    /// The next message of the daemon, if all of it was received.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, TooLong> {
        let pending = self.input.pending();
        let Some((prefix, rest)) = pending.split_first_chunk::<PREFIX>() else {
            self.wanted = PREFIX;
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > PeerMessage::MAX_LEN {
            return Err(TooLong { length });
        }
        if rest.len() < length {
            self.wanted = PREFIX + length;
            return Ok(None);
        }
        self.input.consume(PREFIX + length);
        Ok(Some(Frame { length }))
    }

    /// The bytes of the message just received.
    pub(crate) fn message(&self, frame: Frame) -> &[u8] {
        self.input.consumed(frame.length, frame.length)
    }

    /// Reads once from the socket; 0 means that the daemon closed.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.poll_fill(&mut self.socket, cx, self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ln_ipc::Stream;

    async fn next(link: &mut Link) -> Result<Vec<u8>, String> {
        loop {
            match link.next() {
                Err(error) => return Err(error.to_string()),
                Ok(Some(frame)) => return Ok(link.message(frame).to_vec()),
                Ok(None) => (),
            }
            let read = std::future::poll_fn(|cx| link.poll_fill(cx)).await;
            if read.unwrap() == 0 {
                return Err("closed".to_owned());
            }
        }
    }

    async fn written(link: &mut Link) {
        std::future::poll_fn(|cx| {
            if link.write(cx) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    #[tokio::test]
    async fn messages_pass_both_ways_and_too_long_ones_do_not() {
        let (ours, theirs) = Stream::pair().unwrap();
        let mut link = Link::new(LinkId(1), ours).unwrap();
        let mut daemon = Stream::new(theirs);
        daemon
            .send_many(&[vec![1; 3], vec![], vec![2; 65535]])
            .unwrap();
        assert_eq!(next(&mut link).await.unwrap(), [1; 3]);
        assert!(next(&mut link).await.unwrap().is_empty());
        assert_eq!(next(&mut link).await.unwrap(), vec![2; 65535]);
        link.push(&[3; 4]);
        link.push(&[4; 5]);
        written(&mut link).await;
        assert_eq!(daemon.recv_raw().unwrap(), [3; 4]);
        assert_eq!(daemon.recv_raw().unwrap(), [4; 5]);
        daemon.send_raw(&vec![0; 65536]).unwrap();
        assert!(next(&mut link).await.unwrap_err().contains("65536"));
    }

    #[tokio::test]
    async fn what_a_daemon_said_before_it_closed_is_read() {
        let (ours, theirs) = Stream::pair().unwrap();
        let mut link = Link::new(LinkId(1), ours).unwrap();
        let mut daemon = Stream::new(theirs);
        daemon.send_raw(b"last words").unwrap();
        drop(daemon);
        link.push(b"nobody hears this");
        written(&mut link).await;
        assert_eq!(link.queued(), 0);
        assert_eq!(next(&mut link).await.unwrap(), b"last words");
        assert_eq!(next(&mut link).await.unwrap_err(), "closed");
    }
}

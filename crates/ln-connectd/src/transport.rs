//! Whole peer messages over an encrypted socket.

use std::io;
use std::task::{Context, Poll};

use ln_noise::{Decryptor, Encryptor, HEADER_LENGTH, Next, TAG_LENGTH, TransportError};

use crate::socket::{InBuffer, OutBuffer, Socket};

/// Why a transport ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportEnd {
    #[error("peer closed connection")]
    Closed,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Crypto(#[from] TransportError),
}

/// A message that was just received, in the transport's buffer until the next call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    length: usize,
}

/// An encrypted connection.
#[derive(Debug)]
pub(crate) struct Transport {
    socket: Socket,
    encryptor: Encryptor,
    decryptor: Decryptor,
    input: InBuffer,
    output: OutBuffer,
    /// Bytes the decryptor needs before it can go on.
    wanted: usize,
}

impl Transport {
    pub(crate) fn new(socket: Socket, encryptor: Encryptor, decryptor: Decryptor) -> Self {
        Self {
            socket,
            encryptor,
            decryptor,
            input: InBuffer::default(),
            output: OutBuffer::default(),
            wanted: HEADER_LENGTH,
        }
    }

    /// Encrypts a message behind those that are on their way already.
    pub(crate) fn queue(&mut self, message: &[u8]) -> Result<(), TransportError> {
        self.encryptor.encrypt(message, &mut self.output.bytes)
    }

    /// Encrypted bytes not written yet.
    pub(crate) fn queued(&self) -> usize {
        self.output.len()
    }

    /// Writes what the socket takes; returns whether it took anything.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        self.output.write(&mut self.socket, cx)
    }

    /// Decrypts the next message, if all of it was received.
    pub(crate) fn next(&mut self) -> Result<Option<Received>, TransportError> {
        let pending = self.input.pending();
        if pending.len() < self.wanted {
            return Ok(None);
        }
        match self.decryptor.decrypt(pending)? {
            Next::Need { total } => {
                self.wanted = total;
                Ok(None)
            }
            Next::Message { message, used } => {
                let length = message.len();
                self.input.consume(used);
                self.wanted = HEADER_LENGTH;
                Ok(Some(Received { length }))
            }
        }
    }

    /// The bytes of the message just received.
    pub(crate) fn message(&self, received: Received) -> &[u8] {
        let back = received.length + TAG_LENGTH;
        self.input.consumed(back, received.length)
    }

    /// Reads once from the socket; 0 means that the peer closed.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.poll_fill(&mut self.socket, cx, self.wanted)
    }

    /// Waits for a message; used until `init` is exchanged.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, TransportEnd> {
        loop {
            if let Some(received) = self.next()? {
                return Ok(self.message(received).to_vec());
            }
            if std::future::poll_fn(|cx| self.poll_fill(cx)).await? == 0 {
                return Err(TransportEnd::Closed);
            }
        }
    }

    /// Writes all that is queued; used until `init` is exchanged.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        self.output.flush(&mut self.socket).await
    }

    /// The socket, to be closed.
    pub(crate) fn into_socket(self) -> Socket {
        self.socket
    }
}

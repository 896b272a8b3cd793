//! A peer's bytes inside the messages of the websocket protocol (RFC 6455), so that programs in browsers can be peers.
//!
//! Where messages begin and end means nothing: all bytes of all binary messages, one after the other, are what a TCP connection would carry.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

/// What a message from the peer may hold at most: two of the greatest Lightning messages, encrypted.
const MAX_RECEIVED: usize = 128 * 1024;
/// What one message of ours holds at most.
const MAX_SENT: usize = 64 * 1024;
/// Read at once from the socket.
const READ_BUFFER: usize = 16 * 1024;

/// The connection.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stream: WebSocketStream<TcpStream>,
    /// Of the last message, what was not taken yet.
    received: Bytes,
    /// Bytes handed over that the socket has not taken: the caller has not been told of them.
    sending: usize,
}

impl WebSocket {
    /// Answers a peer's HTTP request to speak the protocol. The caller sets the time limit; the request's size is bounded by the library.
    pub(crate) async fn accept(stream: TcpStream) -> io::Result<Self> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * MAX_SENT)
            .max_message_size(Some(MAX_RECEIVED))
            .max_frame_size(Some(MAX_RECEIVED));
        let accepting = tokio_tungstenite::accept_async_with_config(stream, Some(config));
        Ok(Self {
            stream: accepting.await.map_err(failure)?,
            received: Bytes::new(),
            sending: 0,
        })
    }

    /// What is below.
    pub(crate) fn tcp(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Bytes received that nobody took.
    pub(crate) fn buffered(&self) -> usize {
        self.received.len()
    }

    /// Reads what is there; 0 means that the peer closed.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while self.received.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.received = bytes,
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    let text = "the peer sent a websocket message of text, not of bytes";
                    return Poll::Ready(Err(io::Error::other(text)));
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(0)),
                Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => {
                    return Poll::Ready(Ok(0));
                }
                Some(Err(error)) => return Poll::Ready(Err(failure(error))),
            }
        }
        let count = into.len().min(self.received.len());
        let bytes = self.received.split_to(count);
        into.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Poll::Ready(Ok(count))
    }

    /// Sends some of `bytes`. They count as sent once the socket took them; until then the same bytes must be offered again, perhaps with
    /// more behind them.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.sending == 0 {
            ready!(Pin::new(&mut self.stream).poll_ready(cx)).map_err(failure)?;
            let part = bytes.get(..MAX_SENT).unwrap_or(bytes);
            let message = Message::Binary(Bytes::copy_from_slice(part));
            Pin::new(&mut self.stream)
                .start_send(message)
                .map_err(failure)?;
            self.sending = part.len();
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx)).map_err(failure)?;
        Poll::Ready(Ok(std::mem::take(&mut self.sending)))
    }
}

fn failure(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::UnexpectedEof.into(),
        error @ (Error::Tls(_)
        | Error::Capacity(_)
        | Error::Protocol(_)
        | Error::WriteBufferFull(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_)) => io::Error::other(format!("websocket: {error}")),
    }
}

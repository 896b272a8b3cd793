//! The way to the peer, with the faults that `dev-disconnect` may put on it.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use ln_ipc::status::LogLevel;
use ln_noise::TransportError;
use ln_types::{Features, NodeId};
use ln_wire::PeerMessage;

use crate::dev_disconnect::Fault;
use crate::padding::Padding;
use crate::peer::shown;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::transport::{Received, Transport};

/// The encrypted connection of one peer.
#[derive(Debug)]
pub(crate) struct Wire {
    shared: Rc<Shared>,
    id: NodeId,
    transport: Transport,
    /// Received messages are dropped.
    deaf: bool,
    /// How many more messages are sent before the rest is dropped.
    left: Option<u32>,
    /// Whether and how far what is sent is filled up.
    padding: Padding,
}

impl Wire {
    pub(crate) fn new(
        shared: Rc<Shared>,
        id: NodeId,
        transport: Transport,
        theirs: &Features,
    ) -> Self {
        Self {
            padding: Padding::new(shared.message_padding, theirs),
            shared,
            id,
            transport,
            deaf: false,
            left: None,
        }
    }

    /// Sends a message. Returns whether the connection is to be closed after what is queued.
    pub(crate) fn send(&mut self, message: &[u8]) -> bool {
        match &mut self.left {
            Some(0) => return false,
            Some(left) => *left -= 1,
            None => (),
        }
        let number = PeerMessage::peek_number(message).unwrap_or_default();
        self.log_message("peer_out", number);
        self.shared.io(LogLevel::IoOut, self.id, message);
        let fault = self.shared.fault_on_send(self.id, number);
        if !matches!(fault, Fault::CloseBefore | Fault::Drop)
            && let Err(error) = self.queue(message)
        {
            // Nobody of ours should make one; the peer is not to suffer for it.
            let text = format!("{} not sent: {error}", shown(number));
            self.shared.log(LogLevel::Broken, Some(self.id), text);
        }
        match fault {
            Fault::None | Fault::Drop => false,
            Fault::Blackhole => self.silence(0),
            Fault::DisableAfter => self.silence(1),
            Fault::CloseBefore | Fault::CloseAfter => {
                self.silence(0);
                true
            }
        }
    }

    fn queue(&mut self, message: &[u8]) -> Result<(), TransportError> {
        let before = self.transport.queued();
        self.transport.queue(message)?;
        let added = self.transport.queued().saturating_sub(before);
        self.padding.sent(added);
        Ok(())
    }

    /// Says that a message goes this way; pings and gossip are too many for that.
    fn log_message(&self, way: &str, number: u16) {
        if self.shared.log_messages && !matches!(number, 18 | 19 | 256..=258 | 261..=265) {
            self.shared
                .debug(self.id, format!("{way} {}", shown(number)));
        }
    }

    fn silence(&mut self, left: u32) -> bool {
        self.deaf = true;
        self.left = Some(left);
        false
    }

    /// Whether received messages are to be dropped.
    pub(crate) fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Encrypted bytes not written yet.
    pub(crate) fn queued(&self) -> usize {
        self.transport.queued()
    }

    /// Writes what the socket takes; returns whether it took anything. Who wants padding gets it behind what is queued.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if let Some(ping) = self.padding.wanted().filter(|_| self.left != Some(0)) {
            // A ping of this size always fits.
            let _ = self.queue(&ping);
        }
        self.transport.write(cx)
    }

    /// See [`Transport::next`].
    pub(crate) fn next(&mut self) -> Result<Option<Received>, TransportError> {
        let received = self.transport.next()?;
        if let Some(received) = received
            && (self.shared.log_messages || self.shared.log_io)
        {
            let message = self.transport.message(received);
            let number = PeerMessage::peek_number(message);
            self.log_message("peer_in", number.unwrap_or_default());
            self.shared.io(LogLevel::IoIn, self.id, message);
        }
        Ok(received)
    }

    /// See [`Transport::message`].
    pub(crate) fn message(&self, received: Received) -> &[u8] {
        self.transport.message(received)
    }

    /// See [`Transport::poll_fill`].
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.transport.poll_fill(cx)
    }

    /// The socket, to be closed.
    pub(crate) fn into_socket(self) -> Socket {
        self.transport.into_socket()
    }
}

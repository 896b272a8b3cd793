//! The way to a helper: never blocks, bounded.

use std::os::fd::OwnedFd;

use ln_codec::Encode;
use ln_ipc::AsyncWriter;
use tokio::sync::mpsc;

/// Messages waiting for a helper at most; one that reads so slowly is as good as dead.
const QUEUE: usize = 4096;

struct Outgoing {
    message: Vec<u8>,
    fds: Vec<OwnedFd>,
}

/// Sends messages to a helper. When the helper is gone, or does not read, what is sent is dropped: its end is noticed by whoever reads it.
#[derive(Debug, Clone)]
pub(crate) struct SubdSender(mpsc::Sender<Outgoing>);

impl SubdSender {
    /// Writes to `writer` from a task of its own.
    pub(crate) fn new(writer: AsyncWriter) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Outgoing>(QUEUE);
        tokio::task::spawn_local(async move {
            while let Some(Outgoing { message, fds }) = receiver.recv().await {
                if writer.send_raw_with_fds(&message, &fds).await.is_err() {
                    break;
                }
            }
        });
        Self(sender)
    }

    /// Sends one message.
    pub(crate) fn send(&self, message: &impl Encode) {
        self.send_with_fds(message, Vec::new());
    }

    /// Sends one message and its descriptors.
    pub(crate) fn send_with_fds(&self, message: &impl Encode, fds: Vec<OwnedFd>) {
        drop(self.0.try_send(Outgoing {
            message: message.to_bytes(),
            fds,
        }));
    }
}

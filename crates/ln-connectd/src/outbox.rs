//! Messages on their way to another process of ours.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ln_codec::Encode;
use ln_ipc::{AsyncWriter, FrameError};

/// A queue that always takes a message, and tells when it holds so much that its users should produce no more.
#[derive(Debug, Clone)]
pub(crate) struct Outbox(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    bytes: Cell<usize>,
    queue: RefCell<Vec<Vec<u8>>>,
    /// Wakes the writer.
    filled: tokio::sync::Notify,
    /// Wake those who wait for room.
    waiting: RefCell<Vec<Waker>>,
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Rc::new(Inner {
            limit,
            bytes: Cell::new(0),
            queue: RefCell::default(),
            filled: tokio::sync::Notify::new(),
            waiting: RefCell::default(),
        }))
    }

    /// Queues a message.
    pub(crate) fn push(&self, message: &impl Encode) {
        let bytes = message.to_bytes();
        self.0
            .bytes
            .set(self.0.bytes.get().saturating_add(bytes.len()));
        self.0.queue.borrow_mut().push(bytes);
        self.0.filled.notify_one();
    }

    /// Whether more should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.0.bytes.get() >= self.0.limit
    }

    /// Ready when there is room.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_full() {
            return Poll::Ready(());
        }
        let mut waiting = self.0.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Waits for room.
    pub(crate) async fn room(&self) {
        std::future::poll_fn(|cx| self.poll_room(cx)).await;
    }

    /// Writes everything, for ever; whatever has gathered goes out with one system call. Returns when the other process is gone.
    pub(crate) async fn write_to(&self, writer: AsyncWriter) -> FrameError {
        loop {
            let batch = std::mem::take(&mut *self.0.queue.borrow_mut());
            if batch.is_empty() {
                self.0.filled.notified().await;
                continue;
            }
            if let Err(error) = writer.send_many(&batch).await {
                return error;
            }
            let sent: usize = batch.iter().map(Vec::len).sum();
            self.0.bytes.set(self.0.bytes.get().saturating_sub(sent));
            for waker in self.0.waiting.take() {
                waker.wake();
            }
        }
    }

    /// What is queued, taken out.
    #[cfg(test)]
    pub(crate) fn take(&self) -> Vec<Vec<u8>> {
        self.0.bytes.set(0);
        self.0.queue.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ln_ipc::{AsyncStream, Stream};

    #[tokio::test]
    async fn a_full_outbox_makes_others_wait_until_it_is_written() {
        let outbox = Outbox::new(10);
        outbox.push(&vec![7_u8; 5]);
        assert!(!outbox.is_full());
        outbox.push(&vec![8_u8; 5]);
        assert!(outbox.is_full());
        let (left, right) = Stream::pair().unwrap();
        let (_, writer) = AsyncStream::new(left).unwrap().split();
        let mut reader = AsyncStream::new(right).unwrap();
        tokio::select! {
            error = outbox.write_to(writer) => panic!("{error}"),
            () = outbox.room() => (),
        }
        assert!(!outbox.is_full());
        assert_eq!(reader.recv::<Vec<u8>>().await.unwrap(), [7; 5]);
        assert_eq!(reader.recv::<Vec<u8>>().await.unwrap(), [8; 5]);
        assert!(outbox.take().is_empty());
    }
}

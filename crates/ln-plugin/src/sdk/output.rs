//! What goes to lightningd.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread;
use std::time::Duration;

use ln_rpc::jsonrpc::LogLevel;
use serde::Serialize;

use crate::protocol::{LogParams, write_notification};

/// How often a panic tries to get hold of the stream, and how long it waits between that.
const TRIES: u32 = 2000;
const PAUSE: Duration = Duration::from_millis(1);

/// The way to lightningd's log and topics. Clones write to the same stream.
#[derive(Clone)]
pub struct Log {
    stream: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log(..)")
    }
}

impl Log {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self {
            stream: Arc::new(Mutex::new(stream)),
        }
    }

    /// A log that leads nowhere: for tests of code that writes one.
    pub fn nowhere() -> Self {
        Self::new(Box::new(io::sink()))
    }

    /// Sends whole messages. A stream that is closed means that lightningd is gone, which the reader notices.
    pub(super) fn send(&self, bytes: &[u8]) {
        let mut stream = match self.stream.lock() {
            Ok(stream) => stream,
            Err(poisoned) => poisoned.into_inner(),
        };
        drop(write(&mut **stream, bytes));
    }

    /// Writes a line to the node's log.
    pub fn log(&self, level: LogLevel, message: impl Into<String>) {
        let message = message.into();
        let panic = false;
        self.notify(
            "log",
            &LogParams {
                level,
                message,
                panic,
            },
        );
    }

    /// What helps to find a bug.
    pub fn debug(&self, message: impl Into<String>) {
        self.log(LogLevel::Debug, message);
    }

    /// What an operator may want to know.
    pub fn info(&self, message: impl Into<String>) {
        self.log(LogLevel::Info, message);
    }

    /// What an operator should look at.
    pub fn unusual(&self, message: impl Into<String>) {
        self.log(LogLevel::Unusual, message);
    }

    /// A bug or a fault.
    pub fn broken(&self, message: impl Into<String>) {
        self.log(LogLevel::Broken, message);
    }

    /// Sends a notification of one of the plugin's own topics.
    pub fn notify(&self, topic: &str, params: &(impl Serialize + ?Sized)) {
        let mut bytes = Vec::new();
        if write_notification(&mut bytes, topic, params).is_ok() {
            self.send(&bytes);
        }
    }
    /// Sends a notification out of a panic. Whoever writes a message just now may end it; but the thread that panics may be the very one that
    /// writes, or that one may wait for it, so there is an end to waiting. A message that was broken off is not added to.
    pub(super) fn notify_at_last(&self, topic: &str, params: &impl Serialize) {
        let mut bytes = Vec::new();
        if write_notification(&mut bytes, topic, params).is_err() {
            return;
        }
        for _ in 0..TRIES {
            match self.stream.try_lock() {
                Ok(mut stream) => return drop(write(&mut **stream, &bytes)),
                Err(TryLockError::Poisoned(_)) => return,
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
    }
}

fn write(stream: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A stream that says when it has taken half of what it is given, and takes the rest when it may.
    struct Slow {
        taken: Arc<Mutex<Vec<u8>>>,
        half: Sender<()>,
        go_on: Receiver<()>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            self.taken.lock().unwrap().extend_from_slice(first);
            self.half.send(()).unwrap();
            self.go_on.recv().unwrap();
            self.taken.lock().unwrap().extend_from_slice(second);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_lets_a_message_be_written_to_its_end_before_it_tells() {
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let ((half, halfway), (may, go_on)) = (channel(), channel());
        let log = Log::new(Box::new(Slow {
            taken: Arc::clone(&taken),
            half,
            go_on,
        }));
        let (first, second) = (log.clone(), log);
        let writing = thread::spawn(move || first.info("x".repeat(1000)));
        halfway.recv().unwrap();
        let panicking = thread::spawn(move || second.notify_at_last("log", &"panic"));
        may.send(()).unwrap();
        halfway.recv().unwrap();
        may.send(()).unwrap();
        writing.join().unwrap();
        panicking.join().unwrap();
        let taken = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        let messages: Vec<&str> = taken.split("\n\n").collect();
        let [ordinary, panic, ""] = messages[..] else {
            panic!("two messages: {messages:?}");
        };
        for (text, part) in [(ordinary, "xxx"), (panic, "\"panic\"")] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert!(value["params"].to_string().contains(part), "{text}");
        }
    }

    #[test]
    fn a_panic_does_not_wait_for_ever() {
        let log = Log::nowhere();
        let _held = log.stream.lock().unwrap();
        log.notify_at_last("log", &"panic");
    }
}

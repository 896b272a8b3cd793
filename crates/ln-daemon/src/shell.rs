//! A helper's line to lightningd.

use std::os::fd::{AsFd, BorrowedFd};
use std::panic::PanicHookInfo;

use ln_codec::{Decode, Encode};
use ln_ipc::status::{
    LogLevel, Status, StatusBillboard, StatusFail, StatusLog, StatusPanic, StatusVersion,
};
use ln_ipc::{FrameError, Stream};
use ln_types::NodeId;

use crate::{FD_MASTER, Helper, Panic, confine, inherited, panic_if_asked};

/// The version every program of the node reports; what stands before the first dash is the Core Lightning release it can stand in for.
pub const VERSION: &str = concat!("v26.06.6-fulgurite-", env!("CARGO_PKG_VERSION"));

/// A blocking helper's connection to lightningd.
#[derive(Debug)]
pub struct Shell {
    master: Stream,
}

impl Shell {
    /// Becomes the helper `name`: takes descriptor 0, sets the process's name, reports panics and the version to lightningd.
    pub fn start(name: &str) -> Self {
        set_process_name(name);
        report_panics();
        let mut shell = Self {
            master: Stream::new(inherited(FD_MASTER, "lightningd")),
        };
        shell.status(
            &StatusVersion {
                version: VERSION.to_owned(),
            }
            .into(),
        );
        shell
    }

    /// Gives up all but the descriptors this process has by now: see [`confine`].
    pub fn confine(&mut self, helper: Helper) {
        for line in confine(helper, &[]) {
            self.log(line.level, line.text);
        }
    }

    /// Speaks over another stream: for tests that run a helper in a thread.
    pub fn over(master: Stream) -> Self {
        Self { master }
    }

    /// Sends a message of the daemon's own.
    pub fn send(&mut self, message: &impl Encode) -> Result<(), FrameError> {
        self.master.send(message)
    }

    /// Sends a message and descriptors.
    pub fn send_with_fds(
        &mut self,
        message: &impl Encode,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), FrameError> {
        self.master.send_with_fds(message, fds)
    }

    /// Waits for lightningd's next message.
    pub fn recv<T: Decode>(&mut self) -> Result<T, FrameError> {
        let message = self.master.recv();
        panic_if_asked();
        message
    }

    /// Waits for the descriptor that follows the message just read.
    pub fn recv_fd(&mut self) -> Result<std::os::fd::OwnedFd, FrameError> {
        self.master.recv_fd()
    }

    /// Whether a message can be read without waiting for the socket.
    pub fn has_message(&self) -> bool {
        self.master.has_message()
    }

    /// The underlying stream.
    pub fn master(&mut self) -> &mut Stream {
        &mut self.master
    }

    /// Writes a line to the node's log.
    pub fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        self.status(
            &StatusLog {
                level,
                peer: None,
                text: text.into(),
            }
            .into(),
        );
    }

    /// Writes a line about one peer to the node's log.
    pub fn log_peer(&mut self, level: LogLevel, peer: NodeId, text: impl Into<String>) {
        self.status(
            &StatusLog {
                level,
                peer: Some(peer),
                text: text.into(),
            }
            .into(),
        );
    }

    /// Sets a sentence for `listpeerchannels`' `status`.
    pub fn billboard(&mut self, permanent: bool, text: impl Into<String>) {
        self.status(
            &StatusBillboard {
                permanent,
                text: text.into(),
            }
            .into(),
        );
    }

    /// Ends the process because of a bug or an impossible situation.
    pub fn fail(&mut self, text: impl Into<String>) -> ! {
        self.status(&StatusFail { text: text.into() }.into());
        std::process::exit(1)
    }

    /// A status that can't be delivered means lightningd is gone; the next read notices that.
    fn status(&mut self, status: &Status) {
        let _ = self.master.send(status);
    }
}

impl AsFd for Shell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

/// Sets the name that `ps` and `pstree` show (the kernel keeps 15 bytes).
pub fn set_process_name(name: &str) {
    if let Ok(name) = std::ffi::CString::new(name) {
        let _ = rustix::thread::set_name(&name);
    }
}

/// Sends panics with a backtrace to lightningd's log, on a stream of their own so that no lock is needed.
fn report_panics() {
    let Some(master) = std::io::stdin().as_fd().try_clone_to_owned().ok() else {
        return;
    };
    let master = std::sync::Mutex::new(Stream::new(master));
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let panic = Panic::new(info);
        let status = StatusPanic {
            text: panic.to_string(),
            backtrace: panic.backtrace,
        };
        if let Ok(mut master) = master.try_lock() {
            let _ = master.send(&Status::from(status));
        }
        std::process::exit(101);
    }));
}

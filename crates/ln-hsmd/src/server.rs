//! The loop: requests in, replies out, no client waited for.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use ln_daemon::Home;
use ln_ipc::{FrameError, MAX_FRAME, QueuedStream};
use ln_signer::Capabilities;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::client_connection::Connection;
use crate::dispatch::{Dispatcher, Leave};
use crate::handle::Identity;
use crate::report::Reporter;

/// Why the loop ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// lightningd closed its connection.
    MasterGone,
    /// The secret could not be opened; lightningd was told. The number is Core Lightning's for the reason.
    NoSecret(u32),
    /// Something that must not happen; lightningd was told.
    Failed(String),
}

/// hsmd: its clients, of which lightningd is the first, and the secret once it is open.
#[derive(Debug)]
pub struct Server {
    reporter: Reporter,
    clients: Vec<Connection>,
    dispatcher: Dispatcher,
}

impl Server {
    /// Serves lightningd on `requests`, reports on `status` and keeps the secret in `directory`. A process is confined once it is open.
    pub fn new(
        status: OwnedFd,
        requests: OwnedFd,
        directory: PathBuf,
        developer: bool,
        home: Home,
    ) -> Result<Self, FrameError> {
        let lightningd = Identity {
            peer: None,
            dbid: 0,
            capabilities: Capabilities::LIGHTNINGD,
            channel: None,
        };
        Ok(Self {
            reporter: Reporter::new(status)?,
            clients: vec![Connection::new(requests, MAX_FRAME, lightningd)?],
            dispatcher: Dispatcher::new(directory, developer, home),
        })
    }

    /// Serves until lightningd is gone or nothing can be served.
    pub fn serve(mut self) -> End {
        loop {
            ln_daemon::panic_if_asked();
            if let Err(end) = self.turn() {
                if let End::Failed(text) = &end {
                    self.reporter.fail(text);
                }
                if let Some(lightningd) = self.clients.first_mut() {
                    send_rest(lightningd.stream());
                }
                send_rest(self.reporter.stream());
                return end;
            }
        }
    }

    /// Waits for something to do, and does it.
    fn turn(&mut self) -> Result<(), End> {
        let ready = self.wait()?;
        let mut newcomers = Vec::new();
        let mut leaving = Vec::new();
        for (client, ready) in self.clients.iter_mut().zip(ready) {
            let left = if ready {
                client.serve(&mut self.dispatcher, &mut self.reporter, &mut newcomers)
            } else {
                Ok(())
            };
            leaving.push(left.is_err());
            match (left, client.identity().peer) {
                (Ok(()), _) => {}
                (Err(Leave::End(end)), _) => return Err(end),
                (Err(Leave::Gone), None) => return Err(End::MasterGone),
                (Err(Leave::BadRequest { reason, .. }), None) => {
                    return Err(End::Failed(format!("bad request of lightningd: {reason}")));
                }
                (Err(Leave::Gone), Some(_)) => {}
                (Err(Leave::BadRequest { reason, request }), Some(peer)) => {
                    self.reporter.bad_request(peer, &reason, &request);
                }
            }
        }
        let mut leaving = leaving.into_iter();
        self.clients.retain(|_| !leaving.next().unwrap_or_default());
        for newcomer in newcomers {
            self.welcome(newcomer);
        }
        self.reporter.flush().map_err(|_| End::MasterGone)
    }

    /// Adds a client. One for a channel replaces the one before it.
    fn welcome(&mut self, newcomer: Connection) {
        let dbid = newcomer.identity().dbid;
        if dbid != 0 {
            self.clients.retain(|client| client.identity().dbid != dbid);
        }
        self.clients.push(newcomer);
    }

    /// Waits until something can be done, and tells for each client whether it can be served.
    fn wait(&self) -> Result<Vec<bool>, End> {
        let status = if self.reporter.wants_write() {
            PollFlags::OUT
        } else {
            PollFlags::empty()
        };
        let mut fds = vec![PollFd::new(&self.reporter, status)];
        fds.extend(self.clients.iter().map(|client| {
            let wanted = if client.wants_write() {
                PollFlags::OUT
            } else {
                PollFlags::IN
            };
            PollFd::new(client, wanted)
        }));
        let no_time = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let backlog = self.clients.iter().any(Connection::has_backlog);
        match poll(&mut fds, backlog.then_some(&no_time)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(End::Failed(format!("poll: {errno}"))),
        }
        Ok(fds
            .iter()
            .skip(1)
            .zip(&self.clients)
            .map(|(fd, client)| !fd.revents().is_empty() || client.has_backlog())
            .collect())
    }
}

/// Sends what is queued, as long as the other side reads.
fn send_rest(stream: &mut QueuedStream) {
    while stream.flush().is_ok() && stream.wants_write() {
        let mut fds = [PollFd::new(&*stream, PollFlags::OUT)];
        if poll(&mut fds, None).is_err() {
            return;
        }
    }
}

//! Ping and pong: is the peer still there?

use std::time::{Duration, Instant};

use ln_codec::Encode;
use ln_ipc::connectd::{ConnectdPing, ConnectdPingReply};
use ln_wire::{PeerMessage, Ping, Pong};

/// A peer that sent nothing for so long is asked whether it is still there.
const IDLE: Duration = Duration::from_mins(1);
/// The shortest time between two looks at the clock; a random part of up to [`CHECK_SPREAD`] is added.
const CHECK: Duration = Duration::from_secs(15);
/// See [`CHECK`].
const CHECK_SPREAD: Duration = Duration::from_secs(30);
/// A pong's bytes besides its padding: type and length.
const PONG_OVERHEAD: u16 = 4;

/// The pong we wait for.
#[derive(Debug, PartialEq, Eq)]
enum Expecting {
    Nothing,
    /// Our own probe.
    Probe,
    /// The `ping` command's, with its request number and the padding asked for.
    Command {
        request: u64,
        bytes: u16,
    },
}

/// Padding of our own probes' pongs.
const PROBE_BYTES: u16 = 1;

/// What to do when the timer fires.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Alive,
    /// Send this.
    Probe(Vec<u8>),
    /// The last ping was not answered.
    Dead,
}

/// Keeps track of one peer's pings and pongs.
#[derive(Debug)]
pub(crate) struct PingState {
    expecting: Expecting,
    last_heard: Instant,
    next_check: Option<Instant>,
}

impl PingState {
    /// `timer` is off with `dev-no-ping-timer`.
    pub(crate) fn new(now: Instant, timer: bool) -> Self {
        Self {
            expecting: Expecting::Nothing,
            last_heard: now,
            next_check: timer.then(|| now + CHECK),
        }
    }

    /// Any message shows that the peer is there.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.last_heard = now;
    }

    /// When [`Self::check`] wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next_check
    }

    /// Looks at the clock; `luck` in 0..256 spreads the looks of many peers.
    pub(crate) fn check(&mut self, now: Instant, luck: u8) -> Check {
        let spread = CHECK_SPREAD.saturating_mul(u32::from(luck)) / 256;
        self.next_check = self.next_check.map(|_| now + CHECK + spread);
        if now.saturating_duration_since(self.last_heard) < IDLE {
            return Check::Alive;
        }
        if self.expecting != Expecting::Nothing {
            return Check::Dead;
        }
        self.expecting = Expecting::Probe;
        Check::Probe(ping(PROBE_BYTES, 0))
    }

    /// A pong came. Returns the reply when the `ping` command waited for it.
    // BOLT 1 §The `ping` and `pong` Messages: a pong that answers none of our pings may end the connection; it does no harm, so it doesn't.
    pub(crate) fn on_pong(&mut self, pong: &Pong) -> Option<ConnectdPingReply> {
        let got = u16::try_from(pong.ignored.len()).unwrap_or(u16::MAX);
        match self.expecting {
            Expecting::Command { request, bytes } if bytes == got => {
                self.expecting = Expecting::Nothing;
                Some(reply(request, got.saturating_add(PONG_OVERHEAD)))
            }
            Expecting::Probe if got == PROBE_BYTES => {
                self.expecting = Expecting::Nothing;
                None
            }
            Expecting::Nothing | Expecting::Probe | Expecting::Command { .. } => None,
        }
    }

    /// The `ping` command: a message to send, or an answer at once, or both.
    pub(crate) fn command(
        &mut self,
        command: &ConnectdPing,
    ) -> (Option<Vec<u8>>, Option<ConnectdPingReply>) {
        let message = ping(command.pong_bytes, command.len);
        if message.len() > PeerMessage::MAX_LEN {
            let error = format!("a ping with {} bytes of padding does not fit", command.len);
            return (None, Some(failed(command.request, error)));
        }
        // BOLT 1 §The `ping` and `pong` Messages: from 65532 on there is no answer.
        if command.pong_bytes >= 65532 {
            return (Some(message), Some(reply(command.request, 0)));
        }
        if self.expecting != Expecting::Nothing {
            let error = "another ping is not answered yet: try again later".to_owned();
            return (None, Some(failed(command.request, error)));
        }
        self.expecting = Expecting::Command {
            request: command.request,
            bytes: command.pong_bytes,
        };
        (Some(message), None)
    }

    /// The connection ends: the answer that the `ping` command won't get.
    pub(crate) fn ended(&mut self) -> Option<ConnectdPingReply> {
        match std::mem::replace(&mut self.expecting, Expecting::Nothing) {
            Expecting::Command { request, .. } => {
                Some(failed(request, "the peer disconnected".to_owned()))
            }
            Expecting::Nothing | Expecting::Probe => None,
        }
    }
}

/// A ping message.
pub(crate) fn ping(num_pong_bytes: u16, padding: u16) -> Vec<u8> {
    let ignored = vec![0; usize::from(padding)];
    PeerMessage::from(Ping {
        num_pong_bytes,
        ignored,
    })
    .to_bytes()
}

fn reply(request: u64, total_len: u16) -> ConnectdPingReply {
    ConnectdPingReply {
        request,
        total_len,
        error: None,
    }
}

/// The answer to a ping command that can't be carried out.
pub(crate) fn failed(request: u64, error: String) -> ConnectdPingReply {
    ConnectdPingReply {
        request,
        total_len: 0,
        error: Some(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ln_codec::Decode;
    use ln_types::NodeId;

    fn command(request: u64, len: u16, pong_bytes: u16) -> ConnectdPing {
        let key = bitcoin::secp256k1::SecretKey::from_slice(&[1; 32]).unwrap();
        let secp = bitcoin::secp256k1::Secp256k1::new();
        ConnectdPing {
            id: NodeId::from(key.public_key(&secp)),
            request,
            len,
            pong_bytes,
        }
    }

    fn pong(bytes: usize) -> Pong {
        Pong {
            ignored: vec![0; bytes],
        }
    }

    #[test]
    fn an_idle_peer_is_probed_and_then_given_up() {
        let start = Instant::now();
        let mut state = PingState::new(start, true);
        assert_eq!(state.deadline(), Some(start + CHECK));
        assert_eq!(state.check(start + CHECK, 0), Check::Alive);
        let Check::Probe(message) = state.check(start + IDLE, 255) else {
            panic!("no probe")
        };
        assert_eq!(message, [0, 18, 0, 1, 0, 0]);
        assert!(state.deadline().unwrap() < start + IDLE + CHECK + CHECK_SPREAD);
        assert_eq!(state.check(start + IDLE * 2, 0), Check::Dead);
        state.heard(start + IDLE * 2);
        assert_eq!(state.check(start + IDLE * 2, 0), Check::Alive);
        assert_eq!(state.on_pong(&pong(1)), None);
        assert!(matches!(state.check(start + IDLE * 4, 0), Check::Probe(_)));
    }

    #[test]
    fn without_a_timer_nothing_is_due() {
        let now = Instant::now();
        let mut state = PingState::new(now, false);
        assert_eq!(state.check(now, 0), Check::Alive);
        assert_eq!(state.deadline(), None);
    }

    #[test]
    fn the_command_gets_the_matching_pong_only() {
        let mut state = PingState::new(Instant::now(), true);
        let (message, answer) = state.command(&command(7, 2, 5));
        assert_eq!(message.unwrap(), [0, 18, 0, 5, 0, 2, 0, 0]);
        assert_eq!(answer, None);
        assert_eq!(state.on_pong(&pong(4)), None);
        assert_eq!(state.on_pong(&pong(65531)), None);
        assert_eq!(state.on_pong(&pong(5)), Some(reply(7, 9)));
        assert_eq!(state.on_pong(&pong(5)), None);
    }

    #[test]
    fn overlapping_oversized_and_unanswerable_pings_are_answered_at_once() {
        let mut state = PingState::new(Instant::now(), true);
        let (message, answer) = state.command(&command(1, 0, 65532));
        assert!(message.is_some());
        assert_eq!(answer, Some(reply(1, 0)));
        let (message, answer) = state.command(&command(2, 65530, 0));
        assert!(message.is_none());
        assert!(answer.unwrap().error.unwrap().contains("does not fit"));
        assert!(state.command(&command(3, 0, 0)).0.is_some());
        let (message, answer) = state.command(&command(4, 0, 0));
        assert!(message.is_none());
        assert_eq!(answer.unwrap().request, 4);
        let ended = state.ended().unwrap();
        assert_eq!((ended.request, ended.error.is_some()), (3, true));
        assert_eq!(state.ended(), None);
    }

    #[test]
    fn the_longest_ping_fits() {
        let mut state = PingState::new(Instant::now(), true);
        let (message, _) = state.command(&command(1, 65529, 0));
        let message = message.unwrap();
        assert_eq!(message.len(), 65535);
        assert!(PeerMessage::from_bytes(&message).is_ok());
    }
}

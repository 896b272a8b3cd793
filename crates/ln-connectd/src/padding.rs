//! `message-padding`: who watches the connection sees pieces of one length only.

use ln_noise::{HEADER_LENGTH, TAG_LENGTH};
use ln_types::{FeatureBit, Features};
use ln_wire::Ping;

use crate::ping::ping;

/// What is sent is a multiple of this: what a TCP segment usually holds. Core Lightning's pieces have the same size.
const PIECE: usize = 1460;
/// Bytes of a ping without padding, encrypted.
const EMPTY_PING: usize = HEADER_LENGTH + 6 + TAG_LENGTH;
/// What some nodes offered while they hung up on pings that want no answer: a private feature of theirs, which has gone since.
const NO_PADDING: u16 = 154;

/// How far the last piece to a peer is filled.
#[derive(Debug)]
pub(crate) struct Padding {
    wanted: bool,
    filled: usize,
}

impl Padding {
    /// For a peer that offers these features. A peer without onion messages may be of a version that hangs up on pings that want no
    /// answer.
    pub(crate) fn new(enabled: bool, theirs: &Features) -> Self {
        let takes_it = theirs.supports(FeatureBit::OnionMessages)
            && !theirs.has_bit(NO_PADDING)
            && !theirs.has_bit(NO_PADDING + 1);
        Self {
            wanted: enabled && takes_it,
            filled: 0,
        }
    }

    /// So many more encrypted bytes are on their way.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.filled = (self.filled + bytes) % PIECE;
    }

    /// A message that fills the last piece, if it is not full.
    // BOLT 1 §The `ping` and `pong` Messages: a ping that asks for more than 65531 bytes is not answered.
    pub(crate) fn wanted(&self) -> Option<Vec<u8>> {
        if !self.wanted || self.filled == 0 {
            return None;
        }
        let rest = PIECE - self.filled;
        let missing = rest.checked_sub(EMPTY_PING);
        let missing = missing.unwrap_or(rest + PIECE - EMPTY_PING);
        Some(ping(Ping::UNANSWERED, u16::try_from(missing).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bytes: usize) -> usize {
        let mut padding = Padding::new(true, &[39].into_iter().collect());
        padding.sent(bytes);
        let Some(ping) = padding.wanted() else {
            return bytes;
        };
        let encrypted = HEADER_LENGTH + ping.len() + TAG_LENGTH;
        padding.sent(encrypted);
        assert_eq!(padding.wanted(), None);
        bytes + encrypted
    }

    #[test]
    fn everything_sent_is_a_multiple_of_a_piece() {
        for bytes in 1..=2 * PIECE {
            let sum = filled(bytes);
            assert_eq!(sum % PIECE, 0, "{bytes}");
            assert!(sum - bytes < PIECE + EMPTY_PING, "{bytes}");
        }
        assert_eq!(filled(PIECE), PIECE);
    }

    #[test]
    fn peers_that_may_mind_get_none() {
        for (enabled, features) in [(false, vec![39]), (true, vec![]), (true, vec![39, 155])] {
            let mut padding = Padding::new(enabled, &features.into_iter().collect());
            padding.sent(1);
            assert_eq!(padding.wanted(), None);
        }
    }
}

//! Gossip for one peer: what it asked for with `gossip_timestamp_filter`, at a bounded rate.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant, SystemTime};

use ln_wire::{GossipTimestampFilter, PeerMessage};

use crate::gossip_store::{Scanned, StoreCursor};
use crate::shared::Shared;
use crate::throttle::Throttle;

/// How often news are sent.
// BOLT 7 §Rebroadcasting: gossip is flushed once a minute.
const FLUSH: Duration = Duration::from_mins(1);
/// The same with `dev-fast-gossip`.
const FLUSH_FAST: Duration = Duration::from_secs(1);
/// Looking at a record costs this fraction of sending it.
const SCAN_DISCOUNT: usize = 16;
/// Messages of the peer that are remembered, at least (twice as many at most).
const REMEMBERED: usize = 10_000;

/// The stream to one peer.
#[derive(Debug)]
pub(crate) struct GossipStream {
    filter: Option<GossipTimestampFilter>,
    cursor: Option<StoreCursor>,
    /// Whether there may be something to send now.
    active: bool,
    next_flush: Option<Instant>,
    interval: Duration,
    throttle: Throttle,
    remembered: Remembered,
}

impl GossipStream {
    pub(crate) fn new(fast: bool, rate: u32, now: Instant) -> Self {
        Self {
            filter: None,
            cursor: None,
            active: false,
            next_flush: None,
            interval: if fast { FLUSH_FAST } else { FLUSH },
            throttle: Throttle::new(rate, rate, now),
            remembered: Remembered::default(),
        }
    }

    /// The peer sent this: it need not get it back.
    pub(crate) fn remember(&mut self, message: &[u8]) {
        if PeerMessage::peek_number(message).is_some_and(PeerMessage::is_gossip_number) {
            self.remembered.insert(message);
        }
    }

    /// The peer wants this from now on.
    // BOLT 7 §The `gossip_timestamp_filter` Message: 0 means all there is; the greatest value means nothing; else what is new, and we add
    // what is recent, so that a peer that was away for a moment misses nothing.
    pub(crate) fn set_filter(
        &mut self,
        filter: GossipTimestampFilter,
        shared: &Shared,
        now: Instant,
    ) {
        let store = &shared.gossip_store;
        let cursor = match filter.first_timestamp {
            u32::MAX => None,
            0 => Some(StoreCursor::new(store)),
            _ => {
                let mut mark = shared.recent_gossip.borrow_mut();
                mark.cursor(store, unix_time()).ok()
            }
        };
        self.cursor = cursor;
        self.filter = Some(filter);
        // The first answer comes at once; whoever changes its mind waits for the next flush.
        if self.next_flush.is_none() {
            self.active = true;
            self.next_flush = Some(now + self.interval);
        }
    }

    /// The next message to send, if there is one now.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Vec<u8>> {
        while self.active && self.throttle.paused_until(now).is_none() {
            let (Some(cursor), Some(filter)) = (&mut self.cursor, &self.filter) else {
                self.active = false;
                break;
            };
            match cursor.scan() {
                Ok(Scanned::Gossip { message, timestamp }) => {
                    let wanted = timestamp == 0 || filter.wants(timestamp);
                    if wanted && !self.remembered.forget(&message) {
                        self.throttle.spend(message.len(), now);
                        return Some(message);
                    }
                    self.throttle.spend(message.len() / SCAN_DISCOUNT, now);
                }
                Ok(Scanned::Skipped { bytes }) => {
                    self.throttle.spend(bytes / SCAN_DISCOUNT, now);
                }
                Ok(Scanned::End) | Err(_) => {
                    cursor.rest();
                    self.active = false;
                }
            }
        }
        None
    }

    /// When [`Self::on_timer`] is due.
    pub(crate) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let paused = self.throttle.paused_until(now).filter(|_| self.active);
        [paused, self.next_flush].into_iter().flatten().min()
    }

    /// Looks for news when it is time.
    pub(crate) fn on_timer(&mut self, now: Instant) {
        if self.next_flush.is_some_and(|flush| flush <= now) {
            self.next_flush = Some(now + self.interval);
            self.active = true;
            self.remembered.age();
        }
    }
}

fn unix_time() -> u32 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| {
        u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX)
    })
}

/// What the peer sent lately, as hashes.
#[derive(Debug, Default)]
struct Remembered {
    hasher: RandomState,
    new: HashSet<u64>,
    old: HashSet<u64>,
}

impl Remembered {
    fn insert(&mut self, message: &[u8]) {
        self.new.insert(self.hasher.hash_one(message));
        if self.new.len() >= REMEMBERED {
            self.age();
        }
    }

    fn forget(&mut self, message: &[u8]) -> bool {
        let hash = self.hasher.hash_one(message);
        self.new.remove(&hash) || self.old.remove(&hash)
    }

    fn age(&mut self) {
        self.old = std::mem::take(&mut self.new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gossip_store::CurrentStore;
    use crate::limits::STREAM_RATE;
    use ln_gossip::store::{append, new_store};
    use ln_types::Network;

    fn update(byte: u8) -> Vec<u8> {
        let mut message = vec![1, 2];
        message.extend([byte; 100]);
        message
    }

    fn filter(first_timestamp: u32, timestamp_range: u32) -> GossipTimestampFilter {
        GossipTimestampFilter {
            chain_hash: Network::Regtest.chain_hash(),
            first_timestamp,
            timestamp_range,
        }
    }

    fn stream(
        timestamps: &[u32],
        first: u32,
        range: u32,
        now: Instant,
    ) -> (tempfile::NamedTempFile, GossipStream) {
        let mut store = new_store([1; 32]);
        for (byte, timestamp) in (0..).zip(timestamps) {
            append(&mut store, &update(byte), *timestamp);
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), store).unwrap();
        let mut stream = GossipStream::new(false, STREAM_RATE, now);
        let current = CurrentStore::default();
        current.replace(std::fs::File::open(file.path()).unwrap());
        stream.cursor = (first != u32::MAX).then(|| StoreCursor::new(&current));
        stream.filter = Some(filter(first, range));
        stream.active = true;
        stream.next_flush = Some(now + FLUSH);
        (file, stream)
    }

    fn drain(stream: &mut GossipStream, now: Instant) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| stream.next(now)).collect()
    }

    #[test]
    fn only_what_the_filter_wants_is_sent() {
        let now = Instant::now();
        let (_file, mut all) = stream(&[5, 6, 0], 0, u32::MAX, now);
        assert_eq!(drain(&mut all, now), [update(0), update(1), update(2)]);
        let (_file, mut some) = stream(&[5, 6, 7, 0], 6, 1, now);
        assert_eq!(drain(&mut some, now), [update(1), update(3)]);
        let (_file, mut none) = stream(&[5, 6], u32::MAX, u32::MAX, now);
        assert!(drain(&mut none, now).is_empty());
    }

    #[test]
    fn news_wait_for_the_flush_and_the_peers_own_words_are_not_repeated() {
        let now = Instant::now();
        let (file, mut stream) = stream(&[5], 0, u32::MAX, now);
        assert_eq!(drain(&mut stream, now).len(), 1);
        let mut store = std::fs::read(file.path()).unwrap();
        append(&mut store, &update(8), 5);
        append(&mut store, &update(9), 5);
        std::fs::write(file.path(), store).unwrap();
        stream.remember(&update(8));
        assert!(drain(&mut stream, now).is_empty());
        let flush = stream.deadline(now).unwrap();
        assert_eq!(flush, now + FLUSH);
        stream.on_timer(flush);
        assert_eq!(drain(&mut stream, flush), [update(9)]);
    }

    #[test]
    fn the_rate_is_bounded() {
        let now = Instant::now();
        let (_file, mut stream) = stream(&[5; 200], 0, u32::MAX, now);
        stream.throttle = Throttle::new(1000, 1000, now);
        let first = drain(&mut stream, now).len();
        assert!(first < 12, "{first}");
        let later = stream.deadline(now).unwrap();
        assert!(later < now + Duration::from_secs(1));
        assert!(!drain(&mut stream, later + Duration::from_secs(1)).is_empty());
    }

    #[test]
    fn memory_of_the_peers_messages_is_bounded() {
        let mut remembered = Remembered::default();
        for number in 0..3 * REMEMBERED {
            remembered.insert(&number.to_be_bytes());
        }
        assert!(remembered.new.len() + remembered.old.len() <= 2 * REMEMBERED);
    }
}

//! Every bound in one place.

use std::time::Duration;

/// Encrypted bytes waiting for a peer's socket above which nothing more is produced for it.
pub(crate) const PEER_OUT_BYTES: usize = 128 * 1024;
/// Bytes waiting for a channel's daemon above which its peer is not read. A kernel socket buffer holds as much again.
pub(crate) const LINK_OUT_BYTES: usize = 256 * 1024;
/// Bytes kept for channels that nobody serves yet, per peer; above it the peer is not read.
pub(crate) const KEPT_BYTES: usize = 1024 * 1024;
/// Channels that nobody serves yet, per peer; above it the peer is not read. A peer with many channels reestablishes them all at once.
pub(crate) const KEPT_CHANNELS: usize = 256;
/// Bytes that lightningd and gossipd may have queued for one peer. Who lets that much pile up is hung up on: it is the answer to one
/// large `query_short_channel_ids`, twice.
pub(crate) const MAILBOX_BYTES: usize = 16 * 1024 * 1024;
/// Bytes waiting for lightningd above which peers are not read.
pub(crate) const MASTER_BYTES: usize = 4 * 1024 * 1024;
/// Bytes waiting for gossipd above which peers' gossip is dropped: gossip comes again, payments can't wait for it.
pub(crate) const GOSSIPD_BYTES: usize = 16 * 1024 * 1024;
/// Connections from others whose handshake is not done.
pub(crate) const HANDSHAKES: usize = 128;
/// Connections of ours being attempted at once.
pub(crate) const DIALS: usize = 64;
/// Characters of a peer's text that are passed on.
pub(crate) const TEXT_CHARS: usize = 1024;
/// How long the last messages may take when a connection ends.
pub(crate) const CLOSE_TIME: Duration = Duration::from_secs(5);
/// What isn't for a channel (gossip, pings and their pongs, custom messages): bytes at once and bytes per second.
pub(crate) const CHATTER_BURST: u32 = 4 * 1024 * 1024;
/// See [`CHATTER_BURST`].
pub(crate) const CHATTER_RATE: u32 = 2 * 1024 * 1024;
/// Gossip streamed to one peer, bytes per second.
pub(crate) const STREAM_RATE: u32 = 1_000_000;
/// The same with `dev-throttle-gossip`.
pub(crate) const STREAM_RATE_THROTTLED: u32 = 500;
/// A new connection of this age or less is not stale: when both sides dialled at once, both must keep the same one.
pub(crate) const FRESH: Duration = Duration::from_secs(2);

//! A small network for tests.

use ln_gossip::samples::{self, SampleChannel, SampleNode, amount, bytes};
use ln_gossip::{Graph, NodeKey};
use ln_types::{CltvDelta, Msat, Sat, ShortChannelId, ShortChannelIdDir};
use ln_wire::ChannelUpdate;

/// A node by its number.
pub(crate) fn node(number: u8) -> NodeKey {
    SampleNode(number).id().into()
}

/// A channel's name by its number.
pub(crate) fn scid(number: u32) -> ShortChannelId {
    ShortChannelId::new(100, number, 0).unwrap()
}

/// The direction of a channel from one node to another.
pub(crate) fn direction(channel: u32, from: u8, to: u8) -> ShortChannelIdDir {
    ShortChannelIdDir {
        scid: scid(channel),
        direction: u8::from(node(from) > node(to)),
    }
}

pub(crate) fn msat(amount: u64) -> Msat {
    Msat::from_msat(amount)
}

/// What is told of it, message by message.
pub(crate) struct Town(Vec<Vec<u8>>);

impl Town {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a channel of a million satoshi that asks for 1000 msat and 6 blocks in both directions.
    pub(crate) fn channel(self, channel: u32, a: u8, b: u8) -> Self {
        self.channel_with(channel, a, b, 1_000_000, |_| ())
    }

    /// Adds a channel of which both directions are changed.
    pub(crate) fn channel_with(
        mut self,
        channel: u32,
        a: u8,
        b: u8,
        sat: u64,
        change: impl Fn(&mut ChannelUpdate),
    ) -> Self {
        let sample = SampleChannel::new(scid(channel), SampleNode(a), SampleNode(b));
        let satoshis = Sat::from_sat(sat);
        let update = |direction| {
            let update = sample.update_with(direction, 5, |update| {
                update.fee_proportional_millionths = 0;
                update.htlc_maximum_msat = satoshis.to_msat_saturating();
                update.cltv_expiry_delta = CltvDelta(6);
                change(update);
            });
            bytes(update)
        };
        let (one, two) = (update(0), update(1));
        self.0
            .extend([sample.announcement(), amount(sat), one, two]);
        self
    }

    pub(crate) fn graph(&self) -> Graph {
        samples::graph(&self.0)
    }
}

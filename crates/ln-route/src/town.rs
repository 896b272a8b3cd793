//! A small network for tests.

use ln_gossip::samples::{SampleChannel, SampleNode, bytes};
use ln_gossip::store::{self, ChannelAmount, Records, internal_bytes};
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

/// A store that is being written.
pub(crate) struct Town(Vec<u8>);

impl Town {
    pub(crate) fn new() -> Self {
        Self(store::new_store([7; 32]))
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
        let messages = [
            sample.announcement(),
            internal_bytes(ChannelAmount { satoshis }),
            update(0),
            update(1),
        ];
        for message in messages {
            store::append(&mut self.0, &message, 0);
        }
        self
    }

    pub(crate) fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        let mut records = Records::new(&self.0[1..], 1);
        while let Some(record) = records.next_record().unwrap() {
            graph.apply(&record);
        }
        graph
    }
}

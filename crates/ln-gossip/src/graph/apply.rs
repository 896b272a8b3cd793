//! Taking one record after the other.

use ln_codec::Decode;
use ln_types::{Sat, ShortChannelId};

use super::{
    Channel, ChannelPolicy, Dying, Graph, Known, NodeKey, StoredNodeAnnouncement, Unfunded,
};
use crate::store::{InternalRecord, Record, RecordRef};
use crate::view::{ChannelAnnouncementView, ChannelUpdateView, NodeAnnouncementView};

impl Graph {
    /// Takes the next record of the store. Says whether it changed the graph: void records, unknown ones, and those about channels and
    /// nodes that are not there, do not.
    pub fn apply(&mut self, record: &Record<'_>) -> bool {
        let counts = matches!(record.number(), 256..=258);
        let used = !record.is_deleted()
            && match record.number() {
                256 => self.apply_channel_announcement(record),
                257 => self.apply_node_announcement(record),
                258 => self.apply_channel_update(record),
                _ => self.apply_internal(record),
            };
        if counts && used {
            self.live_records = self.live_records.saturating_add(1);
        } else if counts {
            self.dead_records = self.dead_records.saturating_add(1);
        }
        used
    }

    /// Notes that records which counted are void now.
    fn records_died(&mut self, count: usize) {
        self.live_records = self.live_records.saturating_sub(count);
        self.dead_records = self.dead_records.saturating_add(count);
    }

    fn apply_internal(&mut self, record: &Record<'_>) -> bool {
        match InternalRecord::from_bytes(record.message) {
            Ok(InternalRecord::ChannelAmount(amount)) => self.fund(amount.satoshis, record.at),
            Ok(InternalRecord::DeleteChannel(delete)) => self.remove(delete.scid),
            Ok(InternalRecord::ChannelDying(dying)) => {
                let end = Dying {
                    deadline: dying.blockheight,
                    record: record.at,
                };
                let channel = self.channels.get_mut(dying.scid);
                channel.is_some_and(|channel| channel.dying.replace(end).is_none())
            }
            // Not about the graph: the uuid, the end of the file, and whatever a later version adds.
            Ok(InternalRecord::Uuid(_) | InternalRecord::Ended(_)) | Err(_) => false,
        }
    }

    fn apply_channel_announcement(&mut self, record: &Record<'_>) -> bool {
        let Ok(view) = ChannelAnnouncementView::read(record.message) else {
            return false;
        };
        let channel = Channel {
            nodes: view.nodes,
            amount: Sat::ZERO,
            policies: [None, None],
            has_unknown_even_features: view.features().bits().any(|bit| bit % 2 == 0),
            dying: None,
            announcement: record.at,
            amount_record: record.at,
        };
        self.unfunded = Some(Unfunded {
            scid: view.short_channel_id,
            channel,
        });
        true
    }

    fn fund(&mut self, amount: Sat, at: RecordRef) -> bool {
        let Some(Unfunded { scid, mut channel }) = self.unfunded.take() else {
            return false;
        };
        if self.channels.get(scid).is_some() {
            return false;
        }
        channel.amount = amount;
        channel.amount_record = at;
        let [one, two] = channel.nodes;
        let place = self.channels.insert(scid, channel);
        for key in if one == two {
            vec![one]
        } else {
            vec![one, two]
        } {
            let known = self.nodes.entry(key).or_default();
            known.node.channels.push(scid);
            known.places.push(place);
        }
        true
    }

    fn remove(&mut self, scid: ShortChannelId) -> bool {
        let Some(channel) = self.channels.remove(scid) else {
            return false;
        };
        let mut died = channel.policies.iter().flatten().count().saturating_add(1);
        for key in channel.nodes {
            let Some(Known { node, places }) = self.nodes.get_mut(&key) else {
                continue;
            };
            if let Some(index) = node.channels.iter().position(|other| *other == scid) {
                node.channels.remove(index);
                places.remove(index);
            }
            if node.channels.is_empty() {
                died = died.saturating_add(node.announcement.iter().count());
                self.nodes.remove(&key);
            }
        }
        self.records_died(died);
        true
    }

    fn apply_channel_update(&mut self, record: &Record<'_>) -> bool {
        let Ok(view) = ChannelUpdateView::read(record.message) else {
            return false;
        };
        let Some(channel) = self.channels.get_mut(view.short_channel_id) else {
            return false;
        };
        let policy = ChannelPolicy {
            timestamp: view.timestamp,
            message_flags: view.message_flags,
            channel_flags: view.channel_flags,
            cltv_expiry_delta: view.cltv_expiry_delta,
            htlc_minimum_msat: view.htlc_minimum_msat,
            htlc_maximum_msat: view.htlc_maximum_msat,
            fee_base_msat: view.fee_base_msat,
            fee_proportional_millionths: view.fee_proportional_millionths,
            update: record.at,
        };
        if channel
            .policy_mut(view.direction())
            .replace(policy)
            .is_some()
        {
            self.records_died(1);
        }
        true
    }

    fn apply_node_announcement(&mut self, record: &Record<'_>) -> bool {
        let Ok(view) = NodeAnnouncementView::read(record.message) else {
            return false;
        };
        let Some(Known { node, .. }) = self.nodes.get_mut(&view.node) else {
            return false;
        };
        let announcement = StoredNodeAnnouncement {
            timestamp: view.timestamp,
            dying: record.is_dying(),
            record: record.at,
        };
        if node.announcement.replace(announcement).is_some() {
            self.records_died(1);
        }
        true
    }

    /// Notes a flag that was written to a node's announcement.
    pub(crate) fn set_node_dying(&mut self, key: NodeKey, dying: bool) {
        let announcement = self
            .nodes
            .get_mut(&key)
            .and_then(|known| known.node.announcement.as_mut());
        if let Some(announcement) = announcement {
            announcement.dying = dying;
        }
    }

    /// Notes that a node's announcement was copied to `record` and its old record is void.
    pub(crate) fn node_moved(&mut self, key: NodeKey, record: RecordRef, dying: bool) {
        let node = self.nodes.get_mut(&key);
        if let Some(announcement) = node.and_then(|known| known.node.announcement.as_mut()) {
            announcement.record = record;
            announcement.dying = dying;
            self.dead_records = self.dead_records.saturating_add(1);
        }
    }
}

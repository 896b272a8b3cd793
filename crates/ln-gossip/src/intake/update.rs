//! What nodes ask for forwarding.

use ln_types::ShortChannelIdDir;
use ln_wire::ChannelUpdate;

use super::{Action, Env, Intake, PeerPolicy, Severity, Source, WaitingUpdate};
use crate::{GossipError, verify};

/// How far ahead of us a clock may be.
const MAX_AHEAD_SECS: u32 = 24 * 3600;

fn policy(update: &ChannelUpdate, source: Source) -> Action {
    Action::PeerPolicy(PeerPolicy {
        peer: source.peer(),
        scid: update.short_channel_id,
        fee_base_msat: update.fee_base_msat,
        fee_proportional_millionths: update.fee_proportional_millionths,
        cltv_expiry_delta: update.cltv_expiry_delta,
        htlc_minimum_msat: update.htlc_minimum_msat,
        htlc_maximum_msat: update.htlc_maximum_msat,
    })
}

impl Intake {
    pub(super) fn on_channel_update(
        &mut self,
        update: ChannelUpdate,
        message: Vec<u8>,
        source: Source,
        env: &Env,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        // BOLT 7 §The `channel_update` Message: one for an unknown chain is ignored.
        if update.chain_hash != self.chain_hash {
            return Err(GossipError::WrongChain);
        }
        let timestamp = update.timestamp;
        if !self.is_reasonable(timestamp, env) {
            return Err(GossipError::UnreasonableTimestamp { timestamp });
        }
        let scid = update.short_channel_id;
        if self.pending.contains_key(&scid) || self.early.contains_key(&scid) {
            let size = message.len();
            let waiting = WaitingUpdate {
                scid,
                update,
                message,
                source,
            };
            return self.updates.push(waiting, size);
        }
        if let (None, Source::Peer(peer)) = (self.graph.channel(scid), source) {
            // BOLT 7 §The `channel_update` Message: a channel peer may send one for a channel that is not announced. It does not always
            // say so in message_flags, but it did sign it.
            if verify::channel_update(&update, peer).is_ok() {
                out.push(policy(&update, source));
                return Ok(());
            }
        }
        self.process_update(&update, message, source, env, out)
    }

    /// Whether a timestamp is neither far ahead nor as old as what is pruned.
    // BOLT 7 §The `channel_update` Message: one unreasonably far in the future may be dropped.
    pub(super) fn is_reasonable(&self, timestamp: u32, env: &Env) -> bool {
        timestamp <= env.now.saturating_add(MAX_AHEAD_SECS)
            && timestamp >= env.now.saturating_sub(self.limits.prune_secs)
    }

    pub(super) fn process_update(
        &mut self,
        update: &ChannelUpdate,
        message: Vec<u8>,
        source: Source,
        env: &Env,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        let (scid, direction) = (update.short_channel_id, update.direction());
        // BOLT 7 §The `channel_update` Message: one without an announced channel is ignored.
        let Some(channel) = self.graph.channel(scid) else {
            return Err(GossipError::UnknownChannel { scid });
        };
        let previous = channel.policy(direction).copied();
        let is_first = channel.policies.iter().all(Option::is_none);
        let (announcement, dying) = (channel.announcement, channel.dying.is_some());
        let to_us = channel.destination(direction) == self.our_id.into();
        let from_us = channel.source(direction) == self.our_id.into();
        let unknown = GossipError::UnknownChannel { scid };
        let signer = channel.source(direction).to_node_id().ok_or(unknown)?;
        // BOLT 7 §The `channel_update` Message: same timestamp or older: ignored. Looked at before the signature, as duplicates are many.
        if previous.is_some_and(|previous| previous.timestamp >= update.timestamp) {
            return Err(GossipError::AlreadyKnown);
        }
        verify::channel_update(update, signer)?;
        if update.dont_forward() {
            return Err(GossipError::DontForward { scid });
        }
        let limits = self.limits;
        let budgeted = source.peer().is_some() && !from_us && !to_us;
        let key = ShortChannelIdDir { scid, direction };
        let (burst, refill) = (limits.update_burst, limits.update_refill_secs);
        if budgeted && !self.budget.take(key, env.now, burst, refill) {
            return Err(GossipError::TooManyUpdates { scid });
        }
        // BOLT 7 §The `gossip_timestamp_filter` Message: an announcement has the time of one of its updates.
        if is_first {
            out.push(Action::SetTimestamp {
                record: announcement,
                timestamp: update.timestamp,
            });
        }
        self.append(message, update.timestamp, dying, out);
        if let Some(previous) = previous {
            Self::delete(previous.update, out);
        }
        if to_us {
            out.push(policy(update, source));
        }
        let state = if update.is_disabled() {
            "DISABLED"
        } else {
            "ACTIVE"
        };
        out.push(Action::Log {
            severity: Severity::Trace,
            peer: source.peer(),
            text: format!("Received channel_update for channel {key} now {state}"),
        });
        Ok(())
    }
}

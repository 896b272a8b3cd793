//! New channels.

use bitcoin::ScriptBuf;
use ln_tx::script::funding_script_pubkey;
use ln_types::{BlockHeight, Sat, ShortChannelId};
use ln_wire::ChannelAnnouncement;

use super::{Action, Env, Intake, PendingChannel, Severity, Source, answer_peer};
use crate::store::{ChannelAmount, internal_bytes};
use crate::{GossipError, verify};

/// How far ahead of us a block may be that somebody else has seen already.
const MAX_BLOCKS_BEHIND: u32 = 12;

/// Whether a funding output is deep enough.
// BOLT 7 §The `channel_announcement` Message: six confirmations, the funding block counted.
pub(super) fn is_announceable(scid: ShortChannelId, height: BlockHeight) -> bool {
    height.0 > 0 && BlockHeight(scid.block()).depth_at(height) >= 6
}

impl Intake {
    pub(super) fn on_channel_announcement(
        &mut self,
        announcement: &ChannelAnnouncement,
        message: Vec<u8>,
        source: Source,
        known_amount: Option<Sat>,
        env: &Env,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        let scid = announcement.short_channel_id;
        verify::node_id_order(announcement)?;
        // BOLT 7 §The `channel_announcement` Message: one for an unknown chain is ignored.
        if announcement.chain_hash != self.chain_hash {
            return Err(GossipError::WrongChain);
        }
        let waits = self.pending.contains_key(&scid) || self.early.contains_key(&scid);
        if self.graph.channel(scid).is_some() || (waits && known_amount.is_none()) {
            return Err(GossipError::AlreadyKnown);
        }
        if known_amount.is_none() && self.failures.contains(scid) {
            return Err(GossipError::NoTxout { scid });
        }
        verify::channel_announcement(announcement)?;
        let channel = PendingChannel {
            message,
            script: funding_script_pubkey(&announcement.bitcoin_key_1, &announcement.bitcoin_key_2),
            nodes: [announcement.node_id_1.into(), announcement.node_id_2.into()],
            source,
        };
        if let Some(amount) = known_amount {
            // Our own: whatever a peer told us of it before is settled too.
            self.pending.remove(&scid);
            self.early.remove(&scid);
            self.accept_channel(channel, amount, out);
            self.release_waiting(env, out);
            return Ok(());
        }
        if is_announceable(scid, self.height) {
            self.ask(scid, channel, out)
        } else {
            self.keep_early(scid, channel)
        }
    }

    fn keep_early(
        &mut self,
        scid: ShortChannelId,
        channel: PendingChannel,
    ) -> Result<(), GossipError> {
        let height = self.height;
        if height.0 > 0 && scid.block() > height.plus(MAX_BLOCKS_BEHIND).0 {
            return Err(GossipError::TooEarly { scid, height });
        }
        if self.early.len() >= self.limits.pending {
            return Err(GossipError::QueueFull {
                queue: "too-early announcements",
            });
        }
        self.early.insert(scid, channel);
        Ok(())
    }

    /// Has lightningd look for the funding output.
    pub(super) fn ask(
        &mut self,
        scid: ShortChannelId,
        channel: PendingChannel,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        if self.pending.len() >= self.limits.pending {
            return Err(GossipError::QueueFull {
                queue: "pending announcements",
            });
        }
        self.pending.insert(scid, channel);
        out.push(Action::AskTxout { scid });
        Ok(())
    }

    pub(super) fn on_txout(
        &mut self,
        scid: ShortChannelId,
        output: Option<(Sat, ScriptBuf)>,
        env: &Env,
        out: &mut Vec<Action>,
    ) {
        // Nobody waits for it when the channel was closed, or turned out to be ours, in the meantime.
        let Some(channel) = self.pending.remove(&scid) else {
            return;
        };
        let source = channel.source;
        if let Err(error) = self.judge_txout(scid, channel, output, out) {
            self.failures.add(scid);
            match source {
                Source::Peer(peer) => answer_peer(peer, Err(error), out),
                Source::Own => out.push(Action::Log {
                    severity: Severity::Debug,
                    peer: None,
                    text: format!("channel_announcement: {error}"),
                }),
            }
        }
        self.release_waiting(env, out);
    }

    fn judge_txout(
        &mut self,
        scid: ShortChannelId,
        channel: PendingChannel,
        output: Option<(Sat, ScriptBuf)>,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        // BOLT 7 §The `channel_announcement` Message: ignored when the output is spent (a splice may have done that).
        let (amount, found) = output.ok_or(GossipError::NoTxout { scid })?;
        // BOLT 7 §The `channel_announcement` Message: ignored when the output is not the P2WSH of the two keys.
        if found != channel.script {
            return Err(GossipError::WrongScript {
                scid,
                expected: channel.script,
                found,
            });
        }
        self.accept_channel(channel, amount, out);
        Ok(())
    }

    /// Writes a channel to the store.
    fn accept_channel(&mut self, channel: PendingChannel, amount: Sat, out: &mut Vec<Action>) {
        // The announcement gets the time of its first update later.
        self.append(channel.message, 0, false, out);
        let amount = ChannelAmount { satoshis: amount };
        self.append(internal_bytes(amount), 0, false, out);
        // A new channel revives its nodes.
        for key in channel.nodes {
            self.flag_node(key, false, out);
        }
    }

    /// Takes up what waited for channels that wait no more.
    pub(super) fn release_waiting(&mut self, env: &Env, out: &mut Vec<Action>) {
        for waiting in self.updates.take() {
            let size = waiting.message.len();
            if self.pending.contains_key(&waiting.scid) || self.early.contains_key(&waiting.scid) {
                // It was there before, so there is room.
                let _ = self.updates.push(waiting, size);
                continue;
            }
            let source = waiting.source;
            let result = self.process_update(&waiting.update, waiting.message, source, env, out);
            if let Some(peer) = source.peer() {
                answer_peer(peer, result, out);
            }
        }
        self.release_nodes(out);
    }
}

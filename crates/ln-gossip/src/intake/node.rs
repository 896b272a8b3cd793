//! What nodes say of themselves.

use ln_wire::NodeAnnouncement;

use super::{Action, Env, Intake, Severity, Source, WaitingNode, answer_peer};
use crate::{GossipError, NodeKey, verify};

impl Intake {
    pub(super) fn on_node_announcement(
        &mut self,
        announcement: &NodeAnnouncement,
        message: Vec<u8>,
        source: Source,
        env: &Env,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        let (node_id, timestamp) = (announcement.node_id, announcement.timestamp);
        // BOLT 7 §The `node_announcement` Message: same timestamp or older: ignored. Looked at before the signature.
        let known = self
            .graph
            .node(node_id.into())
            .map(|node| node.announcement);
        if known
            .flatten()
            .is_some_and(|known| known.timestamp >= timestamp)
        {
            return Err(GossipError::AlreadyKnown);
        }
        // Unlike updates these may be old, but one from the future would shut out all until then.
        if timestamp > env.now.saturating_add(24 * 3600) {
            return Err(GossipError::UnreasonableTimestamp { timestamp });
        }
        verify::node_announcement(announcement)?;
        if known.is_some() {
            return self.process_node(announcement, message, source, out);
        }
        // BOLT 7 §The `node_announcement` Message: a node is known by its channels only. One may be on its way.
        if self.pending.is_empty() && self.early.is_empty() {
            return Err(GossipError::UnknownNode { node_id });
        }
        let size = message.len();
        let waiting = WaitingNode {
            announcement: announcement.clone(),
            message,
            source,
        };
        self.nodes.push(waiting, size)
    }

    fn process_node(
        &mut self,
        announcement: &NodeAnnouncement,
        message: Vec<u8>,
        source: Source,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        let (node_id, timestamp) = (announcement.node_id, announcement.timestamp);
        let key = NodeKey::from(node_id);
        let Some(node) = self.graph.node(key) else {
            return Err(GossipError::UnknownNode { node_id });
        };
        let previous = node.announcement;
        if previous.is_some_and(|previous| previous.timestamp >= timestamp) {
            return Err(GossipError::AlreadyKnown);
        }
        let dying = self.graph.all_channels_dying(node, None);
        self.append(message, timestamp, dying, out);
        if let Some(previous) = previous {
            Self::delete(previous.record, out);
        }
        out.push(Action::Log {
            severity: Severity::Trace,
            peer: source.peer(),
            text: format!("Received node_announcement for node {node_id}"),
        });
        Ok(())
    }

    /// Takes up announcements of nodes that have a channel now; forgets the rest once no channel is on its way.
    pub(super) fn release_nodes(&mut self, out: &mut Vec<Action>) {
        let more_channels_may_come = !self.pending.is_empty() || !self.early.is_empty();
        for waiting in self.nodes.take() {
            let known = self.graph.node(waiting.announcement.node_id.into());
            if known.is_none() && more_channels_may_come {
                let size = waiting.message.len();
                // It was there before, so there is room.
                let _ = self.nodes.push(waiting, size);
                continue;
            }
            let source = waiting.source;
            let result = self.process_node(&waiting.announcement, waiting.message, source, out);
            if let Some(peer) = source.peer() {
                answer_peer(peer, result, out);
            }
        }
    }
}

//! `graceful`

use std::rc::Rc;
use std::time::Duration;

use ln_rpc::RpcError;
use ln_rpc::jsonrpc::LogLevel;
use ln_rpc::methods::control::graceful::{Graceful, GracefulResponse};
use ln_types::{NodeId, Side};
use tokio::time::{Instant, interval};

use crate::node::Node;
use crate::rpc::{Context, Handle};

/// How often is looked whether something has changed.
const LOOK: Duration = Duration::from_millis(100);

impl Handle for Graceful {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        if !node.grace.replace(true) {
            let text = "graceful: no HTLCs are taken any more, and no idle peers kept";
            node.log.unusual(&node.origin, text);
        }
        let timeout = params
            .timeout
            .map(|seconds| Duration::from_secs(seconds.into()));
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut looks = interval(LOOK);
        let mut said = String::new();
        loop {
            looks.tick().await;
            let left = Left::of(&node);
            left.hang_up(&node);
            if left.is_nothing() || end.is_some_and(|end| Instant::now() >= end) {
                return Ok(left.answer());
            }
            let text = left.text(&node);
            if text != said {
                context.message(LogLevel::Info, &text).await;
                said = text;
            }
        }
    }
}

/// What keeps the node from ending.
struct Left {
    peers: Vec<NodeId>,
    /// When each HTLC expires, whether it came from the peer, and the peer.
    htlcs: Vec<(u32, bool, NodeId)>,
}

impl Left {
    fn of(node: &Node) -> Self {
        let peers = node.peers.all().into_iter();
        let connected = peers.filter(|(_, peer)| peer.connection.is_some());
        let mut htlcs = Vec::new();
        for channel in node.channels.all() {
            let Ok(machine) = channel.machine() else {
                continue;
            };
            htlcs.extend(machine.htlcs().map(|htlc| {
                let incoming = htlc.offerer() == Side::Remote;
                (htlc.cltv_expiry.0, incoming, channel.peer)
            }));
        }
        htlcs.sort_unstable_by_key(|(expiry, ..)| *expiry);
        Self {
            peers: connected.map(|(id, _)| id).collect(),
            htlcs,
        }
    }

    fn is_nothing(&self) -> bool {
        self.peers.is_empty() && self.htlcs.is_empty()
    }

    /// Lets go of peers that have no HTLCs.
    fn hang_up(&self, node: &Rc<Node>) {
        for id in self.peers.iter().filter(|id| node.is_idle(**id)) {
            node.peers.disconnect(node, *id);
        }
    }

    fn text(&self, node: &Node) -> String {
        let Some((expiry, incoming, peer)) = self.htlcs.first() else {
            return format!("{} peers still connected", self.peers.len());
        };
        let height = node.chain.height().0;
        let (blocks, when) = if *expiry >= height {
            (expiry - height, "from now")
        } else {
            (height - expiry, "ago")
        };
        let way = if *incoming { "coming from" } else { "going to" };
        let connected = node.peers.connection(*peer).is_some();
        let state = if connected {
            "connected"
        } else {
            "disconnected"
        };
        format!(
            "Next HTLC expires at block #{expiry} ({blocks} blocks {when}) {way} peer {peer} ({state})"
        )
    }

    fn answer(self) -> GracefulResponse {
        let expiries: Vec<_> = self.htlcs.iter().map(|(expiry, ..)| *expiry).collect();
        GracefulResponse {
            pending_htlc_expiries: (!expiries.is_empty()).then_some(expiries),
            pending_peers: (!self.peers.is_empty()).then_some(self.peers),
        }
    }
}

//! gossipd: starting it, answering its questions about the chain, and reading its graph.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use bitcoin::OutPoint;
use ln_gossip::Graph;
use ln_gossipd::{GossipMap, serve_store};
use ln_ipc::Stream;
use ln_ipc::gossipd::{
    FromGossipd, GossipdAddGossip, GossipdCompactStore, GossipdGetTxout, GossipdInit,
    GossipdTxoutReply, ToGossipd,
};
use ln_types::BlockHeight;

use crate::log::Origin;
use crate::node::Node;
use crate::subd::{Subd, SubdStart};

/// The store's file in the working directory.
const STORE: &str = "gossip_store";

/// Starts gossipd; the store is there when this returns.
pub(crate) async fn start_gossipd(node: &Rc<Node>, connectd: OwnedFd) -> anyhow::Result<Subd> {
    let (for_store, store) = Stream::pair()?;
    let start = SubdStart {
        name: "gossipd",
        program: node.config.subdaemon("gossipd"),
        origin: Origin::of("gossipd"),
        fds: vec![connectd, store],
    };
    let mut subd = Subd::start(&node.log, start)?;
    tokio::task::spawn_local(async move {
        // It ends with gossipd, whose end is told elsewhere.
        let _gone = serve_store(for_store, Path::new(STORE)).await;
    });
    subd.sender().send(&ToGossipd::Init(GossipdInit {
        network: node.config.network,
        node_id: node.id(),
        gossip_store: STORE.to_owned(),
        height: node.chain.height(),
        fast_gossip: node.config.dev.fast_gossip,
        fast_gossip_prune: node.config.dev.fast_gossip_prune,
    }));
    match subd.next::<FromGossipd>().await {
        Ok(FromGossipd::InitReply(_)) => {}
        Ok(other) => bail!("gossipd answered init with {}", other.name()),
        Err(end) => bail!("gossipd failed: {end}"),
    }
    node.gossipd
        .set(subd.sender())
        .ok()
        .context("gossipd was started twice")?;
    Ok(subd)
}

/// Serves gossipd until it ends, which ends the node.
pub(crate) async fn run_gossipd(node: Rc<Node>, mut subd: Subd) {
    loop {
        match subd.next::<FromGossipd>().await {
            Ok(FromGossipd::GetTxout(question)) => {
                let node = Rc::clone(&node);
                tokio::task::spawn_local(async move { answer_txout(&node, question).await });
            }
            Ok(FromGossipd::AddGossipReply(reply)) => {
                node.graph.replied(&node, reply.request, reply.error);
            }
            Ok(FromGossipd::CompactStoreReply(reply)) => {
                node.graph.replied(&node, reply.request, reply.error);
            }
            Ok(other) => crate::channels::gossip_said(&node, other),
            Err(end) => {
                if node.stop.borrow().is_none() {
                    node.log.broken(
                        &node.origin,
                        format!("gossipd ended ({end}): the node stops"),
                    );
                    node.stop(1);
                }
                return;
            }
        }
    }
}

/// Looks up the output that a short channel id names, and whether it is unspent.
async fn answer_txout(node: &Rc<Node>, question: GossipdGetTxout) {
    let scid = question.scid;
    let lookup = async {
        let height = BlockHeight(scid.block());
        if height > node.chain.height() {
            return Ok(None);
        }
        let Some((_, block)) = node.backend.block(height).await? else {
            return Ok(None);
        };
        let tx = usize::try_from(scid.transaction())
            .ok()
            .and_then(|index| block.txdata.get(index));
        let Some(tx) = tx else { return Ok(None) };
        node.backend
            .utxo(OutPoint {
                txid: tx.compute_txid(),
                vout: u32::from(scid.output()),
            })
            .await
    };
    let output = match lookup.await {
        Ok(output) => output,
        Err(error) => {
            node.log.debug(
                &node.origin,
                format!("the output of {scid} can't be looked up: {error}"),
            );
            None
        }
    };
    node.to_gossipd(GossipdTxoutReply { scid, output });
}

/// The graph as gossipd's store has it, read when somebody looks.
#[derive(Debug, Default)]
pub(crate) struct GraphReader {
    map: RefCell<Option<GossipMap>>,
    /// Who waits for gossipd to have done something.
    asked: RefCell<std::collections::HashMap<u64, tokio::sync::oneshot::Sender<Option<String>>>>,
    next_request: std::cell::Cell<u64>,
}

impl GraphReader {
    /// Looks at the graph, brought up to date.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&GossipMap) -> T) -> anyhow::Result<T> {
        let mut map = self.map.borrow_mut();
        if map.is_none() {
            *map = Some(GossipMap::load(Path::new(STORE))?);
        }
        let map = map.as_mut().context("the gossip store can't be read")?;
        map.refresh()?;
        Ok(look(map))
    }

    /// Looks for something in the graph, brought up to date, while the node goes on.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Graph) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let graph = self.look(GossipMap::shared)?;
        let found = tokio::task::spawn_blocking(move || search(&graph));
        Ok(found.await?)
    }

    /// Gives gossipd a message and waits for its verdict.
    pub(crate) async fn add(&self, node: &Node, message: Vec<u8>) -> Option<String> {
        self.ask(node, |request| GossipdAddGossip {
            request,
            message,
            known_amount: None,
        })
        .await
    }

    /// Has gossipd write its store anew, and waits until it is done; why not, if it can't be.
    pub(crate) async fn compact(&self, node: &Node) -> Option<String> {
        self.ask(node, |request| GossipdCompactStore { request })
            .await
    }

    async fn ask<T: Into<ToGossipd>>(
        &self,
        node: &Node,
        question: impl FnOnce(u64) -> T,
    ) -> Option<String> {
        let request = self.next_request.get() + 1;
        self.next_request.set(request);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.asked.borrow_mut().insert(request, sender);
        node.to_gossipd(question(request));
        receiver
            .await
            .unwrap_or_else(|_| Some("gossipd is gone".to_owned()))
    }

    fn replied(&self, node: &Node, request: u64, error: Option<String>) {
        match (self.asked.borrow_mut().remove(&request), error) {
            (Some(sender), error) => drop(sender.send(error)),
            (None, Some(error)) => node.log.debug(
                &node.origin,
                format!("gossipd did not take our gossip: {error}"),
            ),
            (None, None) => {}
        }
    }
}

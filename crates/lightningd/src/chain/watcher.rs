//! Hearing of a new block when it comes: the backend is left with a question that it answers when its tip changes.
//!
//! Only bcli and backends like it can do that. With any other, and while the backend does not answer, the follower's polling is all there is.

use std::rc::Rc;
use std::time::Duration;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
use ln_rpc::RpcErrorCode;
use ln_types::Network;

use super::follower::poll_interval;
use crate::node::Node;
use crate::plugins::PluginError;

/// How long the backend may keep one question: long enough to be no load, short enough to notice a backend that vanished. bitcoind keeps it
/// in one of its 16 threads, even after this node is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same on a private chain, where nodes come and go.
const PATIENCE_ON_REGTEST: Duration = Duration::from_secs(5);
/// An answer that is later than this tells that nothing can be relied on but polling.
const GRACE: Duration = Duration::from_secs(5);

/// Wakes the follower whenever the backend's tip changes, for ever or until the backend turns out to be unable to tell.
pub(crate) async fn watch_tip(node: Rc<Node>) {
    // Who sets an interval wants the backend to be asked just then: test suites with more nodes than bitcoind has threads.
    if node.config.dev.bitcoind_poll.is_some() {
        return;
    }
    // No block: the first answer comes at once.
    let mut told = BlockHash::all_zeros();
    loop {
        // A backend that catches up has a new tip all the time.
        if node.chain.backend_syncing.get() {
            node.chain.is_told.set(false);
            tokio::time::sleep(poll_interval(&node)).await;
            continue;
        }
        match wait(&node, told).await {
            Ok(tip) => {
                node.chain.is_told.set(true);
                if tip != told {
                    told = tip;
                    node.log
                        .debug(&node.origin, format!("the chain backend's tip is {tip}"));
                    node.chain.poll_now();
                }
            }
            Err(PluginError::Answered(error))
                if matches!(error.code, RpcErrorCode::MethodNotFound) =>
            {
                node.log.debug(
                    &node.origin,
                    "the chain backend has no waitblockchange: polling",
                );
                node.chain.is_told.set(false);
                return;
            }
            Err(_) => {
                // The follower finds out what is wrong, and says so.
                node.chain.is_told.set(false);
                node.chain.poll_now();
                tokio::time::sleep(poll_interval(&node)).await;
            }
        }
    }
}

/// One question. While its answer is overdue, polling goes on.
async fn wait(node: &Node, told: BlockHash) -> Result<BlockHash, PluginError> {
    let patience = if node.config.network == Network::Regtest {
        PATIENCE_ON_REGTEST
    } else {
        PATIENCE
    };
    let answer = node.backend.wait_for_change(told, patience);
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => return answer,
        () = tokio::time::sleep(patience + GRACE) => node.chain.is_told.set(false),
    }
    answer.await
}

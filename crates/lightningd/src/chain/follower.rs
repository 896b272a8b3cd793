//! Following the best chain, block by block, through reorganisations and backends that come and go.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use bitcoin::{Block, BlockHash, OutPoint};
use ln_db::{BlockRow, OutputRow, OutputStatus, TransactionRow};
use ln_types::{BlockHeight, Network, Sat};
use tokio::sync::{Notify, watch};

use super::{Backend, ChainInfo, Found, Interest, check, scan};
use crate::accounts::{self, InBlock};
use crate::node::Node;
use crate::options::Config;

const NO_ANSWER: &str = "the chain backend does not answer: is bitcoind running?";

/// How far the chain is known.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Blocks kept, by height.
    blocks: RefCell<BTreeMap<u32, BlockHash>>,
    height: watch::Sender<BlockHeight>,
    /// What to look for in blocks.
    pub(crate) interest: RefCell<Interest>,
    /// The backend's last answer: its height, and whether it is still catching up itself.
    pub(crate) backend_height: Cell<u32>,
    pub(crate) backend_syncing: Cell<bool>,
    /// What of it the log has.
    said_syncing: Cell<bool>,
    /// Whether the backend says when its tip changes, so that polling is only a second line.
    pub(crate) is_told: Cell<bool>,
    /// Set while the backend does not answer.
    pub(crate) stale: RefCell<Option<String>>,
    /// Whether transactions may be kept that the backend could not be given: they are sent as soon as it answers.
    pub(crate) unsent: Cell<bool>,
    nudge: Notify,
}

impl Chain {
    /// What was known when the node last ran.
    pub(crate) fn new(blocks: Vec<BlockRow>) -> Self {
        let blocks: BTreeMap<u32, BlockHash> = blocks
            .into_iter()
            .map(|row| (row.height.0, row.hash))
            .collect();
        let height = BlockHeight(blocks.last_key_value().map_or(0, |(height, _)| *height));
        Self {
            blocks: RefCell::new(blocks),
            height: watch::Sender::new(height),
            interest: RefCell::default(),
            backend_height: Cell::new(0),
            backend_syncing: Cell::new(false),
            said_syncing: Cell::new(false),
            is_told: Cell::new(false),
            stale: RefCell::default(),
            unsent: Cell::new(false),
            nudge: Notify::new(),
        }
    }

    /// The best block's height.
    pub(crate) fn height(&self) -> BlockHeight {
        *self.height.borrow()
    }

    /// A receiver that sees every new height.
    pub(crate) fn watch_height(&self) -> watch::Receiver<BlockHeight> {
        self.height.subscribe()
    }

    /// Whether every block the backend has is processed, and it has all there are.
    pub(crate) fn is_synced(&self) -> bool {
        !self.backend_syncing.get() && self.has_every_block()
    }

    /// Whether every block the backend has is processed.
    pub(crate) fn has_every_block(&self) -> bool {
        self.height().0 >= self.backend_height.get()
    }

    /// What the backend says of itself.
    fn told(&self, info: &ChainInfo, network: Network) {
        self.backend_height.set(info.blockcount);
        let syncing = check::is_syncing(info, self.height(), network);
        self.backend_syncing.set(syncing);
    }

    /// Looks for new blocks now instead of at the next poll.
    pub(crate) fn poll_now(&self) {
        self.nudge.notify_one();
    }
}

/// Checks the backend and finds where to begin. The first block followed is `rescan` below the tip, or below what was known.
pub(crate) async fn start(backend: &Backend, chain: &Chain, config: &Config) -> anyhow::Result<()> {
    let known = chain.height();
    let info = backend.chain_info(known).await.context(NO_ANSWER)?;
    check::network(&info, config)?;
    chain.told(&info, config.network);
    let is_new = chain.blocks.borrow().is_empty();
    // A backend that is behind can't show the last blocks again: the node waits for it where it is.
    if !is_new && info.blockcount < known.0 && config.rescan >= 0 {
        return Ok(());
    }
    let tip = if is_new {
        info.blockcount
    } else {
        known.0.min(info.blockcount)
    };
    let first = match u32::try_from(config.rescan) {
        Ok(blocks) => tip.saturating_sub(blocks),
        Err(_) => u32::try_from(config.rescan.unsigned_abs())
            .unwrap_or(u32::MAX)
            .min(tip),
    };
    // What is above is looked at again; the block below it is taken on trust.
    let mut blocks = chain.blocks.borrow_mut();
    blocks.split_off(&first.max(1));
    let height = blocks
        .last_key_value()
        .map_or(first.saturating_sub(1), |(height, _)| *height);
    chain.height.send_replace(BlockHeight(height));
    Ok(())
}

/// After a start, before anything else: goes back to the last block the backend still has. What happened in those above has not happened.
pub(crate) async fn unwind(node: &Rc<Node>) -> anyhow::Result<()> {
    let asked = node.backend.chain_info(node.chain.height()).await;
    let info = asked.context(NO_ANSWER)?;
    let (config, known) = (&node.config, node.chain.height());
    check::network(&info, config)?;
    let lowest = node
        .chain
        .blocks
        .borrow()
        .first_key_value()
        .map(|(height, _)| *height);
    if let Some(lowest) = lowest {
        check::not_backwards(&info, known, config.rescan)?;
        let hash_at = |height: u32| node.chain.blocks.borrow().get(&height).copied();
        check::same_chain(
            &node.backend,
            &info,
            (lowest, known.0),
            config.network,
            hash_at,
        )
        .await?;
    }
    loop {
        // A backend that is behind has lost nothing as long as what it has is what we know.
        let height = node.chain.height().0.min(info.blockcount);
        let Some(known) = node.chain.blocks.borrow().get(&height).copied() else {
            return Ok(());
        };
        match node.backend.block(BlockHeight(height)).await? {
            Some((hash, _)) if hash == known => return Ok(()),
            Some(_) | None => disconnect_tip(node).await?,
        }
    }
}

/// Follows the chain for ever. A backend that fails is asked again; the node goes on meanwhile.
pub(crate) async fn follow(node: Rc<Node>) {
    let mut sent_at = node.chain.height();
    loop {
        match catch_up(&node).await {
            Ok(()) => {
                if node.chain.stale.take().is_some() {
                    node.log
                        .info(&node.origin, "the chain backend answers again");
                    node.chain.unsent.set(true);
                }
                // At each block, too: a mempool forgets, and whoever wants a transaction of ours replaced must do so again and again.
                let height = node.chain.height();
                if node.chain.unsent.take() || height != sent_at {
                    sent_at = height;
                    super::rebroadcast(&node).await;
                }
            }
            // The backend's plugin ends with the node.
            Err(_) if node.stop.borrow().is_some() => return,
            Err(error) => {
                let text = format!("{error:#}");
                if node.chain.stale.borrow().as_ref() != Some(&text) {
                    node.log.unusual(
                        &node.origin,
                        format!("chain stale, no new payments until it is back: {text}"),
                    );
                }
                *node.chain.stale.borrow_mut() = Some(text);
            }
        }
        let interval = poll_interval(&node);
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = node.chain.nudge.notified() => {}
        }
    }
}

/// How long to wait before the backend is asked again.
pub(super) fn poll_interval(node: &Node) -> Duration {
    let is_calm = node.chain.is_synced() && node.chain.stale.borrow().is_none();
    let is_told = is_calm && node.chain.is_told.get();
    let interval = match node.config.dev.bitcoind_poll {
        Some(seconds) => Duration::from_secs(seconds),
        None if node.config.network == Network::Regtest && !is_told => Duration::from_secs(1),
        None => Duration::from_secs(30),
    };
    if is_calm { interval } else { interval / 4 }
}

/// Notes what the backend says of itself, and tells the operator when that changes.
fn say_whether_syncing(node: &Node, info: &ChainInfo) {
    node.chain.told(info, node.config.network);
    let syncing = node.chain.backend_syncing.get();
    let said = node.chain.said_syncing.replace(syncing);
    let (blocks, headers) = (info.blockcount, info.headers());
    let text = match (said, syncing) {
        (false, false) | (true, true) => return,
        (true, false) => "Bitcoin backend now synced.".to_owned(),
        (false, true) if info.ibd => format!(
            "Waiting for initial block download (this can take a while!): bitcoind has {blocks} of {headers} blocks"
        ),
        (false, true) => format!(
            "Waiting for bitcoind to catch up: it has {blocks} of {} blocks",
            headers.max(node.chain.height().0)
        ),
    };
    node.log.unusual(&node.origin, text);
}

/// Processes every block the backend has and we don't.
pub(crate) async fn catch_up(node: &Rc<Node>) -> anyhow::Result<()> {
    let info = node.backend.chain_info(node.chain.height()).await?;
    say_whether_syncing(node, &info);
    loop {
        let next = node.chain.height().plus(1);
        let Some((hash, block)) = node.backend.block(next).await? else {
            check_tip(node).await?;
            return Ok(());
        };
        let previous = node
            .chain
            .blocks
            .borrow()
            .get(&(next.0.saturating_sub(1)))
            .copied();
        if previous.is_some_and(|previous| previous != block.header.prev_blockhash) {
            disconnect_tip(node).await?;
            continue;
        }
        connect(node, next, hash, &block).await?;
    }
}

/// Without a next block the tip itself may have been replaced by one of the same height or lower.
async fn check_tip(node: &Rc<Node>) -> anyhow::Result<()> {
    let height = node.chain.height();
    let known = node.chain.blocks.borrow().get(&height.0).copied();
    // Without a block there the backend is behind us: it restarted, or is in the middle of a reorg. Wait for it.
    let (Some(known), Some((hash, _))) = (known, node.backend.block(height).await?) else {
        return Ok(());
    };
    if hash != known {
        disconnect_tip(node).await?;
        node.chain.poll_now();
    }
    Ok(())
}

/// Takes the tip back: what happened in it has not happened yet.
async fn disconnect_tip(node: &Rc<Node>) -> anyhow::Result<()> {
    let height = node.chain.height();
    node.log.info(
        &node.origin,
        format!("block {height} was replaced: going back"),
    );
    node.db
        .write(move |txn| {
            txn.undo_blocks_from(height)?;
            txn.unspend_undone_outputs()
        })
        .await?;
    node.chain.blocks.borrow_mut().remove(&height.0);
    node.wallet.undo_from(height);
    node.channels.undo_from(node, height);
    node.chain
        .height
        .send_replace(BlockHeight(height.0.saturating_sub(1)));
    Ok(())
}

/// Processes the next block: first what it means is made durable, then everybody concerned is told.
async fn connect(
    node: &Rc<Node>,
    height: BlockHeight,
    hash: BlockHash,
    block: &Block,
) -> anyhow::Result<()> {
    let found = scan(block, &node.chain.interest.borrow(), &node.wallet);
    let received: Vec<OutputRow> = found
        .iter()
        .flat_map(|found| received_rows(found, height))
        .collect();
    let rows: Vec<TransactionRow> = found
        .iter()
        .map(|found| TransactionRow {
            tx: found.tx.clone(),
            height: Some(height),
            index: found.index,
        })
        .collect();
    let spent: Vec<OutPoint> = found
        .iter()
        .flat_map(|found| found.spent.iter().copied())
        .collect();
    let moved = found.iter().map(|found| moved(found, height)).collect();
    let (received_too, spent_too) = (received.clone(), spent.clone());
    let lines = node
        .db
        .write(move |txn| {
            txn.add_block(BlockRow { height, hash })?;
            rows.iter().try_for_each(|row| txn.put_transaction(row))?;
            received.iter().try_for_each(|row| txn.put_output(row))?;
            spent
                .iter()
                .try_for_each(|outpoint| txn.set_output_spent(*outpoint, height))?;
            accounts::of_block(txn, height, moved)
        })
        .await?;
    node.chain.blocks.borrow_mut().insert(height.0, hash);
    node.wallet.on_block(node, height, received_too, &spent_too);
    node.chain.height.send_replace(height);
    node.log
        .debug(&node.origin, format!("Adding block {height}: {hash}"));
    node.channels.on_block(node, height, &found);
    node.gossip_new_block(height);
    node.plugins.tell_block(hash, height);
    accounts::tell(node, lines);
    Ok(())
}

/// What a transaction may mean for the wallet's account.
fn moved(found: &Found, height: BlockHeight) -> InBlock {
    let received = received_rows(found, height).into_iter();
    InBlock {
        txid: found.txid,
        spends: found.spent.clone(),
        received: received.map(|row| (row.outpoint, row.amount)).collect(),
    }
}

fn received_rows(found: &Found, height: BlockHeight) -> Vec<OutputRow> {
    let row = |(vout, key_index): &(u32, u32)| {
        let output = found.tx.output.get(usize::try_from(*vout).ok()?)?;
        Some(OutputRow {
            outpoint: OutPoint {
                txid: found.txid,
                vout: *vout,
            },
            amount: Sat::from(output.value),
            status: OutputStatus::Available,
            key_index: *key_index,
            script: output.script_pubkey.clone(),
            close: None,
            confirmed: Some(height),
            spent: None,
            reserved_until: None,
            csv: 1,
            coinbase: found.tx.is_coinbase(),
        })
    };
    found.received.iter().filter_map(row).collect()
}

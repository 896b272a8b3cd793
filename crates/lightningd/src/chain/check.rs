//! Whether the chain backend is one that this node can go on with: another chain must not be taken for a great reorganisation of ours.

use anyhow::bail;
use bitcoin::BlockHash;
use ln_types::{BlockHeight, Network};

use super::{Backend, ChainInfo};
use crate::options::Config;

/// A reorganisation deeper than this is none: from so many blocks on, coins that blocks made can be spent.
const DEEPEST_REORG: u32 = 100;
/// Headers that bitcoind may have without their blocks, when a block is just coming.
const BLOCKS_COMING: u32 = 1;

/// Another chain's backend must not be asked anything else.
pub(super) fn network(info: &ChainInfo, config: &Config) -> anyhow::Result<()> {
    if info.chain != config.network.bip70_name() {
        bail!(
            "Wrong network! the chain backend is on chain '{}', this node on '{}': give --network, or another bitcoind",
            info.chain,
            config.network.bip70_name()
        );
    }
    Ok(())
}

/// Whether the backend has yet to catch up: with the network, or with what this node has seen already.
pub(super) fn is_syncing(info: &ChainInfo, known: BlockHeight, network: Network) -> bool {
    // On a private chain nothing comes for hours, and headers stay from branches that were given up.
    let behind_network = network != Network::Regtest
        && (info.ibd || info.headers() > info.blockcount.saturating_add(BLOCKS_COMING));
    behind_network || info.blockcount < known.0
}

/// A backend with a much shorter chain was set up anew, or is another's.
pub(super) fn not_backwards(
    info: &ChainInfo,
    known: BlockHeight,
    rescan: i64,
) -> anyhow::Result<()> {
    // Who names a height wants to go back there.
    let Ok(blocks) = u32::try_from(rescan) else {
        return Ok(());
    };
    if info.headers() < known.0.saturating_sub(blocks) {
        bail!(
            "bitcoind has gone backwards from {known} to {} blocks! It is new and has not caught up (wait for it), or it is on another \
             chain (use the right one). To go back on purpose, give --rescan=-HEIGHT",
            info.headers()
        );
    }
    Ok(())
}

/// Refuses a backend whose chain has none of the last blocks this node knows. `hash_at` is what the node knows.
pub(super) async fn same_chain(
    backend: &Backend,
    info: &ChainInfo,
    (lowest, highest): (u32, u32),
    network: Network,
    hash_at: impl Fn(u32) -> Option<BlockHash>,
) -> anyhow::Result<()> {
    let top = highest.min(info.blockcount);
    let Some(deep) = deepest_to_ask(lowest, top, network) else {
        return Ok(());
    };
    for height in [top, deep] {
        let Some(known) = hash_at(height) else {
            return Ok(());
        };
        if let Some((hash, _)) = backend.block(BlockHeight(height)).await?
            && hash == known
        {
            return Ok(());
        }
    }
    bail!(
        "the chain backend follows another chain of the name '{}': it does not have block {deep}, which this node has seen. Nothing was \
         changed: give the bitcoind that this node was used with",
        info.chain
    );
}

/// The block that any reorganisation leaves in place; nothing when too few blocks are known to tell.
fn deepest_to_ask(lowest: u32, top: u32, network: Network) -> Option<u32> {
    let deep = top.saturating_sub(DEEPEST_REORG);
    if deep >= lowest {
        return Some(deep);
    }
    // On a private chain anybody may replace as many blocks as there are.
    (network != Network::Regtest && lowest < top).then_some(lowest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(headercount: u32, blockcount: u32, ibd: bool) -> ChainInfo {
        ChainInfo {
            chain: "main".to_owned(),
            headercount: Some(headercount),
            blockcount,
            ibd,
        }
    }

    #[test]
    fn a_backend_is_syncing_when_it_says_so_or_lacks_blocks() {
        let syncing = |headers, blocks, ibd, network| {
            is_syncing(&info(headers, blocks, ibd), BlockHeight(100), network)
        };
        assert!(!syncing(100, 100, false, Network::Bitcoin));
        assert!(!syncing(101, 100, false, Network::Bitcoin));
        assert!(syncing(102, 100, false, Network::Bitcoin));
        assert!(syncing(100, 100, true, Network::Signet));
        assert!(syncing(100, 99, false, Network::Bitcoin));
        assert!(!syncing(200, 100, true, Network::Regtest));
        assert!(syncing(99, 99, false, Network::Regtest));
    }

    #[test]
    fn a_shorter_chain_than_a_rescan_goes_back_is_refused() {
        let check =
            |headers, rescan| not_backwards(&info(headers, 0, false), BlockHeight(100), rescan);
        assert!(check(85, 15).is_ok());
        assert!(check(84, 15).is_err());
        assert!(check(1, -1).is_ok());
    }

    #[test]
    fn blocks_that_no_reorganisation_reaches_are_asked_for() {
        assert_eq!(deepest_to_ask(0, 500, Network::Regtest), Some(400));
        assert_eq!(deepest_to_ask(450, 500, Network::Regtest), None);
        assert_eq!(deepest_to_ask(450, 500, Network::Signet), Some(450));
        assert_eq!(deepest_to_ask(500, 500, Network::Signet), None);
    }
}

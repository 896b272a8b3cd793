//! The numbers of the regtest chain and of relay policy, as Bitcoin Core 29 has them.

use bitcoin::{Amount, Block, CompactTarget, Network};

/// Blocks between two halvings of the subsidy.
pub const SUBSIDY_HALVING_INTERVAL: u32 = 150;
/// Blocks that must follow a coinbase before it can be spent (counted with the spending block).
pub const COINBASE_MATURITY: u32 = 100;
/// Largest weight of a block.
pub const MAX_BLOCK_WEIGHT: u64 = 4_000_000;
/// Largest signature operation cost of a block.
pub const MAX_BLOCK_SIGOPS_COST: u64 = 80_000;
/// How far a block's time may lie ahead of the clock, in seconds.
pub const MAX_FUTURE_BLOCK_TIME: u64 = 2 * 60 * 60;
/// A chain whose tip is older than this many seconds counts as still downloading.
pub const MAX_TIP_AGE: u64 = 24 * 60 * 60;
/// Regtest's compact target: about every second hash is good enough.
pub const REGTEST_BITS: u32 = 0x207f_ffff;
/// Block version we mine: version bits without a signal.
pub const BLOCK_VERSION: i32 = 0x2000_0000;
/// Version we report from `getnetworkinfo`, in Core's numbering.
pub const CORE_VERSION: i64 = 290_000;
/// User agent we report.
pub const SUBVERSION: &str = "/Satoshi:29.0.0(regtest-bitcoind)/";

/// The regtest genesis block.
pub fn genesis() -> Block {
    bitcoin::constants::genesis_block(Network::Regtest)
}

/// Regtest's compact target as the header's type.
pub fn regtest_bits() -> CompactTarget {
    CompactTarget::from_consensus(REGTEST_BITS)
}

/// What the coinbase of the block at `height` may create out of nothing.
pub fn block_subsidy(height: u32) -> Amount {
    let halvings = height / SUBSIDY_HALVING_INTERVAL;
    let full = Amount::from_int_btc(50).to_sat();
    Amount::from_sat(
        full.checked_shr(halvings)
            .filter(|_| halvings < 64)
            .unwrap_or(0),
    )
}

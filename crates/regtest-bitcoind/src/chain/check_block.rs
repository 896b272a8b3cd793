//! Block rules that need no coins: header, merkle root, coinbase, witness commitment, weight.

use super::check_tx::{check_transaction, is_final};
use super::{BlockReject, Chain};
use crate::params::{MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, MAX_FUTURE_BLOCK_TIME, regtest_bits};
use bitcoin::block::Header;
use bitcoin::{Block, Script, Target};
use std::collections::HashSet;

/// Bytes with which the script of a witness commitment begins (BIP 141).
pub(crate) const WITNESS_COMMITMENT_MAGIC: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// Proof of work: regtest's fixed target, and a hash below it.
pub(crate) fn check_proof_of_work(header: &Header) -> Result<(), BlockReject> {
    if header.bits != regtest_bits() {
        return Err(BlockReject::invalid("bad-diffbits"));
    }
    header
        .validate_pow(Target::from_compact(regtest_bits()))
        .map(|_| ())
        .map_err(|_| BlockReject::invalid("high-hash"))
}

/// Rules that need nothing but the block.
pub(crate) fn check_block(block: &Block) -> Result<(), BlockReject> {
    if !block.check_merkle_root() {
        return Err(BlockReject::invalid("bad-txnmrklroot"));
    }
    // The merkle tree repeats its last leaf, so a repeated transaction can hide in an equal root.
    let mut seen = HashSet::with_capacity(block.txdata.len());
    if !block.txdata.iter().all(|tx| seen.insert(tx.compute_txid())) {
        return Err(BlockReject::invalid("bad-txns-duplicate"));
    }
    let Some((coinbase, others)) = block.txdata.split_first() else {
        return Err(BlockReject::invalid("bad-blk-length"));
    };
    if !coinbase.is_coinbase() {
        return Err(BlockReject::invalid("bad-cb-missing"));
    }
    if others.iter().any(bitcoin::Transaction::is_coinbase) {
        return Err(BlockReject::invalid("bad-cb-multiple"));
    }
    for tx in &block.txdata {
        check_transaction(tx).map_err(BlockReject::invalid)?;
    }
    let sigops: u64 = block
        .txdata
        .iter()
        .map(|tx| u64::try_from(tx.total_sigop_cost(|_| None)).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add);
    if sigops > MAX_BLOCK_SIGOPS_COST {
        return Err(BlockReject::invalid("bad-blk-sigops"));
    }
    Ok(())
}

/// Rules that need the chain before the block: times, version, BIP 34 height, finality, witness
/// commitment, weight. `now` is `None` for blocks we took before and read back from disk.
pub(crate) fn check_block_in_context(
    chain: &Chain,
    block: &Block,
    height: u32,
    median_time: u32,
    now: Option<u64>,
) -> Result<(), BlockReject> {
    let header = &block.header;
    if header.time <= median_time {
        return Err(BlockReject::invalid("time-too-old"));
    }
    if now.is_some_and(|now| u64::from(header.time) > now.saturating_add(MAX_FUTURE_BLOCK_TIME)) {
        return Err(BlockReject::invalid("time-too-new"));
    }
    if header.version.to_consensus() < 4 {
        let version = header.version.to_consensus();
        return Err(BlockReject::invalid(format!(
            "bad-version(0x{version:08x})"
        )));
    }
    if !block
        .txdata
        .iter()
        .all(|tx| is_final(tx, height, median_time))
    {
        return Err(BlockReject::invalid("bad-txns-nonfinal"));
    }
    if !begins_with_height(block, height) {
        return Err(BlockReject::invalid("bad-cb-height"));
    }
    check_witness_commitment(block)?;
    if block.weight().to_wu() > MAX_BLOCK_WEIGHT {
        return Err(BlockReject::invalid("bad-blk-weight"));
    }
    debug_assert!(
        chain.entry(&header.prev_blockhash).is_some(),
        "the parent is known here"
    );
    Ok(())
}

/// BIP 34: the coinbase script begins with the block height.
fn begins_with_height(block: &Block, height: u32) -> bool {
    let expected = bitcoin::script::Builder::new()
        .push_int(height.into())
        .into_script();
    block
        .coinbase()
        .and_then(|coinbase| coinbase.input.first())
        .is_some_and(|input| input.script_sig.as_bytes().starts_with(expected.as_bytes()))
}

/// Whether an output script carries a witness commitment.
pub(crate) fn is_witness_commitment(script: &Script) -> bool {
    script.len() >= 38 && script.as_bytes().starts_with(&WITNESS_COMMITMENT_MAGIC)
}

fn check_witness_commitment(block: &Block) -> Result<(), BlockReject> {
    let committed = block.coinbase().is_some_and(|tx| {
        tx.output
            .iter()
            .any(|out| is_witness_commitment(&out.script_pubkey))
    });
    if committed {
        let nonce_ok = block
            .coinbase()
            .and_then(|tx| tx.input.first())
            .is_some_and(|input| {
                input.witness.len() == 1 && input.witness.nth(0).is_some_and(|w| w.len() == 32)
            });
        if !nonce_ok {
            return Err(BlockReject::invalid("bad-witness-nonce-size"));
        }
        if !block_commitment_matches(block) {
            return Err(BlockReject::invalid("bad-witness-merkle-match"));
        }
        return Ok(());
    }
    let any_witness = block
        .txdata
        .iter()
        .any(|tx| tx.input.iter().any(|input| !input.witness.is_empty()));
    if any_witness {
        return Err(BlockReject::invalid("unexpected-witness"));
    }
    Ok(())
}

fn block_commitment_matches(block: &Block) -> bool {
    // A coinbase with a nonce has a witness, so the library's shortcut for blocks without any
    // witness does not apply here.
    block.check_witness_commitment()
}

//! Taking new blocks, choosing the best branch, and the operator's `invalidateblock` and friends.

use super::check_block::{check_block, check_block_in_context, check_proof_of_work};
use super::{BlockReject, BlockStatus, Chain, ChainEvent};
use bitcoin::{Block, BlockHash, Wtxid};
use std::cmp::Reverse;
use std::collections::HashSet;

/// What became of a submitted block that broke no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// It is on the active chain.
    Active,
    /// It is kept beside the active chain.
    Beside,
}

impl Chain {
    /// Adds a block and follows the best branch. `now` in Unix seconds; `None` for a block read back
    /// from our own disk, whose scripts were `verified_before` if it was ever connected.
    /// Appends to `events` what happened, also when the block is refused.
    pub fn submit(
        &mut self,
        block: Block,
        now: Option<u64>,
        verified_before: bool,
        verified: &HashSet<Wtxid>,
        events: &mut Vec<ChainEvent>,
    ) -> Result<Submitted, BlockReject> {
        let hash = block.block_hash();
        if let Some(entry) = self.entry(&hash) {
            return Err(match entry.status {
                BlockStatus::Valid => BlockReject::Duplicate,
                BlockStatus::Invalid | BlockStatus::InvalidAncestor => {
                    BlockReject::DuplicateInvalid
                }
            });
        }
        check_proof_of_work(&block.header)?;
        check_block(&block)?;
        let parent = self
            .entry(&block.header.prev_blockhash)
            .ok_or(BlockReject::UnknownParent)?;
        if parent.status != BlockStatus::Valid {
            return Err(BlockReject::invalid("bad-prevblk"));
        }
        let (height, median_time) = (parent.height.saturating_add(1), parent.median_time);
        check_block_in_context(self, &block, height, median_time, now)?;
        let sequence = self.next_sequence.saturating_add(1);
        self.next_sequence = sequence;
        self.insert(block, height, sequence, verified_before);
        let failure = self.follow_best(verified, events);
        match failure {
            Some((failed, reason)) if failed == hash => Err(reason),
            _ if self.entry(&hash).is_some_and(|entry| self.is_active(entry)) => {
                Ok(Submitted::Active)
            }
            _ => Ok(Submitted::Beside),
        }
    }

    /// Moves the tip to the best valid block. Returns the last block that proved invalid on the way.
    fn follow_best(
        &mut self,
        verified: &HashSet<Wtxid>,
        events: &mut Vec<ChainEvent>,
    ) -> Option<(BlockHash, BlockReject)> {
        let mut failure = None;
        while let Some((_, _, best)) = self.candidates.last().copied() {
            if best == self.tip().hash {
                break;
            }
            let mut path = self.path_to_active(best);
            let fork = path
                .pop()
                .map_or(0, |hash| self.entry(&hash).map_or(0, |e| e.height));
            while self.height() > fork {
                let Some((block, height)) = self.disconnect_tip() else {
                    break;
                };
                events.push(ChainEvent::Disconnected(block, height));
            }
            while let Some(next) = path.pop() {
                match self.connect(next, verified) {
                    Ok(block) => events.push(ChainEvent::Connected(block, self.height())),
                    Err(reason) => {
                        events.push(ChainEvent::Invalid(next, self.height().saturating_add(1)));
                        self.mark_invalid(next);
                        failure = Some((next, reason));
                        break;
                    }
                }
            }
        }
        failure
    }

    /// `from` and its ancestors up to and including the first active one.
    fn path_to_active(&self, from: BlockHash) -> Vec<BlockHash> {
        let mut path = Vec::new();
        let mut next = from;
        while let Some(entry) = self.entry(&next) {
            path.push(next);
            if self.is_active(entry) {
                break;
            }
            next = entry.block.header.prev_blockhash;
        }
        path
    }

    /// The block and everything built on it.
    fn with_descendants(&self, hash: BlockHash) -> Vec<BlockHash> {
        let mut found = vec![hash];
        let mut index = 0;
        while let Some(parent) = found.get(index) {
            if let Some(children) = self.children.get(parent) {
                found.extend(children.iter().copied());
            }
            index += 1;
        }
        found
    }

    fn mark_invalid(&mut self, hash: BlockHash) {
        for each in self.with_descendants(hash) {
            if let Some(entry) = self.entries.get_mut(&each) {
                let own = each == hash || entry.status == BlockStatus::Invalid;
                entry.status = if own {
                    BlockStatus::Invalid
                } else {
                    BlockStatus::InvalidAncestor
                };
                self.candidates
                    .remove(&(entry.height, Reverse(entry.sequence), each));
            }
        }
    }

    /// Declares a block invalid and moves to the best other branch. `false` if it is unknown or
    /// genesis.
    pub fn invalidate(
        &mut self,
        hash: BlockHash,
        verified: &HashSet<Wtxid>,
        events: &mut Vec<ChainEvent>,
    ) -> bool {
        let Some(entry) = self.entry(&hash).filter(|entry| entry.height > 0) else {
            return false;
        };
        let height = entry.height;
        if self.is_active(entry) {
            while self.height() >= height {
                let Some((block, at)) = self.disconnect_tip() else {
                    break;
                };
                events.push(ChainEvent::Disconnected(block, at));
            }
        }
        self.mark_invalid(hash);
        events.push(ChainEvent::Invalid(hash, height));
        self.follow_best(verified, events);
        true
    }

    /// Forgives a block, its ancestors and its descendants, and follows the best branch. `false` if
    /// the block is unknown.
    pub fn reconsider(
        &mut self,
        hash: BlockHash,
        verified: &HashSet<Wtxid>,
        events: &mut Vec<ChainEvent>,
    ) -> bool {
        if self.entry(&hash).is_none() {
            return false;
        }
        let mut forgiven = self.path_to_active(hash);
        forgiven.extend(self.with_descendants(hash));
        for each in forgiven {
            if let Some(entry) = self.entries.get_mut(&each) {
                entry.status = BlockStatus::Valid;
                self.candidates
                    .insert((entry.height, Reverse(entry.sequence), each));
            }
        }
        self.follow_best(verified, events);
        true
    }

    /// Treats a block as if it had arrived before all others of its height.
    pub fn prefer(
        &mut self,
        hash: BlockHash,
        verified: &HashSet<Wtxid>,
        events: &mut Vec<ChainEvent>,
    ) -> bool {
        self.precious_sequence = self.precious_sequence.saturating_sub(1);
        let sequence = self.precious_sequence;
        let Some(entry) = self.entries.get_mut(&hash) else {
            return false;
        };
        let known = self
            .candidates
            .remove(&(entry.height, Reverse(entry.sequence), hash));
        entry.sequence = sequence;
        if known {
            self.candidates
                .insert((entry.height, Reverse(sequence), hash));
        }
        self.follow_best(verified, events);
        true
    }
}

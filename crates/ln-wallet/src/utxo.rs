//! A coin of the wallet.

use bitcoin::secp256k1::PublicKey;
use bitcoin::{OutPoint, ScriptBuf, Sequence};
use ln_types::{BlockHeight, NodeId, Sat};

use crate::AddressKind;

/// How many blocks a reservation lasts unless the caller says otherwise: half a day.
pub const DEFAULT_RESERVATION: u32 = 72;

/// How many confirmations a coinbase output needs before a block may spend it.
const COINBASE_MATURITY: u32 = 100;

/// An output of ours that is not spent in any block, or not for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utxo {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it carries.
    pub value: Sat,
    /// Its script.
    pub script_pubkey: ScriptBuf,
    /// What signs for it.
    pub origin: Origin,
    /// The block it is in; none while unconfirmed.
    pub height: Option<BlockHeight>,
    /// The block that spends it.
    pub spent_height: Option<BlockHeight>,
    /// It is kept for a transaction until the chain has this height.
    pub reserved_until: Option<BlockHeight>,
    /// Whether it comes from a coinbase transaction.
    pub is_coinbase: bool,
}

/// What signs for a coin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A key of the wallet.
    Wallet {
        /// The kind of address it was paid to.
        kind: AddressKind,
        /// The index of the key.
        key_index: u32,
    },
    /// A channel's payment basepoint: our balance on a commitment of the peer.
    Close(CloseInfo),
}

/// Where a coin from a closed channel comes from: hsmd needs it to derive the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseInfo {
    /// The channel's number in the database.
    pub channel_dbid: u64,
    /// The peer.
    pub peer_id: NodeId,
    /// The commitment's point, for channels older than option_static_remotekey.
    pub commitment_point: Option<PublicKey>,
    /// Whether the output is that of a commitment with anchors: P2WSH, one block late.
    pub has_anchors: bool,
    /// How many blocks it has to wait: 1 with anchors, else 0, or more for a leased channel.
    pub csv: u32,
}

/// What can be done with a coin, as `listfunds` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not yet in a block.
    Unconfirmed,
    /// In a block.
    Confirmed,
    /// Spent in a block.
    Spent,
    /// From a coinbase or a close that has to wait.
    Immature,
}

impl Utxo {
    /// Whether a transaction has it now.
    pub fn is_reserved(&self, tip: BlockHeight) -> bool {
        self.reserved_until.is_some_and(|until| until > tip)
    }

    /// Keeps it for `blocks` blocks more.
    pub fn reserve(&mut self, tip: BlockHeight, blocks: u32) {
        let from = self
            .reserved_until
            .filter(|until| *until > tip)
            .unwrap_or(tip);
        self.reserved_until = Some(from.plus(blocks));
    }

    /// Takes `blocks` blocks off a reservation, and the reservation if nothing is left of it.
    pub fn unreserve(&mut self, tip: BlockHeight, blocks: u32) {
        self.reserved_until = self.reserved_until.and_then(|until| {
            let until = BlockHeight(until.0.saturating_sub(blocks));
            (until > tip).then_some(until)
        });
    }

    /// Whether the block after `tip` may spend it.
    pub fn is_mature(&self, tip: BlockHeight) -> bool {
        let depth = self.height.map_or(0, |height| height.depth_at(tip));
        let wanted = match &self.origin {
            Origin::Wallet { .. } => 0,
            // BOLT 3 §`to_remote` Output: with option_anchors the output waits for one confirmation.
            Origin::Close(close) if close.has_anchors => close.csv.max(1),
            Origin::Close(close) => close.csv,
        };
        let wanted = if self.is_coinbase {
            wanted.max(COINBASE_MATURITY)
        } else {
            wanted
        };
        depth >= wanted
    }

    /// Whether it has at least that many confirmations.
    pub fn has_confirmations(&self, tip: BlockHeight, wanted: u32) -> bool {
        self.height.map_or(0, |height| height.depth_at(tip)) >= wanted
    }

    /// Whether a new transaction may spend it.
    pub fn is_spendable(&self, tip: BlockHeight) -> bool {
        self.spent_height.is_none() && !self.is_reserved(tip) && self.is_mature(tip)
    }

    /// Its status.
    pub fn status(&self, tip: BlockHeight) -> Status {
        if self.spent_height.is_some() {
            Status::Spent
        } else if !self.is_mature(tip) {
            Status::Immature
        } else if self.height.is_some() {
            Status::Confirmed
        } else {
            Status::Unconfirmed
        }
    }

    /// Whether it is P2SH-wrapped.
    pub fn is_wrapped(&self) -> bool {
        matches!(
            self.origin,
            Origin::Wallet {
                kind: AddressKind::P2shP2wpkh,
                ..
            }
        )
    }

    /// The sequence of an input that spends it: the delay its script demands, else replaceable.
    pub fn sequence(&self) -> Sequence {
        match &self.origin {
            Origin::Close(close) if close.csv > 0 => {
                Sequence::from_height(u16::try_from(close.csv).unwrap_or(u16::MAX))
            }
            Origin::Close(_) | Origin::Wallet { .. } => Sequence::ENABLE_RBF_NO_LOCKTIME,
        }
    }
}

//! An output that waits to be resolved.

use bitcoin::secp256k1::ecdsa;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use ln_tx::HtlcTx;
use ln_types::{BlockHeight, CltvExpiry, Sat};

use crate::{Claim, HtlcStub, OutputKind, TxKind};

/// How many blocks deep a resolution must be to be irrevocable.
// BOLT 5 §General Nomenclature: at least 100 deep.
pub(crate) const IRREVOCABLE_DEPTH: u32 = 100;

/// An output of the closing transaction, or of one that spent such an output.
#[derive(Debug, Clone)]
pub(crate) struct Tracked {
    pub(crate) outpoint: OutPoint,
    pub(crate) value: Sat,
    /// The block it came with.
    pub(crate) height: BlockHeight,
    pub(crate) tx: TxKind,
    pub(crate) kind: OutputKind,
    pub(crate) htlc: Option<HtlcStub>,
    pub(crate) witness_script: Option<ScriptBuf>,
    /// For an HTLC of our commitment: its transaction and the peer's signature.
    pub(crate) htlc_tx: Option<Box<(HtlcTx, ecdsa::Signature)>>,
    pub(crate) claim: Option<Claim>,
    /// At which tip it is nobody's business of ours any more: the peer's HTLC that timed out.
    pub(crate) ignore_at: Option<CltvExpiry>,
    pub(crate) resolution: Option<Resolved>,
    /// Whether its outcome was told upstream.
    pub(crate) reported: bool,
}

/// What resolved an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) txid: Txid,
    pub(crate) height: BlockHeight,
    pub(crate) kind: TxKind,
}

impl Tracked {
    pub(crate) fn new(
        outpoint: OutPoint,
        value: Sat,
        height: BlockHeight,
        tx: TxKind,
        kind: OutputKind,
    ) -> Self {
        Self {
            outpoint,
            value,
            height,
            tx,
            kind,
            htlc: None,
            witness_script: None,
            htlc_tx: None,
            claim: None,
            ignore_at: None,
            resolution: None,
            reported: false,
        }
    }

    /// Marks it as resolved by the transaction it is in.
    pub(crate) fn resolve_itself(&mut self, kind: TxKind) {
        self.resolution = Some(Resolved {
            txid: self.outpoint.txid,
            height: self.height,
            kind,
        });
    }

    /// Whether it resolved itself (nothing spent it).
    pub(crate) fn is_ignored(&self) -> bool {
        self.resolution
            .is_some_and(|resolution| resolution.txid == self.outpoint.txid)
    }

    /// How deep its resolution is; none while it has none.
    pub(crate) fn resolution_depth(&self, tip: BlockHeight) -> Option<u32> {
        self.resolution
            .map(|resolution| resolution.height.depth_at(tip))
    }

    /// Whether no reorganisation is expected to change anything.
    pub(crate) fn is_irrevocable(&self, tip: BlockHeight) -> bool {
        self.resolution_depth(tip)
            .is_some_and(|depth| depth >= IRREVOCABLE_DEPTH)
    }
}

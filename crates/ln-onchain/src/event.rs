//! What goes into the machine and what comes out.

use bitcoin::{OutPoint, ScriptBuf, Transaction, Txid};
use ln_codec::{Decode, Encode};
use ln_types::{BlockHeight, CltvExpiry, PaymentPreimage, Sat};

use crate::{Claim, HtlcStub, Movement, OutputKind, TxKind};

/// What the machine may know of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Env {
    /// The best block.
    pub tip: BlockHeight,
    /// How deep a transaction must be before we tell others of its outcome.
    pub reasonable_depth: u32,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// The tip moved; [`Env`] has the new one.
    Tip,
    /// A transaction in a block spends at least one output that is watched.
    Spent {
        /// The transaction.
        tx: Transaction,
        /// Its block.
        height: BlockHeight,
    },
    /// A reorganisation took a transaction's block away.
    Unconfirmed {
        /// The transaction.
        txid: Txid,
    },
    /// We learned a preimage whose HTLC the peer is irrevocably committed to.
    Preimage {
        /// The preimage.
        preimage: PaymentPreimage,
    },
    /// A claim is not worth its fee.
    Uneconomical {
        /// The output.
        outpoint: OutPoint,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Action {
    /// Tell the machine when this output is spent.
    Watch {
        /// The output.
        outpoint: OutPoint,
        /// What it belongs to.
        tx: TxKind,
        /// What it is.
        output: OutputKind,
        /// Its block.
        height: BlockHeight,
        /// From which height on it is no business of ours any more, if we learn nothing new.
        ignore_at: Option<CltvExpiry>,
    },
    /// Nothing needs to be done about this output.
    Ignore {
        /// The output.
        outpoint: OutPoint,
        /// Its value.
        value: Sat,
        /// What it belongs to.
        tx: TxKind,
        /// What it is.
        output: OutputKind,
    },
    /// Take this output, again and again with higher fees if need be, until it is spent.
    Claim(Box<Claim>),
    /// Stop taking this output.
    Unclaim {
        /// The output.
        outpoint: OutPoint,
    },
    /// This output is ours as it is: the wallet can spend it.
    ToWallet {
        /// The output.
        outpoint: OutPoint,
        /// Its value.
        value: Sat,
        /// Its script.
        script_pubkey: ScriptBuf,
        /// Its block.
        height: BlockHeight,
        /// How many blocks it has to wait.
        csv: u16,
    },
    /// An output was spent, and we know by what.
    Resolved {
        /// The output.
        outpoint: OutPoint,
        /// Its value.
        value: Sat,
        /// What it belongs to.
        tx: TxKind,
        /// What it is.
        output: OutputKind,
        /// What the spending transaction is.
        by: TxKind,
        /// The spending transaction.
        txid: Txid,
        /// Whether that transaction is ours.
        ours: bool,
    },
    /// The chain shows a preimage: fulfil the HTLC upstream.
    FoundPreimage {
        /// The HTLC, which we offered.
        htlc: HtlcStub,
        /// Its preimage.
        preimage: PaymentPreimage,
        /// What its output belongs to.
        tx: TxKind,
    },
    /// An HTLC we offered has no output and never will: fail it upstream.
    HtlcMissing {
        /// The HTLC.
        htlc: HtlcStub,
    },
    /// We took an HTLC of ours back, deep enough: fail it upstream.
    HtlcTimedOut {
        /// The HTLC.
        htlc: HtlcStub,
    },
    /// Money moved, for the node's accounts.
    Moved(Movement),
    /// Something an operator must know.
    Alert {
        /// The sentence.
        text: String,
    },
    /// The transaction that closed the channel left the chain: start anew when another one spends the funding output.
    StartAnew,
    /// Everything is resolved for good: the channel can be forgotten.
    Forget,
}

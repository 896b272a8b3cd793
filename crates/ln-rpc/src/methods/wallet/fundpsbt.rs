//! `fundpsbt`

use bitcoin::Txid;
use ln_types::{BlockHeight, FeerateSpec, Msat};

use crate::methods::rpc_method;
use crate::params::{SatOrAll, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Chooses coins of the wallet for a transaction and sets them aside.
    ///
    /// The answer holds the inputs only; what is left over is told, not spent, unless it is to go to a change output.
    pub struct Fundpsbt = "fundpsbt" (FundpsbtParams) -> FundpsbtResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `fundpsbt`.
    pub struct FundpsbtParams {
        /// What the coins must hold besides their own fee.
        satoshi: SatOrAll,
        /// The feerate of the transaction.
        feerate: FeerateSpec,
        /// The weight of the transaction without these inputs.
        startweight: u32,
        /// How deep coins must be to be used; 1 if left out.
        minconf: Option<u32>,
        /// For how many blocks to set them aside; 0 is not at all.
        reserve: u32 = 72_u32,
        /// The lock time; a recent height if left out.
        locktime: Option<u32>,
        /// The least weight to count for each input's witness.
        min_witness_weight: Option<u32>,
        /// Put what is left over into a change output.
        excess_as_change: bool = false,
        /// Use native segwit coins only.
        nonwrapped: bool = false,
        /// Keep the reserve for emergencies that one more channel needs.
        opening_anchor_channel: bool = false,
    }
}

rpc_object! {
    /// The answer to `fundpsbt` and `utxopsbt`.
    pub struct FundpsbtResponse {
        /// The inputs.
        psbt: String,
        /// The feerate, in satoshi per thousand weight units.
        feerate_per_kw: u32,
        /// The weight of the transaction, signed.
        estimated_final_weight: u32,
        /// What is left over.
        excess_msat: Msat,
        /// The change output, if there is one.
        change_outnum: Option<u32>,
        /// What was set aside.
        reservations: Option<Vec<Reservation>>,
    }

    /// A coin that was set aside or released.
    pub struct Reservation {
        /// The transaction that made it.
        txid: Txid,
        /// The output of that transaction.
        vout: u32,
        /// Whether it was set aside before.
        was_reserved: bool,
        /// Whether it is now.
        reserved: bool,
        /// Until which height.
        reserved_to_block: Option<BlockHeight>,
    }
}

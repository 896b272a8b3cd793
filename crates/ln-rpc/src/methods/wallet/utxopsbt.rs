//! `utxopsbt`

use bitcoin::OutPoint;
use ln_types::FeerateSpec;

use crate::methods::rpc_method;
use crate::methods::wallet::fundpsbt::FundpsbtResponse;
use crate::params::{SatOrAll, rpc_params};

rpc_method! {
    /// Takes given coins of the wallet for a transaction and sets them aside.
    pub struct Utxopsbt = "utxopsbt" (UtxopsbtParams) -> FundpsbtResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `utxopsbt`.
    pub struct UtxopsbtParams {
        /// What the coins must hold besides their own fee.
        satoshi: SatOrAll,
        /// The feerate of the transaction.
        feerate: FeerateSpec,
        /// The weight of the transaction without these inputs.
        startweight: u32,
        /// The coins.
        utxos: Vec<OutPoint>,
        /// For how many blocks to set them aside; 0 is not at all.
        reserve: u32 = 72_u32,
        /// Take them even if they are set aside already.
        reservedok: bool = false,
        /// The lock time; a recent height if left out.
        locktime: Option<u32>,
        /// The least weight to count for each input's witness.
        min_witness_weight: Option<u32>,
        /// Put what is left over into a change output.
        excess_as_change: bool = false,
        /// Keep the reserve for emergencies that one more channel needs.
        opening_anchor_channel: bool = false,
    }
}

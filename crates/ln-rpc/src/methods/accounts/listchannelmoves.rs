//! `listchannelmoves`

use ln_types::{ChannelMoveTag, Msat, PaymentHash};

use crate::methods::invoices::listinvoices::ListIndex;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the amounts that moved inside channels: payments, and what was given to the fundee at the opening.
    ///
    /// With what `listchainmoves` lists of the same account the sum is our balance in the channel. Entries are never changed or deleted.
    pub struct Listchannelmoves = "listchannelmoves" (ListchannelmovesParams) -> ListchannelmovesResponse {
        category: Accounts,
        since: "v25.09",
    }
}

rpc_params! {
    /// The parameters of `listchannelmoves`.
    pub struct ListchannelmovesParams {
        /// In which order to list, for `start` and `limit`: `created`.
        index: Option<ListIndex>,
        /// From this index.
        start: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    }
}

rpc_object! {
    /// The answer to `listchannelmoves`.
    pub struct ListchannelmovesResponse {
        /// The amounts, in the order they moved.
        channelmoves: Vec<ChannelMove>,
    }

    /// An amount that moved in a channel.
    pub struct ChannelMove {
        /// Its number in the order of all.
        created_index: u64,
        /// The account: a channel id.
        account_id: String,
        /// What we gained there.
        credit_msat: Msat,
        /// What we lost there.
        debit_msat: Msat,
        /// When, in seconds since 1970.
        timestamp: u64,
        /// What it moved for.
        primary_tag: ChannelMoveTag,
        /// The hash of the payment.
        payment_hash: Option<PaymentHash>,
        /// The part of a payment of ours.
        part_id: Option<u64>,
        /// The attempt that part belongs to.
        group_id: Option<u64>,
        /// What of it was fees: paid, or earned.
        fees_msat: Msat,
    }
}

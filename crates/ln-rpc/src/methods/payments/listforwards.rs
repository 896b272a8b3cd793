//! `listforwards`

use ln_types::{Msat, ShortChannelId};

use crate::methods::control::wait::ForwardStatus;
use crate::methods::invoices::listinvoices::ListIndex;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the payments of others that came through this node, or were to, all or those that fit.
    pub struct Listforwards = "listforwards" (ListforwardsParams) -> ListforwardsResponse {
        category: Payments,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listforwards`.
    pub struct ListforwardsParams {
        /// Only those that stand like this.
        status: Option<ForwardStatus>,
        /// Only those that came by this channel.
        in_channel: Option<ShortChannelId>,
        /// Only those that went out by this channel, or were to.
        out_channel: Option<ShortChannelId>,
        /// In which order to list, for `start` and `limit`.
        index: Option<ListIndex>,
        /// From this index.
        start: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    }
}

rpc_object! {
    /// The answer to `listforwards`.
    pub struct ListforwardsResponse {
        /// The forwards.
        forwards: Vec<Forward>,
    }

    /// An HTLC that was to be forwarded.
    pub struct Forward {
        /// Its number in the order forwards were begun.
        created_index: u64,
        /// The channel it came by.
        in_channel: ShortChannelId,
        /// The HTLC's number there.
        in_htlc_id: Option<u64>,
        /// What came in.
        in_msat: Msat,
        /// How it stands.
        status: ForwardStatus,
        /// When it came, in seconds since 1970.
        received_time: f64,
        /// The channel it went out by, or was to.
        out_channel: Option<ShortChannelId>,
        /// The HTLC's number there.
        out_htlc_id: Option<u64>,
        /// Its number in the order forwards changed.
        updated_index: Option<u64>,
        /// The form of the onion: `tlv`.
        style: Option<String>,
        /// What it leaves us.
        fee_msat: Option<Msat>,
        /// What went out.
        out_msat: Option<Msat>,
        /// When it ended, in seconds since 1970.
        resolved_time: Option<f64>,
        /// The BOLT 4 failure code we gave.
        failcode: Option<u32>,
        /// Its name.
        failreason: Option<String>,
    }
}

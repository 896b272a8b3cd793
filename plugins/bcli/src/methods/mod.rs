//! The methods, one a file.

mod block;
mod broadcast;
mod chain_info;
mod fees;
mod utxo;
mod wait;

use ln_plugin::Plugin;

use crate::Backend;

pub(crate) fn declare(plugin: Plugin<Backend>) -> Plugin<Backend> {
    plugin
        .method("getrawblockbyheight", "height", block::getrawblockbyheight)
        .method("getchaininfo", "[last_height]", chain_info::getchaininfo)
        .method("estimatefees", "", fees::estimatefees)
        .method(
            "sendrawtransaction",
            "tx allowhighfees",
            broadcast::sendrawtransaction,
        )
        .method("getutxout", "txid vout", utxo::getutxout)
        .method(
            "waitblockchange",
            "last_hash timeout",
            wait::waitblockchange,
        )
}

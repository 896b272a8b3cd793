//! The methods, one a file.

mod block;
mod broadcast;
mod chain_info;
mod fees;
mod utxo;
mod wait;

use ln_plugin::{Method, Plugin};

use crate::Backend;

const GETRAWBLOCKBYHEIGHT: Method = Method::new("getrawblockbyheight", "height")
    .description("The block at a height, and its hash.");
const GETCHAININFO: Method = Method::new("getchaininfo", "[last_height]")
    .description("Which chain, how long it is, and whether bitcoind has all of it.");
const ESTIMATEFEES: Method =
    Method::new("estimatefees", "").description("Feerates for so many blocks.");
const SENDRAWTRANSACTION: Method = Method::new("sendrawtransaction", "tx allowhighfees")
    .description("Gives a transaction to bitcoind to pass on.");
const GETUTXOUT: Method =
    Method::new("getutxout", "txid vout").description("An output that is not spent.");
const WAITBLOCKCHANGE: Method = Method::new("waitblockchange", "last_hash timeout")
    .description("Answers when the best block is another one.");

pub(crate) fn declare(plugin: Plugin<Backend>) -> Plugin<Backend> {
    plugin
        .method(GETRAWBLOCKBYHEIGHT, block::getrawblockbyheight)
        .method(GETCHAININFO, chain_info::getchaininfo)
        .method(ESTIMATEFEES, fees::estimatefees)
        .method(SENDRAWTRANSACTION, broadcast::sendrawtransaction)
        .method(GETUTXOUT, utxo::getutxout)
        .method(WAITBLOCKCHANGE, wait::waitblockchange)
}

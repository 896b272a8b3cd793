//! The table of methods.

use super::args::Args;
use super::{
    Context, RpcError, blockchain, mempool_calls, mining, network, packages, program, psbt,
    raw_transaction, wallet_calls, wallet_history, wallet_spend,
};
use crate::json::Json;

/// One method.
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Its parameters in order. Aliases are split by `|`; a `#` before the names marks one that is
    /// not a plain string, so that the command line reads it as JSON.
    pub args: &'static [&'static str],
    /// Where `help` lists it.
    pub category: &'static str,
    pub(super) run: fn(&mut Context<'_>, &Args) -> Result<Json, RpcError>,
}

impl Method {
    /// The name and the parameters.
    pub fn usage(&self) -> String {
        let mut words = vec![self.name.to_owned()];
        words.extend(
            self.args
                .iter()
                .filter_map(|arg| names(arg).next().map(str::to_owned)),
        );
        words.join(" ")
    }

    /// The position of the parameter with a name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.args
            .iter()
            .position(|arg| names(arg).any(|known| known == name))
    }

    /// Whether the parameter at a position is JSON rather than a plain string.
    pub fn is_json(&self, position: usize) -> bool {
        self.args
            .get(position)
            .is_some_and(|arg| arg.starts_with('#'))
    }
}

fn names(arg: &str) -> impl Iterator<Item = &str> {
    arg.trim_start_matches('#').split('|')
}

const fn method(
    category: &'static str,
    name: &'static str,
    args: &'static [&'static str],
    run: fn(&mut Context<'_>, &Args) -> Result<Json, RpcError>,
) -> Method {
    Method {
        name,
        args,
        category,
        run,
    }
}

/// All methods, by category.
pub static METHODS: &[Method] = &[
    method(
        "Blockchain",
        "getbestblockhash",
        &[],
        blockchain::getbestblockhash,
    ),
    method(
        "Blockchain",
        "getblock",
        &["blockhash", "#verbosity|verbose"],
        blockchain::getblock,
    ),
    method(
        "Blockchain",
        "getblockchaininfo",
        &[],
        blockchain::getblockchaininfo,
    ),
    method(
        "Blockchain",
        "getblockcount",
        &[],
        blockchain::getblockcount,
    ),
    method(
        "Blockchain",
        "getblockfrompeer",
        &["blockhash", "#peer_id"],
        blockchain::getblockfrompeer,
    ),
    method(
        "Blockchain",
        "getblockhash",
        &["#height"],
        blockchain::getblockhash,
    ),
    method(
        "Blockchain",
        "getblockheader",
        &["blockhash", "#verbose"],
        blockchain::getblockheader,
    ),
    method(
        "Blockchain",
        "getblockstats",
        &["#hash_or_height", "#stats"],
        blockchain::getblockstats,
    ),
    method("Blockchain", "getchaintips", &[], blockchain::getchaintips),
    method(
        "Blockchain",
        "getdifficulty",
        &[],
        blockchain::getdifficulty,
    ),
    method(
        "Blockchain",
        "getmempoolancestors",
        &["txid", "#verbose"],
        mempool_calls::getmempoolancestors,
    ),
    method(
        "Blockchain",
        "getmempooldescendants",
        &["txid", "#verbose"],
        mempool_calls::getmempooldescendants,
    ),
    method(
        "Blockchain",
        "getmempoolentry",
        &["txid"],
        mempool_calls::getmempoolentry,
    ),
    method(
        "Blockchain",
        "getmempoolinfo",
        &[],
        mempool_calls::getmempoolinfo,
    ),
    method(
        "Blockchain",
        "getrawmempool",
        &["#verbose", "#mempool_sequence"],
        mempool_calls::getrawmempool,
    ),
    method(
        "Blockchain",
        "gettxout",
        &["txid", "#n", "#include_mempool"],
        blockchain::gettxout,
    ),
    method(
        "Blockchain",
        "gettxoutsetinfo",
        &["hash_type", "#hash_or_height", "#use_index"],
        blockchain::gettxoutsetinfo,
    ),
    method(
        "Blockchain",
        "gettxspendingprevout",
        &["#outputs"],
        mempool_calls::gettxspendingprevout,
    ),
    method(
        "Blockchain",
        "invalidateblock",
        &["blockhash"],
        blockchain::invalidateblock,
    ),
    method(
        "Blockchain",
        "preciousblock",
        &["blockhash"],
        blockchain::preciousblock,
    ),
    method(
        "Blockchain",
        "reconsiderblock",
        &["blockhash"],
        blockchain::reconsiderblock,
    ),
    method("Blockchain", "savemempool", &[], network::nothing),
    method(
        "Blockchain",
        "scantxoutset",
        &["action", "#scanobjects"],
        blockchain::scantxoutset,
    ),
    method(
        "Blockchain",
        "syncwithvalidationinterfacequeue",
        &[],
        program::syncwithvalidationinterfacequeue,
    ),
    method(
        "Blockchain",
        "verifychain",
        &["#checklevel", "#nblocks"],
        blockchain::verifychain,
    ),
    // The waiting calls are answered by the server; here they are for `help` and for names.
    method(
        "Blockchain",
        "waitforblock",
        &["blockhash", "#timeout"],
        blockchain::getbestblockhash,
    ),
    method(
        "Blockchain",
        "waitforblockheight",
        &["#height", "#timeout"],
        blockchain::getbestblockhash,
    ),
    method(
        "Blockchain",
        "waitfornewblock",
        &["#timeout", "current_tip"],
        blockchain::getbestblockhash,
    ),
    method(
        "Control",
        "getindexinfo",
        &["index_name"],
        blockchain::getindexinfo,
    ),
    method("Control", "getrpcinfo", &[], program::getrpcinfo),
    method("Control", "help", &["command"], program::help),
    method(
        "Control",
        "logging",
        &["#include", "#exclude"],
        program::logging,
    ),
    method("Control", "stop", &["#wait"], program::stop),
    method("Control", "uptime", &[], program::uptime),
    method(
        "Generating",
        "generateblock",
        &["output", "#transactions", "#submit"],
        mining::generateblock,
    ),
    method(
        "Generating",
        "generatetoaddress",
        &["#nblocks", "address", "#maxtries"],
        mining::generatetoaddress,
    ),
    method(
        "Generating",
        "generatetodescriptor",
        &["#num_blocks", "descriptor", "#maxtries"],
        mining::generatetodescriptor,
    ),
    method("Mining", "getmininginfo", &[], mining::getmininginfo),
    method(
        "Mining",
        "getprioritisedtransactions",
        &[],
        mempool_calls::getprioritisedtransactions,
    ),
    method(
        "Mining",
        "prioritisetransaction",
        &["txid", "#dummy", "#fee_delta"],
        mempool_calls::prioritisetransaction,
    ),
    method(
        "Mining",
        "submitblock",
        &["hexdata", "dummy"],
        mining::submitblock,
    ),
    method(
        "Network",
        "addnode",
        &["node", "command", "#v2transport"],
        network::nothing,
    ),
    method(
        "Network",
        "getconnectioncount",
        &[],
        network::getconnectioncount,
    ),
    method("Network", "getnetworkinfo", &[], network::getnetworkinfo),
    method("Network", "getpeerinfo", &[], network::getpeerinfo),
    method("Network", "ping", &[], network::nothing),
    method(
        "Rawtransactions",
        "analyzepsbt",
        &["psbt"],
        psbt::analyzepsbt,
    ),
    method(
        "Rawtransactions",
        "combinepsbt",
        &["#txs"],
        psbt::combinepsbt,
    ),
    method(
        "Rawtransactions",
        "converttopsbt",
        &["hexstring", "#permitsigdata", "#iswitness"],
        psbt::converttopsbt,
    ),
    method(
        "Rawtransactions",
        "createpsbt",
        &[
            "#inputs",
            "#outputs",
            "#locktime",
            "#replaceable",
            "#version",
        ],
        psbt::createpsbt,
    ),
    method(
        "Rawtransactions",
        "createrawtransaction",
        &[
            "#inputs",
            "#outputs",
            "#locktime",
            "#replaceable",
            "#version",
        ],
        raw_transaction::createrawtransaction,
    ),
    method("Rawtransactions", "decodepsbt", &["psbt"], psbt::decodepsbt),
    method(
        "Rawtransactions",
        "decoderawtransaction",
        &["hexstring", "#iswitness"],
        raw_transaction::decoderawtransaction,
    ),
    method(
        "Rawtransactions",
        "decodescript",
        &["hexstring"],
        program::decodescript,
    ),
    method(
        "Rawtransactions",
        "finalizepsbt",
        &["psbt", "#extract"],
        psbt::finalizepsbt,
    ),
    method(
        "Rawtransactions",
        "fundrawtransaction",
        &["hexstring", "#options", "#iswitness"],
        wallet_spend::fundrawtransaction,
    ),
    method(
        "Rawtransactions",
        "getrawtransaction",
        &["txid", "#verbosity|verbose", "blockhash"],
        raw_transaction::getrawtransaction,
    ),
    method("Rawtransactions", "joinpsbts", &["#txs"], psbt::joinpsbts),
    method(
        "Rawtransactions",
        "sendrawtransaction",
        &["hexstring", "#maxfeerate", "#maxburnamount"],
        mempool_calls::sendrawtransaction,
    ),
    method(
        "Rawtransactions",
        "submitpackage",
        &["#package", "#maxfeerate", "#maxburnamount"],
        packages::submitpackage,
    ),
    method(
        "Rawtransactions",
        "testmempoolaccept",
        &["#rawtxs", "#maxfeerate"],
        packages::testmempoolaccept,
    ),
    method(
        "Rawtransactions",
        "utxoupdatepsbt",
        &["psbt", "#descriptors"],
        psbt::utxoupdatepsbt,
    ),
    method(
        "Util",
        "deriveaddresses",
        &["descriptor", "#range"],
        program::deriveaddresses,
    ),
    method(
        "Util",
        "estimatesmartfee",
        &["#conf_target", "estimate_mode"],
        mempool_calls::estimatesmartfee,
    ),
    method(
        "Util",
        "getdescriptorinfo",
        &["descriptor"],
        program::getdescriptorinfo,
    ),
    method("Util", "setmocktime", &["#timestamp"], program::setmocktime),
    method(
        "Util",
        "validateaddress",
        &["address"],
        program::validateaddress,
    ),
    method(
        "Wallet",
        "backupwallet",
        &["destination"],
        wallet_calls::backupwallet,
    ),
    method(
        "Wallet",
        "createwallet",
        &[
            "wallet_name",
            "#disable_private_keys",
            "#blank",
            "passphrase",
            "#avoid_reuse",
            "#descriptors",
            "#load_on_startup",
            "#external_signer",
        ],
        wallet_calls::createwallet,
    ),
    method(
        "Wallet",
        "getaddressinfo",
        &["address"],
        wallet_calls::getaddressinfo,
    ),
    method(
        "Wallet",
        "getbalance",
        &["dummy", "#minconf", "#include_watchonly", "#avoid_reuse"],
        wallet_calls::getbalance,
    ),
    method("Wallet", "getbalances", &[], wallet_calls::getbalances),
    method(
        "Wallet",
        "getnewaddress",
        &["label", "address_type"],
        wallet_calls::getnewaddress,
    ),
    method(
        "Wallet",
        "getrawchangeaddress",
        &["address_type"],
        wallet_calls::getrawchangeaddress,
    ),
    method(
        "Wallet",
        "getreceivedbyaddress",
        &["address", "#minconf", "#include_immature_coinbase"],
        wallet_history::getreceivedbyaddress,
    ),
    method(
        "Wallet",
        "gettransaction",
        &["txid", "#include_watchonly", "#verbose"],
        wallet_history::gettransaction,
    ),
    method(
        "Wallet",
        "getunconfirmedbalance",
        &[],
        wallet_calls::getunconfirmedbalance,
    ),
    method("Wallet", "getwalletinfo", &[], wallet_calls::getwalletinfo),
    method("Wallet", "keypoolrefill", &["#newsize"], network::nothing),
    method(
        "Wallet",
        "listlockunspent",
        &[],
        wallet_calls::listlockunspent,
    ),
    method(
        "Wallet",
        "listtransactions",
        &["label|dummy", "#count", "#skip", "#include_watchonly"],
        wallet_history::listtransactions,
    ),
    method(
        "Wallet",
        "listunspent",
        &[
            "#minconf",
            "#maxconf",
            "#addresses",
            "#include_unsafe",
            "#query_options",
        ],
        wallet_calls::listunspent,
    ),
    method("Wallet", "listwalletdir", &[], wallet_calls::listwalletdir),
    method("Wallet", "listwallets", &[], wallet_calls::listwallets),
    method(
        "Wallet",
        "loadwallet",
        &["filename", "#load_on_startup"],
        wallet_calls::loadwallet,
    ),
    method(
        "Wallet",
        "lockunspent",
        &["#unlock", "#transactions", "#persistent"],
        wallet_calls::lockunspent,
    ),
    method(
        "Wallet",
        "rescanblockchain",
        &["#start_height", "#stop_height"],
        wallet_history::rescanblockchain,
    ),
    method(
        "Wallet",
        "restorewallet",
        &["wallet_name", "backup_file", "#load_on_startup"],
        wallet_calls::restorewallet,
    ),
    method(
        "Wallet",
        "sendmany",
        &[
            "dummy",
            "#amounts",
            "#minconf",
            "comment",
            "#subtractfeefrom",
            "#replaceable",
            "#conf_target",
            "estimate_mode",
            "#fee_rate",
            "#verbose",
        ],
        wallet_spend::sendmany,
    ),
    method(
        "Wallet",
        "sendtoaddress",
        &[
            "address",
            "#amount",
            "comment",
            "comment_to",
            "#subtractfeefromamount",
            "#replaceable",
            "#conf_target",
            "estimate_mode",
            "#avoid_reuse",
            "#fee_rate",
            "#verbose",
        ],
        wallet_spend::sendtoaddress,
    ),
    method(
        "Wallet",
        "setlabel",
        &["address", "label"],
        wallet_calls::setlabel,
    ),
    method("Wallet", "settxfee", &["#amount"], wallet_spend::settxfee),
    method(
        "Wallet",
        "signrawtransactionwithwallet",
        &["hexstring", "#prevtxs", "sighashtype"],
        wallet_spend::signrawtransactionwithwallet,
    ),
    method(
        "Wallet",
        "unloadwallet",
        &["wallet_name", "#load_on_startup"],
        wallet_calls::unloadwallet,
    ),
    method(
        "Wallet",
        "walletcreatefundedpsbt",
        &[
            "#inputs",
            "#outputs",
            "#locktime",
            "#options",
            "#bip32derivs",
            "#version",
        ],
        psbt::walletcreatefundedpsbt,
    ),
    method(
        "Wallet",
        "walletprocesspsbt",
        &["psbt", "#sign", "sighashtype", "#bip32derivs", "#finalize"],
        psbt::walletprocesspsbt,
    ),
];

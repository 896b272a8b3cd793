//! Wallets: making, loading, addresses, balances, lists.

use super::Context;
use super::args::{Args, address, outpoint};
use super::decode::descriptor;
use super::error::{self, RpcError};
use crate::json::{Json, text};
use crate::node::Node;
use crate::wallet::Wallet;
use crate::wallet::keys::AddressKind;
use bitcoin::Amount;
use bitcoin::hex::DisplayHex;

/// The name of the wallet a call is for. Makes or loads one if there is none and that is allowed.
pub(super) fn wallet_name(context: &mut Context<'_>) -> Result<String, RpcError> {
    if let Some(name) = &context.wallet {
        if context.node.wallets.contains_key(name) {
            return Ok(name.clone());
        }
        return Err(RpcError::new(
            error::WALLET_NOT_FOUND,
            "Requested wallet does not exist or is not loaded",
        ));
    }
    if context.node.wallets.is_empty() && context.node.settings.wallet_on_demand {
        let on_disk = &context.node.wallets_on_disk;
        let only = on_disk
            .iter()
            .next()
            .filter(|_| on_disk.len() == 1)
            .cloned();
        let name = only.unwrap_or_default();
        if context.node.wallets_on_disk.contains(&name) {
            load(context, &name)?;
        } else {
            create(context, &name)?;
        }
    }
    let mut names = context.node.wallets.keys();
    match (names.next(), names.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(RpcError::new(
            error::WALLET_NOT_FOUND,
            "No wallet is loaded. Load a wallet using loadwallet or create a new one with createwallet. (Note: A default wallet is no longer automatically created)",
        )),
        (Some(_), Some(_)) => Err(RpcError::new(
            error::WALLET_NOT_SPECIFIED,
            "Multiple wallets are loaded. Please select which wallet to use by requesting the RPC through the /wallet/<walletname> URI path.",
        )),
    }
}

/// The wallet a call is for, beside the rest of the node.
pub(super) fn wallet<'a>(context: &'a mut Context<'_>) -> Result<(&'a mut Node, String), RpcError> {
    let name = wallet_name(context)?;
    Ok((context.node, name))
}

fn find<'a>(node: &'a mut Node, name: &str) -> &'a mut Wallet {
    node.wallets
        .get_mut(name)
        .expect("the name was looked up among the loaded wallets")
}

pub(super) fn find_ref<'a>(node: &'a Node, name: &str) -> &'a Wallet {
    node.wallets
        .get(name)
        .expect("the name was looked up among the loaded wallets")
}

fn create(context: &mut Context<'_>, name: &str) -> Result<(), RpcError> {
    if context.node.wallets_on_disk.contains(name) || context.node.wallets.contains_key(name) {
        return Err(RpcError::new(
            error::WALLET,
            format!(
                "Wallet file verification failed. Failed to create database path '{name}'. Database already exists."
            ),
        ));
    }
    let wallet = Wallet::create(name, (context.random)());
    context.node.wallets_on_disk.insert(name.to_owned());
    context.node.wallets.insert(name.to_owned(), wallet);
    Ok(())
}

fn load(context: &mut Context<'_>, name: &str) -> Result<(), RpcError> {
    let missing = || {
        RpcError::new(
            error::WALLET_NOT_FOUND,
            format!(
                "Wallet file verification failed. Failed to load database path '{name}'. Path does not exist."
            ),
        )
    };
    let records = context.files.read(name).ok_or_else(missing)?;
    let wallet = Wallet::load(name, &records).ok_or_else(missing)?;
    context.node.add_wallet(wallet, context.now);
    Ok(())
}

fn valid_name(name: &str) -> Result<&str, RpcError> {
    let bad = name.starts_with('.') || name.len() > 200;
    if bad || name.contains(['/', '\\', '\0', '\n']) {
        return Err(RpcError::new(
            error::WALLET,
            format!("Wallet name '{name}' must be a plain file name"),
        ));
    }
    Ok(name)
}

fn loaded_json(name: &str) -> Json {
    Json::object().with("name", name)
}

pub(super) fn createwallet(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let name = valid_name(args.text(0)?)?.to_owned();
    create(context, &name)?;
    Ok(loaded_json(&name))
}

pub(super) fn loadwallet(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let name = valid_name(args.text(0)?)?.to_owned();
    if context.node.wallets.contains_key(&name) {
        return Err(RpcError::new(
            error::WALLET_ALREADY_LOADED,
            format!("Wallet \"{name}\" is already loaded."),
        ));
    }
    load(context, &name)?;
    Ok(loaded_json(&name))
}

pub(super) fn backupwallet(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let path = args.text(0)?.to_owned();
    let name = wallet_name(context)?;
    context
        .files
        .export(&name, &path)
        .map_err(|why| RpcError::new(error::WALLET, why))?;
    Ok(Json::Null)
}

pub(super) fn restorewallet(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let name = valid_name(args.text(0)?)?.to_owned();
    if context.node.wallets_on_disk.contains(&name) {
        return Err(RpcError::new(
            error::WALLET,
            format!("Failed to restore wallet. Database file exists in '{name}'."),
        ));
    }
    let path = args.text(1)?;
    let records = context.files.import(path).map_err(RpcError::parameter)?;
    let wallet = Wallet::restore(&name, &records)
        .ok_or_else(|| RpcError::parameter(format!("'{path}' is not a wallet of ours")))?;
    context.node.wallets_on_disk.insert(name.clone());
    context.node.add_wallet(wallet, context.now);
    Ok(loaded_json(&name))
}

pub(super) fn unloadwallet(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let name = match args.opt_text(0)? {
        Some(name) => name.to_owned(),
        None => wallet_name(context)?,
    };
    if context.node.unload_wallet(&name) {
        return Ok(Json::object());
    }
    Err(RpcError::new(
        error::WALLET_NOT_FOUND,
        "Requested wallet does not exist or is not loaded",
    ))
}

pub(super) fn listwallets(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(context
        .node
        .wallets
        .keys()
        .map(|name| Json::from(name.as_str()))
        .collect())
}

pub(super) fn listwalletdir(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let mut names: Vec<_> = context.node.wallets_on_disk.iter().collect();
    names.sort();
    let wallets: Json = names
        .into_iter()
        .map(|name| Json::object().with("name", name.as_str()))
        .collect();
    Ok(Json::object().with("wallets", wallets))
}

fn address_kind(args: &Args, index: usize, default: AddressKind) -> Result<AddressKind, RpcError> {
    let Some(name) = args.opt_text(index)? else {
        return Ok(default);
    };
    AddressKind::from_name(name)
        .ok_or_else(|| RpcError::not_found(format!("Unknown address type '{name}'")))
}

pub(super) fn getnewaddress(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let label = args.opt_text(0)?.unwrap_or_default();
    let (node, name) = wallet(context)?;
    let kind = address_kind(args, 1, node.settings.address_kind)?;
    Ok(text(find(node, &name).new_address(
        kind,
        false,
        Some(label),
    )))
}

pub(super) fn getrawchangeaddress(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let (node, name) = wallet(context)?;
    let kind = address_kind(args, 0, node.settings.change_kind)?;
    Ok(text(find(node, &name).new_address(kind, true, None)))
}

pub(super) fn setlabel(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let script = super::args::address_script(args.text(0)?)?;
    let label = args.text(1)?;
    let (node, name) = wallet(context)?;
    find(node, &name).set_label(script, label);
    Ok(Json::Null)
}

pub(super) fn getaddressinfo(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let address = address(args.text(0)?)?;
    let (node, name) = wallet(context)?;
    let wallet = find_ref(node, &name);
    let script = address.script_pubkey();
    let path = wallet.path(&script);
    let mut json = Json::object()
        .with("address", address.to_string())
        .with("scriptPubKey", script.to_hex_string())
        .with("ismine", path.is_some())
        .with("solvable", path.is_some())
        .with("desc", descriptor(&script))
        .with("iswatchonly", false);
    super::program::add_script_facts(&mut json, &script);
    if let Some(path) = path {
        json.push(
            "pubkey",
            wallet.ring().public(path).to_bytes().to_lower_hex_string(),
        );
        json.push("ischange", path.change && wallet.label(&script).is_none());
        json.push("hdkeypath", path.text());
        json.push("hdmasterfingerprint", text(wallet.ring().fingerprint()));
    } else {
        json.push("ischange", false);
    }
    let labels = wallet
        .label(&script)
        .map(Json::from)
        .into_iter()
        .collect::<Json>();
    Ok(json.with("labels", labels))
}

pub(super) fn getbalance(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let min = u32::try_from(args.integer_or(1, 0)?).unwrap_or(0);
    let (node, name) = wallet(context)?;
    let coins = find_ref(node, &name).coins(&node.chain, &node.mempool);
    let sum: u64 = coins
        .iter()
        .filter(|coin| coin.trusted && !coin.immature && coin.confirmations >= min)
        .map(|coin| coin.output.value.to_sat())
        .sum();
    Ok(Amount::from_sat(sum).into())
}

pub(super) fn getunconfirmedbalance(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let (node, name) = wallet(context)?;
    let balances = find_ref(node, &name).balances(&node.chain, &node.mempool);
    Ok(balances.untrusted_pending.into())
}

pub(super) fn getbalances(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let (node, name) = wallet(context)?;
    let balances = find_ref(node, &name).balances(&node.chain, &node.mempool);
    let mine = Json::object()
        .with("trusted", balances.trusted)
        .with("untrusted_pending", balances.untrusted_pending)
        .with("immature", balances.immature);
    let tip = node.chain.tip();
    let last = Json::object()
        .with("hash", text(tip.hash))
        .with("height", tip.height);
    Ok(Json::object()
        .with("mine", mine)
        .with("lastprocessedblock", last))
}

pub(super) fn getwalletinfo(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let (node, name) = wallet(context)?;
    let wallet = find_ref(node, &name);
    let balances = wallet.balances(&node.chain, &node.mempool);
    let tip = node.chain.tip();
    let last = Json::object()
        .with("hash", text(tip.hash))
        .with("height", tip.height);
    Ok(Json::object()
        .with("walletname", name.as_str())
        .with("walletversion", 169_900)
        .with("format", "sqlite")
        .with("balance", balances.trusted)
        .with("unconfirmed_balance", balances.untrusted_pending)
        .with("immature_balance", balances.immature)
        .with("txcount", wallet.transactions().len())
        .with("keypoolsize", 4000)
        .with("keypoolsize_hd_internal", 4000)
        .with(
            "paytxfee",
            Json::sats(wallet.fee_rate.unwrap_or(0).cast_signed()),
        )
        .with("private_keys_enabled", true)
        .with("avoid_reuse", false)
        .with("scanning", false)
        .with("descriptors", true)
        .with("external_signer", false)
        .with("blank", false)
        .with("flags", Json::Array(vec!["descriptor_wallet".into()]))
        .with("lastprocessedblock", last))
}

pub(super) fn listunspent(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let min = args.integer_or(0, 1)?;
    let max = args.integer_or(1, 9_999_999)?;
    let wanted = args
        .array(2)?
        .iter()
        .map(|value| super::args::address_script(value.as_str().unwrap_or_default()))
        .collect::<Result<Vec<_>, _>>()?;
    let include_unsafe = args.flag_or(3, true)?;
    let (node, name) = wallet(context)?;
    let wallet = find_ref(node, &name);
    Ok(wallet
        .coins(&node.chain, &node.mempool)
        .into_iter()
        .filter(|coin| !coin.locked && !coin.immature && (coin.trusted || include_unsafe))
        .filter(|coin| (min..=max).contains(&i64::from(coin.confirmations)))
        .filter(|coin| wanted.is_empty() || wanted.contains(&coin.output.script_pubkey))
        .map(|coin| {
            let script = &coin.output.script_pubkey;
            let mut json = Json::object()
                .with("txid", text(coin.outpoint.txid))
                .with("vout", coin.outpoint.vout);
            if let Some(address) = Wallet::address_of(script) {
                json.push("address", address.to_string());
            }
            if let Some(label) = wallet.label(script) {
                json.push("label", label);
            }
            json.with("scriptPubKey", script.to_hex_string())
                .with("amount", coin.output.value)
                .with("confirmations", coin.confirmations)
                .with("spendable", true)
                .with("solvable", true)
                .with("desc", descriptor(script))
                .with("parent_descs", Vec::new())
                .with("safe", coin.trusted)
        })
        .collect())
}

pub(super) fn lockunspent(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let unlock = args.flag_or(0, false)?;
    let outpoints = args
        .array(1)?
        .iter()
        .map(outpoint)
        .collect::<Result<Vec<_>, _>>()?;
    let (node, name) = wallet(context)?;
    for outpoint in &outpoints {
        if find_ref(node, &name).mine_output(outpoint).is_none() {
            return Err(RpcError::parameter(
                "Invalid parameter, unknown transaction",
            ));
        }
        if node.mempool.coin(&node.chain, outpoint).is_none() {
            return Err(RpcError::parameter(
                "Invalid parameter, expected unspent output",
            ));
        }
        let locked = find_ref(node, &name).locked().contains(outpoint);
        if unlock && !locked {
            return Err(RpcError::parameter(
                "Invalid parameter, expected locked output",
            ));
        }
        if !unlock && locked {
            return Err(RpcError::parameter(
                "Invalid parameter, output already locked",
            ));
        }
    }
    let wallet = find(node, &name);
    if unlock && outpoints.is_empty() {
        wallet.unlock_all();
    }
    for outpoint in outpoints {
        wallet.set_locked(outpoint, !unlock);
    }
    Ok(true.into())
}

pub(super) fn listlockunspent(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let (node, name) = wallet(context)?;
    let locked = find_ref(node, &name).locked().iter();
    Ok(locked
        .map(|outpoint| {
            Json::object()
                .with("txid", text(outpoint.txid))
                .with("vout", outpoint.vout)
        })
        .collect())
}

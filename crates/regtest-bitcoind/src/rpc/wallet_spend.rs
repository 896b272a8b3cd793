//! Wallets: funding, signing, sending.

use super::Context;
use super::args::{Args, address_script, amount, parse_fixed, transaction};
use super::error::{self, RpcError};
use super::mempool_calls::broadcast;
use super::raw_transaction::outputs;
use super::wallet_calls::{find_ref, wallet, wallet_name};
use crate::json::{Json, text};
use crate::node::Node;
use crate::policy::FeePerKvb;
use crate::wallet::keys::AddressKind;
use crate::wallet::spend::{FundError, FundOptions, Funded};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Transaction, TxOut};
use serde_json::Value;
use std::collections::HashMap;

fn fund_error(failure: &FundError) -> RpcError {
    let code = match failure {
        FundError::InsufficientFunds => error::INSUFFICIENT_FUNDS,
        FundError::ChangePosition => error::INVALID_PARAMETER,
        FundError::AmountTooSmall | FundError::TooSmallForFee | FundError::UnknownInput(_) => {
            error::WALLET
        }
    };
    RpcError::new(code, failure.to_string())
}

/// A fee rate in satoshis per virtual byte, as `fee_rate` parameters give it.
fn sat_per_vbyte(value: &Value) -> Result<FeePerKvb, RpcError> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(RpcError::new(
                error::TYPE,
                "Amount is not a number or string",
            ));
        }
    };
    parse_fixed(&text, 3)
        .and_then(|rate| u64::try_from(rate).ok())
        .map(FeePerKvb::from_sat_per_kvb)
        .ok_or_else(|| RpcError::new(error::TYPE, "Invalid amount"))
}

fn default_options(node: &Node, wallet: &str) -> Result<FundOptions, RpcError> {
    let own = find_ref(node, wallet)
        .fee_rate
        .map(FeePerKvb::from_sat_per_kvb);
    let rate = own.or(node.settings.fallback_fee).ok_or_else(|| {
        RpcError::new(
            error::WALLET,
            "Fee estimation failed. Fallbackfee is disabled. Wait a few blocks or enable -fallbackfee.",
        )
    })?;
    Ok(FundOptions {
        rate: rate.max(node.policy.min_relay),
        fee_from: Vec::new(),
        change_position: None,
        change_script: None,
        change_kind: node.settings.change_kind,
        include_unsafe: false,
        add_inputs: true,
        min_confirmations: 0,
        replaceable: true,
    })
}

fn fund(
    node: &mut Node,
    name: &str,
    tx: Transaction,
    options: &FundOptions,
) -> Result<Funded, RpcError> {
    let Node {
        wallets,
        chain,
        mempool,
        policy,
        ..
    } = node;
    let wallet = wallets
        .get_mut(name)
        .expect("the name was looked up among the loaded wallets");
    wallet
        .fund(chain, mempool, policy, tx, options)
        .map_err(|failure| fund_error(&failure))
}

/// The outputs a transaction spends, where chain or mempool know them.
fn spent_outputs(node: &Node, tx: &Transaction) -> Vec<Option<TxOut>> {
    tx.input
        .iter()
        .map(|input| {
            node.mempool
                .coin(&node.chain, &input.previous_output)
                .map(|c| c.output)
        })
        .collect()
}

fn send(
    context: &mut Context<'_>,
    outputs: Vec<TxOut>,
    options: impl FnOnce(&mut FundOptions) -> Result<(), RpcError>,
    verbose: bool,
) -> Result<Json, RpcError> {
    let (node, name) = wallet(context)?;
    let mut how = default_options(node, &name)?;
    options(&mut how)?;
    let tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: Vec::new(),
        output: outputs,
    };
    // A payment has one code for all that keeps it from being made.
    let mut funded = fund(node, &name, tx, &how)
        .map_err(|error| RpcError::new(error::INSUFFICIENT_FUNDS, error.message))?;
    let spent = spent_outputs(node, &funded.tx);
    find_ref(node, &name).sign(&mut funded.tx, &spent);
    let txid = broadcast(context, funded.tx, None)
        .map_err(|refused| RpcError::new(error::WALLET, refused.message))?;
    if verbose {
        return Ok(Json::object()
            .with("txid", text(txid))
            .with("fee_reason", "Fallback fee"));
    }
    Ok(text(txid))
}

pub(super) fn sendtoaddress(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let script_pubkey = address_script(args.text(0)?)?;
    let value = args.amount(1)?;
    let (subtract, replaceable) = (args.flag_or(4, false)?, args.flag_or(5, true)?);
    let verbose = args.flag_or(10, false)?;
    let options = |how: &mut FundOptions| {
        how.replaceable = replaceable;
        if subtract {
            how.fee_from = vec![0];
        }
        if args.has(9) {
            how.rate = sat_per_vbyte(args.value(9))?;
        }
        Ok(())
    };
    send(
        context,
        vec![TxOut {
            value,
            script_pubkey,
        }],
        options,
        verbose,
    )
}

pub(super) fn sendmany(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let outputs = outputs(args.value(1))?;
    let scripts: Vec<ScriptBuf> = outputs
        .iter()
        .map(|output| output.script_pubkey.clone())
        .collect();
    let fee_from = args
        .array(4)?
        .iter()
        .map(|value| {
            let script = address_script(value.as_str().unwrap_or_default())?;
            scripts.iter().position(|each| *each == script).ok_or_else(|| {
                RpcError::parameter("Invalid parameter 'subtract fee from output', destination not found in tx outputs")
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let replaceable = args.flag_or(5, true)?;
    let verbose = args.flag_or(9, false)?;
    let options = |how: &mut FundOptions| {
        how.replaceable = replaceable;
        how.fee_from = fee_from;
        if args.has(8) {
            how.rate = sat_per_vbyte(args.value(8))?;
        }
        Ok(())
    };
    send(context, outputs, options, verbose)
}

pub(super) fn settxfee(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let rate = args.amount(0)?.to_sat();
    let (node, name) = wallet(context)?;
    if let Some(wallet) = node.wallets.get_mut(&name) {
        wallet.fee_rate = (rate > 0).then_some(rate);
    }
    Ok(true.into())
}

/// Reads the options that `fundrawtransaction` and `walletcreatefundedpsbt` share.
pub(super) fn read_options(how: &mut FundOptions, given: &Value) -> Result<(), RpcError> {
    let Value::Object(members) = given else {
        return Ok(());
    };
    for (name, value) in members {
        match name.as_str() {
            "fee_rate" => how.rate = sat_per_vbyte(value)?,
            "feeRate" => how.rate = FeePerKvb::from_sat_per_kvb(amount(value)?.to_sat()),
            "changeAddress" | "change_address" => {
                how.change_script = Some(address_script(value.as_str().unwrap_or_default())?);
            }
            "changePosition" | "change_position" => {
                how.change_position = usize::try_from(super::args::integer(value)?).ok();
            }
            "change_type" => {
                let kind = value.as_str().and_then(AddressKind::from_name);
                how.change_kind = kind.ok_or_else(|| RpcError::not_found("Unknown change type"))?;
            }
            "include_unsafe" => how.include_unsafe = value.as_bool().unwrap_or(false),
            "add_inputs" => how.add_inputs = value.as_bool().unwrap_or(true),
            "replaceable" => how.replaceable = value.as_bool().unwrap_or(true),
            "minconf" => {
                how.min_confirmations = u32::try_from(super::args::integer(value)?).unwrap_or(0);
            }
            "subtractFeeFromOutputs" | "subtract_fee_from_outputs" => {
                let positions = value.as_array().into_iter().flatten();
                how.fee_from = positions
                    .map(|value| {
                        usize::try_from(super::args::integer(value)?).map_err(|_| {
                            RpcError::parameter("Invalid parameter, negative position")
                        })
                    })
                    .collect::<Result<_, _>>()?;
            }
            "lockUnspents" | "lock_unspents" | "conf_target" | "estimate_mode"
            | "includeWatching" | "include_watching" | "solving_data" | "input_weights"
            | "maxconf" | "max_tx_weight" => {}
            _ => return Err(RpcError::new(error::TYPE, format!("Unexpected key {name}"))),
        }
    }
    Ok(())
}

/// Funds a transaction for `fundrawtransaction` and `walletcreatefundedpsbt`.
pub(super) fn fund_with_options(
    context: &mut Context<'_>,
    tx: Transaction,
    options: &Value,
) -> Result<Funded, RpcError> {
    let (node, name) = wallet(context)?;
    let mut how = default_options(node, &name)?;
    read_options(&mut how, options)?;
    let funded = fund(node, &name, tx, &how)?;
    let lock = options
        .get("lockUnspents")
        .or_else(|| options.get("lock_unspents"));
    if let (Some(true), Some(wallet)) = (lock.and_then(Value::as_bool), node.wallets.get_mut(&name))
    {
        for input in &funded.tx.input {
            wallet.set_locked(input.previous_output, true);
        }
    }
    Ok(funded)
}

fn change_json(position: Option<usize>) -> Json {
    position.map_or(Json::Int(-1), Json::from)
}

pub(super) fn fundrawtransaction(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let tx = transaction(args.text(0)?)
        .ok_or_else(|| RpcError::new(error::DESERIALIZATION, "TX decode failed"))?;
    let funded = fund_with_options(context, tx, args.value(1))?;
    Ok(Json::object()
        .with("hex", serialize_hex(&funded.tx))
        .with("fee", funded.fee)
        .with("changepos", change_json(funded.change_position)))
}

/// Outputs given by the caller because the chain may not know them.
fn given_outputs(values: &[Value]) -> Result<HashMap<OutPoint, TxOut>, RpcError> {
    values
        .iter()
        .map(|value| {
            let outpoint = super::args::outpoint(value)?;
            let script = value
                .get("scriptPubKey")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let script_pubkey = ScriptBuf::from_hex(script)
                .map_err(|_| RpcError::parameter("scriptPubKey must be hexadecimal string"))?;
            let value = match value.get("amount") {
                Some(value) => amount(value)?,
                None => return Err(RpcError::new(error::TYPE, "Missing amount")),
            };
            Ok((
                outpoint,
                TxOut {
                    value,
                    script_pubkey,
                },
            ))
        })
        .collect()
}

pub(super) fn signrawtransactionwithwallet(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let mut tx = args.transaction(0)?;
    let given = given_outputs(args.array(1)?)?;
    let name = wallet_name(context)?;
    let node = &*context.node;
    let mut spent = spent_outputs(node, &tx);
    for (output, input) in spent.iter_mut().zip(&tx.input) {
        if output.is_none() {
            *output = given.get(&input.previous_output).cloned();
        }
    }
    find_ref(node, &name).sign(&mut tx, &spent);
    let failures = signing_failures(&tx, &spent);
    let mut json = Json::object()
        .with("hex", serialize_hex(&tx))
        .with("complete", failures.is_empty());
    if !failures.is_empty() {
        json.push("errors", failures);
    }
    Ok(json)
}

fn signing_failures(tx: &Transaction, spent: &[Option<TxOut>]) -> Vec<Json> {
    let all: Option<Vec<TxOut>> = spent.iter().cloned().collect();
    let complete = all.is_some_and(|all| crate::consensus_script::verify_inputs(tx, &all).is_ok());
    if complete {
        return Vec::new();
    }
    let numbered = tx.input.iter().zip(spent);
    let failed = numbered.filter(|(input, output)| {
        output.is_none() || (input.script_sig.is_empty() && input.witness.is_empty())
    });
    failed
        .map(|(input, output)| {
            let reason = match output {
                None => "Input not found or already spent",
                Some(_) => "Unable to sign input, invalid stack size (possibly missing key)",
            };
            Json::object()
                .with("txid", text(input.previous_output.txid))
                .with("vout", input.previous_output.vout)
                .with("scriptSig", input.script_sig.to_hex_string())
                .with("sequence", input.sequence.to_consensus_u32())
                .with("error", reason)
        })
        .collect()
}

//! Addresses, descriptors, and the program itself.

use super::args::{Args, address, address_script};
use super::decode::script_json;
use super::error::{self, RpcError};
use super::{Context, METHODS};
use crate::descriptor::checksum;
use crate::json::Json;
use bitcoin::ScriptBuf;
use bitcoin::hex::DisplayHex;

pub(super) fn uptime(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(context.now.saturating_sub(context.node.started).into())
}

pub(super) fn help(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    if let Some(name) = args.opt_text(0)? {
        let usage = METHODS
            .iter()
            .find(|method| method.name == name)
            .map_or_else(
                || format!("help: unknown command: {name}\n"),
                super::Method::usage,
            );
        return Ok(usage.into());
    }
    let mut lines: Vec<String> = Vec::new();
    let mut category = "";
    for method in METHODS {
        if method.category != category {
            category = method.category;
            lines.push(format!(
                "{}== {category} ==",
                if lines.is_empty() { "" } else { "\n" }
            ));
        }
        lines.push(method.usage());
    }
    Ok(lines.join("\n").into())
}

pub(super) fn stop(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok("Bitcoin Core stopping".into())
}

pub(super) fn getrpcinfo(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::object()
        .with("active_commands", Vec::new())
        .with("logpath", ""))
}

pub(super) fn logging(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::object())
}

pub(super) fn setmocktime(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Err(RpcError::new(
        error::MISC,
        "setmocktime is not offered: this chain runs on the real clock",
    ))
}

pub(super) fn syncwithvalidationinterfacequeue(
    _: &mut Context<'_>,
    _: &Args,
) -> Result<Json, RpcError> {
    Ok(Json::Null)
}

pub(super) fn validateaddress(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let Ok(address) = address(args.text(0)?) else {
        return Ok(Json::object()
            .with("isvalid", false)
            .with("error_locations", Vec::new())
            .with(
                "error",
                "Invalid or unsupported Segwit (Bech32) or Base58 encoding.",
            ));
    };
    let script = address.script_pubkey();
    let mut json = Json::object()
        .with("isvalid", true)
        .with("address", address.to_string())
        .with("scriptPubKey", script.to_hex_string());
    add_script_facts(&mut json, &script);
    Ok(json)
}

/// Whether a script is a script hash or a witness program, as address calls tell it.
pub(super) fn add_script_facts(json: &mut Json, script: &ScriptBuf) {
    json.push(
        "isscript",
        script.is_p2sh() || script.is_p2wsh() || script.is_p2tr(),
    );
    match crate::policy::script_kind::witness_program(script) {
        Some((version, program)) => {
            json.push("iswitness", true);
            json.push("witness_version", u32::from(version));
            json.push("witness_program", program.to_lower_hex_string());
        }
        None => json.push("iswitness", false),
    }
}

pub(super) fn decodescript(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let script = ScriptBuf::from_hex(args.text(0)?)
        .map_err(|_| RpcError::parameter("argument must be hexadecimal string"))?;
    let mut json = script_json(&script);
    if let Json::Object(members) = &mut json {
        members.retain(|(name, _)| name != "hex");
    }
    if let Ok(address) = bitcoin::Address::p2sh(&script, bitcoin::Network::Regtest) {
        json.push("p2sh", address.to_string());
    }
    Ok(json)
}

/// The script of an `addr(..)` or `raw(..)` descriptor, with or without checksum.
pub(super) fn descriptor_script(text: &str) -> Result<ScriptBuf, RpcError> {
    let body = without_checksum(text)?;
    let inside = |name: &str| {
        body.strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(address) = inside("addr") {
        return address_script(address);
    }
    if let Some(script) = inside("raw").and_then(|hex| ScriptBuf::from_hex(hex).ok()) {
        return Ok(script);
    }
    Err(RpcError::not_found(format!(
        "'{body}' is not a descriptor known here (addr, raw)"
    )))
}

fn without_checksum(text: &str) -> Result<&str, RpcError> {
    let Some((body, given)) = text.split_once('#') else {
        return Ok(text);
    };
    let right = checksum(body).unwrap_or_default();
    if given != right {
        return Err(RpcError::not_found(format!(
            "Provided checksum '{given}' does not match computed checksum '{right}'"
        )));
    }
    Ok(body)
}

pub(super) fn getdescriptorinfo(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let body = without_checksum(args.text(0)?)?;
    let sum = checksum(body).ok_or_else(|| RpcError::not_found("Invalid characters in payload"))?;
    if body.starts_with("addr(") {
        let _address = descriptor_script(&format!("{body}#{sum}"))?;
    }
    Ok(Json::object()
        .with("descriptor", format!("{body}#{sum}"))
        .with("checksum", sum)
        .with("isrange", body.contains('*'))
        .with(
            "issolvable",
            !body.starts_with("addr(") && !body.starts_with("raw("),
        )
        .with("hasprivatekeys", body.contains("prv")))
}

pub(super) fn deriveaddresses(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let text = args.text(0)?;
    if !text.contains('#') {
        return Err(RpcError::not_found("Missing checksum"));
    }
    let script = descriptor_script(text)?;
    let address = crate::wallet::Wallet::address_of(&script)
        .ok_or_else(|| RpcError::not_found("Descriptor does not have a corresponding address"))?;
    Ok(Json::Array(vec![address.to_string().into()]))
}

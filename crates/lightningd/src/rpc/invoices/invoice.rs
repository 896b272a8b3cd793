//! `invoice`

use std::rc::Rc;

use bitcoin::address::NetworkUnchecked;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{Address, ScriptBuf};
use ln_db::{InvoiceRow, InvoiceStatus};
use ln_invoice::{Description, MAX_FIELD_BYTES, RouteHint};
use ln_rpc::methods::invoices::invoice::{
    ExposePrivateChannels, Invoice, InvoiceParams, InvoiceResponse,
};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{Msat, PaymentHash, PaymentPreimage, PaymentSecret};

use super::dev_routes::dev_routes;
use super::hints::{Candidate, choose, gather, incoming};
use super::warnings::{Warnings, warnings};
use crate::clock;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal, random};

/// The longest label in bytes.
const MAX_LABEL: usize = 128;

impl Handle for Invoice {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        check(&params)?;
        let preimage = match params.preimage {
            Some(preimage) => preimage,
            None => PaymentPreimage(random().map_err(internal)?),
        };
        let hints = match &params.dev_routes {
            Some(routes) => Hints {
                routes: dev_routes(routes)?,
                ..Hints::default()
            },
            None => hints(&node, &params)?,
        };
        let invoice = unsigned(&node, &params, preimage, hints.routes)?;
        let bolt11 = sign(&node, &invoice).await?;
        let row = InvoiceRow {
            created_index: 0,
            updated_index: None,
            status: InvoiceStatus::Unpaid,
            amount: invoice.amount,
            payment_hash: invoice.payment_hash,
            preimage,
            payment_secret: invoice.payment_secret,
            label: params.label.0,
            expires_at: invoice.expires_at(),
            pay_index: None,
            received: None,
            paid_at: None,
            bolt11: Some(bolt11.clone()),
            description: Some(params.description),
        };
        let created_index = keep(&node, row).await?;
        Ok(InvoiceResponse {
            bolt11,
            payment_hash: invoice.payment_hash,
            payment_secret: invoice.payment_secret,
            expires_at: invoice.expires_at(),
            created_index,
            warning_capacity: hints.warnings.capacity,
            warning_offline: hints.warnings.offline,
            warning_deadends: hints.warnings.deadends,
            warning_private_unused: hints.warnings.private_unused,
            warning_mpp: hints
                .in_parts
                .then(|| "The invoice is only payable by MPP-capable payers.".to_owned()),
        })
    }
}

fn check(params: &InvoiceParams) -> Result<(), RpcError> {
    if params.label.0.len() > MAX_LABEL {
        return Err(RpcError::invalid_params(format!(
            "Label '{}' over {MAX_LABEL} bytes",
            params.label
        )));
    }
    let length = params.description.len();
    if length > MAX_FIELD_BYTES && params.deschashonly != Some(true) {
        return Err(RpcError::invalid_params(format!(
            "Description greater than {MAX_FIELD_BYTES} bytes invalid (description length {length})"
        )));
    }
    Ok(())
}

/// Channels to name in an invoice, and what to warn of.
#[derive(Default)]
struct Hints {
    routes: Vec<Vec<RouteHint>>,
    warnings: Warnings,
    /// Whether no single channel can take the payment.
    in_parts: bool,
}

fn hints(node: &Node, params: &InvoiceParams) -> Result<Hints, RpcError> {
    let expose = params.exposeprivatechannels.as_ref();
    let mut incoming = incoming(node, expose).map_err(internal)?;
    if let Some(ExposePrivateChannels::Only(hints)) = expose
        && !hints.is_empty()
        && incoming.candidates.is_empty()
    {
        return Err(RpcError::new(
            RpcErrorCode::InvoiceHintsGaveNoRoutes,
            "None of those hints were suitable local channels",
        ));
    }
    let needed = params.amount_msat.amount().unwrap_or(Msat::from_msat(1));
    let number = u64::from_le_bytes(random().map_err(internal)?);
    let single = (!incoming.unpublished)
        .then(|| choose(&incoming.candidates, needed, |total| number % total))
        .flatten();
    let chosen: Vec<Candidate> = if let Some(candidate) = single {
        vec![candidate.clone()]
    } else {
        // Every invoice names other channels than the last, so that several can be paid at once.
        incoming
            .candidates
            .sort_by_key(|candidate| node.invoices.hint_turn(candidate.dbid));
        let chosen = gather(&incoming.candidates, needed).to_vec();
        for candidate in &chosen {
            node.invoices.hint_used(candidate.dbid);
        }
        chosen
    };
    Ok(Hints {
        routes: chosen
            .iter()
            .map(|candidate| vec![candidate.hint])
            .collect(),
        warnings: warnings(needed, &incoming.capacities),
        in_parts: chosen.len() > 1,
    })
}

/// The invoice up to its signature.
fn unsigned(
    node: &Node,
    params: &InvoiceParams,
    preimage: PaymentPreimage,
    routes: Vec<Vec<RouteHint>>,
) -> Result<ln_invoice::Invoice, RpcError> {
    let description = if params.deschashonly == Some(true) {
        Description::Hash(sha256::Hash::hash(params.description.as_bytes()).to_byte_array())
    } else {
        Description::Text(params.description.clone())
    };
    let fallbacks = params.fallbacks.iter().flatten();
    Ok(ln_invoice::Invoice {
        network: node.config.network,
        amount: params.amount_msat.amount(),
        timestamp: clock::now(),
        payment_hash: PaymentHash(sha256::Hash::hash(&preimage.0).to_byte_array()),
        payment_secret: payment_secret(preimage),
        description,
        expiry: params.expiry,
        min_final_cltv_expiry: params.cltv.unwrap_or(u32::from(node.config.cltv_final.0)),
        payee: None,
        fallbacks: fallbacks
            .map(|text| fallback(node, text))
            .collect::<Result<_, _>>()?,
        routes,
        features: node.features.invoice.clone(),
        metadata: None,
        extra: Vec::new(),
    })
}

/// The payment secret: made from the preimage by another one-way function than the payment hash, so that a restored node knows it too.
fn payment_secret(preimage: PaymentPreimage) -> PaymentSecret {
    let PaymentPreimage(mut bytes) = preimage;
    bytes[0] ^= 1;
    PaymentSecret(sha256::Hash::hash(&bytes).to_byte_array())
}

fn fallback(node: &Node, text: &str) -> Result<ScriptBuf, RpcError> {
    let address: Address<NetworkUnchecked> = text
        .parse()
        .map_err(|_| RpcError::lightningd("Fallback address not valid"))?;
    let network = node.config.network;
    let address = address.require_network(network.into()).map_err(|_| {
        RpcError::lightningd(format!(
            "Fallback address does not match our network {network}"
        ))
    })?;
    Ok(address.script_pubkey())
}

async fn sign(node: &Node, invoice: &ln_invoice::Invoice) -> Result<String, RpcError> {
    let unsigned = invoice
        .to_unsigned()
        .map_err(|error| RpcError::invalid_params(error.to_string()))?;
    let signature = node.hsm.sign_invoice(&unsigned).await.map_err(internal)?;
    Ok(unsigned.finish(&signature))
}

/// Makes the invoice durable and returns its `created_index`.
async fn keep(node: &Node, row: InvoiceRow) -> Result<u64, RpcError> {
    let (label, expires_at) = (row.label.clone(), row.expires_at);
    let (amount, preimage) = (row.amount, row.preimage);
    let kept = node.db.write(move |txn| {
        if txn.invoice_by_hash(&row.payment_hash)?.is_some() {
            return Ok(Err(RpcErrorCode::InvoicePreimageAlreadyExists));
        }
        if txn.invoice_by_label(&row.label)?.is_some() {
            return Ok(Err(RpcErrorCode::InvoiceLabelAlreadyExists));
        }
        Ok(Ok(txn.add_invoice(&row)?))
    });
    match kept.await.map_err(internal)? {
        Ok(created_index) => {
            node.invoices.created(node, expires_at);
            node.plugins.tell_invoice_made(amount, preimage, &label);
            Ok(created_index)
        }
        Err(code) if code == RpcErrorCode::InvoicePreimageAlreadyExists => {
            Err(RpcError::new(code, "preimage already used"))
        }
        Err(code) => Err(RpcError::new(code, format!("Duplicate label '{label}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_follows_from_the_preimage_and_is_not_the_hash() {
        let preimage = PaymentPreimage([7; 32]);
        let mut other = [7; 32];
        other[0] = 6;
        let secret = payment_secret(preimage);
        assert_eq!(secret.0, sha256::Hash::hash(&other).to_byte_array());
        assert_ne!(secret.0, sha256::Hash::hash(&preimage.0).to_byte_array());
    }
}

//! `decode`

use std::rc::Rc;

use bitcoin::ScriptBuf;
use ln_invoice::{Description, Expectations, SignedInvoice, canonical, decode};
use ln_rpc::RpcError;
use ln_rpc::methods::invoices::decode::{
    Decode, DecodeResponse, DecodedType, FallbackEntry, FallbackType, RouteHint, UnknownField,
};
use ln_rpc::params::Hex;
use ln_types::{Msat, Network, PaymentHash};

use crate::node::Node;
use crate::rpc::{Context, Handle, bad_value};

impl Handle for Decode {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let text = canonical(&params.string);
        let wanted = Expectations {
            features: Some(&node.features.invoice),
            ..Expectations::default()
        };
        match decode(&text, &wanted) {
            Ok(invoice) => Ok(response(invoice)),
            Err(error) => {
                let problem = unreadable(&text).map_or_else(|| error.to_string(), str::to_owned);
                Err(bad_value(&context, "string", &params.string, &problem))
            }
        }
    }
}

/// What a text in lower case is that looks like something else than a BOLT 11 invoice.
fn unreadable(text: &str) -> Option<&'static str> {
    let starts = |prefix: &str| text.starts_with(prefix);
    if starts("lno1") {
        Some("is a BOLT 12 offer, which can't be decoded yet")
    } else if starts("lni1") {
        Some("is a BOLT 12 invoice, which can't be decoded yet")
    } else if starts("lnr1") {
        Some("is a BOLT 12 invoice_request, which can't be decoded yet")
    } else if starts("lnp1") {
        Some("is a BOLT 12 payer proof, which can't be decoded yet")
    } else if starts("clnemerg1") {
        Some("is an emergency recovery file, which can't be decoded yet")
    } else if starts("ln") {
        None
    } else {
        Some("Unparsable string")
    }
}

fn response(signed: SignedInvoice) -> DecodeResponse {
    let SignedInvoice {
        invoice,
        payee,
        signature,
    } = signed;
    let (description, description_hash) = match invoice.description {
        Description::Text(text) => (Some(text), None),
        Description::Hash(hash) => (None, Some(PaymentHash(hash))),
    };
    let network = invoice.network;
    let fallbacks: Vec<_> = invoice
        .fallbacks
        .iter()
        .filter_map(|script| fallback(script, network))
        .collect();
    let routes: Vec<Vec<RouteHint>> = invoice
        .routes
        .iter()
        .map(|route| route.iter().map(hint).collect())
        .collect();
    let extra: Vec<UnknownField> = invoice
        .extra
        .into_iter()
        .map(|field| UnknownField {
            tag: field.tag.to_string(),
            data: field.data,
        })
        .collect();
    DecodeResponse {
        kind: DecodedType::Bolt11Invoice,
        valid: true,
        currency: Some(network.invoice_prefix().to_owned()),
        created_at: Some(invoice.timestamp),
        expiry: Some(invoice.expiry),
        payee: Some(payee),
        amount_msat: invoice.amount,
        payment_hash: Some(invoice.payment_hash),
        signature: Some(Hex(signature.serialize_der().to_vec())),
        description,
        description_hash,
        min_final_cltv_expiry: Some(invoice.min_final_cltv_expiry),
        payment_secret: Some(invoice.payment_secret),
        features: Some(invoice.features).filter(|features| !features.is_empty()),
        payment_metadata: invoice.metadata.map(Hex),
        fallbacks: Some(fallbacks).filter(|list| !list.is_empty()),
        routes: Some(routes).filter(|list| !list.is_empty()),
        extra: Some(extra).filter(|list| !list.is_empty()),
    }
}

fn hint(hint: &ln_invoice::RouteHint) -> RouteHint {
    RouteHint {
        pubkey: hint.node_id,
        short_channel_id: hint.short_channel_id,
        fee_base_msat: Msat::from_msat(u64::from(hint.fee_base_msat)),
        fee_proportional_millionths: hint.fee_proportional_millionths,
        cltv_expiry_delta: u32::from(hint.cltv_expiry_delta.0),
    }
}

fn fallback(script: &ScriptBuf, network: Network) -> Option<FallbackEntry> {
    let kind = if script.is_p2pkh() {
        FallbackType::P2pkh
    } else if script.is_p2sh() {
        FallbackType::P2sh
    } else if script.is_p2wpkh() {
        FallbackType::P2wpkh
    } else if script.is_p2wsh() {
        FallbackType::P2wsh
    } else if script.is_p2tr() {
        FallbackType::P2tr
    } else {
        // A witness version from the future: it has no name yet.
        return None;
    };
    let address = network.address(script);
    Some(FallbackEntry {
        kind,
        addr: address.map(|address| address.to_string()),
        hex: Hex(script.to_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_invoice_is_named() {
        assert!(unreadable("lno1abc").is_some_and(|text| text.contains("offer")));
        assert!(unreadable("lnbc1qqq").is_none());
        assert_eq!(unreadable(""), Some("Unparsable string"));
        assert_eq!(unreadable("0123456789abcdeé"), Some("Unparsable string"));
    }

    /// BOLT 11 §Examples: a donation of any amount, and one with a fallback and hints.
    #[test]
    fn an_invoice_is_shown_with_all_its_fields() {
        let text = "lnbc20m1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqsfpp3qjmp7lwpagxun9pygexvgpjdc4jdj85fr9yq20q82gphp2nflc7jtzrcazrra7wwgzxqc8u7754cdlpfrmccae92qgzqvzq2ps8pqqqqqqpqqqqq9qqqvpeuqafqxu92d8lr6fvg0r5gv0heeeqgcrqlnm6jhphu9y00rrhy4grqszsvpcgpy9qqqqqqgqqqqq7qqzq9qrsgqdfjcdk6w3ak5pca9hwfwfh63zrrz06wwfya0ydlzpgzxkn5xagsqz7x9j4jwe7yj7vaf2k9lqsdk45kts2fd0fkr28am0u4w95tt2nsq76cqw0";
        let shown = response(decode(text, &Expectations::default()).unwrap());
        assert_eq!(shown.currency.as_deref(), Some("bc"));
        assert_eq!(shown.amount_msat, Some(Msat::from_msat(2_000_000_000)));
        assert!(shown.description.is_none() && shown.description_hash.is_some());
        let fallbacks = shown.fallbacks.unwrap();
        assert_eq!(fallbacks[0].kind, FallbackType::P2pkh);
        let address = fallbacks[0].addr.as_deref();
        assert_eq!(address, Some("1RustyRX2oai4EYYDpQGWvEL62BBGqN9T"));
        let routes = shown.routes.unwrap();
        assert_eq!((routes.len(), routes[0].len()), (1, 2));
    }
}

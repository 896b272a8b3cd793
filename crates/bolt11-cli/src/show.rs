//! An invoice as lines of text.

use std::fmt::Write as _;

use bitcoin::ScriptBuf;
use bitcoin::hex::DisplayHex;
use ln_invoice::{Description, Invoice, RouteHint, SignedInvoice};
use ln_types::Network;
use time::OffsetDateTime;
use time::macros::format_description;

/// One `name: value` for each field, by the names of Core Lightning's tool.
pub(crate) fn show(signed: &SignedInvoice) -> String {
    let invoice = &signed.invoice;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let written = writeln!(text, "{name}: {value}");
        written.expect("a String takes anything");
    };
    line("currency", invoice.network.invoice_prefix());
    let made = date(invoice.timestamp);
    line("timestamp", &format!("{} ({made})", invoice.timestamp));
    let expires = date(invoice.expires_at());
    line("expiry", &format!("{} ({expires})", invoice.expiry));
    line("payee", &signed.payee.to_string());
    line("payment_hash", &invoice.payment_hash.to_string());
    line(
        "min_final_cltv_expiry",
        &invoice.min_final_cltv_expiry.to_string(),
    );
    if let Some(amount) = invoice.amount {
        line("msatoshi", &amount.as_msat().to_string());
        line("amount_msat", &format!("{}msat", amount.as_msat()));
    }
    match &invoice.description {
        Description::Text(said) => line("description", &format!("'{}'", printable(said))),
        Description::Hash(hash) => line("description_hash", &hash.to_lower_hex_string()),
    }
    line("payment_secret", &invoice.payment_secret.to_string());
    if !invoice.features.is_empty() {
        let bits: Vec<String> = invoice.features.bits().map(|bit| bit.to_string()).collect();
        line("features", &bits.join(" "));
    }
    for script in &invoice.fallbacks {
        line("fallback", &script.to_hex_string());
        if let Some((kind, address)) = fallback(script, invoice.network) {
            line(&format!("fallback-{kind}"), &address);
        }
    }
    for route in &invoice.routes {
        let hops: Vec<String> = route.iter().map(hop).collect();
        line(
            "route",
            &format!("(node/chanid/fee/expirydelta)  {}", hops.join(" ")),
        );
    }
    extra_fields(invoice, &mut line);
    let signature = signed.signature.serialize_der();
    line("signature", &signature.to_lower_hex_string());
    text
}

fn extra_fields(invoice: &Invoice, line: &mut impl FnMut(&str, &str)) {
    if let Some(metadata) = &invoice.metadata {
        line("metadata", &metadata.to_lower_hex_string());
    }
    for field in &invoice.extra {
        line("unknown", &format!("{} {}", field.tag, field.data));
    }
}

/// What strangers wrote, without what would move the cursor or begin a new line.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

fn hop(hop: &RouteHint) -> String {
    format!(
        "{}/{}/{}/{}/{}",
        hop.node_id,
        hop.short_channel_id,
        hop.fee_base_msat,
        hop.fee_proportional_millionths,
        hop.cltv_expiry_delta.0
    )
}

fn fallback(script: &ScriptBuf, network: Network) -> Option<(&'static str, String)> {
    let kind = if script.is_p2pkh() {
        "P2PKH"
    } else if script.is_p2sh() {
        "P2SH"
    } else if script.is_p2wpkh() {
        "P2WPKH"
    } else if script.is_p2wsh() {
        "P2WSH"
    } else if script.is_p2tr() {
        "P2TR"
    } else {
        return None;
    };
    Some((kind, network.address(script)?.to_string()))
}

/// A time in Unix seconds as C's `ctime` writes it, in UTC.
fn date(seconds: u64) -> String {
    let format = format_description!(
        "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year] UTC"
    );
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| time.format(&format).ok())
        .unwrap_or_else(|| "after the year 9999".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_ctime() {
        assert_eq!(date(1_496_314_658), "Thu Jun  1 10:57:38 2017 UTC");
        assert_eq!(date(u64::MAX), "after the year 9999");
    }

    #[test]
    fn text_of_strangers_stays_on_its_line() {
        assert_eq!(
            printable("a\nsignature: x\u{1b}[2J é"),
            "a\\nsignature: x\\u{1b}[2J é"
        );
    }
}

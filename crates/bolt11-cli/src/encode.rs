//! An invoice from `field=value` words.

use std::fmt::Display;
use std::str::FromStr;

use bitcoin::Address;
use bitcoin::hex::FromHex;
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use ln_invoice::{
    DEFAULT_EXPIRY, DEFAULT_MIN_FINAL_CLTV_EXPIRY, Description, EncodeError, ExtraField, Invoice,
    RouteHint,
};
use ln_types::{CltvDelta, Features, Network, PaymentHash, PaymentSecret};

/// The letters that stand for five-bit words.
const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What was said so far.
#[derive(Default)]
struct Draft<'a> {
    payment_hash: Option<PaymentHash>,
    payment_secret: Option<PaymentSecret>,
    description: Option<Description>,
    fallbacks: Vec<&'a str>,
    names_payee: bool,
}

/// The text of an invoice, signed; the error says which word is wrong.
pub(crate) fn encode(key: &str, fields: &[&str], now: u64) -> Result<String, String> {
    let key = SecretKey::from_str(key)
        .map_err(|_| "the private key must be 64 hex digits of a number a key can be".to_owned())?;
    let secp = Secp256k1::new();
    let mut invoice = Invoice {
        network: Network::Regtest,
        amount: None,
        timestamp: now,
        payment_hash: PaymentHash([0; 32]),
        payment_secret: PaymentSecret([0; 32]),
        description: Description::Text(String::new()),
        expiry: DEFAULT_EXPIRY,
        min_final_cltv_expiry: DEFAULT_MIN_FINAL_CLTV_EXPIRY,
        payee: None,
        fallbacks: Vec::new(),
        routes: Vec::new(),
        features: Features::new(),
        metadata: None,
        extra: Vec::new(),
    };
    let mut draft = Draft::default();
    for field in fields {
        let (name, value) = field
            .split_once('=')
            .ok_or_else(|| format!("'{field}' is no <field>=<value>"))?;
        set(&mut invoice, &mut draft, name, value)?;
    }
    let missing = |what: &str| format!("{what} is missing");
    invoice.payment_hash = draft
        .payment_hash
        .ok_or_else(|| missing("p=<payment hash>"))?;
    invoice.payment_secret = draft
        .payment_secret
        .ok_or_else(|| missing("s=<payment secret>"))?;
    invoice.description = draft
        .description
        .ok_or_else(|| missing("d=<description> or h=<its hash>"))?;
    for address in draft.fallbacks {
        let parsed = address
            .parse::<Address<_>>()
            .map_err(|error| bad("f", address, &error))?
            .require_network(invoice.network.into())
            .map_err(|error| bad("f", address, &error))?;
        invoice.fallbacks.push(parsed.script_pubkey());
    }
    invoice.payee = draft.names_payee.then(|| key.public_key(&secp).into());
    let signed = invoice.sign::<EncodeError>(|unsigned| {
        let message = Message::from_digest(unsigned.hash());
        Ok(secp.sign_ecdsa_recoverable(&message, &key))
    });
    signed.map_err(|error| error.to_string())
}

fn set<'a>(
    invoice: &mut Invoice,
    draft: &mut Draft<'a>,
    name: &str,
    value: &'a str,
) -> Result<(), String> {
    match name {
        "currency" => {
            let known = Network::ALL
                .into_iter()
                .find(|network| network.invoice_prefix() == value);
            invoice.network = known.ok_or_else(|| bad(name, value, &"use bc, tb, tbs or bcrt"))?;
        }
        "amount" => invoice.amount = Some(parse(name, value)?),
        "timestamp" => invoice.timestamp = parse(name, value)?,
        "p" => draft.payment_hash = Some(parse(name, value)?),
        "s" => draft.payment_secret = Some(parse(name, value)?),
        "d" | "h" if draft.description.is_some() => {
            return Err("an invoice has one description: d or h".to_owned());
        }
        "d" => draft.description = Some(Description::Text(value.to_owned())),
        "h" => draft.description = Some(Description::Hash(parse::<PaymentHash>(name, value)?.0)),
        "m" => invoice.metadata = Some(hex(name, value)?),
        "n" => draft.names_payee = parse(name, value)?,
        "x" => invoice.expiry = parse(name, value)?,
        "c" => invoice.min_final_cltv_expiry = parse(name, value)?,
        "f" => draft.fallbacks.push(value),
        "r" => invoice.routes.push(
            value
                .split(',')
                .map(hop)
                .collect::<Result<Vec<RouteHint>, String>>()?,
        ),
        "9" => invoice.features = Features::from_wire(&hex(name, value)?),
        _ => invoice.extra.push(extra(name, value)?),
    }
    Ok(())
}

fn parse<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| bad(name, value, &error))
}

fn hex(name: &str, value: &str) -> Result<Vec<u8>, String> {
    Vec::from_hex(value).map_err(|error| bad(name, value, &error))
}

fn bad(name: &str, value: &str, problem: &dyn Display) -> String {
    format!("{name}={value}: {problem}")
}

/// `id/scid/base/ppm/delta`
fn hop(text: &str) -> Result<RouteHint, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let [id, scid, base, ppm, delta] = parts.as_slice() else {
        let wanted = "a hop is <id>/<scid>/<base msat>/<millionths>/<cltv delta>";
        return Err(bad("r", text, &wanted));
    };
    Ok(RouteHint {
        node_id: parse("r", id)?,
        short_channel_id: parse("r", scid)?,
        fee_base_msat: parse("r", base)?,
        fee_proportional_millionths: parse("r", ppm)?,
        cltv_expiry_delta: CltvDelta(parse("r", delta)?),
    })
}

/// A field by the number of its letter, with the words as they are.
fn extra(name: &str, value: &str) -> Result<ExtraField, String> {
    let unknown = || format!("'{name}' is no field (in '{name}={value}')");
    let number: u8 = name.parse().map_err(|_| unknown())?;
    let letter = |word: &u8| LETTERS.get(usize::from(*word)).copied().map(char::from);
    let data: Option<String> = hex(name, value)?.iter().map(letter).collect();
    if !LETTERS.contains(&number) {
        return Err(unknown());
    }
    Ok(ExtraField {
        tag: char::from(number),
        data: data.ok_or_else(|| bad(name, value, &"a word is a byte of at most 1f"))?,
    })
}

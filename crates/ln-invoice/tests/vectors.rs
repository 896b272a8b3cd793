//! BOLT 11's examples, valid and invalid.
#![allow(clippy::unwrap_used)]

use bitcoin::hex::{DisplayHex, FromHex};
use ln_invoice::{Description, Expectations, InvoiceError, SignedInvoice, decode};
use ln_types::{Features, Msat, Network};

const EXAMPLES: &str = include_str!("bolt11.txt");
const PAYEE: &str = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad";
const HASH: &str = "0001020304050607080900010203040506070809000102030405060708090102";
const LIST: &str = "One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, one lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon";

fn text(name: &str) -> &'static str {
    let find = |line: &'static str| line.strip_prefix(name)?.strip_prefix(' ');
    EXAMPLES.lines().find_map(find).unwrap()
}

/// Reads a valid example and checks what all of them share.
fn example(name: &str) -> SignedInvoice {
    let ours: Features = [8, 14, 48].into_iter().collect();
    let wanted = Expectations {
        features: Some(&ours),
        ..Expectations::default()
    };
    let found = decode(text(name), &wanted).unwrap();
    assert_eq!(found.payee.to_string(), PAYEE);
    assert_eq!(found.invoice.payment_secret.0, [0x11; 32]);
    if name != "pico_btc" {
        assert_eq!(found.invoice.payment_hash.to_string(), HASH);
        assert_eq!(found.invoice.timestamp, 1_496_314_658);
    }
    found
}

fn error(name: &str) -> String {
    let ours: Features = [8, 14, 48].into_iter().collect();
    let wanted = Expectations {
        features: Some(&ours),
        ..Expectations::default()
    };
    decode(text(name), &wanted).unwrap_err().to_string()
}

fn described(text: &str) -> Description {
    Description::Text(text.to_owned())
}

#[test]
fn donation() {
    let SignedInvoice {
        invoice, signature, ..
    } = example("donation");
    assert_eq!(invoice.network, Network::Bitcoin);
    assert_eq!(invoice.amount, None);
    assert_eq!(
        invoice.description,
        described("Please consider supporting this project")
    );
    assert_eq!((invoice.expiry, invoice.min_final_cltv_expiry), (3600, 18));
    assert_eq!(invoice.features, [8, 14].into_iter().collect());
    assert_eq!(
        signature.serialize_compact().to_lower_hex_string(),
        "8d3ce9e28357337f62da0162d9454df827f83cfe499aeb1c1db349d4d81127425e434ca29929406c23bba1ae8ac6ca32880b38d4bf6ff874024cac34ba9625f1"
    );
}

#[test]
fn coffee() {
    let invoice = example("coffee").invoice;
    assert_eq!(invoice.amount, Some(Msat::from_msat(250_000_000)));
    assert_eq!(invoice.description, described("1 cup coffee"));
    assert_eq!(invoice.expiry, 60);
    assert_eq!(invoice.expires_at(), 1_496_314_718);
}

#[test]
fn nonsense_in_japanese() {
    let invoice = example("nonsense_in_japanese").invoice;
    assert_eq!(invoice.description, described("ナンセンス 1杯"));
}

#[test]
fn list_hashed() {
    let invoice = example("list_hashed").invoice;
    assert_eq!(invoice.amount, Some(Msat::from_msat(2_000_000_000)));
    assert!(matches!(invoice.description, Description::Hash(_)));
    let given = |description| {
        let wanted = Expectations {
            description: Some(description),
            ..Expectations::default()
        };
        decode(text("list_hashed"), &wanted)
    };
    assert!(given(LIST).is_ok());
    assert_eq!(
        given("a lettuce").unwrap_err(),
        InvoiceError::DescriptionMismatch
    );
}

#[test]
fn fallback_addresses() {
    for (name, network, address) in [
        (
            "testnet_fallback_p2pkh",
            Network::Testnet,
            "mk2QpYatsKicvFVuTAQLBryyccRXMUaGHP",
        ),
        (
            "mainnet_fallback_p2pkh_with_route",
            Network::Bitcoin,
            "1RustyRX2oai4EYYDpQGWvEL62BBGqN9T",
        ),
        (
            "fallback_p2sh",
            Network::Bitcoin,
            "3EktnHQD7RiAE6uzMj2ZifT9YgRrkSgzQX",
        ),
        (
            "fallback_p2wpkh",
            Network::Bitcoin,
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        ),
        (
            "fallback_p2wsh",
            Network::Bitcoin,
            "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
        ),
        (
            "fallback_p2tr",
            Network::Bitcoin,
            "bc1pptdvg0d2nj99568qn6ssdy4cygnwuxgw2ukmnwgwz7jpqjz2kszse2s3lm",
        ),
    ] {
        let invoice = example(name).invoice;
        assert_eq!(invoice.network, network);
        let [script] = invoice.fallbacks.as_slice() else {
            panic!("one fallback in {name}");
        };
        assert_eq!(network.address(script).unwrap().to_string(), address);
    }
}

#[test]
fn mainnet_fallback_p2pkh_with_route() {
    let invoice = example("mainnet_fallback_p2pkh_with_route").invoice;
    let [route] = invoice.routes.as_slice() else {
        panic!("one route");
    };
    let shown: Vec<String> = route
        .iter()
        .map(|hop| {
            let fee = (hop.fee_base_msat, hop.fee_proportional_millionths);
            let delta = hop.cltv_expiry_delta;
            format!("{} {} {fee:?} {delta}", hop.node_id, hop.short_channel_id)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255 66051x263430x1800 (1, 20) 3",
            "039e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255 197637x395016x2314 (2, 30) 4",
        ]
    );
}

#[test]
fn pico_btc() {
    let invoice = example("pico_btc").invoice;
    assert_eq!(invoice.amount, Some(Msat::from_msat(967_878_534)));
    assert_eq!(invoice.timestamp, 1_572_468_703);
    assert_eq!(
        (invoice.expiry, invoice.min_final_cltv_expiry),
        (604_800, 10)
    );
    assert_eq!(invoice.routes.len(), 1);
}

#[test]
fn features() {
    let invoice = example("features").invoice;
    assert_eq!(invoice.features, [8, 14, 99].into_iter().collect());
    assert_eq!(invoice.description, described("coffee beans"));
}

#[test]
fn upper_case() {
    assert_eq!(example("upper_case"), example("features"));
}

#[test]
fn fields_to_ignore() {
    let invoice = example("fields_to_ignore").invoice;
    let kept: String = invoice.extra.iter().map(|field| field.tag).collect();
    assert_eq!(kept, "2fpphhssnn");
    assert_eq!(invoice.extra.first().unwrap().data, "qqq");
    assert!(invoice.fallbacks.is_empty());
}

#[test]
fn metadata() {
    let invoice = example("metadata").invoice;
    assert_eq!(invoice.metadata, Some(Vec::from_hex("01fafaf0").unwrap()));
    assert_eq!(invoice.features, [8, 14, 48].into_iter().collect());
}

#[test]
fn high_s() {
    // The recovery id is that of the low form, so another key comes out.
    let found = decode(text("high_s"), &Expectations::default()).unwrap();
    assert_eq!(found.invoice, example("donation").invoice);
    assert_eq!(
        found.payee.to_string(),
        "02d0139ce7427d6dfffd26a326c18be754ef1e64672b42694ba5b23ef6e6e7803d"
    );
}

#[test]
fn unknown_feature_100() {
    assert_eq!(error("unknown_feature_100"), "9: unknown feature bit 100");
    assert!(decode(text("unknown_feature_100"), &Expectations::default()).is_ok());
}

#[test]
fn bad_bech32() {
    for name in ["bad_checksum", "no_separator", "mixed_case"] {
        assert_eq!(error(name), "Bad bech32 string", "{name}");
    }
}

#[test]
fn not_recoverable() {
    assert_eq!(error("not_recoverable"), "signature recovery failed");
}

#[test]
fn too_short() {
    assert_eq!(error("too_short"), "No valid 'p' field found");
}

#[test]
fn bad_multiplier() {
    assert_eq!(error("bad_multiplier"), "Invalid amount postfix 'x'");
}

#[test]
fn sub_millisatoshi() {
    assert_eq!(
        error("sub_millisatoshi"),
        "Invalid sub-millisatoshi amount '2500000001p'"
    );
}

#[test]
fn no_payment_secret() {
    assert_eq!(
        error("no_payment_secret"),
        "Missing required payment secret (s field)"
    );
}

#[test]
fn high_s_with_n() {
    assert_eq!(error("high_s_with_n"), "invalid signature");
}

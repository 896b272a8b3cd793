//! Invoices that are wrong, odd or hostile in one way each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use ln_invoice::{
    Description, EncodeError, Expectations, ExtraField, Invoice, InvoiceError, RouteHint,
    SignedInvoice, UnsignedInvoice, canonical, decode, decode_unsigned,
};
use ln_types::{
    CltvDelta, Features, Msat, Network, NodeId, PaymentHash, PaymentSecret, ShortChannelId,
};

fn key() -> SecretKey {
    SecretKey::from_slice(&[7; 32]).unwrap()
}

fn payee() -> NodeId {
    key().public_key(&Secp256k1::new()).into()
}

fn sign(unsigned: UnsignedInvoice) -> String {
    let message = Message::from_digest(unsigned.hash());
    let signature = Secp256k1::new().sign_ecdsa_recoverable(&message, &key());
    unsigned.finish(&signature)
}

fn invoice() -> Invoice {
    Invoice {
        network: Network::Regtest,
        amount: Some(Msat::from_msat(1000)),
        timestamp: 1_700_000_000,
        payment_hash: PaymentHash([1; 32]),
        payment_secret: PaymentSecret([2; 32]),
        description: Description::Text("tea".to_owned()),
        expiry: 3600,
        min_final_cltv_expiry: 18,
        payee: None,
        fallbacks: Vec::new(),
        routes: Vec::new(),
        features: Features::new(),
        metadata: None,
        extra: Vec::new(),
    }
}

fn read(text: &str) -> Result<SignedInvoice, InvoiceError> {
    decode(text, &Expectations::default())
}

/// Signs the test invoice with one more field of raw words.
fn with_field(tag: char, words: &str) -> String {
    let mut invoice = invoice();
    invoice.extra.push(ExtraField {
        tag,
        data: words.to_owned(),
    });
    sign(invoice.to_unsigned().unwrap())
}

/// The test invoice with its description field replaced.
fn described_by(words: &[u8]) -> String {
    let mut unsigned = invoice().to_unsigned().unwrap();
    // Timestamp, `s` and `p` come before it; the field has three words of header and five of text.
    let start = 7 + 55 + 55;
    assert_eq!(unsigned.words[start], 13);
    let length = u8::try_from(words.len()).unwrap();
    let field = [&[13, 0, length], words].concat();
    unsigned.words.splice(start..start + 8, field);
    sign(unsigned)
}

#[test]
fn text_that_is_not_ascii_or_far_too_short_is_refused() {
    for text in [
        "",
        "1",
        "ln",
        "ln1",
        "lnbcrt1",
        "lnbcrt1qqqqqq",
        "ｌnbcrt1pvjluez",
        "lnbcrt1ä",
        "\u{0}1\u{0}",
        "lnbcrt1pvjluezlnbcrt1pvjluez",
    ] {
        assert_eq!(read(text).unwrap_err(), InvoiceError::Bech32, "{text}");
    }
    // A right checksum over nothing at all.
    let text = UnsignedInvoice {
        hrp: "lnbcrt".to_owned(),
        words: Vec::new(),
    };
    let text = sign(text);
    let error = read(&text).unwrap_err();
    assert_eq!(error, InvoiceError::NoPaymentHash);
}

#[test]
fn mixed_case_is_refused_and_canonical_text_is_not() {
    let text = sign(invoice().to_unsigned().unwrap());
    let mixed = text.replacen("lnbcrt", "LNbcrt", 1);
    assert_eq!(read(&mixed).unwrap_err(), InvoiceError::Bech32);
    assert!(read(&text.to_uppercase()).is_ok());
    let pasted = format!(" LIGHTNING:{} \n", text.to_uppercase());
    assert_eq!(canonical(&pasted), text);
}

#[test]
fn other_networks_are_refused() {
    let text = sign(invoice().to_unsigned().unwrap());
    let wanted = Expectations {
        network: Some(Network::Bitcoin),
        ..Expectations::default()
    };
    assert_eq!(
        decode(&text, &wanted).unwrap_err().to_string(),
        "Prefix bcrt is not for bitcoin"
    );
    let strange = |hrp: &str| {
        let words = invoice().to_unsigned().unwrap().words;
        let hrp = hrp.to_owned();
        read(&sign(UnsignedInvoice { hrp, words }))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(strange("lnxy"), "Unknown chain xy");
    assert_eq!(strange("bc20m"), "Prefix 'bc' does not start with ln");
    assert_eq!(strange("lnbcrt-1m"), "Unknown chain bcrt-");
}

#[test]
fn padding_that_is_not_zero_is_refused() {
    // Two words are one byte and two bits.
    assert!(read(&described_by(&[8, 4])).is_ok());
    assert_eq!(
        read(&described_by(&[8, 5])).unwrap_err(),
        InvoiceError::TrailingBits
    );
    // Three words are one byte and a word too many.
    assert_eq!(
        read(&described_by(&[8, 4, 0])).unwrap_err(),
        InvoiceError::TrailingBits
    );
}

#[test]
fn a_description_must_be_utf8() {
    assert_eq!(
        read(&described_by(&[31, 28])).unwrap_err().to_string(),
        "d: invalid utf8"
    );
}

#[test]
fn fields_without_content_are_read() {
    let empty = read(&described_by(&[])).unwrap().invoice.description;
    assert_eq!(empty, Description::Text(String::new()));
    assert_eq!(read(&with_field('x', "")).unwrap().invoice.expiry, 0);
    let metadata = read(&with_field('m', "")).unwrap().invoice.metadata;
    assert_eq!(metadata, Some(Vec::new()));
    let error = |tag| read(&with_field(tag, "")).unwrap_err().to_string();
    assert_eq!(error('r'), "r: hop 0 truncated");
    assert_eq!(error('f'), "f: truncated");
    assert!(
        read(&with_field('9', ""))
            .unwrap()
            .invoice
            .features
            .is_empty()
    );
}

#[test]
fn a_description_may_have_639_bytes_and_no_more() {
    let mut invoice = invoice();
    invoice.description = Description::Text("x".repeat(639));
    let text = sign(invoice.to_unsigned().unwrap());
    assert_eq!(read(&text).unwrap().invoice, invoice);
    invoice.description = Description::Text("x".repeat(640));
    assert_eq!(
        invoice.to_unsigned().unwrap_err(),
        EncodeError::TooLong {
            tag: 'd',
            bytes: 640
        }
    );
}

#[test]
fn of_repeated_fields_the_first_counts() {
    let text = with_field('p', &"q".repeat(52));
    let read = read(&text).unwrap().invoice;
    assert_eq!(read.payment_hash, invoice().payment_hash);
    assert_eq!(read.extra.len(), 1);
}

#[test]
fn a_description_and_its_hash_together_are_refused() {
    let text = with_field('h', &"q".repeat(52));
    assert_eq!(read(&text).unwrap_err(), InvoiceError::TwoDescriptions);
}

fn hint(node_id: NodeId) -> RouteHint {
    RouteHint {
        node_id,
        short_channel_id: ShortChannelId::new(103, 1, 0).unwrap(),
        fee_base_msat: 1,
        fee_proportional_millionths: 10,
        cltv_expiry_delta: CltvDelta(6),
    }
}

#[test]
fn a_route_hint_by_no_point_is_refused() {
    let words = "q".repeat(82);
    assert_eq!(
        read(&with_field('r', &words)).unwrap_err().to_string(),
        "r: hop 0 pubkey invalid"
    );
    let short = "q".repeat(80);
    assert_eq!(
        read(&with_field('r', &short)).unwrap_err().to_string(),
        "r: hop 0 truncated"
    );
}

#[test]
fn circular_route_hints_are_read_but_not_used() {
    let other = |byte| {
        let key = SecretKey::from_slice(&[byte; 32]).unwrap();
        NodeId::from(key.public_key(&Secp256k1::new()))
    };
    let mut invoice = invoice();
    let good = vec![hint(other(1)), hint(other(2))];
    invoice.routes = vec![
        vec![hint(payee())],
        good.clone(),
        vec![hint(other(1)), hint(other(1))],
        vec![hint(other(1)), hint(payee())],
    ];
    let read = read(&sign(invoice.to_unsigned().unwrap())).unwrap();
    assert_eq!(read.invoice.routes.len(), 4);
    let usable: Vec<_> = read.invoice.usable_routes(read.payee).collect();
    assert_eq!(usable, [good]);
}

#[test]
fn recovery_ids_past_three_are_refused() {
    let text = sign(invoice().to_unsigned().unwrap());
    let Some((body, _)) = text.rsplit_once('1') else {
        panic!("a separator");
    };
    assert_eq!(body, "lnbcrt10n");
    for id in [4_u8, 17, 255] {
        // The last byte of the signature is the recovery id; the words are rebuilt around it.
        let unsigned = invoice().to_unsigned().unwrap();
        let mut bytes = vec![1; 64];
        bytes.push(id);
        let bits: String = bytes
            .iter()
            .flat_map(|byte| format!("{byte:08b}").chars().collect::<Vec<_>>())
            .collect();
        let signature = bits
            .as_bytes()
            .chunks(5)
            .map(|word| u8::from_str_radix(std::str::from_utf8(word).unwrap(), 2).unwrap());
        let words: Vec<u8> = unsigned.words.iter().copied().chain(signature).collect();
        let text = bech32_text(&unsigned.hrp, &words);
        assert_eq!(
            read(&text).unwrap_err().to_string(),
            format!("invalid recovery ID: {id}")
        );
        let unchecked = decode_unsigned(&text, &Expectations::default());
        assert_eq!(unchecked.unwrap(), invoice());
    }
}

fn bech32_text(hrp: &str, words: &[u8]) -> String {
    use bech32::{Bech32, Fe32, Fe32IterExt, Hrp};
    words
        .iter()
        .map(|word| Fe32::try_from(*word).unwrap())
        .with_checksum::<Bech32>(&Hrp::parse(hrp).unwrap())
        .chars()
        .collect()
}

#[test]
fn a_stated_payee_must_have_signed() {
    let mut invoice = invoice();
    invoice.payee = Some(payee());
    let text = sign(invoice.to_unsigned().unwrap());
    assert_eq!(read(&text).unwrap().payee, payee());
    let other = SecretKey::from_slice(&[8; 32]).unwrap();
    invoice.payee = Some(other.public_key(&Secp256k1::new()).into());
    let text = sign(invoice.to_unsigned().unwrap());
    assert_eq!(read(&text).unwrap_err(), InvoiceError::NotByPayee);
    assert!(matches!(
        read(&with_field('n', &"q".repeat(53))).unwrap_err(),
        InvoiceError::Payee(_)
    ));
}

#[test]
fn huge_numbers_are_refused_or_saturate() {
    let mut invoice = invoice();
    invoice.expiry = (1 << 60) - 1;
    let read_back = read(&sign(invoice.to_unsigned().unwrap())).unwrap().invoice;
    assert_eq!(read_back.expires_at(), invoice.timestamp + invoice.expiry);
    let error = |tag, words: &str| read(&with_field(tag, words)).unwrap_err().to_string();
    assert_eq!(error('x', "lllllllllllll"), "x: integer too large");
    assert_eq!(error('x', "qp"), "x: not a minimal value");
    invoice.expiry = 1 << 60;
    assert!(matches!(invoice.to_unsigned(), Err(EncodeError::Expiry(_))));
    invoice.expiry = 1;
    invoice.timestamp = 1 << 35;
    assert!(matches!(
        invoice.to_unsigned(),
        Err(EncodeError::Timestamp(_))
    ));
}

#[test]
fn an_expiry_delta_past_32_bits_is_refused() {
    let mut unsigned = invoice().to_unsigned().unwrap();
    let at = unsigned.words.len() - 4;
    assert_eq!(unsigned.words[at..], [24, 0, 1, 18]);
    unsigned.words.splice(at.., [24, 0, 7, 4, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        read(&sign(unsigned)).unwrap_err().to_string(),
        "c: 4294967296 is too large"
    );
}

#[test]
fn feature_words_that_begin_with_zero_are_refused() {
    assert_eq!(
        read(&with_field('9', "qqg")).unwrap_err().to_string(),
        "9: non-minimal length (begins with 0)"
    );
}

#[test]
fn fallbacks_of_a_wrong_length_are_refused() {
    let error = |words: &str| read(&with_field('f', words)).unwrap_err().to_string();
    assert_eq!(error("3qqqqqqqq"), "f: pkhash length 5");
    assert_eq!(error("jqqqqqqqq"), "f: p2sh length 5");
    assert_eq!(error("qqqqqqqqq"), "f: witness v0 bad length 5");
    assert_eq!(error("pqqqqqqqq"), "f: witness v1 bad length 5");
    assert_eq!(error("zqq"), "f: witness v2 bad length 1");
    let kept = read(&with_field('f', "nqqqqqqqq")).unwrap().invoice.extra;
    assert_eq!(kept[0].tag, 'f');
}

#[test]
fn data_that_ends_inside_a_field_is_refused() {
    let cut = |by: usize| {
        let mut unsigned = invoice().to_unsigned().unwrap();
        unsigned.words.truncate(unsigned.words.len() - by);
        read(&sign(unsigned)).unwrap_err().to_string()
    };
    assert_eq!(cut(1), "c: truncated");
    assert_eq!(cut(2), "Can't get length: truncated");
}

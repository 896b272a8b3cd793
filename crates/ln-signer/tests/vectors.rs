//! BOLT 11 and BOLT 12 signatures.
#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests on fixed values"
)]

use bitcoin::NetworkKind;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::FromHex;
use bitcoin::secp256k1::SecretKey;
use ln_keys::{ForcedKeys, HsmSecret, NodeKeys};
use ln_signer::NodeSigner;

fn node(secret: &str) -> NodeSigner {
    let bytes = <[u8; 32]>::from_hex(secret).unwrap();
    let forced = ForcedKeys {
        node: Some(SecretKey::from_slice(&bytes).unwrap()),
        ..ForcedKeys::default()
    };
    let secret = HsmSecret::parse(&[1; 32], None).unwrap();
    NodeSigner::new(NodeKeys::new(&secret, NetworkKind::Test, forced))
}

/// BOLT 11 §Examples, all by the same key.
const INVOICES: &[&str] = &[
    "lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql",
    "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh",
    "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpquwpc4curk03c9wlrswe78q4eyqc7d8d0xqzpu9qrsgqhtjpauu9ur7fw2thcl4y9vfvh4m9wlfyz2gem29g5ghe2aak2pm3ps8fdhtceqsaagty2vph7utlgj48u0ged6a337aewvraedendscp573dxr",
];

fn groups(data: &str) -> Vec<u8> {
    const CHARSET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    data.chars()
        .map(|letter| CHARSET.find(letter).unwrap() as u8)
        .collect()
}

#[test]
fn bolt11_examples_are_signed_as_printed() {
    let node = node("e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734");
    for invoice in INVOICES {
        let (hrp, data) = invoice.rsplit_once('1').unwrap();
        let groups = groups(data);
        let (data, end) = groups.split_at(groups.len() - 110);
        let (id, compact) = node.sign_invoice(hrp.as_bytes(), data).serialize_compact();
        let mut expected = Vec::new();
        let (mut buffer, mut bits) = (0_u32, 0);
        for group in &end[..104] {
            buffer = (buffer << 5 | u32::from(*group)) & 0xfff;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                expected.push((buffer >> bits & 0xff) as u8);
            }
        }
        assert_eq!(compact[..], expected[..64], "{invoice}");
        assert_eq!(id.to_i32(), i32::from(expected[64]));
    }
}

/// BOLT 12's signature-test.json: the invoice request of Bob.
#[test]
fn bolt12_invoice_request_is_signed_as_printed() {
    let node = node("4242424242424242424242424242424242424242424242424242424242424242");
    let root = "608407c18ad9a94d9ea2bcdbe170b6c20c462a7833a197621c916f78cf18e624";
    let root = sha256::Hash::from_byte_array(<[u8; 32]>::from_hex(root).unwrap());
    let signature = node
        .sign_bolt12("invoice_request", "signature", &root, b"", b"")
        .unwrap();
    assert_eq!(
        signature.to_string(),
        "b8f83ea3288cfd6ea510cdb481472575141e8d8744157f98562d162cc1c472526fdb24befefbdebab4dbb726bbd1b7d8aec057f8fa805187e5950d2bbe0e5642"
    );
}

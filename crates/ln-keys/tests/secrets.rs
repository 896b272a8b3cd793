//! Secrets whose keys are known from Core Lightning.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::{Address, KnownHrp, NetworkKind};
use data_encoding::BASE64URL;
use ln_keys::{
    ForcedKeys, HsmSecret, HsmSecretError, HsmSecretKind, NodeKeys, alias_public_key,
    encrypt_plain_secret, mnemonic_file, new_hsm_secret_file, public_key, recover_signer, secp,
    sign_message, signature_to_zbase32,
};
use ln_types::CommitmentNumber;

const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const RITUAL: &str = "ritual idle hat sunny universe pluck key alpha wing cake have wedding";

fn lightning_1() -> [u8; 32] {
    let mut secret = [0; 32];
    secret[..11].copy_from_slice(b"lightning-1");
    secret
}

fn keys(secret: &HsmSecret) -> NodeKeys {
    NodeKeys::new(secret, NetworkKind::Main, ForcedKeys::default())
}

/// The first rune of a node: the tag is the hash of its master secret, padded to a block, and of the restriction "=0".
fn first_rune(keys: &NodeKeys) -> String {
    let mut block = keys.derived_secret(b"commando").to_vec();
    block.push(0x80);
    block.resize(62, 0);
    block.extend_from_slice(&256_u16.to_be_bytes());
    block.extend_from_slice(b"=0");
    let mut rune = sha256::Hash::hash(&block).to_byte_array().to_vec();
    rune.extend_from_slice(b"=0");
    BASE64URL.encode(&rune)
}

#[test]
fn a_plain_secret_gives_the_known_node() {
    let secret = HsmSecret::parse(&lightning_1(), None).unwrap();
    assert_eq!(secret.kind(), HsmSecretKind::Plain);
    let keys = keys(&secret);
    assert_eq!(
        keys.node_id().to_string(),
        "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
    );
    assert_eq!(
        first_rune(&keys),
        "OSqc7ixY6F-gjcigBfxtzKUI54uzgFSA6YfBQoWGDV89MA=="
    );
    assert!(!keys.uses_bip86());
    assert_eq!(
        keys.wallet_base().public_key(7).unwrap(),
        public_key(&keys.wallet_secret(7).unwrap())
    );
    assert!(keys.wallet_base().public_key(1 << 31).is_err());
}

#[test]
fn new_secrets_are_twelve_words() {
    let file = new_hsm_secret_file(lightning_1().first_chunk().unwrap(), None).unwrap();
    let secret = HsmSecret::parse(&file, None).unwrap();
    assert_eq!(secret.kind(), HsmSecretKind::Mnemonic);
    assert_eq!(secret.mnemonic().unwrap().split(' ').count(), 12);
    let keys = keys(&secret);
    assert_eq!(
        keys.node_id().to_string(),
        "038194b5f32bdf0aa59812c86c4ef7ad2f294104fa027d1ace9b469bb6f88cf37b"
    );
    assert_eq!(
        first_rune(&keys),
        "I9TZsYEWiAwThQye-gYhpWIe1h15szWEN_qNyMSBOdE9MA=="
    );
    assert_eq!(
        keys.derived_secret(b"commando").to_lower_hex_string(),
        "4ac018131e70b044e17891e67960f59b9d602525d3aef9956e900189f456e595"
    );
}

#[test]
fn a_mnemonic_gives_the_known_node_and_addresses() {
    let file = mnemonic_file(ABANDON, None).unwrap();
    assert_eq!(file[..32], [0; 32]);
    let keys = keys(&HsmSecret::parse(&file, None).unwrap());
    assert_eq!(
        keys.node_id().to_string(),
        "03653e90c1ce4660fd8505dd6d643356e93cfe202af109d382787639dd5890e87d"
    );
    assert!(
        keys.wallet_base()
            .bip86
            .unwrap()
            .to_string()
            .starts_with("xpub6BgBgsespWvERF3LHQu6C")
    );
    let known = [
        (
            0,
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ),
        (
            1,
            "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
        ),
        (
            2,
            "bc1p0d0rhyynq0awa9m8cqrcr8f5nxqx3aw29w4ru5u9my3h0sfygnzs9khxz8",
        ),
    ];
    for (index, address) in known {
        let key = keys.wallet_base().public_key(index).unwrap();
        assert_eq!(key, public_key(&keys.wallet_secret(index).unwrap()));
        let (internal, _) = key.x_only_public_key();
        assert_eq!(
            Address::p2tr(secp(), internal, None, KnownHrp::Mainnet).to_string(),
            address
        );
    }
}

#[test]
fn a_passphrase_changes_the_node() {
    let file = mnemonic_file(RITUAL, Some("test_passphrase")).unwrap();
    let secret = HsmSecret::parse(&file, Some("test_passphrase")).unwrap();
    assert_eq!(secret.kind(), HsmSecretKind::MnemonicWithPassphrase);
    let keys = keys(&secret);
    assert_eq!(
        keys.node_id().to_string(),
        "039020371fb803cd4ce1e9a909b502d7b0a9e0f10cccc35c3e9be959c52d3ba6bd"
    );
    let base = keys.wallet_base().bip86.unwrap();
    assert!(
        base.to_string()
            .starts_with("xpub6DQ23AMoZvy6gVSMi5EvBawiyXMVWW9txHh1msjH1b8W1HsC3")
    );
}

#[test]
fn every_way_to_fail_has_its_code() {
    let plain = lightning_1();
    let words = mnemonic_file(ABANDON, None).unwrap();
    let locked = mnemonic_file(RITUAL, Some("test_passphrase")).unwrap();
    let mut bad_words = words.clone();
    bad_words.push(b'\n');
    let mut long = vec![0; 32];
    long.extend_from_slice(b"not words at all");
    let cases: &[(&[u8], Option<&str>, u32)] = &[
        (&locked, None, 1),
        (&words, Some("pass"), 2),
        (&locked, Some("pass"), 3),
        (&bad_words, None, 4),
        (&long, None, 4),
        (&plain[..31], None, 7),
        (&[], None, 7),
    ];
    for (file, passphrase, code) in cases {
        let error = HsmSecret::parse(file, *passphrase).unwrap_err();
        assert_eq!(error.code(), *code, "{error}");
    }
    assert_eq!(
        HsmSecret::parse(&[7; 73], None).unwrap_err(),
        HsmSecretError::PassphraseRequired
    );
}

/// Written by libsodium: "lightning-1" under "test passphrase".
const ENCRYPTED: &str = "5cbf6d3651ed55330380c312a4bf6ea52dd54893d092647091fd3cb9023c74ee54d8c6bea980c026f7a365c03c4468233cf215c7aa42f9484ea6142bd8e4028e2c19192dfe11f84339";

#[test]
fn an_encrypted_secret_opens_with_its_passphrase_only() {
    let file = Vec::from_hex(ENCRYPTED).unwrap();
    let secret = HsmSecret::parse(&file, Some("test passphrase")).unwrap();
    assert_eq!(secret.kind(), HsmSecretKind::Encrypted);
    assert_eq!(secret.bytes(), lightning_1());
    let error = HsmSecret::parse(&file, Some("test password")).unwrap_err();
    assert_eq!(error, HsmSecretError::WrongPassphrase);

    let again = encrypt_plain_secret(&lightning_1(), "other").unwrap();
    assert_eq!(again.len(), 73);
    assert_eq!(
        HsmSecret::parse(&again, Some("other")).unwrap().bytes(),
        lightning_1()
    );
}

#[test]
fn channels_have_keys_of_their_own() {
    let keys = keys(&HsmSecret::parse(&lightning_1(), None).unwrap());
    let peer = "022d223620a359a47ff7f7ac447c85c46c923da53389221a0054c11c1e3ca31d59"
        .parse()
        .unwrap();
    let one = keys.channel(&peer, 1);
    assert_eq!(one, keys.channel(&peer, 1));
    assert_ne!(one, keys.channel(&peer, 2));
    assert_ne!(one, keys.channel(&keys.node_id(), 1));
    assert_eq!(
        one.per_commitment_secret(CommitmentNumber(3)).point(),
        Some(one.per_commitment_point(CommitmentNumber(3)))
    );
}

#[test]
fn an_alias_has_the_same_key_from_both_sides() {
    let keys = keys(&HsmSecret::parse(&lightning_1(), None).unwrap());
    let base = keys.derived_secret(b"node-alias-base");
    let secret = keys.alias_secret(b"node-alias-base", b"tweak").unwrap();
    assert_eq!(
        alias_public_key(&keys.node_id(), &base, b"tweak").unwrap(),
        public_key(&secret)
    );
}

#[test]
fn signed_messages_name_their_signer() {
    let known = [
        (
            "is this compatible?",
            "rbgfioj114mh48d8egqx8o9qxqw4fmhe8jbeeabdioxnjk8z3t1ma1hu1fiswpakgucwwzwo6ofycffbsqusqdimugbh41n1g698hr9t",
            "02b80cabdf82638aac86948e4c06e82064f547768dcef977677b9ea931ea75bab5",
        ),
        (
            "hi",
            "rnrphcjswusbacjnmmmrynh9pqip7sy5cx695h6mfu64iac6qmcmsd8xnsyczwmpqp9shqkth3h4jmkgyqu5z47jfn1q7gpxtaqpx4xg",
            "02de60d194e1ca5947b59fe8e2efd6aadeabfb67f2e89e13ae1a799c1e08e4a43b",
        ),
        (
            "hi",
            "ry8bbsopmduhxy3dr5d9ekfeabdpimfx95kagdem7914wtca79jwamtbw4rxh69hg7n6x9ty8cqk33knbxaqftgxsfsaeprxkn1k48p3",
            "022b8ece90ee891cbcdac0c1cc6af46b73c47212d8defbce80265ac81a6b794931",
        ),
    ];
    for (text, zbase, node) in known {
        assert_eq!(
            recover_signer(text.as_bytes(), zbase).unwrap().to_string(),
            node
        );
        assert_ne!(
            recover_signer(b"other", zbase).map(|id| id.to_string()),
            Ok(node.to_owned())
        );
    }
    assert!(recover_signer(b"hi", "not zbase").is_err());

    let keys = keys(&HsmSecret::parse(&lightning_1(), None).unwrap());
    let zbase = signature_to_zbase32(&sign_message(keys.node_secret(), b"this is a test!"));
    assert_eq!(
        recover_signer(b"this is a test!", &zbase),
        Ok(keys.node_id())
    );
}

#[test]
fn a_file_of_any_length_is_a_secret_or_refused_with_its_code() {
    for length in (0..=100).chain([4096, 1 << 20]) {
        let code = |filler: u8| {
            let parsed = HsmSecret::parse(&vec![filler; length], None);
            parsed.map(drop).map_err(HsmSecretError::code)
        };
        let expected = match length {
            0..32 => [Err(7), Err(7)],
            32 => [Ok(()), Ok(())],
            // Encrypted, whatever it holds; else a mnemonic under a passphrase, or words that are none.
            73 => [Err(1), Err(1)],
            _ => [Err(1), Err(4)],
        };
        assert_eq!([code(7), code(0)], expected, "{length} bytes");
    }
}

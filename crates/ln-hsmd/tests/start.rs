//! Opening the secret.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod harness;

use std::os::unix::fs::PermissionsExt;

use bitcoin::hex::FromHex;
use harness::{Hsmd, init};
use ln_hsmd::End;
use ln_hsmd::client::InitError;
use ln_ipc::hsmd::{
    FromHsmd, HsmdDevPreinitTlvs, HsmdGetPerCommitmentPoint, HsmdInitReplyV4, Secret, ToHsmd,
};
use ln_ipc::status::{LogLevel, Status};
use ln_keys::mnemonic_file;
use ln_signer::Capabilities;
use ln_types::CommitmentNumber;

const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const RITUAL: &str = "ritual idle hat sunny universe pluck key alpha wing cake have wedding";
/// "lightning-1" under "test passphrase", by libsodium.
const ENCRYPTED: &str = "5cbf6d3651ed55330380c312a4bf6ea52dd54893d092647091fd3cb9023c74ee54d8c6bea980c026f7a365c03c4468233cf215c7aa42f9484ea6142bd8e4028e2c19192dfe11f84339";
const LIGHTNING_1: &str = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518";

/// Opens a secret file: what hsmd replies.
fn open_file(file: &[u8], passphrase: Option<&str>) -> HsmdInitReplyV4 {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("hsm_secret"), file).unwrap();
    let hsmd = Hsmd::start(directory.path(), false);
    let reply = hsmd.master().init(init(passphrase)).unwrap();
    assert_eq!(hsmd.end(), End::MasterGone);
    reply
}

#[test]
fn a_new_node_gets_a_secret_and_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut hsmd = Hsmd::start(directory.path(), false);
    let first = hsmd.master().init(init(None)).unwrap();
    assert_eq!(first.hsm_version, 6);
    assert_eq!(first.tlvs.hsm_secret_type, Some(2));
    assert!(first.tlvs.bip86_base.is_some());
    for number in [28, 56, 142, 147, 149, 29, 32, 34, 40, 41, 45, 51, 52] {
        assert!(first.hsm_capabilities.contains(&number), "{number}");
    }
    let Status::Log(line) = hsmd.status.recv::<Status>().unwrap() else {
        panic!("no log line");
    };
    assert_eq!(line.level, LogLevel::Unusual);
    assert_eq!(line.text, "HSM: created new hsm_secret file");
    assert_eq!(hsmd.end(), End::MasterGone);
    let file = directory.path().join("hsm_secret");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o400);

    let hsmd = Hsmd::start(directory.path(), false);
    assert_eq!(hsmd.master().init(init(None)).unwrap(), first);
    assert_eq!(hsmd.end(), End::MasterGone);
}

#[test]
fn a_new_node_with_a_passphrase_needs_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = Hsmd::start(directory.path(), false);
    let first = hsmd.master().init(init(Some("pw"))).unwrap();
    assert_eq!(first.tlvs.hsm_secret_type, Some(3));
    hsmd.end();
    for (passphrase, code) in [(None, 1), (Some("PW"), 3)] {
        let hsmd = Hsmd::start(directory.path(), false);
        let error = hsmd.master().init(init(passphrase)).unwrap_err();
        assert!(matches!(error, InitError::Secret { code: got, .. } if got == code));
        assert_eq!(hsmd.end(), End::NoSecret(code));
    }
    let hsmd = Hsmd::start(directory.path(), false);
    assert_eq!(hsmd.master().init(init(Some("pw"))).unwrap(), first);
}

#[test]
fn every_kind_of_secret_opens() {
    let mut plain = b"lightning-1".to_vec();
    plain.resize(32, 0);
    let encrypted = Vec::from_hex(ENCRYPTED).unwrap();
    let words = mnemonic_file(ABANDON, None).unwrap();
    let locked = mnemonic_file(RITUAL, Some("test_passphrase")).unwrap();
    let cases: &[(&[u8], Option<&str>, u8, &str)] = &[
        (&plain, None, 0, LIGHTNING_1),
        (&encrypted, Some("test passphrase"), 1, LIGHTNING_1),
        (
            &words,
            None,
            2,
            "03653e90c1ce4660fd8505dd6d643356e93cfe202af109d382787639dd5890e87d",
        ),
        (
            &locked,
            Some("test_passphrase"),
            3,
            "039020371fb803cd4ce1e9a909b502d7b0a9e0f10cccc35c3e9be959c52d3ba6bd",
        ),
    ];
    for (file, passphrase, kind, node_id) in cases {
        let reply = open_file(file, *passphrase);
        assert_eq!(reply.node_id.to_string(), *node_id);
        assert_eq!(reply.tlvs.hsm_secret_type, Some(*kind));
        assert_eq!(reply.tlvs.bip86_base.is_some(), *kind >= 2);
    }
}

#[test]
fn a_secret_that_does_not_open_says_why() {
    let words = mnemonic_file(ABANDON, None).unwrap();
    let locked = mnemonic_file(RITUAL, Some("test_passphrase")).unwrap();
    let mut nonsense = vec![0; 32];
    nonsense.extend_from_slice(b"these are not the words");
    let encrypted = Vec::from_hex(ENCRYPTED).unwrap();
    let cases: &[(&[u8], Option<&str>, u32)] = &[
        (&locked, None, 1),
        (&encrypted, None, 1),
        (&words, Some("pw"), 2),
        (&locked, Some("pw"), 3),
        (&encrypted, Some("pw"), 3),
        (&nonsense, None, 4),
        (b"short", None, 7),
        (b"", None, 7),
    ];
    for (file, passphrase, code) in cases {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hsm_secret");
        std::fs::write(&path, file).unwrap();
        let hsmd = Hsmd::start(directory.path(), false);
        let error = hsmd.master().init(init(*passphrase)).unwrap_err();
        let InitError::Secret { code: got, message } = error else {
            panic!("{error}");
        };
        assert_eq!(got, *code, "{message}");
        assert!(
            message.starts_with("Failed to load hsm_secret: "),
            "{message}"
        );
        assert_eq!(hsmd.end(), End::NoSecret(*code));
        assert_eq!(std::fs::read(&path).unwrap(), *file, "never overwritten");
    }
}

#[test]
fn a_directory_that_can_not_be_written_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = Hsmd::start(&directory.path().join("missing"), false);
    let error = hsmd.master().init(init(None)).unwrap_err();
    assert!(
        matches!(error, InitError::Secret { code: 7, .. }),
        "{error}"
    );
}

#[test]
fn versions_must_overlap() {
    let directory = tempfile::tempdir().unwrap();
    let ours = |min, max| {
        let mut init = init(None);
        init.hsm_wire_min_version = min;
        init.hsm_wire_max_version = max;
        init
    };
    for (min, max) in [(1, 3), (7, 9)] {
        let hsmd = Hsmd::start(directory.path(), false);
        assert!(hsmd.master().init(ours(min, max)).is_err());
        let End::Failed(text) = hsmd.end() else {
            panic!("it should have failed");
        };
        assert!(
            text.contains(&format!("Version {min}-{max} not valid: we need 4-6")),
            "{text}"
        );
    }
    let hsmd = Hsmd::start(directory.path(), false);
    assert_eq!(hsmd.master().init(ours(6, 12)).unwrap().hsm_version, 6);
}

#[test]
fn an_old_lightningd_still_gets_secrets_with_points() {
    let directory = tempfile::tempdir().unwrap();
    for (version, has_secret) in [(4, true), (5, true), (6, false)] {
        let hsmd = Hsmd::start(directory.path(), false);
        let mut init = init(None);
        init.hsm_wire_min_version = 4;
        init.hsm_wire_max_version = version;
        assert_eq!(hsmd.master().init(init).unwrap().hsm_version, version);
        let client = hsmd
            .master()
            .new_client(harness::peer(), 1, Capabilities::CHANNELD);
        let mut client = harness::raw(client.unwrap());
        for (n, expected) in [(0, false), (1, false), (2, has_secret)] {
            let n = CommitmentNumber(n);
            client
                .send(&ToHsmd::from(HsmdGetPerCommitmentPoint { n }))
                .unwrap();
            let FromHsmd::GetPerCommitmentPointReply(reply) = client.recv().unwrap() else {
                panic!("another reply");
            };
            assert_eq!(
                reply.old_commitment_secret.is_some(),
                expected,
                "{version} {n}"
            );
        }
    }
}

#[test]
fn keys_are_forced_in_developer_mode_only() {
    let directory = tempfile::tempdir().unwrap();
    let mut forced = init(None);
    forced.dev_force_bip32_seed = Some(Secret([1; 32]));
    let hsmd = Hsmd::start(directory.path(), false);
    assert!(hsmd.master().init(forced.clone()).is_err());
    assert!(matches!(hsmd.end(), End::Failed(_)));

    let hsmd = Hsmd::start(directory.path(), true);
    let switches = HsmdDevPreinitTlvs {
        fail_preapprove: Some(true),
        no_preapprove_check: Some(true),
        warn_on_overgrind: None,
    };
    hsmd.master().dev_preinit(switches).unwrap();
    let reply = hsmd.master().init(forced).unwrap();
    assert!(!reply.hsm_capabilities.contains(&51));
    assert!(!hsmd.master().preapprove_invoice("lnbc1", true).unwrap());
}

#[test]
fn nothing_is_answered_before_init() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = Hsmd::start(directory.path(), false);
    assert!(hsmd.master().derive_secret(b"x").is_err());
    assert!(matches!(hsmd.end(), End::Failed(_)));
    assert!(!directory.path().join("hsm_secret").exists());
}

//! The program as users call it, with secrets whose keys are known from Core Lightning.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const RITUAL: &str = "ritual idle hat sunny universe pluck key alpha wing cake have wedding";
const PEER: &str = "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619";

/// Runs it with what is typed.
fn run(arguments: &[&str], typed: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lightning-hsmtool"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that asks nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn answer(arguments: &[&str], typed: &str) -> String {
    let output = run(arguments, typed);
    assert!(output.status.success(), "{arguments:?} {output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn refusal(arguments: &[&str], typed: &str) -> (i32, String) {
    let output = run(arguments, typed);
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), said)
}

/// A file with 32 bytes: the text, then zeros.
fn plain(directory: &TempDir, text: &str) -> String {
    let mut secret = text.as_bytes().to_vec();
    secret.resize(32, 0);
    let path = directory.path().join("hsm_secret");
    fs::write(&path, secret).unwrap();
    path.to_str().unwrap().to_owned()
}

fn words(directory: &TempDir, words: &str, passphrase: &str) -> String {
    let path = directory.path().join("words").to_str().unwrap().to_owned();
    answer(&["generatehsm", &path], &format!("{words}\n{passphrase}\n"));
    path
}

#[test]
fn secrets_give_the_node_ids_of_core_lightning() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    assert_eq!(
        answer(&["getnodeid", &path], ""),
        "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"
    );
    let path = words(&directory, ABANDON, "");
    assert_eq!(
        answer(&["getnodeid", &path], ""),
        "03653e90c1ce4660fd8505dd6d643356e93cfe202af109d382787639dd5890e87d"
    );
    let directory = TempDir::new().unwrap();
    let path = words(&directory, RITUAL, "test_passphrase");
    assert_eq!(
        answer(&["getnodeid", &path], "test_passphrase\n"),
        "039020371fb803cd4ce1e9a909b502d7b0a9e0f10cccc35c3e9be959c52d3ba6bd"
    );
    let (code, said) = refusal(&["getnodeid", &path], "another\n");
    assert_eq!(code, 20);
    assert!(said.contains("wrong passphrase"), "{said}");
}

#[test]
fn runes_are_those_of_the_node() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    assert_eq!(
        answer(&["makerune", &path], ""),
        "OSqc7ixY6F-gjcigBfxtzKUI54uzgFSA6YfBQoWGDV89MA=="
    );
}

#[test]
fn the_rune_of_words_is_the_nodes() {
    let directory = TempDir::new().unwrap();
    // The words that sixteen bytes "lightning-1" stand for.
    let words_of = bip39_words(b"lightning-1\0\0\0\0\0");
    let path = words(&directory, &words_of, "");
    assert_eq!(
        answer(&["makerune", &path], ""),
        "I9TZsYEWiAwThQye-gYhpWIe1h15szWEN_qNyMSBOdE9MA=="
    );
}

fn bip39_words(entropy: &[u8; 16]) -> String {
    let file = ln_keys::new_hsm_secret_file(entropy, None).unwrap();
    String::from_utf8(file[32..].to_vec()).unwrap()
}

#[test]
fn words_come_back_as_they_were() {
    let directory = TempDir::new().unwrap();
    let path = words(&directory, RITUAL, "test_passphrase");
    assert_eq!(answer(&["getsecret", &path], "test_passphrase\n"), RITUAL);
    let (code, said) = refusal(&["getcodexsecret", &path, "ad00"], "test_passphrase\n");
    assert_eq!(code, 2);
    assert!(said.contains("use getsecret"), "{said}");
    assert_eq!(
        answer(
            &["checkhsm", &path],
            &format!("test_passphrase\ntest_passphrase\n{RITUAL}\n")
        ),
        "OK"
    );
    let (code, said) = refusal(
        &["checkhsm", &path],
        &format!("test_passphrase\n\n{RITUAL}\n"),
    );
    assert_eq!(code, 5);
    assert!(said.contains("do not give the secret"), "{said}");
}

#[test]
fn an_old_secret_is_written_in_codex32() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    let text = answer(&["getsecret", &path, "ad00"], "");
    assert!(text.starts_with("cl10ad00s"), "{text}");
    assert_eq!(answer(&["getcodexsecret", &path, "ad00"], ""), text);
    for bad in ["ad0", "ad000", "adio", "AD00", "ad0é"] {
        let (code, said) = refusal(&["getsecret", &path, bad], "");
        assert_eq!(code, 2);
        assert!(said.contains("four lower-case letters"), "{said}");
    }
    let (code, said) = refusal(&["getsecret", &path], "");
    assert_eq!(code, 2);
    assert!(said.contains("such as ad00"), "{said}");
}

#[test]
fn a_passphrase_is_put_on_and_taken_off() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    let before = fs::read(&path).unwrap();
    let (code, said) = refusal(&["encrypt", &path], "one\ntwo\n");
    assert_eq!(code, 2);
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before);
    answer(&["encrypt", &path], "reckless\nreckless\n");
    assert_eq!(fs::read(&path).unwrap().len(), 73);
    let (_, said) = refusal(&["encrypt", &path], "x\nx\n");
    assert!(said.contains("encrypted already"), "{said}");
    let (code, said) = refusal(&["decrypt", &path], "wrong\n");
    assert_eq!(code, 20);
    assert!(said.contains("wrong passphrase"), "{said}");
    answer(&["decrypt", &path], "reckless\n");
    assert_eq!(fs::read(&path).unwrap(), before);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o400);
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn no_secret_is_overwritten() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    let before = fs::read(&path).unwrap();
    let (code, said) = refusal(&["generatehsm", &path, "en", ABANDON], "");
    assert_eq!(code, 2);
    assert!(said.contains("already exists"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let other = directory.path().join("other");
    let other = other.to_str().unwrap();
    let (code, said) = refusal(&["generatehsm", other, "en", "abandon abandon"], "");
    assert_eq!(code, 2);
    assert!(said.contains("BIP 39"), "{said}");
    let (code, said) = refusal(&["generatehsm", other, "fr", ABANDON], "");
    assert_eq!(code, 2);
    assert!(said.contains("only en"), "{said}");
    assert!(!Path::new(other).exists());
}

#[test]
fn descriptors_have_the_wallets_keys() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    let public = answer(&["dumponchaindescriptors", &path], "");
    let secret = answer(
        &["dumponchaindescriptors", "--show-secrets", &path, "testnet"],
        "",
    );
    let lines: Vec<&str> = public.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines
            .iter()
            .all(|line| line.contains("xpub") && line.contains("/0/0/*")),
        "{public}"
    );
    assert!(secret.lines().all(|line| line.contains("tprv")), "{secret}");
    let path = words(&directory, ABANDON, "");
    let public = answer(&["dumponchaindescriptors", &path], "");
    // BIP 86's test vector has this account key.
    let account = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ";
    assert!(
        public
            .lines()
            .all(|line| line.contains(&format!("{account}/0/*"))),
        "{public}"
    );
    // What Core Lightning's tool prints.
    let checksums = public.lines().map(|line| line.rsplit('#').next().unwrap());
    assert!(
        checksums.eq(["hjszq0wk", "u0t3u3xz", "8e7pq23w"]),
        "{public}"
    );
    let (code, said) = refusal(&["dumponchaindescriptors", &path, "litecoin"], "");
    assert_eq!(code, 2);
    assert!(said.contains("litecoin"), "{said}");
}

#[test]
fn lost_channels_pay_to_keys_that_are_found() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    let key = answer(&["derivetoremote", PEER, "3", &path], "");
    let key = key.strip_prefix("privkey : ").unwrap().to_owned();
    let dump = answer(&["dumpcommitments", PEER, "3", "2", &path], "");
    assert_eq!(dump.lines().count(), 5);
    let point = dump
        .lines()
        .find_map(|line| line.strip_prefix("commit point #1: "))
        .unwrap();
    let tweaked = answer(&["derivetoremote", PEER, "3", point, &path], "");
    assert!(!tweaked.contains(&key));
    for address in to_remote_addresses(&key) {
        let found = answer(&["guesstoremote", &address, PEER, "5", &path], "");
        assert!(found.contains(&key) && found.contains("dbid: 3"), "{found}");
        let (code, said) = refusal(&["guesstoremote", &address, PEER, "2", &path], "");
        assert_eq!(code, 5);
        assert!(said.contains("up to 2"), "{said}");
    }
}

/// The addresses of a key's output in the peer's commitment: without anchors and with them.
fn to_remote_addresses(key: &str) -> [String; 2] {
    use ln_tx::CommitmentFormat::{Anchors, StaticRemotekey};
    let key: bitcoin::secp256k1::SecretKey = key.parse().unwrap();
    let point = ln_keys::public_key(&key);
    [StaticRemotekey, Anchors].map(|format| {
        let script = ln_tx::script::to_remote_script_pubkey(&point, format);
        let network = ln_types::Network::Regtest;
        network.address(&script).unwrap().to_string()
    })
}

#[test]
fn an_emergency_file_is_written_as_text() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("emergency.recover");
    fs::write(&path, vec![7; 5000]).unwrap();
    let text = answer(&["getemergencyrecover", path.to_str().unwrap()], "");
    assert!(
        text.starts_with("clnemerg1") && text.len() == 9 + 8000 + 6,
        "{text}"
    );
}

#[test]
fn wrong_words_are_named() {
    let directory = TempDir::new().unwrap();
    let path = plain(&directory, "lightning-1");
    let short = directory.path().join("short");
    fs::write(&short, [1; 31]).unwrap();
    let short = short.to_str().unwrap();
    for (arguments, code, problem) in [
        (vec![], 2, "which method?"),
        (vec!["steal"], 2, "there is no method 'steal'"),
        (vec!["getnodeid"], 2, "takes other arguments"),
        (vec!["--nonsense"], 2, "nonsense"),
        (
            vec!["--show-secrets", "getnodeid", &path],
            2,
            "belongs to dumponchaindescriptors",
        ),
        (vec!["getnodeid", "/nonexistent/x"], 20, "/nonexistent/x"),
        (vec!["getnodeid", "/"], 20, "can't read /"),
        (vec!["getnodeid", short], 20, "31 bytes"),
        (vec!["encrypt", &path, "password"], 2, "is asked for"),
        (
            vec!["decrypt", &path],
            2,
            "an old secret without passphrase",
        ),
        (
            vec!["dumpcommitments", "02", "1", "1", &path],
            2,
            "'02' is no node id",
        ),
        (
            vec!["dumpcommitments", PEER, "-1", "1", &path],
            2,
            "invalid",
        ),
        (
            vec!["dumpcommitments", PEER, "1", "281474976710657", &path],
            2,
            "281474976710656 commitments",
        ),
        (
            vec!["derivetoremote", PEER, "1", "02", &path],
            2,
            "no commitment point",
        ),
        (
            vec!["guesstoremote", "bcrt1q", PEER, "1", &path],
            2,
            "no address",
        ),
        (vec!["encrypt", &path], 2, "no answer to"),
    ] {
        let (found, said) = refusal(&arguments, "");
        assert_eq!(found, code, "{arguments:?} {said}");
        assert!(said.contains(problem), "{arguments:?} {said}");
    }
    assert_eq!(fs::read(&path).unwrap().len(), 32);
}

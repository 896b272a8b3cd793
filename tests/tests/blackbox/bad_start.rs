//! What can be wrong where a node starts: each time one line says what it is, the exit code tells its kind, and nothing is overwritten.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ln_testkit::nodes::{TestNet, program};
use tempfile::TempDir;

use crate::support::Stranger;

/// A directory for a node, with what is in it.
struct Place {
    dir: TempDir,
}

/// How a start failed.
struct Failed {
    code: Option<i32>,
    text: String,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("regtest")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), contents).unwrap();
        self
    }

    /// Every file, but for the pid file, which is gone when a node has ended, and the log.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut left = vec![self.dir.path().to_owned()];
        while let Some(dir) = left.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    left.push(path);
                } else if path.is_file() {
                    found.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    /// Starts a node that does not come up: no chain is there, and none is asked.
    fn fails_with(&self, arguments: &[&str], input: &[u8]) -> Failed {
        let before = self.contents();
        let mut child = Command::new(program("lightningd"))
            .arg(format!("--lightning-dir={}", self.dir.path().display()))
            .args(["--network=regtest", "--bitcoin-rpcport=1"])
            .args(["--log-level=broken", "--disable-dns"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        let now = self.contents();
        for (path, bytes) in &before {
            assert_eq!(now.get(path), Some(bytes), "{}: {text}", path.display());
        }
        Failed {
            code: output.status.code(),
            text,
        }
    }

    fn fails(&self, arguments: &[&str]) -> Failed {
        self.fails_with(arguments, b"")
    }
}

impl Failed {
    /// One line with these words, and this code.
    fn assert(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        assert_eq!(self.text.lines().count(), 1, "{}", self.text);
        assert!(self.text.starts_with("lightningd: "), "{}", self.text);
        assert!(self.text.len() < 1000, "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "no \"{word}\" in: {}", self.text);
        }
    }
}

#[test]
fn a_secret_that_is_none_is_left_alone() {
    let words = b"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    let mnemonic = |words: &[u8]| [&[0; 32], words].concat();
    let place = Place::new();
    let secret = |bytes: &[u8], code: i32, said: &[&str]| {
        place.write("regtest/hsm_secret", bytes);
        place
            .fails(&[])
            .assert(code, &[said, &["hsm_secret"]].concat());
    };
    for length in [0, 1, 31] {
        let said = format!("{length} bytes, but at least 32 are needed");
        secret(&vec![7; length], 7, &[&said]);
    }
    secret(&[7; 33], 1, &["--hsm-passphrase"]);
    secret(&[7; 73], 1, &["--hsm-passphrase"]);
    secret(&[7; 100], 1, &["--hsm-passphrase"]);
    secret(&vec![7; 1 << 20], 7, &["too long"]);
    secret(&mnemonic(b"x"), 4, &["invalid mnemonic"]);
    secret(&mnemonic(&vec![b'x'; 1 << 20]), 7, &["too long"]);
    let wrong_sum = [&words[..], b" abandon"].concat();
    secret(&mnemonic(&wrong_sum), 4, &["invalid mnemonic"]);
    secret(&mnemonic(b"\xff\xfe\x00"), 4, &["invalid mnemonic"]);

    place.write("regtest/hsm_secret", mnemonic(words));
    let ask = ["--hsm-passphrase"];
    let failed = place.fails_with(&ask, b"needless\n");
    assert_eq!(failed.code, Some(2), "{}", failed.text);
    assert!(failed.text.contains("not needed"), "{}", failed.text);
    let mut protected = vec![9; 32];
    protected.extend_from_slice(words);
    place.write("regtest/hsm_secret", protected);
    let log = place.path("log").display().to_string();
    let log = format!("--log-file={log}");
    let failed = place.fails_with(&[ask[0], "--log-level=io", &log], b"guessed\n");
    assert_eq!(failed.code, Some(3), "{}", failed.text);
    assert!(failed.text.contains("wrong passphrase"), "{}", failed.text);
    let log = fs::read_to_string(place.path("log")).unwrap();
    // As text, and as bytes in hex.
    for shown in [failed.text.as_str(), log.as_str()] {
        assert!(
            !shown.contains("guessed") && !shown.contains("67756573736564"),
            "{shown}"
        );
    }

    fs::remove_file(place.path("regtest/hsm_secret")).unwrap();
    fs::create_dir(place.path("regtest/hsm_secret")).unwrap();
    place.fails(&[]).assert(7, &["hsm_secret", "directory"]);
}

#[test]
fn a_passphrase_nobody_gives_is_an_error() {
    let place = Place::new();
    let failed = place.fails_with(&["--hsm-passphrase"], b"");
    assert_eq!(failed.code, Some(1), "{}", failed.text);
    assert!(failed.text.contains("no answer to"), "{}", failed.text);
    assert!(!place.path("regtest/hsm_secret").exists());
}

/// The secret and the database of a node that has lived.
fn lived() -> (Vec<u8>, Vec<u8>) {
    let net = TestNet::start();
    let node = net.node("l1");
    net.fund(&node, ln_types::Sat::from_sat(100_000));
    for number in 0..200 {
        crate::support::invoice(&node, 1, &format!("{number} {}", "x".repeat(100)));
    }
    node.stop();
    let read = |name: &str| fs::read(node.dir().join("regtest").join(name)).unwrap();
    (read("hsm_secret"), read("lightningd.sqlite3"))
}

#[test]
fn a_database_that_is_damaged_or_of_another_node_is_left_alone() {
    let (secret, database) = lived();
    let place = Place::new();
    place.write("regtest/hsm_secret", &secret);
    let file = "regtest/lightningd.sqlite3";
    place.write(
        file,
        "no database at all, but long enough to be taken for one".repeat(100),
    );
    place
        .fails(&[])
        .assert(1, &["lightningd.sqlite3", "not a database"]);
    place.write(file, &database[..database.len() / 2]);
    place.fails(&[]).assert(1, &["damaged", "backup"]);
    let mut zeroed = database.clone();
    let page = 4096;
    let middle = database.len() / 2 / page * page;
    zeroed[page..middle].fill(0);
    place.write(file, &zeroed);
    place.fails(&[]).assert(1, &["damaged", "backup"]);

    let other = Place::new();
    other.write(file, &database);
    other.fails(&[]).assert(30, &["does not match HSM"]);
    fs::remove_file(place.path(file)).unwrap();
    fs::create_dir(place.path(file)).unwrap();
    place
        .fails(&[])
        .assert(1, &["lightningd.sqlite3", "can't open the database"]);
    place
        .fails(&["--wallet=postgres://localhost/x"])
        .assert(1, &["--wallet: ", "sqlite3://PATH"]);
    place
        .fails(&["--wallet=sqlite3:///tmp/one:"])
        .assert(1, &["--wallet: ", "two different files"]);
    place
        .fails(&["--wallet=sqlite3:///no/such/place/db"])
        .assert(1, &["/no/such/place/db"]);
}

#[test]
fn a_damaged_part_that_start_up_does_not_read_is_found_all_the_same() {
    let (secret, mut database) = lived();
    let page = 4096;
    // The last page of all: some invoice of the two hundred.
    let last = database.len() - page;
    database[last..].fill(0);
    let net = TestNet::start();
    let node = net.node_with(
        "l1",
        ln_testkit::nodes::NodeOptions::default().allow_complaint("the database is damaged"),
    );
    node.stop();
    let regtest = node.dir().join("regtest");
    fs::remove_file(regtest.join("hsm_secret")).unwrap();
    fs::write(regtest.join("hsm_secret"), secret).unwrap();
    fs::write(regtest.join("lightningd.sqlite3"), database).unwrap();
    let dir = node.dir().to_owned();
    let output = Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.display()))
        .args(["--network=regtest", "--autolisten=false", "--disable-dns"])
        .args(["--bitcoin-rpcuser=regtest", "--bitcoin-rpcpassword=regtest"])
        .arg(format!("--bitcoin-rpcport={}", net.chain.port()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("the database is damaged: "), "{said}");
}

#[test]
fn files_and_directories_that_are_something_else_are_left_alone() {
    let place = Place::new();
    place.write("diary", "dear diary\n");
    let diary = place.path("diary").display().to_string();
    let regtest = place.path("regtest").display().to_string();
    let given = |option: &str, value: &str| format!("--{option}={value}");
    let fails = |option: &str, value: &str, code: i32, words: &[&str]| {
        place.fails(&[&given(option, value)]).assert(code, words);
    };
    fails("pid-file", &diary, 1, &["pid-file: ", "is no pid file"]);
    fails(
        "pid-file",
        &regtest,
        1,
        &["can't open the pid file", "directory"],
    );
    fails(
        "pid-file",
        "/no/such/place/pid",
        1,
        &["can't open the pid file", "No such file"],
    );
    fails("rpc-file", &diary, 1, &["rpc-file: ", "is no socket"]);
    fails("rpc-file", &regtest, 1, &["rpc-file: ", "is no socket"]);
    fails(
        "rpc-file",
        &"x".repeat(108),
        1,
        &["rpc-file: 108 bytes are too long"],
    );
    fails("rpc-file-mode", "0999", 1, &["rpc-file-mode", "octal"]);
    fails(
        "log-file",
        &regtest,
        1,
        &["can't open log file", "directory"],
    );
    fails(
        "log-file",
        "/no/such/place/log",
        1,
        &["can't open log file", "No such file"],
    );
    fails(
        "log-level",
        "debug:connectd:/elsewhere",
        1,
        &["--log-level: ", "give it with log-file"],
    );
    fails("plugin", &diary, 1, &["diary"]);
    fails("plugin-dir", &diary, 1, &["diary"]);
}

#[test]
fn values_that_mean_nothing_are_told_by_their_option() {
    let place = Place::new();
    let fails = |option: &str, value: &str, code: i32, words: &[&str]| {
        let argument = format!("--{option}={value}");
        place.fails(&[&argument]).assert(code, words);
    };
    fails(
        "subdaemon",
        "hsmd:/no/such/signer",
        10,
        &["subdaemon=hsmd:", "can't be run"],
    );
    fails(
        "subdaemon",
        "hsmd:/bin/true",
        10,
        &["subdaemon=hsmd:", "can stand in"],
    );
    fails(
        "subdaemon",
        "lawyerd:/bin/true",
        1,
        &["--subdaemon: ", "'lawyerd' is no helper"],
    );
    fails(
        "database-upgrade",
        "maybe",
        1,
        &["--database-upgrade: ", "neither true nor false"],
    );
    fails(
        "clnrest-port",
        "3010",
        1,
        &["clnrest-port: ", "is not supported yet"],
    );
    fails("recover", "abandon abandon", 1, &["recover"]);
}

#[test]
fn a_program_that_hangs_when_asked_for_its_version_is_named() {
    let place = Place::new();
    place.write("signer", "#!/bin/sh\nexec sleep 1000\n");
    let signer = place.path("signer");
    fs::set_permissions(&signer, fs::Permissions::from_mode(0o755)).unwrap();
    let argument = format!("--subdaemon=hsmd:{}", signer.display());
    let words = [
        &argument[2..],
        "was asked for --version and did not answer and end within 10 seconds",
        "leave this subdaemon out",
    ];
    place.fails(&[&argument]).assert(10, &words);
}

#[test]
fn a_directory_that_is_a_file_is_left_alone() {
    let place = Place::new();
    let file = place.path("file");
    fs::write(&file, "").unwrap();
    for dir in [
        file.display().to_string(),
        format!("{}/below", file.display()),
    ] {
        let output = Command::new(program("lightningd"))
            .arg(format!("--lightning-dir={dir}"))
            .arg("--network=regtest")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        Failed { code, text }.assert(1, &[&dir, "irectory"]);
    }
}

#[test]
fn config_files_that_are_none_are_told_with_the_line() {
    let place = Place::new();
    let with = |bytes: &[u8], words: &[&str]| {
        place.write("config", bytes);
        place.fails(&[]).assert(1, words);
    };
    with(b"\x7fELF\x02\x01\x01\0\0\0\xff\xfe", &["config line 1: "]);
    with(b"alias=x\ninclude \n", &["config line 2: include"]);
    with(b"include .\n", &["config line 1: include .", "directory"]);
    with(b"include config\n", &["config line 1: ", "circle"]);
    with(b"rescan\n", &["config line 1: rescan: needs a value"]);
    with(
        b"aliass=x\n",
        &["config line 1: aliass: unknown option", "'alias'"],
    );
    with(&vec![b'x'; 17 << 20], &["config", "larger than"]);
    with(
        &[b"log-prefix=", &vec![b'x'; 1 << 20][..], b"\nrescan=x\n"].concat(),
        &["config line 2: rescan"],
    );
    fs::remove_file(place.path("config")).unwrap();
    fs::create_dir(place.path("config")).unwrap();
    place.fails(&[]).assert(1, &["config", "directory"]);
    let missing = place.path("none").display().to_string();
    place
        .fails(&[&format!("--conf={missing}")])
        .assert(1, &[&missing, "No such file"]);
}

#[test]
fn what_may_not_be_read_or_written_is_named() {
    let stranger = Stranger::new();
    if !stranger.is_another() {
        eprintln!("SKIPPED: only root can start a node as somebody else");
        return;
    }
    let place = Place::new();
    let base = place.dir.path();
    let open = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(base, 0o755);
    let fails = |words: &[&str]| {
        let output = stranger
            .lightningd()
            .arg(format!("--lightning-dir={}", base.display()))
            .args([
                "--network=regtest",
                "--bitcoin-rpcport=1",
                "--log-level=broken",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        Failed { code, text }.assert(1, &[words, &["ermission denied"]].concat());
    };
    open(&place.path("regtest"), 0o700);
    fails(&["regtest"]);
    open(&place.path("regtest"), 0o755);
    fails(&["pid file"]);
    place.write("lightningd-regtest.pid", "");
    open(&place.path("lightningd-regtest.pid"), 0o666);
    place.write("config", "alias=x\n");
    open(&place.path("config"), 0o600);
    fails(&["config"]);
}

//! Each helper's sandbox around a process that does what helpers do, whatever libc it has, and then what they may not do.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ln_sandbox::{Helper, May, attempt, confine, for_names};

/// Says which helper the process stands for.
const HELPER: &str = "CONFINED_AS";
/// What it tries at the end.
const HOW: &str = "CONFINED_TRIES";
/// Where somebody listens.
const PORT: &str = "CONFINED_PORT";

/// Runs [`as_a_helper`] in a process of its own.
fn run(helper: Helper, how: &str) -> (ExitStatus, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = tempfile::tempdir().unwrap();
    for name in ["hsm_secret", "lightningd.sqlite3", "gossip_store", "victim"] {
        fs::write(directory.path().join(name), name).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "as_a_helper", "--nocapture", "--test-threads=1"])
        .current_dir(directory.path())
        .env(HELPER, helper.name())
        .env(HOW, how)
        .env(PORT, listener.local_addr().unwrap().port().to_string())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 4, "{}: {said}", helper.name());
    (output.status, said)
}

#[test]
fn helpers_work_in_their_sandbox_and_get_at_nothing_else() {
    for helper in Helper::all() {
        let (status, said) = run(helper, "all");
        assert!(status.success(), "{}: {said}", helper.name());
        assert!(said.contains("all is well"), "{}: {said}", helper.name());
    }
}

#[test]
fn who_becomes_another_program_is_killed_and_none_is_started() {
    for helper in [Helper::Channeld, Helper::Connectd] {
        let (status, said) = run(helper, "exec");
        assert_eq!(status.signal(), Some(31), "{}: {said}", helper.name());
        // Some libcs want a pipe before they fork, and are refused that.
        let (status, said) = run(helper, "fork");
        let refused = status.success() && said.contains("all is well");
        assert!(
            refused || status.signal() == Some(31),
            "{}: {said}",
            helper.name()
        );
    }
}

/// Not a test by itself: what the processes of the others do.
#[test]
fn as_a_helper() {
    let Ok(name) = std::env::var(HELPER) else {
        return;
    };
    let helper = Helper::all().find(|helper| helper.name() == name).unwrap();
    let given = OpenOptions::new()
        .read(true)
        .write(true)
        .open("gossip_store")
        .unwrap();
    let names = if helper == Helper::Connectd {
        for_names()
    } else {
        Vec::new()
    };
    let report = confine(helper, &names);
    assert!(report.seccomp, "{report}");
    work();
    if report.landlock > 0 {
        let backtrace = Backtrace::force_capture().to_string();
        assert!(backtrace.contains("confined::as_a_helper"), "{backtrace}");
    }
    let profile = helper.profile();
    if profile.allows(May::ChangeGivenFiles) {
        given.write_all_at(b"news", 4).unwrap();
        given.set_len(8).unwrap();
        given.sync_all().unwrap();
    }
    if profile.allows(May::MakeSocketPairs) {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        one.set_nonblocking(true).unwrap();
        one.write_all(b"x").unwrap();
        other.read_exact(&mut [0]).unwrap();
    }
    if profile.allows(May::StartThreads) {
        thread::spawn(work).join().unwrap();
    }
    if profile.allows(May::UseNetwork) {
        let port: u16 = std::env::var(PORT).unwrap().parse().unwrap();
        assert!(("localhost", port).to_socket_addrs().unwrap().count() > 0);
        TcpStream::connect(("127.0.0.1", port)).unwrap();
    }
    let how = std::env::var(HOW).unwrap();
    let landlock = report.landlock > 0;
    for attempt in attempt(helper, &how) {
        let what = attempt.what;
        // Without landlock connectd can read files, and listen.
        let excused = !landlock && helper == Helper::Connectd;
        assert!(attempt.refused.is_some() || excused, "could {what}");
    }
    // A file that anybody may read is no exception.
    assert!(File::open("/dev/null").is_err() || !landlock);
    std::io::stdout().write_all(b"all is well\n").unwrap();
}

/// Memory, luck, time.
fn work() {
    let mut map: HashMap<usize, Vec<u8>> = (0..50).map(|n| (n, vec![7; n * 10_000])).collect();
    map.retain(|n, _| n % 2 == 0);
    assert_eq!(map[&48].len(), 480_000);
    let start = Instant::now();
    thread::sleep(Duration::from_millis(2));
    assert!(start.elapsed() >= Duration::from_millis(2));
    assert!(SystemTime::now() > SystemTime::UNIX_EPOCH);
}

//! The demo: runs to its end, and leaves nothing behind.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ln_testkit::nodes::{descendants, process_is_running, program, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The demo, with a directory for temporary files of its own.
fn demo(arguments: &[&str], dir: &Path) -> Child {
    Command::new(program("lightning-playground"))
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", dir)
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for its end: what it printed, and whether it succeeded.
fn finish(child: Child) -> (String, bool) {
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    (shown, output.status.success())
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn it_shows_a_payment_and_cleans_up() {
    let dir = TempDir::new().unwrap();
    let (shown, success) = finish(demo(&[], dir.path()));
    assert!(success);
    for part in [
        "$ l1 getinfo",
        "$ l1 connect ",
        "$ btc generatetoaddress ",
        " 0.042btc 253perkw",
        "$ l2 pay lnbcrt",
        "$ l2 close ",
        "$ l1 listfunds",
    ] {
        assert!(shown.contains(part), "{part}");
    }
    assert!(is_empty(dir.path()));
}

#[test]
fn a_shell_has_the_commands() {
    let dir = TempDir::new().unwrap();
    let mut child = demo(&["--stay"], dir.path());
    let mut shell = child.stdin.take().unwrap();
    shell
        .write_all(b"l1 getinfo | grep alias\nl2 stop\nbtc getblockcount\necho \"that is $?\"\n")
        .unwrap();
    drop(shell);
    let (shown, success) = finish(child);
    assert!(success);
    assert!(
        shown.ends_with("(0.0 s)\n") || shown.contains("that is 0"),
        "{shown}"
    );
    assert!(is_empty(dir.path()));
}

#[test]
fn an_interrupt_ends_what_was_started() {
    let dir = TempDir::new().unwrap();
    let mut child = demo(&[], dir.path());
    let mut out = child.stdout.take().unwrap();
    let mut shown = Vec::new();
    // Both nodes run when the first is asked for its name.
    while !String::from_utf8_lossy(&shown).contains("$ l1 getinfo") {
        let mut chunk = [0; 1000];
        let count = out.read(&mut chunk).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&chunk[..count]);
    }
    let running = descendants(child.id());
    assert!(running.len() > 4, "{running:?}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    // Else it could not print to its end.
    out.read_to_end(&mut shown).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(is_empty(dir.path()));
    for process in running {
        let what = format!("the end of {}", process.name);
        wait_until(&what, || (!process_is_running(process.pid)).then_some(()));
    }
}

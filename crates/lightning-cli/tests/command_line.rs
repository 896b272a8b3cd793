//! The program against a server that answers with whatever the test says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::{self, JoinHandle};

use ln_rpc::jsonrpc::Splitter;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the server does with one request.
enum Reply {
    /// Answers with this result.
    Result(&'static str),
    /// Answers with this error.
    Error(&'static str),
    /// Sends these notifications, then answers.
    Notified(Vec<Value>, &'static str),
    /// Sends these bytes as they are.
    Bytes(&'static [u8]),
    /// Ends the connection.
    HangUp,
}

/// A directory with a node's socket, and who answers there.
struct Server {
    directory: TempDir,
    thread: JoinHandle<Vec<Value>>,
}

fn read_request(stream: &mut UnixStream, splitter: &mut Splitter) -> Option<Value> {
    let mut chunk = [0; 4096];
    loop {
        if let Some(text) = splitter.next_text().unwrap() {
            return Some(serde_json::from_str(text).unwrap());
        }
        // A client that leaves without reading to the end resets the connection.
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => splitter.push(&chunk[..count]),
        }
    }
}

/// Answers one connection; `notifications` is always answered well.
fn serve(mut stream: UnixStream, reply: &Reply) -> Vec<Value> {
    let mut splitter = Splitter::new();
    let mut requests = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut splitter) {
        let send = |stream: &mut UnixStream, text: String| {
            // At once: a client that has its object may hang up before the blank line.
            stream.write_all(format!("{text}\n\n").as_bytes()).unwrap();
        };
        let id = &request["id"];
        if request["method"] == "notifications" {
            send(
                &mut stream,
                json!({"jsonrpc": "2.0", "id": id, "result": {}}).to_string(),
            );
            requests.push(request);
            continue;
        }
        let result = |text: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{text}}}");
        match reply {
            Reply::Result(text) => send(&mut stream, result(text)),
            Reply::Error(text) => {
                send(
                    &mut stream,
                    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{text}}}"),
                );
            }
            Reply::Notified(notes, text) => {
                for note in notes {
                    send(&mut stream, note.to_string());
                }
                send(&mut stream, result(text));
            }
            Reply::Bytes(bytes) => stream.write_all(bytes).unwrap(),
            Reply::HangUp => {}
        }
        requests.push(request);
        if matches!(reply, Reply::HangUp) {
            return requests;
        }
    }
    requests
}

impl Server {
    fn start(reply: Reply) -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("regtest")).unwrap();
        let listener = UnixListener::bind(directory.path().join("regtest/lightning-rpc")).unwrap();
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            serve(stream, &reply)
        });
        Self { directory, thread }
    }

    /// Runs the program against it: output and requests.
    fn run(self, arguments: &[&str]) -> (Output, Vec<Value>) {
        let output = cli(self.directory.path(), arguments);
        (output, self.thread.join().unwrap())
    }
}

fn cli(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lightning-cli"))
        .arg(format!("--lightning-dir={}", directory.display()))
        .arg("--regtest")
        .args(arguments)
        // No manual pages of this machine.
        .env("PATH", directory)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

const RESULT: &str = r#"{"id":"02ab","n":1.50,"list":[{"a":true},[]],"text":"x\ny"}"#;

#[test]
fn each_format_shows_the_result_its_way() {
    let json = "{\n   \"id\": \"02ab\",\n   \"n\": 1.50,\n   \"list\": [\n      {\n         \"a\": true\n      },\n      []\n   ],\n   \"text\": \"x\\ny\"\n}\n";
    for (option, want) in [
        ("-J", json.to_owned()),
        ("-R", format!("{RESULT}\n")),
        ("-H", "id=02ab\nn=1.50\nlist=true\ntext=x\ny\n".to_owned()),
        (
            "-F",
            "id=02ab\nn=1.50\nlist[0].a=true\ntext=x\\ny\n".to_owned(),
        ),
        ("--order", json.to_owned()),
    ] {
        let (output, _) = Server::start(Reply::Result(RESULT)).run(&[option, "getinfo"]);
        assert_eq!(stdout(&output), want, "{option}");
        assert_eq!((code(&output), stderr(&output)), (0, ""));
    }
}

#[test]
fn a_hint_makes_plain_lines_unless_json_is_asked_for() {
    const HELP: &str = r#"{"help":[{"command":"b x\ty"},{"command":"a"}],"format-hint":"simple"}"#;
    let (output, _) = Server::start(Reply::Result(HELP)).run(&["help", "b"]);
    assert_eq!(stdout(&output), "b x\ty\na\n");
    let (output, _) = Server::start(Reply::Result(HELP)).run(&["help"]);
    let list = "a\n\nb x\ty\n\n---\nrun `lightning-cli help <command>` for more information on a specific command\n";
    assert_eq!(stdout(&output), list);
    let (output, _) = Server::start(Reply::Result(HELP)).run(&["-R", "help"]);
    assert_eq!(stdout(&output), format!("{HELP}\n"));
    let (output, requests) = Server::start(Reply::Result(HELP)).run(&[]);
    assert!(stdout(&output).starts_with("Usage: lightning-cli"));
    assert!(stdout(&output).ends_with(list));
    assert_eq!(requests[1]["method"], "help");
}

#[test]
fn a_manual_page_is_preferred() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = TempDir::new().unwrap();
    let man = directory.path().join("man");
    fs::write(
        &man,
        "#!/bin/sh\n[ \"$1\" = lightning-pay ] && echo \"page $1\"\n",
    )
    .unwrap();
    fs::set_permissions(&man, fs::Permissions::from_mode(0o755)).unwrap();
    let output = cli(directory.path(), &["help", "pay"]);
    assert_eq!(
        (stdout(&output), code(&output)),
        ("page lightning-pay\n", 0)
    );
    // No page: the node is asked, and there is none here.
    assert_eq!(code(&cli(directory.path(), &["help", "other"])), 2);
}

#[test]
fn an_error_is_printed_and_the_exit_code_is_1() {
    const ERROR: &str = r#"{"code":205,"message":"no route"}"#;
    let (output, _) = Server::start(Reply::Error(ERROR)).run(&["pay", "x"]);
    assert_eq!(
        stdout(&output),
        "{\n   \"code\": 205,\n   \"message\": \"no route\"\n}\n"
    );
    assert_eq!((code(&output), stderr(&output)), (1, ""));
    let (output, _) = Server::start(Reply::Error(ERROR)).run(&["-R", "pay", "x"]);
    assert_eq!(stdout(&output), format!("{ERROR}\n"));
    assert_eq!(code(&output), 1);
}

#[test]
fn what_is_sent_is_what_was_typed() {
    let arguments = ["-k", "-l", "{\"id\":true}", "m", "a=1", "b=01", "c=[1]"];
    let (_, requests) = Server::start(Reply::Result("{}")).run(&arguments);
    assert_eq!(requests[0]["params"], json!({"enable": true}));
    assert_eq!(requests[1]["params"], json!({"a": 1, "b": "01", "c": [1]}));
    assert_eq!(requests[1]["filter"], json!({"id": true}));
    let id = requests[1]["id"].as_str().unwrap();
    assert!(id.starts_with("cli:m#"), "{id}");

    let peer = "02".repeat(33);
    let arguments = ["-c", &format!("{peer}:rune"), "getinfo"];
    let (_, requests) = Server::start(Reply::Result("{}")).run(&arguments);
    assert_eq!(requests.len(), 1, "no notifications over commando");
    assert_eq!(requests[0]["method"], "commando");
    assert_eq!(
        requests[0]["params"],
        json!({"peer_id": peer, "method": "getinfo", "rune": "rune", "params": []})
    );
}

#[test]
fn notifications_are_shown_from_their_level_on() {
    let message = |level: &str, text: &str| json!({"jsonrpc": "2.0", "method": "message", "params": {"id": "x", "level": level, "message": text}});
    let progress = json!({"jsonrpc": "2.0", "method": "progress", "params": {"id": "x", "num": 0, "total": 2}});
    let odd = json!({"jsonrpc": "2.0", "method": "odd", "params": []});
    let notes = || {
        vec![
            message("debug", "small"),
            progress.clone(),
            message("info", "big"),
            odd.clone(),
        ]
    };
    let (output, _) = Server::start(Reply::Notified(notes(), "{}")).run(&["m"]);
    let bar = format!("\r# 1/2 |{}|", " ".repeat(60));
    assert_eq!(stdout(&output), format!("{bar}\n# big\n{{}}\n"));
    let (output, _) = Server::start(Reply::Notified(notes(), "{}")).run(&["-N", "debug", "m"]);
    assert_eq!(stdout(&output), format!("# small\n{bar}\n# big\n{{}}\n"));
    let (output, requests) =
        Server::start(Reply::Notified(notes(), "{}")).run(&["-N", "none", "m"]);
    assert_eq!(stdout(&output), "{}\n");
    assert_eq!(requests.len(), 1);
}

#[test]
fn a_server_that_makes_no_sense_is_exit_code_2() {
    for reply in [
        Reply::HangUp,
        Reply::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Reply::Bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\"someone-else\",\"result\":{}}\n\n"),
        Reply::Bytes(b"{\"jsonrpc\":\"2.0\"}\n\n"),
        Reply::Bytes(b"{\"a\":]}\n\n"),
        Reply::Bytes(b"[]\n\n"),
        Reply::Bytes(b"{\"\xff\"}\n\n"),
    ] {
        let (output, _) = Server::start(reply).run(&["m"]);
        assert_eq!((code(&output), stdout(&output)), (2, ""));
        assert!(
            stderr(&output).starts_with("lightning-cli: "),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_node_that_is_not_there_is_exit_code_2_with_advice() {
    let directory = TempDir::new().unwrap();
    let missing = directory.path().join("none");
    let output = cli(&missing, &["m"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("--lightning-dir"),
        "{}",
        stderr(&output)
    );

    fs::create_dir(directory.path().join("signet")).unwrap();
    let output = cli(directory.path(), &["m"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("(there is signet)"),
        "{}",
        stderr(&output)
    );

    fs::create_dir(directory.path().join("regtest")).unwrap();
    let output = cli(directory.path(), &["m"]);
    assert!(
        stderr(&output).contains("not running"),
        "{}",
        stderr(&output)
    );

    let socket = directory.path().join("regtest/lightning-rpc");
    drop(UnixListener::bind(&socket).unwrap());
    let output = cli(directory.path(), &["m"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("has ended"), "{}", stderr(&output));
}

#[test]
fn a_long_path_does_not_matter() {
    let directory = TempDir::new().unwrap();
    let deep = directory.path().join("x".repeat(120));
    fs::create_dir_all(deep.join("regtest")).unwrap();
    let place = fs::File::open(deep.join("regtest")).unwrap();
    let short = {
        use std::os::fd::AsRawFd as _;
        format!("/proc/self/fd/{}/lightning-rpc", place.as_raw_fd())
    };
    let listener = UnixListener::bind(short).unwrap();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0, &Reply::Result("{}")));
    let output = cli(&deep, &["m"]);
    assert_eq!((stdout(&output), code(&output)), ("{}\n", 0));
    server.join().unwrap();
}

#[test]
fn wrong_usage_is_exit_code_3() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["--frobnicate"][..],
        &["m", "[1}]"],
        &["-k", "m", "x"],
        &["-l", "{", "m"],
        &["-N", "loud", "m"],
        &["-c", "abc", "m"],
    ] {
        let output = cli(directory.path(), arguments);
        assert_eq!((code(&output), stdout(&output)), (3, ""), "{arguments:?}");
        assert!(!stderr(&output).is_empty());
    }
}

#[test]
fn help_and_version_need_no_node() {
    let directory = TempDir::new().unwrap();
    let output = cli(directory.path(), &["-h"]);
    assert!(stdout(&output).contains("--commando"));
    let output = cli(directory.path(), &["--version"]);
    assert!(stdout(&output).starts_with("v26.06"));
    assert_eq!(stdout(&output).lines().count(), 1);
}

fn new_plugin(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lightning-cli"))
        .args(["plugin", "new"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

#[test]
fn a_new_plugin_is_written_once_and_needs_no_node() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let shop = directory.path().join("shop.py");
    let made = new_plugin(directory.path(), &["shop"]);
    let told = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success(), "{told}");
    assert!(told.contains("plugin start") && told.contains("plugin reload shop.py"));
    let text = fs::read_to_string(&shop).unwrap();
    assert!(text.contains("\"shop-hello\"") && !text.contains("@NAME@"));
    assert_eq!(
        fs::metadata(&shop).unwrap().permissions().mode() & 0o111,
        0o111
    );
    fs::write(&shop, "mine").unwrap();
    let again = new_plugin(directory.path(), &["shop", "--lang", "python"]);
    assert_eq!(again.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"));
    assert_eq!(fs::read_to_string(&shop).unwrap(), "mine");
    let rust = new_plugin(directory.path(), &["shop", "--lang=rust"]);
    assert!(rust.status.success());
    let manifest = fs::read_to_string(directory.path().join("shop/Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"shop\""));
    assert_eq!(
        new_plugin(directory.path(), &["shop", "--lang=rust"])
            .status
            .code(),
        Some(3)
    );
    assert_eq!(
        new_plugin(directory.path(), &["../x"]).status.code(),
        Some(3)
    );
    assert!(
        new_plugin(directory.path(), &["x", "--lang=shell"])
            .status
            .success()
    );
}

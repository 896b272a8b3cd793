//! The plugin between nodes that are made up and a browser that is made up.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects
)]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use ln_rpc::jsonrpc::Splitter;
use serde_json::{Value, json};

/// A node: what it answers to each method, until it is stopped.
struct FakeNode {
    socket: PathBuf,
    answers: Arc<Mutex<HashMap<&'static str, Value>>>,
    connections: Arc<Mutex<Vec<UnixStream>>>,
}

impl FakeNode {
    fn start(socket: &Path, id: &str) -> Self {
        let answers = HashMap::from([
            (
                "getinfo",
                json!({"id": id, "alias": "a<b>", "color": "02abcd", "version": "v", "network": "regtest", "blockheight": 101,
                       "binding": [{"type": "ipv4", "address": "127.0.0.1", "port": 7171}]}),
            ),
            ("listpeerchannels", json!({"channels": []})),
            ("listpeers", json!({"peers": []})),
            (
                "listfunds",
                json!({"outputs": [{"amount_msat": 7000, "status": "confirmed"}]}),
            ),
        ]);
        let node = Self {
            socket: socket.to_owned(),
            answers: Arc::new(Mutex::new(answers)),
            connections: Arc::default(),
        };
        node.listen();
        node
    }

    fn listen(&self) {
        let listener = UnixListener::bind(&self.socket).unwrap();
        let (answers, connections) = (Arc::clone(&self.answers), Arc::clone(&self.connections));
        let socket = self.socket.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // It was stopped.
                if !socket.exists() {
                    return;
                }
                let stream = stream.unwrap();
                connections
                    .lock()
                    .unwrap()
                    .push(stream.try_clone().unwrap());
                let answers = Arc::clone(&answers);
                thread::spawn(move || answer(stream, &answers));
            }
        });
    }

    fn set(&self, method: &'static str, answer: Value) {
        self.answers.lock().unwrap().insert(method, answer);
    }

    fn stop(&self) {
        fs::remove_file(&self.socket).unwrap();
        for stream in self.connections.lock().unwrap().drain(..) {
            let _gone = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn answer(mut stream: UnixStream, answers: &Mutex<HashMap<&'static str, Value>>) {
    let mut splitter = Splitter::new();
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        splitter.push(&chunk[..count]);
        while let Some(text) = splitter.next_text().unwrap() {
            let request: Value = serde_json::from_str(text).unwrap();
            let method = request["method"].as_str().unwrap();
            let result = answers.lock().unwrap()[method].clone();
            let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
            if stream
                .write_all(format!("{answer}\n\n").as_bytes())
                .is_err()
            {
                return;
            }
        }
    }
}

/// The plugin, started by a lightningd that is this test.
struct Host {
    ours: UnixStream,
    splitter: Splitter,
    plugin: Option<thread::JoinHandle<i32>>,
}

impl Host {
    fn start(options: Value, dir: &Path) -> (Self, Value) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let input = theirs.try_clone().unwrap();
        let line = theirs.try_clone().unwrap();
        let plugin = thread::spawn(move || {
            let code = playground_view::plugin().run_on(input, theirs, false);
            let _gone = line.shutdown(std::net::Shutdown::Both);
            code
        });
        let mut host = Self {
            ours,
            splitter: Splitter::new(),
            plugin: Some(plugin),
        };
        let manifest = host.call("getmanifest", json!({"allow-deprecated-apis": false}));
        let names: Vec<&str> = manifest["result"]["options"]
            .as_array()
            .unwrap()
            .iter()
            .map(|option| option["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["playground-view-port", "playground-view-node"]);
        let configuration = json!({"lightning-dir": dir, "rpc-file": "own-rpc", "startup": true, "network": "regtest"});
        let begun = host.call(
            "init",
            json!({"options": options, "configuration": configuration}),
        );
        (host, begun)
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params});
        self.ours
            .write_all(format!("{request}\n\n").as_bytes())
            .unwrap();
        let mut chunk = [0; 4096];
        loop {
            while let Some(text) = self.splitter.next_text().unwrap() {
                let text: Value = serde_json::from_str(text).unwrap();
                if text["id"] == method {
                    return text;
                }
            }
            let count = self.ours.read(&mut chunk).unwrap();
            assert!(count > 0, "the plugin has ended");
            self.splitter.push(&chunk[..count]);
        }
    }

    /// Where the page is: name and port.
    fn address(&mut self) -> String {
        let told = self.call("playground-view", json!({}));
        let url = told["result"]["url"].as_str().unwrap().to_owned();
        url.trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned()
    }

    fn end(mut self) -> i32 {
        self.ours.shutdown(std::net::Shutdown::Both).unwrap();
        self.plugin.take().unwrap().join().unwrap()
    }
}

fn send(address: &str, request: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    BufReader::new(stream)
}

fn get(address: &str, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut text = String::new();
    send(address, &request).read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn state(address: &str) -> Value {
    serde_json::from_str(&get(address, "/state").1).unwrap()
}

/// The next event of a stream: its name and data.
fn event(stream: &mut BufReader<TcpStream>, wanted: &str) -> Value {
    let mut name = String::new();
    loop {
        let mut line = String::new();
        assert!(
            stream.read_line(&mut line).unwrap() > 0,
            "the stream has ended"
        );
        if let Some(is) = line.strip_prefix("event: ") {
            is.trim().clone_into(&mut name);
        } else if let Some(data) = line.strip_prefix("data: ")
            && name == wanted
        {
            return serde_json::from_str(data).unwrap();
        }
    }
}

fn channel(peer: &str, to_us: u64, received: u64) -> Value {
    json!({"channels": [{
        "peer_id": peer, "peer_connected": true, "state": "CHANNELD_NORMAL", "channel_id": "c1",
        "short_channel_id": "103x1x0", "to_us_msat": to_us, "total_msat": 1_000_000,
        "in_payments_fulfilled": received, "in_fulfilled_msat": received * 100_000,
    }]})
}

/// Two nodes and the page.
fn two() -> (tempfile::TempDir, FakeNode, FakeNode, Host) {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let l1 = FakeNode::start(&one, "02aa");
    let l2 = FakeNode::start(&two, "03bb");
    let nodes = [
        format!("l1={}", one.display()),
        format!("l2={}", two.display()),
    ];
    let options = json!({"playground-view-port": 0, "playground-view-node": nodes});
    let (host, begun) = Host::start(options, dir.path());
    assert!(begun.get("result").is_some(), "{begun}");
    (dir, l1, l2, host)
}

#[test]
fn the_page_comes_alone_and_only_to_this_machine() {
    let (_dir, _l1, _l2, mut host) = two();
    let address = host.address();
    let (head, page) = get(&address, "/");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("Content-Security-Policy: default-src 'none'"));
    assert!(page.starts_with("<!doctype html>"));
    // Nothing is fetched from elsewhere.
    assert!(!page.contains("src=\"") && !page.contains("@import"));
    for (path, status) in [("/nothing", "404"), ("/../etc/passwd", "404")] {
        let (head, _) = get(&address, path);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
    let rude = [
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
        (
            "POST /state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
            "405",
        ),
        ("hello\r\n\r\n", "400"),
    ];
    for (request, status) in rude {
        let mut text = String::new();
        send(&address, request).read_to_string(&mut text).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
    }
    let mut text = String::new();
    let request = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    send(&address, request).read_to_string(&mut text).unwrap();
    assert!(text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(host.end(), 0);
}

#[test]
fn what_nodes_say_is_drawn_and_what_happens_is_told() {
    let (_dir, l1, l2, mut host) = two();
    let address = host.address();
    let drawn = state(&address);
    assert_eq!(drawn["nodes"][0]["name"], "l1");
    assert_eq!(drawn["nodes"][0]["alias"], "a<b>");
    assert_eq!(drawn["nodes"][1]["up"], true);
    assert_eq!(drawn["nodes"][1]["onchain_msat"], 7000);
    assert_eq!(drawn["channels"], json!([]));

    l1.set("listpeerchannels", channel("03bb", 600_000, 0));
    l2.set("listpeerchannels", channel("02aa", 400_000, 0));
    assert_eq!(state(&address)["channels"][0]["b_msat"], 400_000);

    let request = format!("GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut stream = send(&address, &request);
    assert_eq!(
        event(&mut stream, "picture")["channels"][0]["a_msat"],
        600_000
    );
    l1.set("listpeerchannels", channel("03bb", 500_000, 0));
    l2.set("listpeerchannels", channel("02aa", 500_000, 1));
    let payment = json!({"kind": "payment", "channel": "c1", "from": "02aa", "to": "03bb", "count": 1, "msat": 100_000});
    assert_eq!(event(&mut stream, "happening"), payment);

    l2.stop();
    let gone = json!({"kind": "node", "name": "l2", "up": false});
    assert_eq!(event(&mut stream, "happening"), gone);
    let drawn = state(&address);
    assert_eq!(drawn["nodes"][1]["problem"], "not running");
    assert_eq!(drawn["channels"][0]["connected"], false);
    l2.listen();
    let back = json!({"kind": "node", "name": "l2", "up": true});
    assert_eq!(event(&mut stream, "happening"), back);
    assert_eq!(state(&address)["channels"][0]["connected"], true);
    assert_eq!(host.end(), 0);
}

#[test]
fn a_node_that_talks_nonsense_is_drawn_as_such() {
    let (_dir, l1, _l2, mut host) = two();
    let address = host.address();
    l1.set(
        "listpeerchannels",
        json!({"channels": [{"to_us_msat": "all of it"}]}),
    );
    let drawn = state(&address);
    assert_eq!(drawn["nodes"][0]["up"], false);
    let problem = drawn["nodes"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("listpeerchannels"), "{problem}");
    assert_eq!(drawn["nodes"][1]["up"], true);
    assert_eq!(host.end(), 0);
}

#[test]
fn without_nodes_it_draws_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let _own = FakeNode::start(&dir.path().join("own-rpc"), "02aa");
    let (mut host, _) = Host::start(json!({"playground-view-port": 0}), dir.path());
    let address = host.address();
    assert_eq!(state(&address)["nodes"][0]["name"], "a<b>");
    assert_eq!(host.end(), 0);
}

#[test]
fn options_that_can_not_be_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (_other_dir, _l1, _l2, mut other) = two();
    let taken: u16 = other.address().rsplit_once(':').unwrap().1.parse().unwrap();
    for (options, part) in [
        (json!({"playground-view-port": 70_000}), "must be a port"),
        (
            json!({"playground-view-port": taken}),
            "can't be served on port",
        ),
        (json!({"playground-view-node": ["l1"]}), "takes NAME=PATH"),
    ] {
        let (host, begun) = Host::start(options, dir.path());
        let message = begun["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
        host.end();
    }
    assert_eq!(other.end(), 0);
}

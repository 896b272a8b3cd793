//! Where nodes listen and what they announce.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, program};
use ln_testkit::websocket::bridge;
use ln_types::Sat;
use serde_json::{Value, json};

use crate::support::{Stranger, invoice, send};

const ONION: &str = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd";

/// Runs a node that should give up.
fn run(net: &TestNet, arguments: &[String]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    Command::new(program("lightningd"))
        .args(base_arguments(net, dir.path()))
        .args(arguments)
        .output()
        .unwrap()
}

/// What a node needs to come so far that it listens.
fn base_arguments(net: &TestNet, dir: &Path) -> [String; 5] {
    [
        format!("--lightning-dir={}", dir.display()),
        "--network=regtest".to_owned(),
        "--bitcoin-rpcuser=regtest".to_owned(),
        "--bitcoin-rpcpassword=regtest".to_owned(),
        format!("--bitcoin-rpcport={}", net.chain.port()),
    ]
}

fn refused(net: &TestNet, argument: &str, says: &str) {
    let output = run(net, &[argument.to_owned()]);
    assert_eq!(output.status.code(), Some(1), "{argument}: {output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(says), "{argument}: {said}");
    assert!(said.contains("addr: "), "the option is named: {said}");
}

#[test]
fn what_cannot_be_listened_at_ends_the_start_with_what_to_do() {
    let net = TestNet::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    refused(&net, &format!("--addr=127.0.0.1:{port}"), "another program");
    refused(&net, &format!("--bind-addr=ws::{port}"), "another program");
    refused(
        &net,
        "--bind-addr=192.0.2.1:9735",
        "no address of this machine",
    );
    refused(
        &net,
        "--bind-addr=does-not-exist.invalid:9735",
        "can't be looked up",
    );
    refused(
        &net,
        "--announce-addr=does-not-exist.invalid",
        "or announce the name itself",
    );
    refused(
        &net,
        "--bind-addr=/nonexistent/peers",
        "directory is not there",
    );
    refused(
        &net,
        "--addr=autotor:127.0.0.1:1",
        "add bind-addr=127.0.0.1:9735",
    );
    refused(&net, &format!("--addr={ONION}.onion"), "nobody can listen");
}

/// The last port that is the system's; nothing if anybody may have every port.
fn last_low_port() -> Option<u16> {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").ok();
    // What can't be read is as it always was.
    let first = first.and_then(|text| text.trim().parse().ok());
    first.unwrap_or(1024).min(1024_u16).checked_sub(1)
}

/// Whether this process may have such ports without being root.
fn has_capability() -> bool {
    const CAP_NET_BIND_SERVICE: u32 = 10;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> CAP_NET_BIND_SERVICE & 1 == 1)
}

#[test]
fn a_port_of_the_system_is_named_with_what_to_do() {
    let stranger = Stranger::new();
    let Some(port) = last_low_port().filter(|port| *port > 0) else {
        eprintln!("SKIPPED: ip_unprivileged_port_start leaves every port to everybody");
        return;
    };
    if !stranger.is_another() && has_capability() {
        eprintln!("SKIPPED: the tests run with CAP_NET_BIND_SERVICE");
        return;
    }
    let net = TestNet::start();
    for address in [format!("127.0.0.1:{port}"), format!(":{port}")] {
        let dir = stranger.directory();
        let output = stranger
            .lightningd()
            .args(base_arguments(&net, dir.path()))
            .arg(format!("--bind-addr={address}"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{address}: {said}");
        for part in [
            "bind-addr: ",
            &format!(":{port}: Permission denied"),
            "ports below 1024 are the system's: choose a higher one",
            "CAP_NET_BIND_SERVICE",
        ] {
            assert!(said.contains(part), "{address}: no \"{part}\" in {said}");
        }
    }
}

/// The addresses in a reply, as `type host:port`.
fn shown(addresses: &Value) -> Vec<String> {
    let text = |address: &Value| {
        let (kind, host) = (address["type"].as_str()?, address["address"].as_str()?);
        Some(format!("{kind} {host}:{}", address["port"]))
    };
    let all = addresses.as_array().into_iter().flatten();
    all.map(|address| text(address).unwrap()).collect()
}

fn wait_announced(by: &TestNode, seen_by: &TestNode, expected: &[&str]) {
    let what = format!("{} to announce {expected:?}", by.name());
    seen_by.wait_for(&what, || {
        let reply = seen_by.poll("listnodes", json!({"id": by.id()}))?;
        (shown(&reply["nodes"][0]["addresses"]) == expected).then_some(())
    });
}

#[test]
fn what_is_announced_reaches_others_in_order() {
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument("--announce-addr=dns:node.example.com:99")
        .argument(format!("--announce-addr={ONION}.onion:7"))
        .argument("--announce-addr=[2001:db8::1]")
        .argument("--announce-addr=192.0.2.1:5");
    let (l1, l2) = (net.node_with("l1", options), net.node("l2"));
    let onion = format!("torv3 {ONION}.onion:7");
    let expected = [
        "ipv4 192.0.2.1:5",
        "ipv6 2001:db8::1:19846",
        onion.as_str(),
        "dns node.example.com:99",
    ];
    assert_eq!(shown(&l1.call("getinfo", json!({}))["address"]), expected);
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    net.announce(&open, &[&l1, &l2]);
    wait_announced(&l1, &l2, &expected);
}

#[test]
fn where_two_peers_see_a_node_is_announced() {
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument("--dev-allow-localhost")
        .argument("--announce-addr-discovered=on")
        .argument("--announce-addr-discovered-port=1234");
    let (l1, l2, l3) = (net.node_with("l1", options), net.node("l2"), net.node("l3"));
    // Its own address counts as public for this test.
    let own = format!("ipv4 127.0.0.1:{}", l1.port());
    let mut both = ["ipv4 127.0.0.1:1234".to_owned(), own.clone()];
    let place = |node: &TestNode| format!("{}@127.0.0.1:{}", node.id(), node.port());
    l1.call("connect", json!([place(&l2)]));
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    net.announce(&open, &[&l1, &l2]);
    wait_announced(&l1, &l2, &[&own]);
    let seen = l1.call("listpeers", json!({}))["peers"][0]["remote_addr"].clone();
    assert!(seen.as_str().unwrap().starts_with("127.0.0.1:"), "{seen}");
    // One peer is not believed, two are.
    l1.call("connect", json!([place(&l3)]));
    l1.wait_log("Update our node_announcement for discovered address: 127.0.0.1");
    let info = l1.call("getinfo", json!({}));
    both.sort_by_key(|text| text.rsplit(':').next().unwrap().parse::<u16>().unwrap());
    assert_eq!(shown(&info["address"]), both);
    wait_announced(&l1, &l2, &[&both[0], &both[1]]);
}

#[test]
fn a_node_with_too_few_peers_connects_to_others_it_hears_of() {
    let net = TestNet::start();
    let announces = || NodeOptions::default().argument("--dev-allow-localhost");
    let (l1, l2) = (
        net.node_with("l1", announces()),
        net.node_with("l2", announces()),
    );
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    net.announce(&open, &[&l1, &l2]);
    wait_announced(&l2, &l1, &[&format!("ipv4 127.0.0.1:{}", l2.port())]);
    let seeks = NodeOptions::default().argument("--autoconnect-seeker-peers=2");
    let l3 = net.node_with("l3", seeks);
    l3.call("connect", json!([l1.id(), "127.0.0.1", l1.port()]));
    l3.wait_for("a second peer", || {
        let peers = l3.poll("listpeers", json!({"id": l2.id()}))?;
        (peers["peers"][0]["connected"] == true).then_some(())
    });
}

#[test]
fn a_path_of_addr_is_listened_at_and_what_was_left_there_is_replaced() {
    let net = TestNet::start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("peers");
    let options = NodeOptions::default().argument(format!("--addr={}", path.display()));
    let (l1, l2) = (net.node("l1"), net.node_with("l2", options));
    let place = format!("{}@{}", l2.id(), path.display());
    l1.call("connect", json!([place]));
    l1.call("disconnect", json!([l2.id()]));
    // A socket in use is not taken over.
    refused(
        &net,
        &format!("--bind-addr={}", path.display()),
        "another program",
    );
    l2.kill();
    assert!(path.exists());
    l2.start_again();
    let reply = l1.call("connect", json!([place]));
    assert_eq!(reply["address"]["type"], "local socket");
}

#[test]
fn a_peer_by_websocket_opens_a_channel_and_pays() {
    let net = TestNet::start();
    let options = NodeOptions::default().argument("--bind-addr=ws:127.0.0.1:0");
    let (l1, l2) = (net.node("l1"), net.node_with("l2", options));
    let info = l2.call("getinfo", json!({}));
    let bindings = info["binding"].as_array().unwrap();
    let websocket = bindings.iter().find(|place| place["type"] == "websocket");
    let websocket = websocket.unwrap();
    assert_eq!(websocket["subtype"], "ipv4");
    let port = websocket["port"].as_u64().unwrap();
    let way = bridge(format!("127.0.0.1:{port}").parse().unwrap());
    l1.call("connect", json!([l2.id(), "127.0.0.1", way.port()]));
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    let invoice = invoice(&l2, 100_000, "by websocket");
    send(&l1, &l2, &open, &invoice, 100_000);
    let hash = &invoice["payment_hash"];
    let paid = l1.call("waitsendpay", json!({"payment_hash": hash}));
    assert_eq!(paid["status"], "complete");
    // All of it went over that one connection.
    let peers = l1.call("listpeers", json!({}));
    let at = peers["peers"][0]["netaddr"][0].as_str().unwrap();
    assert_eq!(at, way.to_string());
}

/// A stand-in for Tor's control port that wants a password.
fn tor(password: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move |mut stream: TcpStream| -> std::io::Result<()> {
        for line in BufReader::new(stream.try_clone()?).lines() {
            let line = line?;
            let answer = match line.split(' ').next() {
                Some("PROTOCOLINFO") => "250-AUTH METHODS=HASHEDPASSWORD\r\n250 OK".to_owned(),
                Some("AUTHENTICATE") if line.contains(password) => "250 OK".to_owned(),
                Some("ADD_ONION") => format!("250-ServiceID={ONION}\r\n250 OK"),
                _ => "515 Authentication failed".to_owned(),
            };
            write!(stream, "{answer}\r\n")?;
        }
        Ok(())
    };
    thread::spawn(move || {
        for stream in listener.incoming() {
            // The node ends when it likes.
            thread::spawn(move || drop(serve(stream.unwrap())));
        }
    });
    port
}

#[test]
fn an_onion_service_is_announced_and_its_password_stays_secret() {
    let net = TestNet::start();
    let port = tor("open sesame");
    let options = NodeOptions::default()
        .argument(format!("--addr=statictor:127.0.0.1:{port}/torport=80"))
        .argument("--tor-service-password=open sesame");
    let l1 = net.node_with("l1", options);
    let info = l1.call("getinfo", json!({}));
    assert_eq!(shown(&info["address"]), [format!("torv3 {ONION}.onion:80")]);
    l1.wait_log(&format!(
        "Tor leads {ONION}.onion:80 to 127.0.0.1:{}",
        l1.port()
    ));
    assert_eq!(l1.log().all_with("sesame"), Vec::<String>::new());

    let arguments = [
        "--bind-addr=127.0.0.1:0".to_owned(),
        format!("--addr=statictor:127.0.0.1:{port}"),
        "--tor-service-password=abracadabra".to_owned(),
    ];
    let output = run(&net, &arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = format!("{output:?}");
    assert!(said.contains("Tor refuses the password"), "{said}");
    assert!(!said.contains("abracadabra"), "{said}");
}

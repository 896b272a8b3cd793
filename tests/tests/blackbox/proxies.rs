//! Connections through a SOCKS5 proxy.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ln_testkit::nodes::{NodeOptions, ReservedPort, TestNet};
use serde_json::json;

const ONION: &str = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion";

/// A proxy that connects everybody to one port of 127.0.0.1, whatever they ask for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(leads_to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let noted = Arc::clone(&noted);
                // Either side may hang up.
                thread::spawn(move || drop(serve(stream.unwrap(), leads_to, &noted)));
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// RFC 1928 for a client without authentication that gives a name.
fn serve(mut client: TcpStream, leads_to: u16, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut greeting = [0; 3];
    client.read_exact(&mut greeting)?;
    assert_eq!(greeting, [5, 1, 0]);
    client.write_all(&[5, 0])?;
    let mut request = [0; 5];
    client.read_exact(&mut request)?;
    assert_eq!(request[..4], [5, 1, 0, 3]);
    let mut host = vec![0; usize::from(request[4])];
    client.read_exact(&mut host)?;
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    let host = String::from_utf8(host).unwrap();
    let port = u16::from_be_bytes(port);
    asked.lock().unwrap().push(format!("{host}:{port}"));
    let node = TcpStream::connect(("127.0.0.1", leads_to))?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1])?;
    let back = (node.try_clone()?, client.try_clone()?);
    thread::spawn(move || pass(back.0, back.1));
    pass(client, node);
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _gone = io::copy(&mut from, &mut to);
    let _gone = to.shutdown(Shutdown::Write);
}

#[test]
fn onion_addresses_are_reached_through_the_proxy_and_others_are_not() {
    let net = TestNet::start();
    let l2 = net.node("l2");
    let proxy = Proxy::start(l2.port());
    let options = NodeOptions::default().argument(format!("--proxy=127.0.0.1:{}", proxy.port));
    let l1 = net.node_with("l1", options);
    let place = format!("{}@{ONION}:1234", l2.id());
    let reply = l1.call("connect", json!([place]));
    assert_eq!(reply["address"]["type"], "torv3");
    assert_eq!(proxy.asked(), [format!("{ONION}:1234")]);
    l1.call("ping", json!([l2.id()]));
    l1.call("disconnect", json!([l2.id()]));
    l1.call("connect", json!([l2.id(), "127.0.0.1", l2.port()]));
    assert_eq!(proxy.asked().len(), 1);
}

#[test]
fn always_use_proxy_leaves_nothing_out_and_looks_up_no_name() {
    let net = TestNet::start();
    let l2 = net.node("l2");
    let proxy = Proxy::start(l2.port());
    let options = NodeOptions::default()
        .argument(format!("--proxy=127.0.0.1:{}", proxy.port))
        .argument("--always-use-proxy=true");
    let l1 = net.node_with("l1", options);
    for host in ["192.0.2.1", "2001:db8::1", "node.example.com"] {
        l1.call("connect", json!([l2.id(), host, 9]));
        l1.call("disconnect", json!([l2.id()]));
    }
    let expected = ["192.0.2.1:9", "2001:db8::1:9", "node.example.com:9"];
    assert_eq!(proxy.asked(), expected);
}

#[test]
fn a_proxy_that_is_missing_or_away_is_told() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    let place = format!("{}@{ONION}", l2.id());
    let (code, message) = l1.call_err("connect", json!([place]));
    assert_eq!(code, 401);
    assert!(message.contains("need a proxy"), "{message}");
    let (_, message) = l1.call_err("connect", json!([l2.id(), "node.example.com"]));
    assert!(message.contains("disable-dns"), "{message}");
    // Nobody listens there.
    let port = ReservedPort::new();
    let proxy = format!("--proxy=127.0.0.1:{}", port.number());
    let options = NodeOptions::default().argument(proxy);
    let l3 = net.node_with("l3", options);
    let (_, message) = l3.call_err("connect", json!([place]));
    assert!(message.contains("can't be reached"), "{message}");
    assert!(message.contains("the option proxy"), "{message}");
}

//! Onion services, with a stand-in for Tor's control port.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::hex::DisplayHex as _;
use bitcoin::secp256k1::ecdh::SharedSecret;
use data_encoding::BASE64;
use ln_testkit::nodes::ReservedPort;
use support::{Config, Node, id, secret};

const NAME: &str = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd";
const PASSWORD: &str = r#"open "sesame\"#;

/// What the stand-in says and does.
#[derive(Clone)]
struct Manners {
    auth: String,
    /// The whole line that authenticates; any other is refused.
    proof: String,
    /// The answer to `ADD_ONION`.
    add: String,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            auth: "METHODS=NULL".to_owned(),
            proof: "AUTHENTICATE".to_owned(),
            add: format!("250-ServiceID={NAME}\r\n250 OK"),
        }
    }
}

/// A stand-in for Tor.
struct Tor {
    port: u16,
    /// `ADD_ONION` commands.
    orders: Receiver<String>,
    /// The connections over which they came.
    open: Receiver<TcpStream>,
}

impl Tor {
    fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (order, orders) = channel();
        let (kept, open) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (manners, order, kept) = (manners.clone(), order.clone(), kept.clone());
                // The node may hang up.
                thread::spawn(move || serve(stream.unwrap(), &manners, &order, &kept));
            }
        });
        Self { port, orders, open }
    }

    fn node(&self, what: &str, password: Option<&str>) -> Result<Node, String> {
        let config = Config {
            both: vec![what.replace("TOR", &format!("127.0.0.1:{}", self.port))],
            tor_password: password.map(str::to_owned),
            timeout_secs: 20,
            ..Config::default()
        };
        Node::try_with(1, config)
    }
}

fn serve(
    mut stream: TcpStream,
    manners: &Manners,
    order: &Sender<String>,
    kept: &Sender<TcpStream>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut trusted = false;
    while let Some(line) = lines.next().transpose()? {
        let answer = match line.split(' ').next().unwrap() {
            "PROTOCOLINFO" => format!(
                "250-PROTOCOLINFO 1\r\n250-AUTH {}\r\n250-VERSION Tor=\"0.4.8.16\"\r\n250 OK",
                manners.auth
            ),
            "AUTHENTICATE" if line == manners.proof => {
                trusted = true;
                "250 OK".to_owned()
            }
            "AUTHENTICATE" => "515 Authentication failed: no".to_owned(),
            "ADD_ONION" if trusted => {
                order.send(line).unwrap();
                kept.send(stream.try_clone()?).unwrap();
                manners.add.clone()
            }
            _ => "514 Authentication required.".to_owned(),
        };
        write!(stream, "{answer}\r\n")?;
    }
    Ok(())
}

/// The base64 of an order's key, and what follows it.
fn key_of(order: &str) -> (Vec<u8>, &str) {
    let rest = order.strip_prefix("ADD_ONION ED25519-V3:").unwrap();
    let (key, rest) = rest.split_once(' ').unwrap();
    (BASE64.decode(key.as_bytes()).unwrap(), rest)
}

#[test]
fn autotor_makes_a_new_service_that_leads_to_us() {
    let add = format!("250-ServiceID={NAME}\r\n250-PrivateKey=ED25519-V3:c2VjcmV0\r\n250 OK");
    let tor = Tor::start(Manners {
        add,
        ..Manners::default()
    });
    let node = tor.node("autotor:TOR/torport=1234", None).unwrap();
    let target = &node.bindings[0];
    let expected = format!("ADD_ONION NEW:ED25519-V3 Port=1234,{target}");
    assert_eq!(tor.orders.recv().unwrap(), expected);
    let announced: Vec<String> = node.announced.iter().map(ToString::to_string).collect();
    assert_eq!(announced, [format!("{NAME}.onion:1234")]);
    // Tor restarts: the service comes back under its name.
    let connection = tor.open.recv().unwrap();
    connection.shutdown(std::net::Shutdown::Both).unwrap();
    let again = tor.orders.recv().unwrap();
    let expected = format!("ADD_ONION ED25519-V3:c2VjcmV0 Flags=DiscardPK Port=1234,{target}");
    assert_eq!(again, expected);
    node.wait_for_log("can be reached again");
}

#[test]
fn statictor_has_the_same_key_at_each_start() {
    let tor = Tor::start(Manners::default());
    let shared = SharedSecret::new(&id(1).public_key(), &secret(1)).secret_bytes();
    let expected = sha256::Hash::hash(&shared).to_byte_array();
    for _ in 0..2 {
        let node = tor.node("statictor:TOR", None).unwrap();
        let order = tor.orders.recv().unwrap();
        let (key, rest) = key_of(&order);
        assert_eq!(key.len(), 64);
        // The name comes from this half.
        assert_eq!(key[..32], expected);
        assert_eq!(
            rest,
            format!("Flags=DiscardPK Port=9735,{}", node.bindings[0])
        );
    }
}

#[test]
fn statictor_can_have_a_key_of_a_text() {
    let tor = Tor::start(Manners::default());
    let _node = tor
        .node("statictor:TOR/torblob=eleven chars", None)
        .unwrap();
    let order = tor.orders.recv().unwrap();
    let (key, _) = key_of(&order);
    assert_eq!(&key[..12], b"eleven chars");
    assert!(key[12..].iter().all(|byte| *byte == 0));
}

#[test]
fn passwords_are_quoted_and_cookies_sent() {
    let with_password = Manners {
        auth: "METHODS=HASHEDPASSWORD".to_owned(),
        proof: r#"AUTHENTICATE "open \"sesame\\""#.to_owned(),
        ..Manners::default()
    };
    let node = Tor::start(with_password).node("autotor:TOR", Some(PASSWORD));
    node.unwrap();

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cookie");
    std::fs::write(&path, [0xab; 32]).unwrap();
    let auth = format!(
        "METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"{}\"",
        path.display()
    );
    let with_cookie = Manners {
        auth,
        proof: format!("AUTHENTICATE {}", [0xab; 32].to_upper_hex_string()),
        ..Manners::default()
    };
    let tor = Tor::start(with_cookie);
    tor.node("autotor:TOR", None).unwrap();
    // A file that is no cookie is not sent to anybody.
    std::fs::write(&path, "-----BEGIN PRIVATE KEY-----").unwrap();
    let error = tor.node("autotor:TOR", None).err().unwrap();
    assert!(error.contains("it is no cookie"), "{error}");
    std::fs::remove_file(&path).unwrap();
    let error = tor.node("autotor:TOR", None).err().unwrap();
    assert!(error.contains("CookieAuthFileGroupReadable"), "{error}");
}

#[test]
fn what_tor_refuses_is_told_with_what_to_do_and_without_secrets() {
    let cases = [
        (
            "METHODS=HASHEDPASSWORD",
            Some(PASSWORD),
            "",
            "Tor refuses the password",
        ),
        (
            "METHODS=HASHEDPASSWORD",
            None,
            "",
            "give it with tor-service-password",
        ),
        ("METHODS=MAGIC", None, "", "no way to authenticate"),
        ("METHODS=MAGIC", Some(PASSWORD), "", "takes no password"),
        (
            "METHODS=NULL",
            None,
            "550 Onion address collision",
            "of this name already",
        ),
        (
            "METHODS=NULL",
            None,
            "513 Invalid VIRTPORT/TARGET",
            "Invalid VIRTPORT/TARGET",
        ),
        (
            "METHODS=NULL",
            None,
            "HTTP/1.0 501 Tor is not an HTTP Proxy",
            "not its SocksPort",
        ),
        (
            "METHODS=NULL",
            None,
            "250-ServiceID=short\r\n250 OK",
            "control protocol",
        ),
        ("METHODS=NULL", None, "250 OK", "control protocol"),
    ];
    for (auth, password, add, says) in cases {
        let tor = Tor::start(Manners {
            auth: auth.to_owned(),
            add: add.to_owned(),
            ..Manners::default()
        });
        let node = tor.node("statictor:TOR/torblob=my-secret-text", password);
        let error = node.err().unwrap();
        assert!(error.contains(says), "{auth}, {add}: {error}");
        assert!(error.contains("Tor's control port 127.0.0.1:"), "{error}");
        assert!(
            !error.contains("sesame") && !error.contains("my-secret"),
            "{error}"
        );
    }
}

#[test]
fn tor_that_is_not_there_or_says_nothing_is_told() {
    let reserved = ReservedPort::new();
    let port = reserved.number();
    let config = Config {
        both: vec![format!("autotor:127.0.0.1:{port}")],
        ..Config::default()
    };
    let error = Node::try_with(1, config).err().unwrap();
    assert!(error.contains("is Tor running"), "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config {
        both: vec![format!("autotor:{}", silent.local_addr().unwrap())],
        timeout_secs: 1,
        ..Config::default()
    };
    let error = Node::try_with(1, config).err().unwrap();
    assert!(error.contains("does not answer"), "{error}");

    let config = Config {
        bindings: vec!["ws:127.0.0.1:0".to_owned()],
        both: vec![format!("autotor:127.0.0.1:{port}")],
        ..Config::default()
    };
    let error = Node::try_with(1, config).err().unwrap();
    assert!(error.contains("add bind-addr=127.0.0.1:9735"), "{error}");
}

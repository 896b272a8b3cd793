//! Which addresses go together, and what is said of those that don't.

use std::ffi::OsString;

use super::*;

const ONION: &str = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion";

fn read(arguments: &[&str]) -> Result<Networking, String> {
    let words: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let settings = Settings::command_line(&words).map_err(|error| error.to_string())?;
    Networking::new(&settings, Network::Regtest).map_err(|error| error.to_string())
}

/// The addresses: `l` is for listening, `a` for announcing.
fn addresses(arguments: &[&str]) -> Vec<String> {
    let found = read(arguments).unwrap().addresses.into_iter();
    let show = |given: ConnectdAddress| {
        let listen = if given.listen { "l" } else { "" };
        let announce = if given.announce { "a" } else { "" };
        format!("{listen}{announce} {}", given.address)
    };
    found.map(show).collect()
}

#[test]
fn each_option_listens_or_announces_or_both() {
    let announce_onion = format!("--announce-addr={ONION}");
    let onion = format!("a {ONION}:19846");
    for (arguments, expected) in [
        (vec![], vec!["la :19846"]),
        (vec!["--autolisten=false"], vec![]),
        (vec!["--offline"], vec![]),
        (vec!["--addr=1.2.3.4", "--offline"], vec![]),
        (
            vec!["--addr=1.2.3.4", "--autolisten=true"],
            vec!["la 1.2.3.4:19846"],
        ),
        (vec!["--addr=/tmp/peers"], vec!["l /tmp/peers"]),
        (
            vec!["--bind-addr=ws:127.0.0.1:80"],
            vec!["l ws:127.0.0.1:80"],
        ),
        (
            vec!["--announce-addr=dns:a.example.com:5"],
            vec!["a dns:a.example.com:5"],
        ),
        (vec!["--announce-addr=127.0.0.1"], vec!["a 127.0.0.1:19846"]),
        (vec![announce_onion.as_str()], vec![onion.as_str()]),
        (
            vec!["--bind-addr=127.0.0.1", "--announce-addr=autotor:127.0.0.1"],
            vec![
                "l 127.0.0.1:19846",
                "la autotor:127.0.0.1:9051/torport=19846",
            ],
        ),
        (
            vec!["--addr=0.0.0.0:7", "--addr=[::]:7", "--addr=:8"],
            vec!["la 0.0.0.0:7", "la [::]:7", "la :8"],
        ),
    ] {
        assert_eq!(addresses(&arguments), expected, "{arguments:?}");
    }
}

/// Each of these arguments is refused with this text, behind the name of an option.
fn refused(cases: &[(&str, &str)]) {
    for (arguments, says) in cases {
        let words: Vec<&str> = arguments.split(' ').collect();
        let error = read(&words).expect_err(says);
        assert!(error.contains(says), "{arguments}: {error}");
        assert!(error.starts_with("--"), "{error}");
    }
}

#[test]
fn addresses_that_cannot_be_are_told_with_what_could() {
    let addr = format!("--addr={ONION}");
    let bind = format!("--bind-addr={ONION}:7");
    refused(&[
        (&addr, "use --announce-addr=vww6"),
        (&bind, "use --announce-addr=vww6"),
        ("--addr=ws:1.2.3.4", "use --bind-addr=ws:1.2.3.4"),
        ("--announce-addr=ws:1.2.3.4", "use --bind-addr=ws:1.2.3.4"),
        ("--announce-addr=/tmp/peers", "use --bind-addr=/tmp/peers"),
        ("--announce-addr=ws::7", "no address that others"),
        ("--announce-addr=0.0.0.0", "no address that others"),
        ("--announce-addr=:9735", "no address that others"),
        ("--announce-addr=1.2.3.4:0", "port 0 can't be announced"),
        ("--announce-addr=dns:a.org:0", "port 0 can't be announced"),
        ("--bind-addr=dns:a.org", "--bind-addr=a.org:19846"),
        ("--addr=::1 --addr=::1", "given twice, also by --addr"),
        ("--addr=::1 --announce-addr=::1", "given twice"),
        (
            "--addr=0.0.0.0:1 --bind-addr=::1 --addr=1.1.1.1:1",
            "both want port 1",
        ),
        ("--addr=[::1]:1 --bind-addr=:1", "both want port 1"),
        ("--addr=:1 --bind-addr=ws:0.0.0.0:1", "both want port 1"),
        (
            "--announce-addr=dns:a.org --announce-addr=dns:b.org",
            "only one dns: name",
        ),
    ]);
}

#[test]
fn proxies_and_what_belongs_to_them_are_checked() {
    refused(&[
        (
            "--always-use-proxy=true",
            "--always-use-proxy: needs a proxy",
        ),
        ("--always-use-proxy", "--always-use-proxy: needs a proxy"),
        ("--proxy=/run/tor", "SOCKS5 proxy"),
        ("--proxy=127.0.0.1:0", "port of the SOCKS5 proxy"),
        ("--proxy=127.0.0.1:port", "'port' is not a port"),
        ("--announce-addr-discovered=maybe", "on, off and auto"),
        ("--announce-addr-discovered-port=0", "from 1 to 65535"),
        ("--announce-addr-discovered-port=70000", "from 1 to 65535"),
        ("--tor-service-password=a\r\nSIGNAL", "control character"),
    ]);
}

#[test]
fn a_node_of_onion_addresses_alone_hides() {
    let onion = format!("--announce-addr={ONION}");
    assert!(read(&[&onion]).unwrap().hides());
    assert!(read(&[&onion, "--addr=autotor:127.0.0.1"]).unwrap().hides());
    assert!(!read(&[&onion, "--bind-addr=127.0.0.1"]).unwrap().hides());
    assert!(!read(&["--autolisten=false"]).unwrap().hides());
    let always = read(&["--always-use-proxy=true", "--proxy=127.0.0.1"]).unwrap();
    assert!(always.hides());
    assert_eq!(always.proxy, "127.0.0.1:9050".parse().ok());
}

#[test]
fn defaults_are_those_of_the_network() {
    let ours = read(&[]).unwrap();
    assert_eq!(ours.discovered_port, 19846);
    assert_eq!(ours.discovery, Discovery::Auto);
    assert!(ours.use_dns && !ours.message_padding);
    let shown = format!("{:?}", read(&["--tor-service-password=sesame"]).unwrap());
    assert!(!shown.contains("sesame"), "{shown}");
}

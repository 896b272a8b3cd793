//! Every form of an address that an operator may give.

use super::*;

fn parse(text: &str) -> Result<OwnAddress, OwnAddressError> {
    OwnAddress::parse(text, 9735)
}

fn service(text: &str) -> TorService {
    match parse(text) {
        Ok(OwnAddress::Tor(service)) => service,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn all_forms_are_read_and_shown_in_full() {
    let onion = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd.onion";
    let with_port = format!("{onion}:9735");
    for (text, shown) in [
        ("", ":9735"),
        (":1234", ":1234"),
        ("0.0.0.0", "0.0.0.0:9735"),
        ("::", "[::]:9735"),
        ("[::]:9750", "[::]:9750"),
        ("[2001:db8::1]", "[2001:db8::1]:9735"),
        ("192.0.2.7:99", "192.0.2.7:99"),
        ("example.com", "example.com:9735"),
        ("localhost:1", "localhost:1"),
        ("/run/lightning/peers", "/run/lightning/peers"),
        (onion, with_port.as_str()),
        ("dns:example.com", "dns:example.com:9735"),
        ("dns:a-b.example.com.:7", "dns:a-b.example.com.:7"),
        ("ws:", "ws::9735"),
        ("ws::80", "ws::80"),
        ("ws:127.0.0.1:81", "ws:127.0.0.1:81"),
        ("ws:[::1]:82", "ws:[::1]:82"),
        ("autotor:127.0.0.1", "autotor:127.0.0.1:9051/torport=9735"),
        (
            "autotor:[::1]:9151/torport=80",
            "autotor:[::1]:9151/torport=80",
        ),
        ("statictor:tor:9051", "statictor:tor:9051/torport=9735"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), shown, "{text}");
        let address = parse(text).unwrap();
        assert_eq!(OwnAddress::from_bytes(&address.to_bytes()), Ok(address));
    }
}

#[test]
fn tor_services_have_a_key_of_chance_of_the_node_or_of_a_text() {
    assert_eq!(service("autotor:127.0.0.1").key, TorKey::Chance);
    assert_eq!(service("statictor:127.0.0.1").key, TorKey::Node);
    let fixed = service("statictor:127.0.0.1:9051/torport=80/torblob=correct horse");
    assert_eq!(fixed.key, TorKey::Text("correct horse".to_owned()));
    assert_eq!(fixed.port, 80);
    let shown = format!("{fixed:?} {}", OwnAddress::Tor(fixed.clone()));
    assert!(!shown.contains("horse"), "{shown}");
}

#[test]
fn what_is_no_address_is_told_with_what_would_be() {
    let long_path = format!("/{}", "x".repeat(107));
    let ws_onion = format!("ws:{}.onion:7", "a".repeat(56));
    let long_text = format!("statictor:127.0.0.1/torblob={}", "x".repeat(65));
    for (text, says) in [
        ("a b", "write HOST, HOST:PORT"),
        ("127.0.0.1:x", "'x' is not a port"),
        ("127.0.0.1:65536", "'65536' is not a port"),
        ("127.0.0.1:", "'' is not a port"),
        (":x", "'x' is not a port"),
        ("127.0.0.256", "not a host name"),
        ("1.2.3", "not a host name"),
        ("-a.example.com", "not a host name"),
        ("a..example.com", "not a host name"),
        ("2001:db8::1:99999", "in brackets"),
        ("[::1", "in brackets"),
        ("[::1]x", "in brackets"),
        ("[127.0.0.1]:9735", "in brackets"),
        ("expyuzz4wqqyqhjn.onion", "56 letters and digits"),
        ("dns:", "followed by a host name"),
        ("dns:127.0.0.1", "followed by a host name"),
        ("dns:[::1]:9735", "followed by a host name"),
        ("dns:ex_ample!.com", "not a host name"),
        ("ws:/run/peers", "ws: is followed by an address"),
        (ws_onion.as_str(), "ws: is followed by an address"),
        ("autotor:", "autotor:127.0.0.1:9051"),
        ("statictor:/run/tor", "statictor:127.0.0.1:9051"),
        ("autotor:127.0.0.1/torport=0", "torport=0"),
        ("autotor:127.0.0.1/torport=", "torport="),
        ("autotor:127.0.0.1/torblob=x", "use statictor:"),
        ("statictor:127.0.0.1/torblob=", "from 1 to 64"),
        ("statictor:127.0.0.1/port=1", "unknown addition '/port=1'"),
        (long_text.as_str(), "65 bytes"),
        (long_path.as_str(), "at most 107 bytes"),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

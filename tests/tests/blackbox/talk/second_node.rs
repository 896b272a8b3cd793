//! The second node: ports in use, a socket in the file system, debuggers, the wrong network; and connecting.

use tests::book::Place;

use super::{START_L2, Speaker};

#[test]
fn a_second_node_listens_on_a_socket_and_is_connected_to() {
    let place = Place::new().unwrap();
    let mut speaker = Speaker::with_l1(&place);
    let refused = speaker.fails("lightningd --network=regtest --lightning-dir=/tmp/l2");
    assert!(
        refused.contains("Failed to bind socket for ")
            && refused.contains(":19846: Address already in use"),
        "{refused}"
    );
    // Where the talk met an assertion.
    speaker.types("lightningd --network=regtest --lightning-dir=/tmp/l2 --addr=/tmp/l2/peer >/dev/null 2>&1 &");
    let info = speaker.up("l2");
    assert_eq!(info["binding"][0]["socket"], "/tmp/l2/peer", "{info}");
    speaker.stop("l2");
    with_a_debugger(&mut speaker);
    without_a_network(&mut speaker);

    speaker.types(START_L2);
    let info = speaker.up("l2");
    let id2 = info["id"].as_str().unwrap().to_owned();
    let bindings = info["binding"].as_array().unwrap();
    assert_eq!(bindings.len(), 1, "{info}");
    assert_eq!(bindings[0]["type"], "local socket");
    connected(&mut speaker, &id2);
}

fn with_a_debugger(speaker: &mut Speaker<'_>) {
    let start = "lightningd --network=regtest --lightning-dir=/tmp/l2 --bind-addr=/tmp/l2/peer --dev-debugger=connectd";
    let refused = speaker.fails(start);
    assert!(refused.contains("give --developer as well"), "{refused}");
    speaker.types(&format!("{start} --developer >/tmp/debugged 2>&1 &"));
    let waits = speaker.until_shown(
        "grep 'waits for a debugger: gdb -p' /tmp/debugged",
        "gdb -p",
    );
    assert!(waits.contains("lightning_connectd waits"), "{waits}");
    // Who has no gdb lets it go on.
    speaker
        .types("kill -CONT $(sed -n 's/.*gdb -p \\([0-9]*\\) .*/\\1/p' /tmp/debugged | head -n 1)");
    speaker.up("l2");
    speaker.stop("l2");
}

fn without_a_network(speaker: &mut Speaker<'_>) {
    // No bitcoind of the main network is here.
    let refused = speaker.fails("lightningd --lightning-dir=/tmp/l2 --bind-addr=/tmp/l2/peer");
    for part in [
        "127.0.0.1:8332",
        "the network 'bitcoin'",
        "--network=regtest",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    // And this one is of another network.
    speaker.types("user=$(cut -d: -f1 ~/.bitcoin/regtest/.cookie) password=$(cut -d: -f2 ~/.bitcoin/regtest/.cookie)");
    let refused = speaker.fails(
        "lightningd --lightning-dir=/tmp/l2 --bind-addr=/tmp/l2/peer --bitcoin-rpcport=18443 --bitcoin-rpcuser=$user \
         --bitcoin-rpcpassword=$password",
    );
    assert!(
        refused.contains("is on chain 'regtest', this node on 'main': give --network"),
        "{refused}"
    );
}

fn connected(speaker: &mut Speaker<'_>, id2: &str) {
    let id1 = speaker.json("l1 getinfo")["id"].clone();
    let connect = format!("l1 connect {id2}@/tmp/l2/peer");
    let done = speaker.json(&connect);
    assert_eq!(done["id"], id2);
    assert_eq!(done["direction"], "out");
    let of_l1 = speaker.json("l1 listpeers");
    assert_eq!(of_l1["peers"][0]["id"], id2);
    assert_eq!(of_l1["peers"][0]["connected"], true);
    assert_eq!(of_l1["peers"].as_array().unwrap().len(), 1);
    speaker.until_shown("l2 listpeers", "\"connected\": true");
    let of_l2 = speaker.json("l2 listpeers");
    assert_eq!(of_l2["peers"][0]["id"], id1);
    assert_eq!(of_l2["peers"][0]["connected"], true);

    // l2 begins anew: without a channel nobody remembers the other one.
    speaker.stop("l2");
    speaker.until_shown("l1 listpeers", "\"peers\": []");
    speaker.types(START_L2);
    speaker.up("l2");
    assert_eq!(
        speaker.json("l2 listpeers")["peers"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(speaker.json(&connect)["id"], id2);
    speaker.until_shown("l1 listpeers", "\"connected\": true");
    speaker.until_shown("l2 listpeers", "\"connected\": true");
}

//! Messages of types that only plugins know.

use ln_testkit::nodes::{NodeOptions, TestNet, wait_until};
use serde_json::json;
use tempfile::TempDir;

use crate::plugins::{Script, heard, manifest, write_plugin};

#[test]
fn even_types_that_a_plugin_knows_are_taken_while_it_is_there() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let more = json!({"hooks": ["custommsg"], "custommessages": [40_000, 40_001]});
    let script = Script {
        manifest: manifest(more),
        branches: r#"custommsg) reply '{"result":"continue"}' ;;"#,
    };
    let knows = write_plugin(dir.path(), "knows", &script);
    let l1 = net.node("l1");
    let option = format!("--plugin={}", knows.display());
    let l2 = net.node_with("l2", NodeOptions::default().argument(option));
    net.connect(&l1, &l2);
    let send = |msg: &str| {
        let params = json!({"node_id": l2.id(), "msg": msg});
        l1.call("sendcustommsg", params);
    };
    let came = |payload: &str| {
        wait_until("the message", || {
            let params = heard(&knows).into_iter();
            let mut params = params
                .filter(|message| message["method"] == "custommsg")
                .map(|message| message["params"].clone());
            params.find(|params| params["payload"] == payload)
        })
    };
    let connected = || -> Option<bool> {
        let reply = l1.poll("listpeers", json!({"id": l2.id()}))?;
        let peers = reply["peers"].as_array()?;
        Some(peers.first().is_some_and(|peer| peer["connected"] == true))
    };
    // 40000, 40001 and 40003, which nobody declared but everybody may ignore.
    for payload in ["9c40aa", "9c41", "9c43ff"] {
        send(payload);
        let params = came(payload);
        assert_eq!(params, json!({"peer_id": l1.id(), "payload": payload}));
    }
    assert_eq!(connected(), Some(true));
    // Even and unknown: BOLT 1 ends the connection.
    send("9c42");
    l1.wait_for("the end of the connection", || {
        (!connected()?).then_some(())
    });
    net.connect(&l1, &l2);
    send("9c4001");
    came("9c4001");
    l2.call("plugin", json!(["stop", knows.display().to_string()]));
    send("9c4002");
    l1.wait_for("the end of the connection", || {
        (!connected()?).then_some(())
    });
    // Of a plugin that starts later it is known, too.
    l2.call("plugin", json!(["start", knows.display().to_string()]));
    net.connect(&l1, &l2);
    send("9c4003");
    came("9c4003");
    assert_eq!(connected(), Some(true));
    let internal = json!({"node_id": l2.id(), "msg": "0010"});
    let (_, text): (i32, String) = l1.call_err("sendcustommsg", internal);
    assert!(text.contains("WIRE_INIT"), "{text}");
    let nobody = json!({"node_id": format!("02{}", "22".repeat(32)), "msg": "9c41"});
    let refused: (i32, String) = l1.call_err("sendcustommsg", nobody);
    assert_ne!(refused.0, 0);
}

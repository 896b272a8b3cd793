//! "The world's stupidest plugin", in shell: one that never answers, and one that answers twice.

use serde_json::Value;
use tests::book::Place;

use super::Speaker;

const ANSWERS_TWICE: &str = r#"cat > /tmp/plugin.sh <<'END'
#!/bin/sh
answer() {
    read -r request
    echo "$request" >> /tmp/plugin.log
    id=$(printf '%s' "$request" | sed 's/.*"id":\("[^"]*"\).*/\1/')
    printf '{"jsonrpc": "2.0", "id": %s, "result": %s}\n\n' "$id" "$1"
    read -r empty_line
}
answer '{"options": [{"name": "dumboption", "type": "string", "default": "dumb", "description": "It does nothing."}],
         "rpcmethods": [{"name": "dumbmethod", "usage": "", "description": "It does nothing."}], "dynamic": true}'
answer '{}'
cat >> /tmp/plugin.log
END"#;

#[test]
fn a_plugin_that_never_answers_keeps_the_node_from_starting() {
    let place = Place::new().unwrap();
    let mut speaker = Speaker::with_l1(&place);
    speaker.types(
        "printf '#!/bin/sh\\ncat >> /tmp/plugin.log\\n' > /tmp/plugin.sh; chmod a+x /tmp/plugin.sh",
    );
    speaker.stop("l1");
    let refused = speaker.fails("lightningd --lightning-dir=/tmp/l1 --plugin=/tmp/plugin.sh");
    assert!(refused.contains("/tmp/plugin.sh"), "{refused}");
    assert!(
        refused.contains("failed to respond to 'getmanifest' in time"),
        "{refused}"
    );
    let asked: Value = serde_json::from_str(&speaker.types("cat /tmp/plugin.log")).unwrap();
    assert_eq!(asked["method"], "getmanifest");
    assert_eq!(asked["params"]["allow-deprecated-apis"], false);
}

#[test]
fn a_plugin_that_answers_twice_has_an_option_and_a_method() {
    let place = Place::new().unwrap();
    let mut speaker = Speaker::with_l1(&place);
    speaker.types(ANSWERS_TWICE);
    speaker.types("chmod a+x /tmp/plugin.sh");
    speaker.stop("l1");
    let help = speaker.types("lightningd --lightning-dir=/tmp/l1 --plugin=/tmp/plugin.sh --help");
    let option = help.lines().find(|line| line.contains("--dumboption"));
    assert!(
        option.is_some_and(|line| line.contains("It does nothing.")),
        "{help}"
    );
    speaker.types("rm /tmp/plugin.log");
    speaker.types("lightningd --lightning-dir=/tmp/l1 --plugin=/tmp/plugin.sh &");
    speaker.up("l1");
    assert!(speaker.types("l1 help").contains("dumbmethod"));
    // Nobody answers: this one hangs, and nobody else does.
    speaker.types("l1 dumbmethod >/tmp/hangs 2>&1 & hangs=$!");
    let log = speaker.until_shown("cat /tmp/plugin.log", "dumbmethod\",\"params\"");
    speaker.up("l1");
    speaker.types("kill -0 $hangs");
    assert_eq!(speaker.types("cat /tmp/hangs"), "");
    its_log(&log);
    speaker.stop("l1");
}

/// First the question, then `init` with options and the place of the socket, then the request.
fn its_log(log: &str) {
    let said: Vec<Value> = log
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let methods: Vec<&str> = said
        .iter()
        .map(|said| said["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["getmanifest", "init", "dumbmethod"]);
    let init = &said[1]["params"];
    assert_eq!(init["options"]["dumboption"], "dumb");
    assert_eq!(init["configuration"]["lightning-dir"], "/tmp/l1/regtest");
    assert_eq!(init["configuration"]["rpc-file"], "lightning-rpc");
    assert_eq!(init["configuration"]["network"], "regtest");
}

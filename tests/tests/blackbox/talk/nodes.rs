//! The first node: what it makes, who it is, its configuration.

use tests::book::Place;

use super::{ALIASES, Speaker};

#[test]
fn a_first_node_is_started_looked_at_and_configured() {
    let place = Place::new().unwrap();
    let mut speaker = Speaker::begin(&place);
    speaker.types("lightningd --network=regtest --lightning-dir=/tmp/l1 >/tmp/spam 2>&1 &");
    let first = "lightning-cli --lightning-dir=/tmp/l1 --network=regtest getinfo";
    speaker.until_shown(first, "\"id\"");
    its_files(&mut speaker);
    its_processes(&mut speaker);

    let info = speaker.json(first);
    let id = info["id"].as_str().unwrap().to_owned();
    // The colour is the beginning of the id, the name is made from it: both may be chosen.
    assert_eq!(info["color"], id[..6]);
    let alias = info["alias"].as_str().unwrap();
    assert!(
        alias.chars().all(|letter| letter.is_ascii_uppercase()) && alias.len() > 4,
        "{alias}"
    );
    assert_eq!(info["num_peers"], 0);
    assert_eq!(info["num_active_channels"], 0);
    assert_eq!(info["address"].as_array().unwrap().len(), 0);
    assert_eq!(info["binding"][0]["port"], 19846);
    assert_eq!(info["blockheight"], 101);
    assert_eq!(info["network"], "regtest");
    assert_eq!(info["fees_collected_msat"], 0);
    let version = info["version"].as_str().unwrap();
    assert!(version.starts_with("v26.06"), "{version}");
    let spam = speaker.types("cat /tmp/spam");
    assert!(
        spam.contains(&format!(
            "public key {id}, alias {alias} (color #{}",
            &id[..6]
        )),
        "{spam}"
    );

    speaker.types(ALIASES);
    speaker.stop("l1");
    configured(&mut speaker, &id);
}

fn its_files(speaker: &mut Speaker<'_>) {
    let listed = speaker.types("ls -l /tmp/l1/ /tmp/l1/regtest");
    for (file, rights) in [
        ("lightningd-regtest.pid", "-rw"),
        ("regtest", "drwx------"),
        ("gossip_store", "-rw-------"),
        ("hsm_secret", "-r--------"),
        ("lightningd.sqlite3", "-rw"),
        ("lightning-rpc", "srw-------"),
    ] {
        let line = listed
            .lines()
            .find(|line| line.ends_with(&format!(" {file}")));
        assert!(
            line.is_some_and(|line| line.starts_with(rights)),
            "{file}: {listed}"
        );
    }
}

fn its_processes(speaker: &mut Speaker<'_>) {
    // What `pstree -p $(head -1 pid file)` draws, and a system without it knows as well.
    let names = speaker.types(
        "pid=$(head -n 1 /tmp/l1/lightningd-regtest.pid)\n\
         cat /proc/$pid/comm; for child in $(cat /proc/$pid/task/*/children); do cat /proc/$child/comm; done",
    );
    let mut names: Vec<&str> = names.lines().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "bcli",
            "lightning_conne",
            "lightning_gossi",
            "lightning_hsmd",
            "lightningd"
        ]
    );
    if speaker.types("type pstree || true").contains("/pstree") {
        let tree = speaker.types("pstree -p $(head -n 1 /tmp/l1/lightningd-regtest.pid)");
        assert!(tree.contains("lightning_gossi("), "{tree}");
    }
}

fn configured(speaker: &mut Speaker<'_>, id: &str) {
    for line in [
        "network=regtest",
        "log-level=debug",
        "log-file=/tmp/l1/log",
        "rgb=ff000",
    ] {
        speaker.types(&format!("echo {line} >> /tmp/l1/config"));
    }
    // Five digits.
    let refused = speaker.fails("lightningd --lightning-dir=/tmp/l1");
    let refused = refused.trim();
    assert_eq!(
        refused,
        "lightningd: /tmp/l1/config line 4: rgb: 'ff000' is not a colour: write six hex digits, such as ff0000"
    );
    speaker.types("sed -i s/ff000/ff0000/ /tmp/l1/config");
    speaker.types("echo alias='satoshi' >> /tmp/l1/config");
    speaker.types("echo allow-deprecated-apis=false >> /tmp/l1/config");
    speaker.types("lightningd --lightning-dir=/tmp/l1 >/tmp/spam 2>&1 &");
    let info = speaker.up("l1");
    assert_eq!(info["alias"], "satoshi");
    assert_eq!(info["color"], "ff0000");
    assert_eq!(info["id"], id);
    // It is much quieter now.
    assert_eq!(speaker.types("cat /tmp/spam"), "");
    assert!(speaker.types("cat /tmp/l1/log").contains(" DEBUG "));
    if speaker.types("type man || true").contains("/man") {
        let page = speaker.types("man -l ~/fulgurite/docs/man/lightningd-config.5");
        assert!(page.contains("--bind-addr"), "{page}");
    }
    speaker.stop("l1");
}

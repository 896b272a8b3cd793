//! Stores as Core Lightning wrote them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::unreadable_literal,
    clippy::disallowed_methods
)]

use data_encoding::HEXLOWER;
use ln_gossip::Graph;
use ln_gossip::store::{Record, RecordRef, Records, rewrite};
use ln_types::{Sat, ShortChannelId};

/// The messages of a store of version 12 with its headers' checksums and timestamps.
const RECORDS: [(u32, u32, &str); 4] = [
    (
        0xfea676e8,
        0x5b8d9b44,
        "0100bb8d7b6998cca3c2b3ce12a6bd73a8872c808bb48de2a30c5ad9cdf835905d1e27505755087e675fb517\
     bbac6beb227629b694ea68f49d357458327138978ebfd7adfde1c69d0d2f497154256f6d5567a5cf2317c589\
     e0046c0cc2b3e986cf9b6d3b44742bd57bce32d72cd1180a7f657795976130b20508b239976d3d4cdc4d0d6e\
     6fbb9ab6471f664a662972e406f519eab8bce87a8c0365646df5acbc04c91540b4c7c518cec680a4a6af14da\
     e1aca0fd5525220f7f0e96fcd2adef3c803ac9427fe71034b55a50536638820ef21903d09ccddd38396675b5\
     98587fa886ca711415c813fc6d69f46552b9a0a539c18f265debd0e2e286980a118ba349c216000043497fd7\
     f826957108f4a30fd9cec3aeba79972084e90ead01ea33090000000013a63c0000b50001021bf3de4e84e3d5\
     2f9a3e36fbdcd2c4e8dbf203b9ce4fc07c2f03be6c21d0c67503f113414ebdc6c1fb0f33c99cd5a1d09dd79e\
     7fdf2468cf1fe1af6674361695d203801fd8ab98032f11cc9e4916dd940417082727077609d5c7f8cc6e9a3a\
     d25dd102517164b97ab46cee3826160841a36c46a2b7b9c74da37bdc070ed41ba172033a",
    ),
    (0x99dc98b4, 0x00000000, "10050000000001000000"),
    (
        0x0c6aca0e,
        0x5b8d9b44,
        "01021ea7c2eadf8a29eb8690511a519b5656e29aa0a853771c4e38e65c5abf43d907295a915e69e451f4c7a0\
     c3dc13dd943cfbe3ae88c0b96667cd7d58955dbfedcf43497fd7f826957108f4a30fd9cec3aeba79972084e9\
     0ead01ea33090000000013a63c0000b500015b8d9b440100009000000000000003e8000003e8000000010000\
     000000ffffff",
    ),
    (
        0xf036515e,
        0x5aab817c,
        "0101cf5d870bc7ecabcb7cd16898ef66891e5f0c6c5851bd85b670f03d325bc44d7544d367cd852e18ec03f7\
     f4ff369b06860a3b12b07b29f36fb318ca11348bf8ec00005aab817c03f113414ebdc6c1fb0f33c99cd5a1d0\
     9dd79e7fdf2468cf1fe1af6674361695d23974b250757a7a6c65495443000000000000000000000000000000\
     00000000000000000007010566933e2607",
    ),
];

fn store(version: u8, flags: u16) -> Vec<u8> {
    let mut bytes = vec![version];
    for (crc, timestamp, message) in RECORDS {
        let message = HEXLOWER.decode(message.as_bytes()).unwrap();
        bytes.extend(flags.to_be_bytes());
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(crc.to_be_bytes());
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend(message);
    }
    bytes
}

fn graph(store: &[u8]) -> Graph {
    let mut records = Records::new(&store[1..], 1);
    let mut graph = Graph::new();
    while let Some(record) = records.next_record().unwrap() {
        graph.apply(&record);
    }
    assert_eq!(records.remaining(), 0);
    graph
}

#[test]
fn checksums_are_core_lightnings() {
    let graph = graph(&store(15, 0x2000));
    assert_eq!((graph.live_records(), graph.dead_records()), (3, 0));
    let scid: ShortChannelId = "1287740x181x1".parse().unwrap();
    let channel = graph.channel(scid).unwrap();
    assert_eq!(channel.amount, Sat::from_sat(0x0100_0000));
    assert_eq!(
        channel.announcement,
        RecordRef {
            offset: 1,
            length: 432
        }
    );
    let [one, two] = channel.nodes;
    assert_eq!(
        one.to_string(),
        "021bf3de4e84e3d52f9a3e36fbdcd2c4e8dbf203b9ce4fc07c2f03be6c21d0c675"
    );
    let policy = channel.policy(0).map(|policy| policy.fee_base_msat);
    assert_eq!((policy, channel.policy(1)), (Some(1000), None));
    let node = graph.node(two).unwrap().announcement.unwrap();
    assert_eq!(node.timestamp, 0x5aab_817c);
    assert_eq!(graph.node(one).unwrap().announcement, None);
}

#[test]
fn an_old_version_is_converted() {
    for version in [9, 10, 12, 13, 14] {
        let new = rewrite(&store(version, 0), [7; 32]);
        assert_eq!((new.kept, new.damaged), (4, 0), "version {version}");
        assert_eq!(new.bytes[0], 16);
        assert_eq!(new.bytes[13..15], [0x10, 0x0b]);
        assert_eq!(graph(&new.bytes).live_records(), 3);
    }
}

#[test]
fn records_without_a_place_in_the_new_version_go() {
    // Version 13 and before: an expired channel.
    assert_eq!(rewrite(&store(13, 0x1000), [7; 32]).kept, 0);
    assert_eq!(rewrite(&store(12, 0x8000), [7; 32]).kept, 0);
    assert_eq!(rewrite(&store(15, 0x2000), [7; 32]).kept, 4);
    // Version 15 knows the completed flag: without it nothing is finished.
    assert_eq!(rewrite(&store(15, 0), [7; 32]).kept, 0);
}

#[test]
fn an_announcement_without_its_amount_is_dropped() {
    let whole = store(12, 0);
    let cut = &whole[..1 + 12 + 432];
    assert_eq!(rewrite(cut, [7; 32]).kept, 0);
}

#[test]
fn record_accessors() {
    let store = store(15, 0x2800);
    let record: Record<'_> = Records::new(&store[1..], 1).next_record().unwrap().unwrap();
    assert_eq!(record.number(), 256);
    assert!(record.is_dying() && !record.is_deleted());
    assert_eq!(record.at.end(), 1 + 12 + 432);
}

/// `UPDATE_CORPUS=1` writes the seeds anew.
#[test]
fn the_fuzzers_corpus() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/read_store");
    let whole = store(15, 0x2000);
    let mut flipped = whole.clone();
    flipped[500] ^= 1;
    let mut rewritten = rewrite(&whole, [7; 32]).bytes;
    rewritten.extend([0; 40]);
    let seeds = [
        ("version_12", store(12, 0)),
        ("dying", store(15, 0x2800)),
        ("deleted", store(15, 0xa000)),
        ("torn", whole[..whole.len() - 20].to_vec()),
        ("flipped", flipped),
        ("zero_page", rewritten),
        ("empty", vec![]),
    ];
    for (name, bytes) in seeds {
        let path = format!("{folder}/{name}");
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(
            std::fs::read(&path).expect("run once with UPDATE_CORPUS=1"),
            bytes
        );
    }
    for entry in std::fs::read_dir(folder).unwrap() {
        ln_gossip::fuzz::read_store(&std::fs::read(entry.unwrap().path()).unwrap());
    }
}

//! Test vectors of BOLT 1 (§Appendix C: Message Extension) and of BOLT 7's queries.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)]

use data_encoding::HEXLOWER;
use ln_codec::{BigSize, Decode, DecodeError, Encode};
use ln_types::{BlockHeight, Network, ShortChannelId};
use ln_wire::*;

fn message(hex: &str) -> Result<PeerMessage, DecodeError> {
    PeerMessage::from_bytes(&HEXLOWER.decode(hex.as_bytes()).unwrap())
}

#[test]
fn init_extensions() {
    let init = |hex| message(hex).map(|_| ());
    for valid in ["001000000000", "001000000000c9012acb0104"] {
        assert_eq!(init(valid), Ok(()), "{valid}");
    }
    assert!(matches!(
        init("00100000000001"),
        Err(DecodeError::Truncated { .. })
    ));
    assert_eq!(
        init("001000000000ca012a"),
        Err(DecodeError::UnknownEvenTlv { number: 0xca })
    );
    assert_eq!(
        init("001000000000c90101c90102"),
        Err(DecodeError::TlvOrder {
            number: 0xc9,
            previous: 0xc9
        })
    );
}

/// The regtest chain hash in these vectors is written backwards.
fn chain_hash() -> [u8; 32] {
    let mut hash = Network::Regtest.chain_hash();
    hash.copy_from_slice(
        &HEXLOWER
            .decode(b"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
            .unwrap(),
    );
    hash
}

const CHAIN: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";

fn scids(parts: &[(u32, u32, u16)]) -> Vec<ShortChannelId> {
    let scid = |&(block, transaction, output): &(u32, u32, u16)| {
        ShortChannelId::new(block, transaction, output).unwrap()
    };
    parts.iter().map(scid).collect()
}

fn assert_both_ways(hex: &str, expected: impl Into<PeerMessage>) {
    let expected = expected.into();
    assert_eq!(message(hex).as_ref(), Ok(&expected));
    assert_eq!(HEXLOWER.encode(&expected.to_bytes()), hex);
}

#[test]
fn query_channel_range() {
    let query = |first_blocknum, number_of_blocks, query_option| QueryChannelRange {
        chain_hash: chain_hash(),
        first_blocknum: BlockHeight(first_blocknum),
        number_of_blocks,
        tlvs: QueryChannelRangeTlvs { query_option },
    };
    assert_both_ways(
        &format!("0107{CHAIN}000186a0000005dc"),
        query(100_000, 1500, None),
    );
    let both = QueryChannelRangeTlvs::WANT_TIMESTAMPS | QueryChannelRangeTlvs::WANT_CHECKSUMS;
    assert_both_ways(
        &format!("0107{CHAIN}000088b800000064010103"),
        query(35_000, 100, Some(BigSize(both))),
    );
}

#[test]
fn reply_channel_range_without_records() {
    let ids = scids(&[(0, 0, 142), (0, 0, 15465), (0, 69, 42692)]);
    let reply = ReplyChannelRange {
        chain_hash: chain_hash(),
        first_blocknum: BlockHeight(756_230),
        number_of_blocks: 1500,
        sync_complete: 1,
        encoded_short_ids: EncodedArray::from_values(&ids),
        tlvs: ReplyChannelRangeTlvs::default(),
    };
    assert_eq!(reply.short_ids(), Ok(ids));
    assert_both_ways(
        &format!(
            "0108{CHAIN}000b8a06000005dc01001900000000000000008e0000000000003c69000000000045a6c4"
        ),
        reply,
    );
}

#[test]
fn reply_channel_range_with_timestamps_and_checksums() {
    let ids = scids(&[(0, 0, 12355), (0, 7, 30934), (0, 70, 57793)]);
    let timestamps = [
        (164_545, 948_165),
        (489_645, 4_786_864),
        (46_456, 9_788_415),
    ];
    let timestamps = timestamps.map(|(one, two)| ChannelUpdateTimestamps {
        timestamp_node_id_1: one,
        timestamp_node_id_2: two,
    });
    let checksums = [(1111, 2222), (3333, 4444), (5555, 6666)];
    let checksums = checksums.map(|(one, two)| ChannelUpdateChecksums {
        checksum_node_id_1: one,
        checksum_node_id_2: two,
    });
    let reply = ReplyChannelRange {
        chain_hash: chain_hash(),
        first_blocknum: BlockHeight(122_334),
        number_of_blocks: 1500,
        sync_complete: 1,
        encoded_short_ids: EncodedArray::from_values(&ids),
        tlvs: ReplyChannelRangeTlvs {
            timestamps_tlv: Some(EncodedArray::from_values(&timestamps)),
            checksums_tlv: Some(checksums.to_vec()),
        },
    };
    assert_eq!(reply.tlvs.timestamps(), Ok(Some(timestamps.to_vec())));
    assert_both_ways(
        &format!(
            "0108{CHAIN}0001ddde000005dc01001900000000000000304300000000000778d6000000000046e1c1\
             011900000282c1000e77c5000778ad00490ab00000b57800955bff031800000457000008ae00000d05\
             0000115c000015b300001a0a"
        ),
        reply,
    );
}

#[test]
fn query_short_channel_ids() {
    let ids = scids(&[(0, 0, 142), (0, 0, 15465), (0, 69, 42692)]);
    let query = QueryShortChannelIds {
        chain_hash: chain_hash(),
        encoded_short_ids: EncodedArray::from_values(&ids),
        tlvs: QueryShortChannelIdsTlvs::default(),
    };
    assert_eq!(query.short_ids(), Ok(ids));
    assert_eq!(query.tlvs.flags(), Ok(None));
    assert_both_ways(
        &format!("0105{CHAIN}001900000000000000008e0000000000003c69000000000045a6c4"),
        query,
    );
}

#[test]
fn zlib_is_refused_when_the_list_is_read() {
    // BOLT 7 §Query Messages: encoding 1 must not be used; the message around it still decodes.
    let zlib = |error: Result<Vec<ShortChannelId>, DecodeError>| {
        matches!(error, Err(DecodeError::UnknownTag { tag: 1, .. }))
    };
    for hex in [
        "0108CHAIN000006400000006e01001601789c636000833e08659309a65878be010010a9023a",
        "0108CHAIN0001ddde000005dc01001801789c63600001036730c55e710d4cbb3d3c080017c303b1012201789c63606a3a\
         c8c0577e9481bd622d8327d7060686ad150c53a3ff0300554707db031800000457000008ae00000d050000115c000015b3\
         00001a0a",
    ] {
        match message(&hex.replace("CHAIN", CHAIN)) {
            Ok(PeerMessage::ReplyChannelRange(reply)) => assert!(zlib(reply.short_ids())),
            other => panic!("{other:?}"),
        }
    }
    for hex in [
        "0105CHAIN001801789c63600001c12b608a69e73e30edbaec0800203b040e",
        "0105CHAIN001801789c63600001f30a30c5b0cd144cb92e3b020017c6034a010c01789c6364620100000e0008",
    ] {
        match message(&hex.replace("CHAIN", CHAIN)) {
            Ok(PeerMessage::QueryShortChannelIds(query)) => assert!(zlib(query.short_ids())),
            other => panic!("{other:?}"),
        }
    }
    let flags = "0105CHAIN0019000000000000002fc80000000000003cc4000000000045a6c4010c01789c6364620100000e0008";
    match message(&flags.replace("CHAIN", CHAIN)) {
        Ok(PeerMessage::QueryShortChannelIds(query)) => {
            let ids = scids(&[(0, 0, 12232), (0, 0, 15556), (0, 69, 42692)]);
            assert_eq!(query.short_ids(), Ok(ids));
            assert!(matches!(
                query.tlvs.flags(),
                Err(DecodeError::UnknownTag { tag: 1, .. })
            ));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn query_flags_are_one_bigsize_per_channel() {
    let query = QueryShortChannelIdsTlvs {
        query_flags: Some(EncodedArray(vec![0, 1, 2, 4])),
    };
    assert_eq!(query.flags(), Ok(Some([1, 2, 4].map(BigSize).to_vec())));
}

#[test]
fn a_signature_out_of_range_is_refused() {
    let body = "00".repeat(32);
    assert!(message(&format!("0023{body}{}{}", "01".repeat(32), "01".repeat(32))).is_ok());
    assert_eq!(
        message(&format!("0023{body}{}{}", "ff".repeat(32), "01".repeat(32))),
        Err(DecodeError::Invalid { what: "signature" })
    );
}

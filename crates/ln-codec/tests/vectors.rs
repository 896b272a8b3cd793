//! Test vectors of BOLT 1: §Appendix A: BigSize Test Vectors, §Appendix B: Type-Length-Value Test Vectors, §Appendix D: Signed
//! Integers Test Vectors (the `s64` of them: the only signed type the BOLTs use).
#![allow(clippy::unwrap_used)]

use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::secp256k1::PublicKey;
use ln_codec::{BigSize, Decode, DecodeError, Encode, Tlv};

fn bytes(hex: &str) -> Vec<u8> {
    Vec::from_hex(&hex.replace(' ', "")).unwrap()
}

#[test]
fn bigsize_both_ways() {
    for (value, hex) in [
        (0, "00"),
        (252, "fc"),
        (253, "fd00fd"),
        (65_535, "fdffff"),
        (65_536, "fe00010000"),
        (4_294_967_295, "feffffffff"),
        (4_294_967_296, "ff0000000100000000"),
        (u64::MAX, "ffffffffffffffffff"),
    ] {
        assert_eq!(BigSize::from_bytes(&bytes(hex)), Ok(BigSize(value)));
        assert_eq!(BigSize(value).to_bytes().to_lower_hex_string(), hex);
    }
}

#[test]
fn bigsize_not_canonical() {
    for hex in ["fd00fc", "fe0000ffff", "ff00000000ffffffff"] {
        let result = BigSize::from_bytes(&bytes(hex));
        assert_eq!(result, Err(DecodeError::NotMinimal), "{hex}");
    }
}

#[test]
fn bigsize_short_read() {
    for hex in ["fd00", "feffff", "ffffffffff", "", "fd", "fe", "ff"] {
        let result = BigSize::from_bytes(&bytes(hex));
        assert!(
            matches!(result, Err(DecodeError::Truncated { .. })),
            "{hex}"
        );
    }
}

/// The namespace `n1`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
struct N1 {
    #[tlv(1, tu)]
    tlv1: Option<u64>,
    #[tlv(2)]
    tlv2: Option<u64>,
    #[tlv(3)]
    tlv3: Option<Tlv3>,
    #[tlv(254)]
    tlv4: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Tlv3 {
    node_id: PublicKey,
    amount_msat_1: u64,
    amount_msat_2: u64,
}

/// The namespace `n2`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
struct N2 {
    #[tlv(0, tu)]
    tlv1: Option<u64>,
    #[tlv(11, tu)]
    tlv2: Option<u32>,
}

fn n1(hex: &str) -> Result<N1, DecodeError> {
    N1::from_bytes(&bytes(hex))
}

fn n2(hex: &str) -> Result<N2, DecodeError> {
    N2::from_bytes(&bytes(hex))
}

const NODE: &str = "023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb";

/// Streams that fail in any namespace.
fn bad_anywhere() -> Vec<String> {
    let mut streams: Vec<String> = [
        "fd",
        "fd01",
        "fd0001 00",
        "fd0101",
        "0f fd",
        "0f fd26",
        "0f fd2602",
        "0f fd0001 00",
        "12 00",
        "fd0102 00",
        "fe01000002 00",
        "ff0100000000000002 00",
    ]
    .map(str::to_owned)
    .into();
    streams.push(format!("0f fd0201 {}", "00".repeat(256)));
    streams
}

fn bad_in_n1() -> Vec<String> {
    let mut streams: Vec<String> = [
        "01 09 ffffffffffffffffff",
        "01 01 00",
        "01 02 0001",
        "01 03 000100",
        "01 04 00010000",
        "01 05 0001000000",
        "01 06 000100000000",
        "01 07 00010000000000",
        "01 08 0001000000000000",
        "02 07 01010101010101",
        "02 09 010101010101010101",
        "fd00fe 00",
        "fd00fe 01 01",
        "fd00fe 03 010101",
        "00 00",
    ]
    .map(str::to_owned)
    .into();
    streams.push(format!("03 21 {NODE}"));
    streams.push(format!("03 29 {NODE} 0000000000000001"));
    streams.push(format!("03 30 {NODE} 0000000000000001 00000000000001"));
    let off_curve = NODE.replacen("02", "04", 1);
    streams.push(format!(
        "03 31 {off_curve} 0000000000000001 0000000000000002"
    ));
    streams.push(format!("03 32 {NODE} 0000000000000001 000000000000000001"));
    streams
}

/// Streams that decode in `n1`, with what they mean.
fn good_in_n1() -> Vec<(String, N1)> {
    let none = N1::default();
    let mut streams = vec![(
        "01 00".to_owned(),
        N1 {
            tlv1: Some(0),
            ..none.clone()
        },
    )];
    for zeros in 0_u32..8 {
        let hex = format!(
            "01 0{} 01{}",
            zeros.saturating_add(1),
            "00".repeat(usize::try_from(zeros).unwrap())
        );
        let tlv1 = Some(256_u64.pow(zeros));
        streams.push((
            hex,
            N1 {
                tlv1,
                ..none.clone()
            },
        ));
    }
    streams.push((
        "02 08 0000000000000226".to_owned(),
        N1 {
            tlv2: Some(550),
            ..none.clone()
        },
    ));
    let tlv3 = Tlv3 {
        node_id: NODE.parse().unwrap(),
        amount_msat_1: 1,
        amount_msat_2: 2,
    };
    streams.push((
        format!("03 31 {NODE} 0000000000000001 0000000000000002"),
        N1 {
            tlv3: Some(tlv3),
            ..none.clone()
        },
    ));
    streams.push((
        "fd00fe 02 0226".to_owned(),
        N1 {
            tlv4: Some(550),
            ..none
        },
    ));
    streams
}

#[test]
fn tlv_failures_in_any_namespace() {
    for hex in bad_anywhere() {
        assert!(n1(&hex).is_err(), "{hex}");
        assert!(n2(&hex).is_err(), "{hex}");
    }
}

#[test]
fn tlv_failures_in_n1() {
    for hex in bad_in_n1() {
        assert!(n1(&hex).is_err(), "{hex}");
    }
}

#[test]
fn tlv_streams_that_are_ignored() {
    for hex in [
        "",
        "21 00",
        "fd0201 00",
        "fd00fd 00",
        "fd00ff 00",
        "fe02000001 00",
        "ff0200000000000001 00",
    ] {
        assert_eq!(n1(hex), Ok(N1::default()), "{hex}");
        assert_eq!(n2(hex), Ok(N2::default()), "{hex}");
    }
}

#[test]
fn tlv_successes_in_n1() {
    for (hex, expected) in good_in_n1() {
        assert_eq!(expected.to_bytes(), bytes(&hex), "{hex}");
        assert_eq!(n1(&hex), Ok(expected), "{hex}");
    }
}

#[test]
fn an_invalid_stream_behind_a_valid_one_is_an_error() {
    for (good, _) in good_in_n1() {
        for bad in bad_anywhere().into_iter().chain(bad_in_n1()) {
            assert!(n1(&format!("{good} {bad}")).is_err(), "{good} {bad}");
        }
    }
}

#[test]
fn a_higher_stream_behind_a_lower_one_decodes() {
    let streams = good_in_n1();
    for (low, _) in &streams {
        for (high, _) in &streams {
            let ascends = bytes(low).first() < bytes(high).first();
            assert_eq!(
                n1(&format!("{low} {high}")).is_ok(),
                ascends,
                "{low} {high}"
            );
        }
    }
}

#[test]
fn tlv_streams_out_of_order() {
    for hex in [
        "02 08 0000000000000226 01 01 2a",
        "02 08 0000000000000231 02 08 0000000000000451",
        "1f 00 0f 01 2a",
        "1f 00 1f 01 2a",
    ] {
        let result = n1(hex);
        assert!(matches!(result, Err(DecodeError::TlvOrder { .. })), "{hex}");
    }
    let result = n2("ffffffffffffffffff 00 00 00");
    assert!(matches!(result, Err(DecodeError::TlvOrder { .. })));
}

#[test]
fn signed_integers() {
    for (value, hex) in [
        (2_147_483_648, "0000000080000000"),
        (-2_147_483_649, "ffffffff7fffffff"),
        (500_000_000_000, "000000746a528800"),
        (-500_000_000_000, "ffffff8b95ad7800"),
        (i64::MAX, "7fffffffffffffff"),
        (i64::MIN, "8000000000000000"),
    ] {
        assert_eq!(i64::from_bytes(&bytes(hex)), Ok(value));
        assert_eq!(value.to_bytes(), bytes(hex));
    }
    for (value, hex) in [
        (32_768, "00008000"),
        (-32_769, "ffff7fff"),
        (21_000_000, "01406f40"),
        (-21_000_000, "febf90c0"),
        (i32::MAX, "7fffffff"),
        (i32::MIN, "80000000"),
    ] {
        assert_eq!(i32::from_bytes(&bytes(hex)), Ok(value));
        assert_eq!(value.to_bytes(), bytes(hex));
    }
}

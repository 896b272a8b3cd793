//! The bytes of hsmd's messages.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use ln_codec::{Decode, Encode, WireString};
use ln_types::{CommitmentNumber, Network, NodeId, Sat};
use proptest::prelude::*;

use super::*;

fn point() -> PublicKey {
    let secret = SecretKey::from_slice(&[0x11; 32]).unwrap();
    PublicKey::from_secret_key(&Secp256k1::new(), &secret)
}

fn hex(bytes: &[u8]) -> String {
    use bitcoin::hex::DisplayHex;
    bytes.to_lower_hex_string()
}

/// The numbers of Core Lightning's hsmd_wire.csv, 26.06.
const NUMBERS: &[u16] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
    30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 45, 51, 52, 56, 99, 100, 102, 103, 104, 105,
    106, 107, 108, 109, 110, 112, 114, 115, 118, 122, 123, 124, 125, 126, 127, 128, 130, 131, 132,
    133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151,
    152, 156, 1000,
];

#[test]
fn every_message_of_core_lightning_is_known_once() {
    for number in 0..=u16::MAX {
        let sets = [
            ToHsmd::knows(number),
            FromHsmd::knows(number),
            HsmdStatus::knows(number),
        ];
        let times = sets.iter().filter(|knows| **knows).count();
        assert_eq!(times, usize::from(NUMBERS.contains(&number)), "{number}");
    }
}

#[test]
fn init_has_core_lightnings_form() {
    let init = ToHsmd::from(HsmdInit {
        bip32_key_version: Network::Regtest.into(),
        chain_params: ChainParams(Network::Regtest),
        hsm_encryption_key: None,
        dev_force_privkey: None,
        dev_force_bip32_seed: None,
        dev_force_channel_secrets: None,
        dev_force_channel_secrets_shaseed: None,
        hsm_wire_min_version: 5,
        hsm_wire_max_version: 6,
        tlvs: HsmdInitTlvs {
            hsm_passphrase: Some("pw".into()),
        },
    });
    let bytes = init.to_bytes();
    assert_eq!(
        hex(&bytes),
        concat!(
            "000b",
            "043587cf04358394",
            "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f",
            "0000000000",
            "0000000500000006",
            "0103707700",
        )
    );
    assert_eq!(ToHsmd::from_bytes(&bytes).unwrap(), init);
    assert!(!format!("{init:?}").contains("pw"));
}

#[test]
fn a_client_request_and_a_bad_one_have_core_lightnings_form() {
    let request = ToHsmd::from(HsmdClientHsmfd {
        id: NodeId::from(point()),
        dbid: 3,
        permissions: 0x1c,
    });
    let id = hex(&point().serialize());
    let bytes = request.to_bytes();
    assert_eq!(
        hex(&bytes),
        format!("0009{id}0000000000000003000000000000001c")
    );
    let report = HsmdStatus::from(HsmstatusClientBadRequest {
        id: NodeId::from(point()),
        description: WireString("no".to_owned()),
        msg: vec![0, 9],
    });
    assert_eq!(hex(&report.to_bytes()), format!("03e8{id}6e6f0000020009"));
}

fn transaction() -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint {
                txid: Txid::from_byte_array([0x22; 32]),
                vout: 1,
            },
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[1, 2, 3]]),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(900),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
        }],
    }
}

fn spent() -> TxOut {
    TxOut {
        value: Amount::from_sat(1000),
        script_pubkey: ScriptBuf::from_bytes(vec![0x52]),
    }
}

#[test]
fn a_transaction_brings_the_amounts_it_spends() {
    let tx = BitcoinTx::new(transaction(), [spent()])
        .with_input_scripts([Some(ScriptBuf::from_bytes(vec![0x53]))])
        .with_output_scripts([Some(ScriptBuf::from_bytes(vec![0x54]))]);
    assert_eq!(tx.spent_output(0), Some(&spent()));
    assert_eq!(tx.spent_output(1), None);
    let bytes = tx.to_bytes();
    let length = bitcoin::consensus::serialize(&transaction()).len();
    assert_eq!(bytes[..4], u32::try_from(length).unwrap().to_be_bytes());
    assert_eq!(bytes[8 + length..13 + length], *b"psbt\xff");
    assert_eq!(BitcoinTx::from_bytes(&bytes).unwrap(), tx);
    let mut bytes = Vec::new();
    transaction().encode(&mut bytes);
    bytes.extend_from_slice(&[0, 0, 0, 0]);
    assert!(BitcoinTx::from_bytes(&bytes).is_err());
}

#[test]
fn a_coin_has_core_lightnings_form() {
    let coin = HsmUtxo {
        outpoint: OutPoint {
            txid: Txid::from_byte_array([0x33; 32]),
            vout: 2,
        },
        amount: Sat::from_sat(5000),
        key_index: 7,
        script_pubkey: ScriptBuf::from_bytes(vec![0x00, 0x14]),
        close_info: Some(CloseInfo {
            channel_dbid: 9,
            peer_id: NodeId::from(point()),
            commitment_point: None,
            option_anchors: true,
            csv: 1,
        }),
    };
    let id = hex(&point().serialize());
    let expected = format!(
        "{}0000000200000000000013880000000700000200140100000000000000 09{id}00010000000100",
        "33".repeat(32)
    )
    .replace(' ', "");
    assert_eq!(hex(&coin.to_bytes()), expected);
    assert_eq!(HsmUtxo::from_bytes(&coin.to_bytes()).unwrap(), coin);
}

#[test]
fn optional_secrets_are_a_byte_and_32() {
    let reply = FromHsmd::from(HsmdGetPerCommitmentPointReply {
        per_commitment_point: point(),
        old_commitment_secret: None,
    });
    let id = hex(&point().serialize());
    assert_eq!(hex(&reply.to_bytes()), format!("0076{id}00"));
    let request = ToHsmd::from(HsmdGetPerCommitmentPoint {
        n: CommitmentNumber(258),
    });
    assert_eq!(hex(&request.to_bytes()), "00120000000000000102");
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(number in 0_u16..160, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.extend_from_slice(&body);
        let _ = ToHsmd::from_bytes(&bytes);
        let _ = FromHsmd::from_bytes(&bytes);
    }
}

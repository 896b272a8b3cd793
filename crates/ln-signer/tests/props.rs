//! No PSBT makes the signer panic, and no signature is over-long.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use bitcoin::absolute::LockTime;
use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::{Message, SecretKey};
use bitcoin::transaction::Version;
use bitcoin::{Amount, NetworkKind, OutPoint, ScriptBuf, Transaction, TxIn, TxOut};
use ln_keys::{ForcedKeys, HsmSecret, NodeKeys, public_key};
use ln_signer::{NodeSigner, WalletCoin, sign_low_r, verify};
use ln_tx::script::p2wpkh;
use ln_types::Sat;
use proptest::prelude::*;

fn node() -> NodeSigner {
    let secret = HsmSecret::parse(&[1; 32], None).unwrap();
    NodeSigner::new(NodeKeys::new(
        &secret,
        NetworkKind::Test,
        ForcedKeys::default(),
    ))
}

fn script() -> impl Strategy<Value = ScriptBuf> {
    let key = public_key(&node().keys().wallet_secret(1).unwrap());
    let mut tr = vec![0x51, 0x20];
    tr.extend_from_slice(&[7; 32]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(ScriptBuf::from_bytes),
        Just(p2wpkh(&key)),
        Just(p2wpkh(&key).to_p2sh()),
        Just(p2wpkh(&key).to_p2wsh()),
        Just(ScriptBuf::from_bytes(tr)),
    ]
}

fn transaction(vout: u32, outputs: usize) -> Transaction {
    let output = TxOut {
        value: Amount::from_sat(1),
        script_pubkey: ScriptBuf::new(),
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint {
                vout,
                ..OutPoint::null()
            },
            ..TxIn::default()
        }],
        output: vec![output; outputs],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_psbt_makes_the_signer_panic(
        coin_script in script(),
        spent_script in prop::option::of(script()),
        witness_script in prop::option::of(script()),
        redeem_script in prop::option::of(script()),
        before in prop::option::of(0_usize..3),
        vout in 0_u32..4,
        outputs in 0_usize..2,
        sighash in prop::option::of(any::<u32>()),
    ) {
        let mut psbt = Psbt::from_unsigned_tx(transaction(vout, outputs)).unwrap();
        let outpoint = psbt.unsigned_tx.input[0].previous_output;
        let input = &mut psbt.inputs[0];
        input.witness_utxo = spent_script.map(|script_pubkey| TxOut { value: Amount::from_sat(9), script_pubkey });
        input.witness_script = witness_script;
        input.redeem_script = redeem_script;
        input.non_witness_utxo = before.map(|outputs| transaction(0, outputs));
        input.sighash_type = sighash.map(bitcoin::psbt::PsbtSighashType::from_u32);
        let coin = WalletCoin {
            outpoint,
            amount: Sat::from_sat(9),
            key_index: 1,
            script_pubkey: coin_script,
            close_info: None,
        };
        let _ = node().sign_coins(&mut psbt, &[coin]);
    }

    #[test]
    fn signatures_are_short_and_right(digest in any::<[u8; 32]>(), key in any::<[u8; 32]>()) {
        if let Ok(key) = SecretKey::from_slice(&key) {
            let digest = Message::from_digest(digest);
            let signature = sign_low_r(&digest, &key);
            prop_assert!(signature.serialize_der().len() <= 70);
            prop_assert!(verify(&digest, &signature, &public_key(&key)));
        }
    }
}

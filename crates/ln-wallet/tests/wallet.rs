//! Addresses, coins from blocks, and signed PSBTs judged by Bitcoin Core's interpreter.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests on fixed values"
)]

use bitcoin::bip32::{DerivationPath, Xpriv, Xpub};
use bitcoin::hashes::Hash;
use bitcoin::key::TapTweak;
use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::{Keypair, Message, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{NetworkKind, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Txid};
use ln_keys::{public_key, secp};
use ln_types::{BlockHeight, NodeId, Sat};
use ln_wallet::{
    AddressKind, CloseInfo, Coins, Origin, PsbtError, ScriptIndex, Status, Utxo, WalletKeys,
    build_psbt, extract, finalize, psbt_fee, script_of,
};

/// The master key of BIP 39's "abandon … about", of which BIP 86 lists addresses.
const BIP86_MASTER: &str = "xprv9s21ZrQH143K3GJpoapnV8SFfukcVBSfeCficPSGfubmSFDxo1kuHnLisriDvSnRRuL2Qrg5ggqHKNVpxR86QEC8w35uxmGoggxtQTPvfUu";
const BIP86_FIRST_RECEIVE: &str =
    "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c";

fn master() -> Xpriv {
    BIP86_MASTER.parse().unwrap()
}

fn derive(path: &str) -> Xpriv {
    let path: DerivationPath = path.parse().unwrap();
    master().derive_priv(secp(), &path).unwrap()
}

fn keys() -> WalletKeys {
    WalletKeys::Bip86 {
        base: Xpub::from_priv(secp(), &derive("86h/0h/0h")),
    }
}

fn secret(index: u32) -> SecretKey {
    derive(&format!("86h/0h/0h/0/{index}")).private_key
}

fn paying(outputs: Vec<(u64, ScriptBuf)>) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::all_zeros(), 0),
            ..TxIn::default()
        }],
        output: outputs
            .into_iter()
            .map(|(sat, script_pubkey)| TxOut {
                value: bitcoin::Amount::from_sat(sat),
                script_pubkey,
            })
            .collect(),
    }
}

#[test]
fn taproot_addresses_are_those_of_bip_86() {
    let script = keys().script_pubkey(AddressKind::P2tr, 0).unwrap();
    assert_eq!(script.to_hex_string(), BIP86_FIRST_RECEIVE);
}

#[test]
fn legacy_keys_are_direct_children_of_the_base() {
    let base = Xpriv::new_master(NetworkKind::Test, &[1; 32]).unwrap();
    let keys = WalletKeys::Legacy {
        base: Xpub::from_priv(secp(), &base),
    };
    let child: DerivationPath = "7".parse().unwrap();
    let expected = base.derive_priv(secp(), &child).unwrap().private_key;
    assert_eq!(keys.public_key(7).unwrap(), public_key(&expected));
    assert!(keys.public_key(1 << 31).is_err());
}

#[test]
fn scripts_up_to_the_look_ahead_are_known_and_use_extends_it() {
    let mut scripts = ScriptIndex::new(keys(), 0).unwrap();
    let script = |index| keys().script_pubkey(AddressKind::P2wpkh, index).unwrap();
    assert_eq!(scripts.find(&script(50)), Some((AddressKind::P2wpkh, 50)));
    assert_eq!(scripts.find(&script(51)), None);
    assert_eq!(scripts.give_out().unwrap(), 1);
    assert!(scripts.find(&script(51)).is_some());
    assert!(scripts.mark_used(40).unwrap());
    assert!(!scripts.mark_used(40).unwrap());
    assert!(scripts.find(&script(90)).is_some());
}

#[test]
fn coins_come_and_go_with_blocks_and_a_reorg_brings_them_back() {
    let scripts = ScriptIndex::new(keys(), 1).unwrap();
    let mut coins = Coins::default();
    let ours = keys().script_pubkey(AddressKind::P2tr, 1).unwrap();
    let tx = paying(vec![(5000, ScriptBuf::new()), (7000, ours)]);
    let outpoint = OutPoint::new(tx.compute_txid(), 1);

    let changes = coins.on_transaction(&tx, None, &scripts);
    assert_eq!(changes.received.len(), 1);
    let tip = BlockHeight(100);
    assert_eq!(
        coins.get(&outpoint).unwrap().status(tip),
        Status::Unconfirmed
    );
    coins.on_transaction(&tx, Some(BlockHeight(100)), &scripts);
    assert_eq!(coins.get(&outpoint).unwrap().status(tip), Status::Confirmed);

    let mut spend = paying(vec![]);
    spend.input[0].previous_output = outpoint;
    let changes = coins.on_transaction(&spend, Some(BlockHeight(101)), &scripts);
    assert_eq!(changes.spent.len(), 1);
    assert!(coins.spendable(BlockHeight(101)).is_empty());

    coins.on_reorg(BlockHeight(101));
    assert_eq!(coins.spendable(tip).len(), 1);
    coins.on_reorg(BlockHeight(100));
    assert_eq!(
        coins.get(&outpoint).unwrap().status(BlockHeight(99)),
        Status::Unconfirmed
    );
}

#[test]
fn reservations_add_up_and_run_out() {
    let mut coin = coin(0, AddressKind::P2tr, 1);
    let tip = BlockHeight(100);
    coin.reserve(tip, 72);
    coin.reserve(tip, 72);
    assert_eq!(coin.reserved_until, Some(BlockHeight(244)));
    assert!(coin.is_reserved(BlockHeight(243)) && !coin.is_reserved(BlockHeight(244)));
    coin.unreserve(tip, 72);
    assert_eq!(coin.reserved_until, Some(BlockHeight(172)));
    coin.unreserve(tip, 72);
    assert_eq!(coin.reserved_until, None);
}

#[test]
fn coinbase_and_close_outputs_wait() {
    let mut coinbase = coin(0, AddressKind::P2tr, 1);
    coinbase.is_coinbase = true;
    coinbase.height = Some(BlockHeight(100));
    assert!(!coinbase.is_mature(BlockHeight(198)) && coinbase.is_mature(BlockHeight(199)));
    let mut close = close_coin(1);
    close.height = None;
    assert!(!close.is_mature(BlockHeight(100)));
    close.height = Some(BlockHeight(100));
    assert!(close.is_mature(BlockHeight(100)));
    assert_eq!(close.sequence().0, 1);
}

fn coin(vout: u32, kind: AddressKind, key_index: u32) -> Utxo {
    Utxo {
        outpoint: OutPoint::new(Txid::all_zeros(), vout),
        value: Sat::from_sat(100_000),
        script_pubkey: keys().script_pubkey(kind, key_index).unwrap(),
        origin: Origin::Wallet { kind, key_index },
        height: Some(BlockHeight(90)),
        spent_height: None,
        reserved_until: None,
        is_coinbase: false,
    }
}

fn to_remote_script() -> ScriptBuf {
    let key = public_key(&secret(99)).serialize();
    let hex = bitcoin::hex::DisplayHex::to_lower_hex_string(&key[..]);
    ScriptBuf::from_hex(&format!("21{hex}ad51b2")).unwrap()
}

fn close_coin(vout: u32) -> Utxo {
    let peer = NodeId::from(public_key(&secret(50)));
    Utxo {
        script_pubkey: to_remote_script().to_p2wsh(),
        origin: Origin::Close(CloseInfo {
            channel_dbid: 1,
            peer_id: peer,
            commitment_point: None,
            has_anchors: true,
            csv: 1,
        }),
        ..coin(vout, AddressKind::P2wpkh, 0)
    }
}

fn sign(psbt: &mut Psbt) {
    let spent: Vec<TxOut> = psbt
        .inputs
        .iter()
        .map(|input| input.witness_utxo.clone().unwrap())
        .collect();
    let tx = psbt.unsigned_tx.clone();
    let mut cache = SighashCache::new(&tx);
    for (index, output) in spent.iter().enumerate() {
        let input = &mut psbt.inputs[index];
        let key_index = u32::try_from(index).unwrap() + 1;
        let script = &output.script_pubkey;
        if script.is_p2tr() {
            let all = Prevouts::All(&spent);
            let sighash = cache
                .taproot_key_spend_signature_hash(index, &all, TapSighashType::Default)
                .unwrap();
            let pair = Keypair::from_secret_key(secp(), &secret(key_index));
            let pair = pair.tap_tweak(secp(), None).to_keypair();
            let message = Message::from_digest(sighash.to_byte_array());
            input.tap_key_sig = Some(bitcoin::taproot::Signature {
                signature: secp().sign_schnorr_no_aux_rand(&message, &pair),
                sighash_type: TapSighashType::Default,
            });
            continue;
        }
        let all = EcdsaSighashType::All;
        let (secret, sighash) = if script.is_p2wsh() {
            let script = to_remote_script();
            let sighash = cache.p2wsh_signature_hash(index, &script, output.value, all);
            input.witness_script = Some(script);
            (secret(99), sighash.unwrap())
        } else {
            let program = input.redeem_script.clone().unwrap_or(script.clone());
            let sighash = cache.p2wpkh_signature_hash(index, &program, output.value, all);
            (secret(key_index), sighash.unwrap())
        };
        let message = Message::from_digest(sighash.to_byte_array());
        let signature =
            bitcoin::ecdsa::Signature::sighash_all(secp().sign_ecdsa(&message, &secret));
        input
            .partial_sigs
            .insert(bitcoin::PublicKey::new(public_key(&secret)), signature);
    }
}

#[test]
fn a_psbt_of_every_kind_of_coin_becomes_a_valid_transaction() {
    let coins = [
        coin(0, AddressKind::P2wpkh, 1),
        coin(1, AddressKind::P2tr, 2),
        coin(2, AddressKind::P2shP2wpkh, 3),
        close_coin(3),
    ];
    let outputs = vec![TxOut {
        value: bitcoin::Amount::from_sat(390_000),
        script_pubkey: keys().script_pubkey(AddressKind::P2tr, 4).unwrap(),
    }];
    let wrapped = |index| keys().public_key(index).ok();
    let mut psbt = build_psbt(&coins, outputs, BlockHeight(100), |_| None, wrapped);
    assert_eq!(psbt_fee(&psbt).unwrap(), Sat::from_sat(10_000));
    assert!(matches!(
        extract(&psbt),
        Err(PsbtError::NotSigned { index: 0 })
    ));
    sign(&mut psbt);
    finalize(&mut psbt).unwrap();
    let tx = extract(&psbt).unwrap();
    let raw = bitcoin::consensus::serialize(&tx);
    let spent: Vec<bitcoinconsensus::Utxo> = coins
        .iter()
        .map(|coin| bitcoinconsensus::Utxo {
            script_pubkey: coin.script_pubkey.as_bytes().as_ptr(),
            script_pubkey_len: u32::try_from(coin.script_pubkey.len()).unwrap(),
            value: i64::try_from(coin.value.as_sat()).unwrap(),
        })
        .collect();
    for (index, coin) in coins.iter().enumerate() {
        bitcoinconsensus::verify(
            coin.script_pubkey.as_bytes(),
            coin.value.as_sat(),
            &raw,
            Some(&spent),
            index,
        )
        .unwrap();
    }
    let expected = ln_wallet::weight::core_weight(4, 1)
        + ln_wallet::weight::output_weight(&tx.output[0].script_pubkey)
        + coins
            .iter()
            .map(|coin| ln_wallet::weight::input_weight(coin, 0))
            .sum::<u64>();
    assert!(tx.weight().to_wu().abs_diff(expected) <= 3);
}

#[test]
fn a_psbt_that_lies_about_its_inputs_is_refused() {
    let coins = [coin(0, AddressKind::P2wpkh, 1)];
    let other = paying(vec![(
        1,
        script_of(AddressKind::P2tr, &public_key(&secret(1))),
    )]);
    let psbt = build_psbt(
        &coins,
        vec![],
        BlockHeight(100),
        |_| Some(other.clone()),
        |_| None,
    );
    assert!(matches!(
        psbt_fee(&psbt),
        Err(PsbtError::WrongTransaction { index: 0 })
    ));
    let twice = [coins[0].clone(), coins[0].clone()];
    let psbt = build_psbt(&twice, vec![], BlockHeight(100), |_| None, |_| None);
    assert!(matches!(psbt_fee(&psbt), Err(PsbtError::SpentTwice(_))));
}

//! Wallet inputs, judged by Bitcoin Core's script interpreter (segwit) or by their output key (taproot).
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests on fixed values"
)]

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::Message;
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, NetworkKind, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
};
use ln_keys::{ForcedKeys, HsmSecret, NodeKeys, mnemonic_file, public_key, secp};
use ln_signer::{CloseInfo, NodeSigner, SignerError, WalletCoin};
use ln_tx::script::{anchor_script, p2wpkh, to_remote_script};
use ln_types::Sat;

const MNEMONIC: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn nodes() -> [NodeSigner; 2] {
    let plain = HsmSecret::parse(&[1; 32], None).unwrap();
    let words = HsmSecret::parse(&mnemonic_file(MNEMONIC, None).unwrap(), None).unwrap();
    [plain, words].map(|secret| {
        NodeSigner::new(NodeKeys::new(
            &secret,
            NetworkKind::Test,
            ForcedKeys::default(),
        ))
    })
}

fn coin(vout: u32, script_pubkey: ScriptBuf, key_index: u32) -> WalletCoin {
    WalletCoin {
        outpoint: OutPoint {
            txid: Txid::from_byte_array([3; 32]),
            vout,
        },
        amount: Sat::from_sat(10_000 + u64::from(vout)),
        key_index,
        script_pubkey,
        close_info: None,
    }
}

/// A PSBT that spends all coins; those in `known` tell their outputs.
fn psbt(coins: &[WalletCoin]) -> Psbt {
    let tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: coins
            .iter()
            .map(|coin| TxIn {
                previous_output: coin.outpoint,
                sequence: Sequence::from_consensus(1),
                ..TxIn::default()
            })
            .collect(),
        output: vec![TxOut {
            value: Amount::from_sat(5000),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
        }],
    };
    let mut psbt = Psbt::from_unsigned_tx(tx).unwrap();
    for (input, coin) in psbt.inputs.iter_mut().zip(coins) {
        input.witness_utxo = Some(TxOut {
            value: coin.amount.into(),
            script_pubkey: coin.script_pubkey.clone(),
        });
    }
    psbt
}

/// Puts the one ECDSA signature of each input and what else it needs into the witness.
fn consensus(psbt: &Psbt, index: usize) {
    let input = &psbt.inputs[index];
    let (key, signature) = input.partial_sigs.first_key_value().unwrap();
    let signature = signature.to_vec();
    assert!(signature.len() <= 71);
    let mut tx = psbt.unsigned_tx.clone();
    let mut witness = Witness::new();
    witness.push(&signature);
    match &input.witness_script {
        Some(script) => witness.push(script.as_bytes()),
        None => witness.push(key.to_bytes()),
    }
    if let Some(redeem) = &input.redeem_script {
        tx.input[index].script_sig = bitcoin::script::Builder::new()
            .push_slice(<&bitcoin::script::PushBytes>::try_from(redeem.as_bytes()).unwrap())
            .into_script();
    }
    tx.input[index].witness = witness;
    let raw = bitcoin::consensus::serialize(&tx);
    let output = input.witness_utxo.as_ref().unwrap();
    bitcoinconsensus::verify(
        output.script_pubkey.as_bytes(),
        output.value.to_sat(),
        &raw,
        None,
        index,
    )
    .unwrap();
}

#[test]
fn every_kind_of_address_can_be_spent() {
    for node in nodes() {
        let key = |index| public_key(&node.keys().wallet_secret(index).unwrap());
        let (internal, _) = key(4).x_only_public_key();
        let coins = [
            coin(0, p2wpkh(&key(2)), 2),
            coin(1, p2wpkh(&key(3)).to_p2sh(), 3),
            coin(2, ScriptBuf::new_p2tr(secp(), internal, None), 4),
        ];
        let mut psbt = psbt(&coins);
        let mut unknown = coin(9, p2wpkh(&key(2)), 2);
        unknown.key_index = 8;
        node.sign_coins(&mut psbt, &[coins.to_vec(), vec![unknown]].concat())
            .unwrap();
        consensus(&psbt, 0);
        consensus(&psbt, 1);

        let spent: Vec<TxOut> = psbt
            .inputs
            .iter()
            .map(|input| input.witness_utxo.clone().unwrap())
            .collect();
        let digest = SighashCache::new(&psbt.unsigned_tx)
            .taproot_key_spend_signature_hash(2, &Prevouts::All(&spent), TapSighashType::Default)
            .unwrap();
        let output_key =
            bitcoin::XOnlyPublicKey::from_slice(&coins[2].script_pubkey.as_bytes()[2..]).unwrap();
        let signature = psbt.inputs[2].tap_key_sig.unwrap();
        assert_eq!(signature.to_vec().len(), 64);
        let digest = Message::from_digest(digest.to_byte_array());
        secp()
            .verify_schnorr(&signature.signature, &digest, &output_key)
            .unwrap();
    }
}

#[test]
fn an_output_of_a_peers_commitment_can_be_spent() {
    let [node, _] = nodes();
    let peer = node.keys().node_id();
    let channel = node.channel(&peer, 7);
    let key = channel.basepoints().payment;
    let mut with_anchors = coin(0, to_remote_script(&key).to_p2wsh(), 0);
    with_anchors.close_info = Some(CloseInfo {
        channel_dbid: 7,
        peer_id: peer,
        commitment_point: None,
        option_anchors: true,
        csv: 1,
    });
    let mut without = coin(1, p2wpkh(&key), 0);
    without.close_info = Some(CloseInfo {
        option_anchors: false,
        ..with_anchors.close_info.clone().unwrap()
    });
    assert_eq!(
        node.close_script(without.close_info.as_ref().unwrap()),
        without.script_pubkey
    );
    let coins = [with_anchors, without];
    let mut psbt = psbt(&coins);
    node.sign_coins(&mut psbt, &coins).unwrap();
    consensus(&psbt, 0);
    consensus(&psbt, 1);
}

#[test]
fn an_anchor_is_signed_with_the_coins_that_pay_for_it() {
    let [node, _] = nodes();
    let channel = node.channel(&node.keys().node_id(), 7);
    let funding = channel.basepoints().funding;
    let script = anchor_script(&funding);
    let wallet_key = public_key(&node.keys().wallet_secret(1).unwrap());
    let coins = [
        coin(0, p2wpkh(&wallet_key), 1),
        coin(1, script.to_p2wsh(), 0),
    ];
    let mut psbt = psbt(&coins);
    psbt.inputs[1].witness_script = Some(script);
    psbt.inputs[1]
        .bip32_derivation
        .insert(funding, Default::default());
    node.sign_coins(&mut psbt, &coins[..1]).unwrap();
    node.sign_anchor(&mut psbt, &channel).unwrap();
    consensus(&psbt, 0);
    consensus(&psbt, 1);
}

#[test]
fn nonsense_is_refused() {
    let [node, _] = nodes();
    let mut strange = coin(0, ScriptBuf::from_bytes(vec![0x51]), 1);
    let coins = [strange.clone()];
    assert!(matches!(
        node.sign_coins(&mut psbt(&coins), &coins),
        Err(SignerError::Unsignable { index: 0, .. })
    ));
    // A transaction that is not, or lacks, what is spent.
    let mut lying = psbt(&coins);
    lying.inputs[0].witness_utxo = None;
    lying.inputs[0].non_witness_utxo = Some(Transaction {
        output: vec![],
        ..lying.unsigned_tx.clone()
    });
    assert!(matches!(
        node.sign_coins(&mut lying, &coins),
        Err(SignerError::UnknownSpent { index: 0 })
    ));
    let before = lying.inputs[0]
        .non_witness_utxo
        .as_ref()
        .unwrap()
        .compute_txid();
    lying.unsigned_tx.input[0].previous_output.txid = before;
    let mut coin = strange.clone();
    coin.outpoint.txid = before;
    assert!(matches!(
        node.sign_coins(&mut lying, &[coin]),
        Err(SignerError::UnknownSpent { index: 0 })
    ));
    strange.key_index = u32::MAX;
    assert!(matches!(
        node.sign_coins(&mut psbt(&coins), &[strange]),
        Err(SignerError::Key(_))
    ));
}

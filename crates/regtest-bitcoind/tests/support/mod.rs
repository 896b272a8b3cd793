//! Coins with keys of the test's own, and transactions that spend them.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::as_conversions,
    reason = "each test file uses a part of it"
)]

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash;
use bitcoin::key::TapTweak;
use bitcoin::secp256k1::{Keypair, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{
    Address, Amount, CompressedPublicKey, Network, OutPoint, ScriptBuf, Sequence, Transaction,
    TxIn, TxOut, Txid, Witness, ecdsa,
};
use regtest_bitcoind::harness::RegtestChain;
use serde_json::{Value, json};

/// What unlocks a coin.
#[derive(Debug, Clone)]
pub enum Lock {
    /// Pay to witness public key hash.
    Key(u8),
    /// Pay to taproot, key path.
    Taproot(u8),
    /// Pay to witness script hash: the script, and what its witness holds before it.
    Script(ScriptBuf, Vec<Vec<u8>>),
    /// Pay to anchor.
    Anchor,
}

#[derive(Debug, Clone)]
pub struct Coin {
    pub outpoint: OutPoint,
    pub value: u64,
    pub lock: Lock,
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_slice(&[seed; 32]).expect("a repeated byte is a valid key")
}

fn public(seed: u8) -> CompressedPublicKey {
    CompressedPublicKey(secret(seed).public_key(&Secp256k1::new()))
}

fn keypair(seed: u8) -> Keypair {
    Keypair::from_secret_key(&Secp256k1::new(), &secret(seed))
}

impl Lock {
    pub fn script_pubkey(&self) -> ScriptBuf {
        match self {
            Self::Key(seed) => ScriptBuf::new_p2wpkh(&public(*seed).wpubkey_hash()),
            Self::Taproot(seed) => {
                let key = keypair(*seed).x_only_public_key().0;
                ScriptBuf::new_p2tr(&Secp256k1::new(), key, None)
            }
            Self::Script(script, _) => script.to_p2wsh(),
            Self::Anchor => ScriptBuf::from_bytes(vec![0x51, 0x02, 0x4e, 0x73]),
        }
    }

    pub fn address(&self) -> String {
        Address::from_script(&self.script_pubkey(), Network::Regtest)
            .unwrap()
            .to_string()
    }
}

/// A chain of 101 blocks, so that the wallet has one coinbase to spend.
/// Fees to relay as until version 29; since 30 a tenth is enough.
pub const RELAY_FEES: [&str; 2] = ["-minrelaytxfee=0.00001", "-incrementalrelayfee=0.00001"];

pub fn chain() -> RegtestChain {
    let chain = RegtestChain::start_with(&RELAY_FEES).unwrap();
    chain.mine(101);
    chain
}

/// How the reason begins why a script keeps its transaction out of the mempool. `until_29` is how versions before 30 said it, ours among
/// them.
pub fn script_reason(chain: &RegtestChain, until_29: &str, detail: &str) -> String {
    if chain.version() < 300_000 {
        format!("{until_29} ({detail}")
    } else {
        format!("mempool-script-verify-flag-failed ({detail}")
    }
}

/// Amount in bitcoin, as RPC wants it.
pub fn btc(sats: u64) -> String {
    format!("{}.{:08}", sats / 100_000_000, sats % 100_000_000)
}

/// Sends to a lock from the wallet and mines it.
pub fn fund(chain: &RegtestChain, lock: Lock, value: u64) -> Coin {
    let coin = fund_unconfirmed(chain, lock, value);
    chain.mine(1);
    coin
}

pub fn fund_unconfirmed(chain: &RegtestChain, lock: Lock, value: u64) -> Coin {
    let txid = chain.send(&lock.address(), &btc(value));
    let tx = chain.call("getrawtransaction", json!([txid, true]));
    let script = lock.script_pubkey().to_hex_string();
    let outputs = tx["vout"].as_array().unwrap();
    let vout = outputs
        .iter()
        .position(|out| out["scriptPubKey"]["hex"] == script.as_str());
    let vout = u32::try_from(vout.unwrap()).unwrap();
    Coin {
        outpoint: OutPoint {
            txid: txid.parse().unwrap(),
            vout,
        },
        value,
        lock,
    }
}

/// A transaction being made.
#[derive(Debug, Clone)]
pub struct Spend {
    pub coins: Vec<Coin>,
    pub tx: Transaction,
}

impl Spend {
    pub fn new(coins: &[&Coin]) -> Self {
        let input = coins
            .iter()
            .map(|coin| TxIn {
                previous_output: coin.outpoint,
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                ..TxIn::default()
            })
            .collect();
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input,
            output: Vec::new(),
        };
        Self {
            coins: coins.iter().map(|coin| (*coin).clone()).collect(),
            tx,
        }
    }

    pub fn version(mut self, version: i32) -> Self {
        self.tx.version = Version(version);
        self
    }

    pub fn sequence(mut self, sequence: u32) -> Self {
        for input in &mut self.tx.input {
            input.sequence = Sequence(sequence);
        }
        self
    }

    pub fn lock_time(mut self, lock: u32) -> Self {
        self.tx.lock_time = LockTime::from_consensus(lock);
        self
    }

    pub fn pay(mut self, lock: &Lock, value: u64) -> Self {
        let script_pubkey = lock.script_pubkey();
        self.tx.output.push(TxOut {
            value: Amount::from_sat(value),
            script_pubkey,
        });
        self
    }

    /// Pays the rest but the fee.
    pub fn pay_rest(self, lock: &Lock, fee: u64) -> Self {
        let total: u64 = self.coins.iter().map(|coin| coin.value).sum();
        let paid: u64 = self
            .tx
            .output
            .iter()
            .map(|output| output.value.to_sat())
            .sum();
        self.pay(lock, total - paid - fee)
    }

    fn spent(&self) -> Vec<TxOut> {
        self.coins
            .iter()
            .map(|coin| TxOut {
                value: Amount::from_sat(coin.value),
                script_pubkey: coin.lock.script_pubkey(),
            })
            .collect()
    }

    pub fn sign(mut self) -> Self {
        let spent = self.spent();
        let unsigned = self.tx.clone();
        let secp = Secp256k1::new();
        for (index, coin) in self.coins.iter().enumerate() {
            let mut cache = SighashCache::new(&unsigned);
            self.tx.input[index].witness = match &coin.lock {
                Lock::Key(seed) => {
                    let hash = cache
                        .p2wpkh_signature_hash(
                            index,
                            &spent[index].script_pubkey,
                            spent[index].value,
                            EcdsaSighashType::All,
                        )
                        .unwrap();
                    let message = Message::from_digest(hash.to_byte_array());
                    let signature = ecdsa::Signature {
                        signature: secp.sign_ecdsa_low_r(&message, &secret(*seed)),
                        sighash_type: EcdsaSighashType::All,
                    };
                    Witness::p2wpkh(&signature, &public(*seed).0)
                }
                Lock::Taproot(seed) => {
                    let hash = cache
                        .taproot_key_spend_signature_hash(
                            index,
                            &Prevouts::All(&spent),
                            TapSighashType::Default,
                        )
                        .unwrap();
                    let message = Message::from_digest(hash.to_byte_array());
                    let pair = keypair(*seed).tap_tweak(&secp, None).to_keypair();
                    Witness::from_slice(&[secp.sign_schnorr_no_aux_rand(&message, &pair).as_ref()])
                }
                Lock::Script(script, items) => {
                    let mut items = items.clone();
                    items.push(script.to_bytes());
                    Witness::from_slice(&items)
                }
                Lock::Anchor => Witness::new(),
            };
        }
        self
    }

    pub fn txid(&self) -> Txid {
        self.tx.compute_txid()
    }

    pub fn hex(&self) -> String {
        serialize_hex(&self.tx)
    }

    /// The coin that output `vout` makes, unlocked by `lock`.
    pub fn coin(&self, vout: u32, lock: Lock) -> Coin {
        let value = self.tx.output[vout as usize].value.to_sat();
        Coin {
            outpoint: OutPoint {
                txid: self.txid(),
                vout,
            },
            value,
            lock,
        }
    }

    pub fn send(&self, chain: &RegtestChain) -> String {
        let txid = chain.call("sendrawtransaction", json!([self.hex()]));
        assert_eq!(txid, self.txid().to_string());
        self.txid().to_string()
    }

    /// Sends and expects a refusal: code and message.
    pub fn refused(&self, chain: &RegtestChain) -> (i64, String) {
        chain.call_err("sendrawtransaction", json!([self.hex()]))
    }

    /// What `testmempoolaccept` says.
    pub fn tested(&self, chain: &RegtestChain) -> Value {
        chain.call("testmempoolaccept", json!([[self.hex()]]))[0].clone()
    }
}

pub fn submit_package(chain: &RegtestChain, package: &[&Spend]) -> Value {
    let package: Vec<String> = package.iter().map(|spend| spend.hex()).collect();
    chain.call("submitpackage", json!([package]))
}

pub fn tip(chain: &RegtestChain) -> String {
    chain
        .call("getbestblockhash", json!([]))
        .as_str()
        .unwrap()
        .to_owned()
}

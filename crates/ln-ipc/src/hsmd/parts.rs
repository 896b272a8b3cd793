//! The values hsmd's messages are made of.

use std::fmt;

use bitcoin::bip32::Xpub;
use bitcoin::hashes::Hash;
use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::{PublicKey, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::{BlockHash, NetworkKind, OutPoint, ScriptBuf, Transaction, TxOut};
use ln_codec::{Decode, DecodeError, Encode, LongBytes, Reader, WireString};
use ln_keys::Basepoints;
use ln_types::{CltvExpiry, Msat, Network, NodeId, PaymentHash, Sat, Side};
use zeroize::Zeroize;

/// 32 secret bytes: wiped when dropped, not shown in logs.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Secret(
    /// The bytes.
    pub [u8; 32],
);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A passphrase as the user typed it: wiped when dropped, not shown in logs.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Passphrase(
    /// The text.
    pub WireString,
);

impl Passphrase {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Self {
        Self(WireString(text.to_owned()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Drop for Passphrase {
    fn drop(&mut self) {
        self.0.0.zeroize();
    }
}

/// The version bytes of extended keys, public then private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Bip32KeyVersion {
    /// Of public keys (`xpub`, `tpub`).
    pub public: u32,
    /// Of private keys (`xprv`, `tprv`).
    pub private: u32,
}

impl Bip32KeyVersion {
    const MAIN: Self = Self {
        public: 0x0488_b21e,
        private: 0x0488_ade4,
    };
    const TEST: Self = Self {
        public: 0x0435_87cf,
        private: 0x0435_8394,
    };

    /// Whether keys are printed for the main chain or a test chain; `None` for other bytes.
    pub fn network_kind(self) -> Option<NetworkKind> {
        match self {
            Self::MAIN => Some(NetworkKind::Main),
            Self::TEST => Some(NetworkKind::Test),
            _ => None,
        }
    }
}

impl From<Network> for Bip32KeyVersion {
    fn from(network: Network) -> Self {
        if network.is_test() {
            Self::TEST
        } else {
            Self::MAIN
        }
    }
}

/// The chain, named by its genesis block's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainParams(
    /// The chain.
    pub Network,
);

impl Encode for ChainParams {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.chain_hash().encode(out);
    }
}

impl Decode for ChainParams {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let hash = BlockHash::decode(reader)?;
        Network::from_chain_hash(hash.to_byte_array())
            .map(Self)
            .ok_or(DecodeError::Invalid {
                what: "chain: no known genesis block",
            })
    }
}

/// An extended public key in its 78 serialized bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtKey(
    /// The key.
    pub Xpub,
);

impl Encode for ExtKey {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.encode());
    }
}

impl Decode for ExtKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Xpub::decode(reader.take(78)?)
            .map(Self)
            .map_err(|_| DecodeError::Invalid {
                what: "extended public key",
            })
    }
}

/// A channel's basepoints without the funding key, in hsmd's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HsmdBasepoints {
    /// The revocation basepoint.
    pub revocation: PublicKey,
    /// The payment basepoint.
    pub payment: PublicKey,
    /// The HTLC basepoint.
    pub htlc: PublicKey,
    /// The delayed payment basepoint.
    pub delayed_payment: PublicKey,
}

impl HsmdBasepoints {
    /// All five keys.
    pub fn with_funding(self, funding: PublicKey) -> Basepoints {
        Basepoints {
            funding,
            revocation: self.revocation,
            payment: self.payment,
            delayed_payment: self.delayed_payment,
            htlc: self.htlc,
        }
    }
}

impl From<&Basepoints> for HsmdBasepoints {
    fn from(basepoints: &Basepoints) -> Self {
        Self {
            revocation: basepoints.revocation,
            payment: basepoints.payment,
            htlc: basepoints.htlc,
            delayed_payment: basepoints.delayed_payment,
        }
    }
}

/// A partially signed transaction (BIP 174): a `u32` length, then its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WirePsbt(
    /// The transaction.
    pub Psbt,
);

impl Encode for WirePsbt {
    fn encode(&self, out: &mut Vec<u8>) {
        LongBytes(self.0.serialize()).encode(out);
    }
}

impl Decode for WirePsbt {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Psbt::deserialize(&LongBytes::decode(reader)?.0)
            .map(Self)
            .map_err(|_| DecodeError::Invalid { what: "psbt" })
    }
}

/// A transaction with what a signer must know about it: a `u32` length and the transaction, then the same as a PSBT that carries the
/// spent amounts and the scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitcoinTx {
    /// The transaction.
    pub tx: Transaction,
    /// Amounts and scripts.
    pub psbt: Psbt,
}

impl BitcoinTx {
    /// A transaction and the outputs it spends, one for each input.
    pub fn new(tx: Transaction, spent: impl IntoIterator<Item = TxOut>) -> Self {
        let mut unsigned = tx.clone();
        for input in &mut unsigned.input {
            input.script_sig = ScriptBuf::new();
            input.witness.clear();
        }
        let mut psbt =
            Psbt::from_unsigned_tx(unsigned).expect("scripts and witnesses were removed");
        for (input, spent) in psbt.inputs.iter_mut().zip(spent) {
            input.witness_utxo = Some(spent);
        }
        Self { tx, psbt }
    }

    /// Adds the witness scripts of the spent outputs.
    #[must_use]
    pub fn with_input_scripts(
        mut self,
        scripts: impl IntoIterator<Item = Option<ScriptBuf>>,
    ) -> Self {
        for (input, script) in self.psbt.inputs.iter_mut().zip(scripts) {
            input.witness_script = script;
        }
        self
    }

    /// Adds the witness scripts of the outputs, which validating signers want to see of commitments.
    #[must_use]
    pub fn with_output_scripts(
        mut self,
        scripts: impl IntoIterator<Item = Option<ScriptBuf>>,
    ) -> Self {
        for (output, script) in self.psbt.outputs.iter_mut().zip(scripts) {
            output.witness_script = script;
        }
        self
    }

    /// The output that input `index` spends, if the PSBT tells.
    pub fn spent_output(&self, index: usize) -> Option<&TxOut> {
        let input = self.psbt.inputs.get(index)?;
        if let Some(output) = &input.witness_utxo {
            return Some(output);
        }
        let outpoint = self.tx.input.get(index)?.previous_output;
        let before = input.non_witness_utxo.as_ref()?;
        (before.compute_txid() == outpoint.txid)
            .then(|| before.output.get(usize::try_from(outpoint.vout).ok()?))
            .flatten()
    }
}

impl Encode for BitcoinTx {
    fn encode(&self, out: &mut Vec<u8>) {
        self.tx.encode(out);
        LongBytes(self.psbt.serialize()).encode(out);
    }
}

impl Decode for BitcoinTx {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tx = Transaction::decode(reader)?;
        let WirePsbt(psbt) = WirePsbt::decode(reader)?;
        if psbt.inputs.len() != tx.input.len() {
            return Err(DecodeError::Invalid {
                what: "psbt: it is not of the transaction before it",
            });
        }
        Ok(Self { tx, psbt })
    }
}

/// An ECDSA signature and what it covers: everything, or one input and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitcoinSignature {
    /// The signature.
    pub signature: ecdsa::Signature,
    /// What it covers.
    pub sighash: EcdsaSighashType,
}

impl Encode for BitcoinSignature {
    fn encode(&self, out: &mut Vec<u8>) {
        self.signature.encode(out);
        u8::try_from(self.sighash.to_u32())
            .expect("sighash types are bytes")
            .encode(out);
    }
}

impl Decode for BitcoinSignature {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let signature = ecdsa::Signature::decode(reader)?;
        let sighash = match u8::decode(reader)? {
            0x01 => EcdsaSighashType::All,
            0x83 => EcdsaSighashType::SinglePlusAnyoneCanPay,
            _ => {
                return Err(DecodeError::Invalid {
                    what: "sighash type",
                });
            }
        };
        Ok(Self { signature, sighash })
    }
}

/// A signature from which the signer's key can be recovered: 64 bytes, then the recovery id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverableSignature(
    /// The signature.
    pub ecdsa::RecoverableSignature,
);

impl Encode for RecoverableSignature {
    fn encode(&self, out: &mut Vec<u8>) {
        let (id, bytes) = self.0.serialize_compact();
        bytes.encode(out);
        u8::try_from(id.to_i32())
            .expect("recovery ids are 0 to 3")
            .encode(out);
    }
}

impl Decode for RecoverableSignature {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes: [u8; 64] = reader.array()?;
        let id = i32::from(u8::decode(reader)?);
        ecdsa::RecoveryId::from_i32(id)
            .and_then(|id| ecdsa::RecoverableSignature::from_compact(&bytes, id))
            .map(Self)
            .map_err(|_| DecodeError::Invalid {
                what: "recoverable signature",
            })
    }
}

/// An HTLC of a commitment, for signers that check what they sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HsmHtlc {
    /// Who offered it.
    pub side: Side,
    /// How much.
    pub amount: Msat,
    /// To what hash.
    pub payment_hash: PaymentHash,
    /// Until when.
    pub cltv_expiry: CltvExpiry,
}

/// A coin of the wallet's, with what is needed to find its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HsmUtxo {
    /// Where it is.
    pub outpoint: OutPoint,
    /// How much.
    pub amount: Sat,
    /// Its address's index.
    pub key_index: u32,
    /// Its script.
    pub script_pubkey: ScriptBuf,
    /// For an output that a peer's commitment pays us.
    pub close_info: Option<CloseInfo>,
}

/// Where the key of a peer's commitment's output to us comes from.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CloseInfo {
    /// The channel's database id.
    pub channel_dbid: u64,
    /// The peer.
    pub peer_id: NodeId,
    /// Set for channels older than option_static_remotekey.
    pub commitment_point: Option<PublicKey>,
    /// Whether the output has the script of option_anchors.
    pub option_anchors: bool,
    /// Blocks it must be deep before it can be spent.
    pub csv: u32,
}

/// Two bytes of the form have lost their meaning: they are written as zero and not read.
impl Encode for HsmUtxo {
    fn encode(&self, out: &mut Vec<u8>) {
        self.outpoint.encode(out);
        self.amount.encode(out);
        self.key_index.encode(out);
        false.encode(out);
        self.script_pubkey.encode(out);
        self.close_info.encode(out);
        false.encode(out);
    }
}

impl Decode for HsmUtxo {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let outpoint = OutPoint::decode(reader)?;
        let amount = Sat::decode(reader)?;
        let key_index = u32::decode(reader)?;
        bool::decode(reader)?;
        let script_pubkey = ScriptBuf::decode(reader)?;
        let close_info = Option::decode(reader)?;
        bool::decode(reader)?;
        Ok(Self {
            outpoint,
            amount,
            key_index,
            script_pubkey,
            close_info,
        })
    }
}

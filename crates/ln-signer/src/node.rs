//! What the node's own keys sign.

use bitcoin::hashes::{Hash, HashEngine, sha256, sha256d};
use bitcoin::secp256k1::ecdh::SharedSecret as Ecdh;
use bitcoin::secp256k1::ecdsa::RecoverableSignature;
use bitcoin::secp256k1::{Keypair, Message, PublicKey, SecretKey, ecdsa, schnorr};
use ln_keys::{NodeKeys, secp, sign_message};
use ln_types::NodeId;

use crate::announcement;
use crate::{AnnouncementSignatures, ChannelSigner, SharedSecret, SignerError};

/// The signer of a node, over all its keys.
#[derive(Debug)]
pub struct NodeSigner {
    keys: NodeKeys,
}

impl NodeSigner {
    /// Signs with these keys.
    pub fn new(keys: NodeKeys) -> Self {
        Self { keys }
    }

    /// The keys.
    pub fn keys(&self) -> &NodeKeys {
        &self.keys
    }

    /// The signer of the channel with this peer and database id.
    pub fn channel(&self, peer: &NodeId, dbid: u64) -> ChannelSigner {
        ChannelSigner::new(self.keys.channel(peer, dbid))
    }

    /// The secret the node's key shares with `point`: SHA256 of the compressed product.
    pub fn ecdh(&self, point: &PublicKey) -> SharedSecret {
        SharedSecret(Ecdh::new(point, self.keys.node_secret()).secret_bytes())
    }

    /// Signs a `channel_announcement` of that channel.
    pub fn sign_channel_announcement(
        &self,
        channel: &ChannelSigner,
        message: &[u8],
    ) -> Result<AnnouncementSignatures, SignerError> {
        announcement::sign_channel_announcement(
            message,
            self.keys.node_secret(),
            channel.funding_secret(),
        )
    }

    /// Signs our `node_announcement`.
    pub fn sign_node_announcement(&self, message: &[u8]) -> Result<ecdsa::Signature, SignerError> {
        announcement::sign_node_announcement(message, self.keys.node_secret())
    }

    /// Fills the signature into a `channel_update`.
    pub fn sign_channel_update(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        announcement::sign_channel_update(message, self.keys.node_secret())
    }

    /// Signs an invoice, given its human-readable part and its data in five-bit groups.
    // BOLT 11 §Requirements: the SHA256 of the human-readable part and the data, padded with zero bits to a byte.
    pub fn sign_invoice(&self, hrp: &[u8], groups: &[u8]) -> RecoverableSignature {
        let mut bytes = hrp.to_vec();
        let (mut buffer, mut bits) = (0_u32, 0_u32);
        for group in groups {
            buffer = (buffer << 5 | u32::from(group & 0x1f)) & 0xfff;
            bits = bits.saturating_add(5);
            if let Some(left) = bits.checked_sub(8) {
                bytes.push(u8::try_from(buffer >> left & 0xff).unwrap_or_default());
                bits = left;
            }
        }
        if let Some(padding) = 8_u32.checked_sub(bits).filter(|_| bits > 0) {
            bytes.push(u8::try_from(buffer << padding & 0xff).unwrap_or_default());
        }
        let digest = Message::from_digest(sha256::Hash::hash(&bytes).to_byte_array());
        secp().sign_ecdsa_recoverable(&digest, self.keys.node_secret())
    }

    /// `signmessage`.
    pub fn sign_message(&self, text: &[u8]) -> RecoverableSignature {
        sign_message(self.keys.node_secret(), text)
    }

    /// Signs a text by the key of address `index` (BIP 137).
    pub fn sign_message_with_address(
        &self,
        text: &[u8],
        index: u32,
    ) -> Result<RecoverableSignature, SignerError> {
        let key = self.keys.wallet_secret(index)?;
        let mut engine = sha256d::Hash::engine();
        engine.input(b"\x18Bitcoin Signed Message:\n");
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        engine.input(&bitcoin::consensus::serialize(&bitcoin::VarInt(length)));
        engine.input(text);
        let digest = sha256d::Hash::from_engine(engine).to_byte_array();
        Ok(secp().sign_ecdsa_recoverable(&Message::from_digest(digest), &key))
    }

    /// Signs a BOLT 12 message by the node's key, or by its alias for (`info`, `tweak`) when `tweak` is not empty.
    pub fn sign_bolt12(
        &self,
        message_name: &str,
        field_name: &str,
        merkle_root: &sha256::Hash,
        info: &[u8],
        tweak: &[u8],
    ) -> Result<schnorr::Signature, SignerError> {
        let key = if tweak.is_empty() {
            *self.keys.node_secret()
        } else {
            self.keys.alias_secret(info, tweak)?
        };
        Ok(sign_merkle_root(
            message_name,
            field_name,
            merkle_root,
            &key,
        ))
    }

    /// Signs a BOLT 12 message by the node's key, or by the old payer key for `tweak` when it is not empty.
    pub fn sign_bolt12_as_payer(
        &self,
        message_name: &str,
        field_name: &str,
        merkle_root: &sha256::Hash,
        tweak: &[u8],
    ) -> Result<schnorr::Signature, SignerError> {
        let key = if tweak.is_empty() {
            *self.keys.node_secret()
        } else {
            self.keys.payer_secret(tweak)?
        };
        Ok(sign_merkle_root(
            message_name,
            field_name,
            merkle_root,
            &key,
        ))
    }

    /// Signs the terms of a liquidity lease.
    pub fn sign_will_fund(
        &self,
        funding_pubkey: &PublicKey,
        lease_expiry: u32,
        fee_base_max_msat: u32,
        fee_proportional_max_thousandths: u16,
    ) -> ecdsa::Signature {
        let mut engine = sha256::Hash::engine();
        engine.input(b"option_will_fund");
        engine.input(&funding_pubkey.serialize());
        engine.input(&lease_expiry.to_be_bytes());
        engine.input(&fee_base_max_msat.to_be_bytes());
        engine.input(&fee_proportional_max_thousandths.to_be_bytes());
        let digest = sha256::Hash::from_engine(engine).to_byte_array();
        secp().sign_ecdsa(&Message::from_digest(digest), self.keys.node_secret())
    }
}

// BOLT 12 §Signature Calculation: the root is hashed with the tag "lightning", message name, field name.
fn sign_merkle_root(
    message_name: &str,
    field_name: &str,
    merkle_root: &sha256::Hash,
    key: &SecretKey,
) -> schnorr::Signature {
    let tag = ["lightning", message_name, field_name].concat();
    let tag = sha256::Hash::hash(tag.as_bytes());
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    engine.input(merkle_root.as_byte_array());
    let digest = sha256::Hash::from_engine(engine).to_byte_array();
    let pair = Keypair::from_secret_key(secp(), key);
    secp().sign_schnorr_no_aux_rand(&Message::from_digest(digest), &pair)
}

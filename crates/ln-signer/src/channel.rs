//! What the keys of one channel sign.

use bitcoin::Transaction;
use bitcoin::secp256k1::{PublicKey, SecretKey, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::{Script, ScriptBuf};
use ln_keys::{
    Basepoints, ChannelKeys, PerCommitmentSecret, ShachainIndex, derive_private_key,
    derive_revocation_private_key,
};
use ln_tx::p2wsh_sighash;
use ln_tx::script::funding_script;
use ln_types::{CommitmentNumber, Sat};

use crate::ecdsa::sign_low_r;
use crate::{Revocation, SignerError};

/// One input of a transaction that spends a witness script's output.
#[derive(Debug, Clone, Copy)]
pub struct InputSpend<'a> {
    /// The transaction.
    pub tx: &'a Transaction,
    /// The input.
    pub index: usize,
    /// What the output holds.
    pub amount: Sat,
    /// The output's script.
    pub witness_script: &'a Script,
}

impl InputSpend<'_> {
    fn sign(
        &self,
        key: &SecretKey,
        sighash: EcdsaSighashType,
    ) -> Result<ecdsa::Signature, SignerError> {
        let digest = p2wsh_sighash(
            self.tx,
            self.index,
            self.witness_script,
            self.amount,
            sighash,
        )
        .map_err(|_| SignerError::NoSuchInput {
            index: self.index,
            count: self.tx.input.len(),
        })?;
        Ok(sign_low_r(&digest, key))
    }

    /// For spends of one output of a closed channel: the transaction must have this input only.
    fn only_input(&self) -> Result<(), SignerError> {
        let count = self.tx.input.len();
        if self.index >= count {
            return Err(SignerError::NoSuchInput {
                index: self.index,
                count,
            });
        }
        if count != 1 {
            return Err(SignerError::InputCount { count });
        }
        Ok(())
    }
}

/// How an HTLC output's spend is signed.
// BOLT 3 §HTLC-Timeout and HTLC-Success Transactions: with option_anchors one input and one output are signed.
fn htlc_sighash(option_anchors: bool) -> EcdsaSighashType {
    if option_anchors {
        EcdsaSighashType::SinglePlusAnyoneCanPay
    } else {
        EcdsaSighashType::All
    }
}

/// The signer of one channel, over its keys.
#[derive(Debug, Clone)]
pub struct ChannelSigner {
    keys: ChannelKeys,
    basepoints: Basepoints,
}

impl ChannelSigner {
    /// Signs with these keys.
    pub fn new(keys: ChannelKeys) -> Self {
        Self {
            basepoints: keys.basepoints(),
            keys,
        }
    }

    /// Our public keys.
    pub fn basepoints(&self) -> &Basepoints {
        &self.basepoints
    }

    /// The funding key.
    pub(crate) fn funding_secret(&self) -> &SecretKey {
        &self.keys.secrets.funding
    }

    /// The key of `to_remote` on the peer's commitments; `commitment_point` for channels older than option_static_remotekey.
    // BOLT 3 §`remotepubkey` Derivation: the payment basepoint as it is.
    pub fn to_remote_secret(&self, commitment_point: Option<&PublicKey>) -> SecretKey {
        let payment = &self.keys.secrets.payment;
        match commitment_point {
            None => *payment,
            Some(point) => derive_private_key(payment, point),
        }
    }

    fn in_range(number: CommitmentNumber) -> Result<(), SignerError> {
        ShachainIndex::new(number.0)
            .map(|_| ())
            .ok_or(SignerError::NoSuchCommitment(number))
    }

    /// The point of our commitment `number`.
    pub fn per_commitment_point(&self, number: CommitmentNumber) -> Result<PublicKey, SignerError> {
        Self::in_range(number)?;
        Ok(self.keys.per_commitment_point(number))
    }

    /// The secret that revokes our commitment `number`.
    pub fn per_commitment_secret(
        &self,
        number: CommitmentNumber,
    ) -> Result<PerCommitmentSecret, SignerError> {
        Self::in_range(number)?;
        Ok(self.keys.per_commitment_secret(number))
    }

    /// What `revoke_and_ack` for our commitment `number` carries.
    pub fn revoke(&self, number: CommitmentNumber) -> Result<Revocation, SignerError> {
        Ok(Revocation {
            next_point: self.per_commitment_point(number.next().next())?,
            secret: self.per_commitment_secret(number)?,
        })
    }

    fn funding_script(&self, remote_funding_key: &PublicKey) -> ScriptBuf {
        funding_script(&self.basepoints.funding, remote_funding_key)
    }

    /// Signs input `index`, which spends the funding output: of a closing transaction or a splice.
    pub fn sign_funding_spend(
        &self,
        tx: &Transaction,
        index: usize,
        funding_amount: Sat,
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError> {
        InputSpend {
            tx,
            index,
            amount: funding_amount,
            witness_script: &self.funding_script(remote_funding_key),
        }
        .sign(&self.keys.secrets.funding, EcdsaSighashType::All)
    }

    /// Signs a commitment, ours or the peer's.
    pub fn sign_commitment(
        &self,
        tx: &Transaction,
        funding_amount: Sat,
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError> {
        let count = tx.input.len();
        if count != 1 {
            return Err(SignerError::InputCount { count });
        }
        if tx.output.is_empty() {
            return Err(SignerError::NoOutputs);
        }
        self.sign_funding_spend(tx, 0, funding_amount, remote_funding_key)
    }

    /// Signs an HTLC transaction of the peer's commitment.
    pub fn sign_remote_htlc_tx(
        &self,
        spend: &InputSpend<'_>,
        remote_point: &PublicKey,
        option_anchors: bool,
    ) -> Result<(ecdsa::Signature, EcdsaSighashType), SignerError> {
        let key = self.keys.secrets.htlc_secret(remote_point);
        let sighash = htlc_sighash(option_anchors);
        Ok((spend.sign(&key, sighash)?, sighash))
    }

    /// Signs our spend of an HTLC output of the peer's commitment.
    pub fn sign_remote_htlc_to_us(
        &self,
        spend: &InputSpend<'_>,
        remote_point: &PublicKey,
        option_anchors: bool,
    ) -> Result<(ecdsa::Signature, EcdsaSighashType), SignerError> {
        spend.only_input()?;
        self.sign_remote_htlc_tx(spend, remote_point, option_anchors)
    }

    /// Signs our HTLC transaction of our own commitment `number`.
    pub fn sign_local_htlc_tx(
        &self,
        spend: &InputSpend<'_>,
        number: CommitmentNumber,
        option_anchors: bool,
    ) -> Result<(ecdsa::Signature, EcdsaSighashType), SignerError> {
        spend.only_input()?;
        let point = self.per_commitment_point(number)?;
        let key = self.keys.secrets.htlc_secret(&point);
        let sighash = htlc_sighash(option_anchors);
        Ok((spend.sign(&key, sighash)?, sighash))
    }

    /// Signs the spend of a delayed output of our own commitment `number`.
    pub fn sign_delayed_payment_to_us(
        &self,
        spend: &InputSpend<'_>,
        number: CommitmentNumber,
    ) -> Result<ecdsa::Signature, SignerError> {
        spend.only_input()?;
        let point = self.per_commitment_point(number)?;
        let key = self.keys.secrets.delayed_payment_secret(&point);
        spend.sign(&key, EcdsaSighashType::All)
    }

    /// Signs the spend of an output of a commitment that the peer had revoked with `revocation_secret`.
    pub fn sign_penalty_to_us(
        &self,
        spend: &InputSpend<'_>,
        revocation_secret: &SecretKey,
    ) -> Result<ecdsa::Signature, SignerError> {
        spend.only_input()?;
        let key = derive_revocation_private_key(&self.keys.secrets.revocation, revocation_secret);
        spend.sign(&key, EcdsaSighashType::All)
    }
}

//! A signer in the same process, for tests and for programs without hsmd.

use std::sync::Arc;

use bitcoin::secp256k1::{PublicKey, ecdsa};
use bitcoin::{NetworkKind, Transaction, TxOut};
use ln_keys::{Basepoints, ForcedKeys, HsmSecret, NodeKeys, PerCommitmentSecret};
use ln_tx::{CommitmentSignatures, CommitmentTx, Verified};
use ln_types::{CommitmentNumber, NodeId, Sat};

use crate::{
    AnnouncementSignatures, ChannelSetup, ChannelSigner, InputSpend, NodeSigner, Revocation,
    SharedSecret, Signer, SignerError,
};

/// The signer of one channel, with its keys in memory.
#[derive(Debug, Clone)]
pub struct InMemorySigner {
    node: Arc<NodeSigner>,
    channel: ChannelSigner,
}

impl InMemorySigner {
    /// The signer of the channel with this peer and database id.
    pub fn new(node: Arc<NodeSigner>, peer: &NodeId, dbid: u64) -> Self {
        Self {
            channel: node.channel(peer, dbid),
            node,
        }
    }

    /// A node and a channel whose keys all come from one byte: for tests.
    pub fn from_byte(byte: u8) -> Self {
        let secret = HsmSecret::parse(&[byte; 32], None).expect("32 bytes are a plain secret");
        let keys = NodeKeys::new(&secret, NetworkKind::Test, ForcedKeys::default());
        let peer = keys.node_id();
        Self::new(Arc::new(NodeSigner::new(keys)), &peer, 1)
    }

    /// The node's signer.
    pub fn node(&self) -> &NodeSigner {
        &self.node
    }

    /// The channel's signer, which signs what lightningd and onchaind ask for, too.
    pub fn channel(&self) -> &ChannelSigner {
        &self.channel
    }

    /// Signs our own commitment, to broadcast it.
    pub fn sign_commitment(
        &self,
        commitment: &CommitmentTx,
    ) -> Result<ecdsa::Signature, SignerError> {
        let params = commitment.params();
        self.channel.sign_commitment(
            commitment.unsigned(),
            params.funding_amount,
            &params.other_funding_key,
        )
    }
}

impl Signer for InMemorySigner {
    fn basepoints(&self) -> &Basepoints {
        self.channel.basepoints()
    }

    fn setup_channel(&self, _setup: &ChannelSetup) -> Result<(), SignerError> {
        Ok(())
    }

    fn per_commitment_point(&self, number: CommitmentNumber) -> Result<PublicKey, SignerError> {
        self.channel.per_commitment_point(number)
    }

    fn validate_commitment(&self, _commitment: &Verified<CommitmentTx>) -> Result<(), SignerError> {
        Ok(())
    }

    fn revoke(&self, number: CommitmentNumber) -> Result<Revocation, SignerError> {
        self.channel.revoke(number)
    }

    fn validate_revocation(
        &self,
        _number: CommitmentNumber,
        _secret: &PerCommitmentSecret,
    ) -> Result<(), SignerError> {
        Ok(())
    }

    fn check_future_secret(
        &self,
        number: CommitmentNumber,
        secret: &PerCommitmentSecret,
    ) -> Result<bool, SignerError> {
        Ok(self.channel.per_commitment_secret(number)? == *secret)
    }

    fn sign_remote_commitment(
        &self,
        commitment: &CommitmentTx,
    ) -> Result<CommitmentSignatures, SignerError> {
        let params = commitment.params();
        if params.other_funding_key != self.basepoints().funding {
            return Err(SignerError::ForeignChannel);
        }
        let signature = self.channel.sign_commitment(
            commitment.unsigned(),
            params.funding_amount,
            &params.holder_funding_key,
        )?;
        let sign_htlc = |htlc: ln_tx::HtlcTx| {
            let spend = InputSpend {
                tx: htlc.unsigned(),
                index: 0,
                amount: htlc.spent_value(),
                witness_script: htlc.spent_script(),
            };
            let point = &params.keys.per_commitment_point;
            self.channel
                .sign_remote_htlc_tx(&spend, point, params.format.has_anchors())
                .map(|(signature, _)| signature)
        };
        Ok(CommitmentSignatures {
            commitment: signature,
            htlcs: commitment
                .htlc_txs()
                .map(sign_htlc)
                .collect::<Result<_, _>>()?,
        })
    }

    fn sign_mutual_close(
        &self,
        tx: &Transaction,
        funding_amount: Sat,
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError> {
        self.channel
            .sign_funding_spend(tx, 0, funding_amount, remote_funding_key)
    }

    fn sign_splice(
        &self,
        tx: &Transaction,
        index: usize,
        spent: &[TxOut],
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError> {
        let output = spent
            .get(index)
            .ok_or(SignerError::UnknownSpent { index })?;
        self.channel
            .sign_funding_spend(tx, index, output.value.into(), remote_funding_key)
    }

    fn sign_channel_announcement(
        &self,
        announcement: &[u8],
    ) -> Result<AnnouncementSignatures, SignerError> {
        self.node
            .sign_channel_announcement(&self.channel, announcement)
    }

    fn sign_channel_update(&self, update: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.node.sign_channel_update(update)
    }

    fn ecdh(&self, points: &[PublicKey]) -> Result<Vec<SharedSecret>, SignerError> {
        Ok(points.iter().map(|point| self.node.ecdh(point)).collect())
    }
}

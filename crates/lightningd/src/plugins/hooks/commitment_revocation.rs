//! `commitment_revocation`: what a watchtower needs to know.

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Transaction, Txid};
use ln_types::{ChannelId, CommitmentNumber};
use serde_json::json;

use super::chain::{Next, PATIENCE, Question};
use crate::plugins::host::PluginHost;

const HOOK: &str = "commitment_revocation";

impl PluginHost {
    /// Whether anybody wants to know of revoked commitments; if not there is no need to sign penalties.
    pub(crate) fn watches_revocations(&self) -> bool {
        self.has_hook(HOOK)
    }

    /// A commitment of the peer's is revoked. The channel has gone on already, and whatever a plugin answers changes nothing.
    pub(crate) async fn commitment_revoked(
        &self,
        channel_id: ChannelId,
        txid: Txid,
        number: CommitmentNumber,
        penalty: &Transaction,
    ) {
        let question = Question {
            hook: HOOK,
            patience: Some(PATIENCE),
            payload: json!({
                "commitment_txid": txid,
                "penalty_tx": serialize_hex(penalty),
                "channel_id": channel_id,
                "commitnum": number.0,
            }),
        };
        let chain = self.chain(HOOK);
        self.ask_chain(chain, question, |_, _, _| Ok(Next::<()>::Ask))
            .await;
    }
}

//! What the wallet asks.

use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_ipc::hsmd::{
    HsmUtxo, HsmdCheckBip86Pubkey, HsmdCheckBip86PubkeyReply, HsmdCheckPubkey,
    HsmdCheckPubkeyReply, HsmdGetOutputScriptpubkey, HsmdGetOutputScriptpubkeyReply,
    HsmdSignAnchorspend, HsmdSignAnchorspendReply, HsmdSignHtlcTxMingle, HsmdSignHtlcTxMingleReply,
    HsmdSignWithdrawal, HsmdSignWithdrawalReply, WirePsbt,
};
use ln_keys::{KeyError, public_key};
use ln_signer::{CloseInfo, SignerError};

use super::{Answer, Refusal, wallet_coin};
use crate::hsm::Hsm;

/// Fails unless `derive` gives the key lightningd got, too.
fn check_key(
    tree: &str,
    index: u32,
    theirs: &PublicKey,
    derived: Result<SecretKey, KeyError>,
) -> Result<(), Refusal> {
    let ours = public_key(&derived.map_err(SignerError::from)?);
    if ours == *theirs {
        return Ok(());
    }
    Err(Refusal::Disagreement(format!(
        "{tree} derivation index {index} differed: they got {theirs}, we got {ours}"
    )))
}

impl Hsm {
    /// Signs the coins it can sign. A PSBT may come from a user, so one that can't be signed is no reason to end: lightningd sees
    /// which signatures are missing.
    fn sign_coins(&self, psbt: &WirePsbt, coins: &[HsmUtxo], remarks: &mut Vec<String>) -> Psbt {
        let mut psbt = psbt.0.clone();
        for coin in coins {
            if let Err(error) = self.signer.sign_coins(&mut psbt, &[wallet_coin(coin)]) {
                remarks.push(format!("{} not signed: {error}", coin.outpoint));
            }
        }
        psbt
    }

    pub(super) fn sign_withdrawal(&self, request: &HsmdSignWithdrawal) -> Answer {
        let mut remarks = Vec::new();
        let psbt = self.sign_coins(&request.psbt, &request.inputs, &mut remarks);
        Answer {
            reply: HsmdSignWithdrawalReply {
                psbt: WirePsbt(psbt),
            }
            .into(),
            remarks,
        }
    }

    pub(super) fn sign_anchorspend(&self, request: &HsmdSignAnchorspend) -> Answer {
        let mut remarks = Vec::new();
        let mut psbt = self.sign_coins(&request.psbt, &request.inputs, &mut remarks);
        let channel = self.signer.channel(&request.peer_id, request.channel_dbid);
        if let Err(error) = self.signer.sign_anchor(&mut psbt, &channel) {
            remarks.push(format!("anchor not signed: {error}"));
        }
        Answer {
            reply: HsmdSignAnchorspendReply {
                psbt: WirePsbt(psbt),
            }
            .into(),
            remarks,
        }
    }

    pub(super) fn sign_htlc_tx_mingle(&self, request: &HsmdSignHtlcTxMingle) -> Answer {
        let mut remarks = Vec::new();
        let psbt = self.sign_coins(&request.psbt, &request.inputs, &mut remarks);
        Answer {
            reply: HsmdSignHtlcTxMingleReply {
                psbt: WirePsbt(psbt),
            }
            .into(),
            remarks,
        }
    }

    pub(super) fn output_scriptpubkey(&self, request: &HsmdGetOutputScriptpubkey) -> Answer {
        let script = self.signer.close_script(&CloseInfo {
            channel_dbid: request.channel_dbid,
            peer_id: request.peer_id,
            commitment_point: request.commitment_point,
            option_anchors: false,
            csv: 1,
        });
        HsmdGetOutputScriptpubkeyReply { script }.into()
    }

    pub(super) fn check_pubkey(&self, request: &HsmdCheckPubkey) -> Result<Answer, Refusal> {
        let secret = self.signer.keys().legacy_wallet_secret(request.index);
        check_key("BIP32", request.index, &request.pubkey, secret)?;
        Ok(HsmdCheckPubkeyReply { ok: true }.into())
    }

    pub(super) fn check_bip86_pubkey(
        &self,
        request: &HsmdCheckBip86Pubkey,
    ) -> Result<Answer, Refusal> {
        let secret = self.signer.keys().bip86_secret(request.index);
        check_key("BIP86", request.index, &request.pubkey, secret)?;
        Ok(HsmdCheckBip86PubkeyReply { ok: true }.into())
    }
}

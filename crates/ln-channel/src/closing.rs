//! `closing_signed`: agreeing on the fee of a mutual close.

use bitcoin::Transaction;
use bitcoin::secp256k1::ecdsa;
use ln_signer::Signer;
use ln_tx::closing::closing_fee;
use ln_tx::{ClosingParams, ClosingTx, TxError, Verified, build_legacy_closing};
use ln_types::{Feerate, Sat, Side};
use ln_wire::{ClosingSigned, ClosingSignedTlvs, FeeRange};

use crate::{ChannelError, ChannelState, signing};

/// The feerates we accept for a mutual close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosingFeerates {
    /// What we would like.
    pub preferred: Feerate,
    /// The least we accept.
    pub min: Feerate,
    /// The most we accept; nothing means as much as the opener can pay.
    pub max: Option<Feerate>,
}

/// What the negotiation wants done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosingAction {
    /// Make this transaction durable as the best one so far: it is signed by both and may be broadcast at any time.
    Offer {
        /// The transaction.
        tx: Box<Transaction>,
        /// Its fee.
        fee: Sat,
    },
    /// Send a proposal, once the offers before it are durable.
    Send(ClosingSigned),
    /// Both sides agree on the last offer.
    Complete,
}

/// The negotiation of one connection: after a reconnection it starts anew.
#[derive(Debug, Clone)]
pub struct Closing {
    state: ChannelState,
    params: ClosingParams,
    range: FeeRange,
    preferred: Sat,
    sent: Option<Sat>,
    received: Option<Sat>,
    complete: bool,
}

impl Closing {
    /// Starts the negotiation about a channel that is shut down on both sides and quiet.
    pub fn new(state: ChannelState, feerates: &ClosingFeerates) -> Result<Self, ChannelError> {
        let (Some(local_script), Some(remote_script)) =
            (state.shutdown.local.clone(), state.shutdown.remote.clone())
        else {
            return Err(not_shut_down());
        };
        if !state.commitments.is_quiet() {
            return Err(not_shut_down());
        }
        let channel = &state.params;
        let balances = state.commitments.balances;
        let params = ClosingParams {
            funding_outpoint: channel.funding,
            funding_amount: channel.funding_amount,
            local_funding_key: channel.sides.local.basepoints.funding,
            remote_funding_key: channel.sides.remote.basepoints.funding,
            to_local: balances.local,
            to_remote: balances.remote,
            local_script,
            remote_script,
        };
        // The opener pays; it cannot pay more than it has.
        let most = balances[channel.opener].to_sat_floor();
        let fee = |feerate: Feerate| {
            closing_fee(feerate, [&params.local_script, &params.remote_script]).min(most)
        };
        let max = feerates.max.map_or(most, fee);
        let min = fee(feerates.min).min(max);
        Ok(Self {
            preferred: fee(feerates.preferred).clamp(min, max),
            range: FeeRange {
                min_fee_satoshis: min,
                max_fee_satoshis: max,
            },
            params,
            state,
            sent: None,
            received: None,
            complete: false,
        })
    }

    /// The fees we accept.
    pub fn range(&self) -> FeeRange {
        self.range
    }

    /// Whether both sides agree.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The first move, which is the opener's.
    // BOLT 2 §Legacy Closing Negotiation: `closing_signed`: the funder begins.
    pub fn start(&mut self, signer: &dyn Signer) -> Result<Vec<ClosingAction>, ChannelError> {
        if self.state.params.opener != Side::Local || self.sent.is_some() {
            return Ok(Vec::new());
        }
        let message = self.propose(self.preferred, signer)?;
        Ok(vec![ClosingAction::Send(message)])
    }

    /// The peer proposes a fee. An error changes nothing.
    pub fn on_closing_signed(
        &mut self,
        message: &ClosingSigned,
        signer: &dyn Signer,
    ) -> Result<Vec<ClosingAction>, ChannelError> {
        let mut next = self.clone();
        let actions = next.on_proposal(message, signer)?;
        *self = next;
        Ok(actions)
    }

    fn on_proposal(
        &mut self,
        message: &ClosingSigned,
        signer: &dyn Signer,
    ) -> Result<Vec<ClosingAction>, ChannelError> {
        if self.complete {
            // The peer repeats what we agreed on.
            return Ok(Vec::new());
        }
        let fee = message.fee_satoshis;
        let verified = self.verify(fee, message.signature)?;
        let answer = self.answer(fee, message.tlvs.fee_range)?;
        self.received = Some(fee);
        if answer != fee {
            let message = self.propose(answer, signer)?;
            return Ok(vec![ClosingAction::Send(message)]);
        }
        let ours = self.sign(&verified, signer)?;
        let mut actions = vec![ClosingAction::Offer {
            tx: Box::new(verified.signed(&ours)),
            fee,
        }];
        // BOLT 2 §Legacy Closing Negotiation: `closing_signed`: agreed when the peer repeats our fee; otherwise we repeat the peer's.
        if self.sent != Some(fee) {
            actions.push(ClosingAction::Send(self.proposal(fee, ours)));
            self.sent = Some(fee);
        }
        actions.push(ClosingAction::Complete);
        self.complete = true;
        Ok(actions)
    }

    /// The fee we answer with: the peer's own when we agree.
    fn answer(&self, fee: Sat, theirs: Option<FeeRange>) -> Result<Sat, ChannelError> {
        let ours = self.range;
        let (our_min, our_max) = (ours.min_fee_satoshis, ours.max_fee_satoshis);
        if self.sent == Some(fee) {
            return Ok(fee);
        }
        let Some(theirs) = theirs else {
            return self.answer_without_range(fee);
        };
        let (min, max) = (theirs.min_fee_satoshis, theirs.max_fee_satoshis);
        let overlap = (our_min.max(min), our_max.min(max));
        // BOLT 2 §Legacy Closing Negotiation: `closing_signed`: without an overlap there is nothing to agree on.
        if overlap.0 > overlap.1 {
            return Err(ChannelError::ClosingFeeNoOverlap {
                min,
                max,
                our_min,
                our_max,
            });
        }
        if fee >= overlap.0 && fee <= overlap.1 {
            return Ok(fee);
        }
        // BOLT 2 §Legacy Closing Negotiation: `closing_signed`: the funder's answer must be in the overlap, and so must anyone's second fee.
        if self.sent.is_some() {
            let (min, max) = overlap;
            return Err(ChannelError::ClosingFeeOutOfRange { fee, min, max });
        }
        Ok(self.preferred.clamp(overlap.0, overlap.1))
    }

    /// The old way: each proposal is strictly between the last two.
    fn answer_without_range(&self, fee: Sat) -> Result<Sat, ChannelError> {
        let (min, max) = (self.range.min_fee_satoshis, self.range.max_fee_satoshis);
        if fee >= min && fee <= max {
            return Ok(fee);
        }
        if let (Some(sent), Some(received)) = (self.sent, self.received) {
            let (low, high) = (sent.min(received), sent.max(received));
            if fee <= low || fee >= high {
                return Err(ChannelError::ClosingFeeNoProgress { fee });
            }
        }
        let Some(sent) = self.sent else {
            return Ok(self.preferred);
        };
        let middle = Sat::from_sat(sent.as_sat().midpoint(fee.as_sat()));
        let answer = middle.clamp(min, max);
        if answer == sent {
            return Err(ChannelError::ClosingFeeOutOfRange { fee, min, max });
        }
        Ok(answer)
    }

    fn build(&self, fee: Sat, dust_limit: Sat) -> Result<ClosingTx, ChannelError> {
        let local_is_opener = self.state.params.opener == Side::Local;
        build_legacy_closing(&self.params, local_is_opener, fee, dust_limit, false).map_err(
            |error| {
                if let TxError::FeeTooHigh { fee, .. } = error {
                    ChannelError::ClosingFeeUnaffordable { fee }
                } else {
                    ChannelError::Overdrawn
                }
            },
        )
    }

    /// Checks the peer's signature, over the transaction as either side would trim it.
    fn verify(
        &self,
        fee: Sat,
        signature: ecdsa::Signature,
    ) -> Result<Verified<ClosingTx>, ChannelError> {
        let sides = &self.state.params.sides;
        for dust_limit in [sides.remote.dust_limit, sides.local.dust_limit] {
            if let Ok(verified) = self.build(fee, dust_limit)?.verify(signature) {
                return Ok(verified);
            }
        }
        Err(ChannelError::BadClosingSignature { fee })
    }

    fn sign(&self, tx: &ClosingTx, signer: &dyn Signer) -> Result<ecdsa::Signature, ChannelError> {
        signer
            .sign_mutual_close(
                tx.unsigned(),
                self.params.funding_amount,
                &self.params.remote_funding_key,
            )
            .map_err(signing::failed)
    }

    fn propose(&mut self, fee: Sat, signer: &dyn Signer) -> Result<ClosingSigned, ChannelError> {
        // BOLT 3 §Legacy Closing Transaction: whoever signs leaves out what is below its own dust limit.
        let tx = self.build(fee, self.state.params.sides.local.dust_limit)?;
        let signature = self.sign(&tx, signer)?;
        self.sent = Some(fee);
        Ok(self.proposal(fee, signature))
    }

    fn proposal(&self, fee: Sat, signature: ecdsa::Signature) -> ClosingSigned {
        ClosingSigned {
            channel_id: self.state.params.channel_id,
            fee_satoshis: fee,
            signature,
            tlvs: ClosingSignedTlvs {
                fee_range: Some(self.range),
            },
        }
    }
}

fn not_shut_down() -> ChannelError {
    ChannelError::OutOfPlace {
        message: "closing_signed",
        why: "shutdown is not complete",
    }
}

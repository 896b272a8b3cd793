//! Both commitments as derived from one state.

use ln_tx::fee::{commitment_fee, is_trimmed, opener_cost};
use ln_tx::{CommitmentFormat, CommitmentSpec, HtlcSpec};
use ln_types::{CommitmentNumber, Feerate, Msat, Sat, Side};

use crate::{BySide, ChannelParams, Commitments, Htlc};

/// Which commitment of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one signed last.
    Signed,
    /// The one after all pending updates are signed.
    Next,
    /// The peer's oldest one that it has not revoked: before that signed last while it owes a `revoke_and_ack`. Of ours, the one signed
    /// last.
    Unrevoked,
}

/// What one side's commitment holds.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// Whose commitment it is.
    pub holder: Side,
    /// What each side has outside of HTLCs, before the opener pays for fee and anchors.
    pub balances: BySide<Msat>,
    /// The HTLCs on it, trimmed or not.
    pub htlcs: Vec<&'a Htlc>,
    /// Its feerate.
    pub feerate: Feerate,
    /// How it looks.
    pub format: CommitmentFormat,
    /// The dust limit of its holder.
    pub dust_limit: Sat,
}

//~ No balance is kept anywhere that could disagree with the HTLCs: what a commitment holds is computed anew from their states each time.
//~ Next, who feeds the machine: `ln-channeld/src/daemon.rs`.
impl Commitments {
    /// Derives a commitment of `holder`; `None` when a side would have less than nothing.
    pub fn reduce(&self, params: &ChannelParams, holder: Side, which: Which) -> Option<View<'_>> {
        let mut htlcs = Vec::new();
        let mut plus = self.balances;
        let mut minus = BySide::<Msat>::default();
        for htlc in self.htlcs.iter() {
            let offerer = htlc.offerer();
            let included = match which {
                Which::Signed => htlc.state.is_in(holder),
                Which::Next => htlc.state.will_be_in(holder),
                Which::Unrevoked => htlc.state.is_in_unrevoked(holder),
            };
            if included {
                minus[offerer] = minus[offerer].checked_add(htlc.amount)?;
                htlcs.push(htlc);
            } else if htlc.state.is_removing() && htlc.is_fulfilled() {
                minus[offerer] = minus[offerer].checked_add(htlc.amount)?;
                plus[!offerer] = plus[!offerer].checked_add(htlc.amount)?;
            }
        }
        Some(View {
            holder,
            balances: BySide {
                local: plus.local.checked_sub(minus.local)?,
                remote: plus.remote.checked_sub(minus.remote)?,
            },
            htlcs,
            feerate: match which {
                Which::Signed => self.feerates.of(holder),
                Which::Next => self.feerates.next_of(holder),
                Which::Unrevoked => self.feerates.unrevoked_of(holder),
            },
            format: params.format(),
            dust_limit: params.sides[holder].dust_limit,
        })
    }
}

impl View<'_> {
    /// Whether an HTLC is too small for an output of its own here.
    pub fn is_trimmed(&self, offerer: Side, amount: Msat) -> bool {
        is_trimmed(
            self.format,
            self.feerate,
            self.dust_limit,
            offerer == self.holder,
            amount,
        )
    }

    /// How many HTLCs have an output.
    pub fn untrimmed(&self) -> usize {
        self.htlcs
            .iter()
            .filter(|htlc| !self.is_trimmed(htlc.offerer(), htlc.amount))
            .count()
    }

    /// The base fee at another feerate with some more HTLCs.
    pub fn fee_at(&self, feerate: Feerate, more: usize) -> Sat {
        commitment_fee(self.format, feerate, self.untrimmed().saturating_add(more))
    }

    /// What the opener pays: the base fee and both anchors.
    pub fn opener_cost(&self) -> Msat {
        opener_cost(self.format, self.feerate, self.untrimmed()).to_msat_saturating()
    }

    /// What is in HTLCs too small for an output.
    pub fn dust(&self) -> Msat {
        self.htlcs
            .iter()
            .filter(|htlc| self.is_trimmed(htlc.offerer(), htlc.amount))
            .map(|htlc| htlc.amount)
            .sum()
    }

    /// How many HTLCs one side offers, and what they are worth.
    pub fn offered_by(&self, offerer: Side) -> (usize, Msat) {
        let offered = || self.htlcs.iter().filter(|htlc| htlc.offerer() == offerer);
        (offered().count(), offered().map(|htlc| htlc.amount).sum())
    }

    /// What the transaction is built from.
    pub fn spec(&self, number: CommitmentNumber) -> CommitmentSpec {
        CommitmentSpec {
            number,
            feerate: self.feerate,
            to_holder: self.balances[self.holder],
            to_other: self.balances[!self.holder],
            htlcs: self
                .htlcs
                .iter()
                .map(|htlc| HtlcSpec {
                    offered_by_holder: htlc.offerer() == self.holder,
                    id: htlc.id,
                    amount: htlc.amount,
                    payment_hash: htlc.payment_hash,
                    cltv_expiry: htlc.cltv_expiry,
                })
                .collect(),
        }
    }
}

//! What the node shows of a channel.

use ln_tx::fee::{anchors_cost, commitment_fee, is_trimmed};
use ln_types::{Feerate, Msat, Sat, Side};

use crate::{ChannelState, Htlc, marginal_feerate};

impl ChannelState {
    /// What we have, pending offers of ours included (`to_us_msat`).
    pub fn to_us(&self) -> Msat {
        self.commitments.balances.local
    }

    /// The channel's amount.
    pub fn total(&self) -> Msat {
        self.params.funding_amount.to_msat_saturating()
    }

    /// The feerate of our newest commitment.
    pub fn feerate(&self) -> Feerate {
        self.commitments.feerates.of(Side::Local)
    }

    /// The HTLCs in flight, ours first.
    pub fn htlcs(&self) -> impl Iterator<Item = &Htlc> {
        self.commitments.htlcs.iter()
    }

    /// Whether an HTLC has no output on our commitment (`local_trimmed`).
    pub fn is_locally_trimmed(&self, htlc: &Htlc) -> bool {
        self.is_trimmed(Side::Local, htlc.offerer(), htlc.amount)
    }

    /// The most we could send in one payment (`spendable_msat`), reckoned as Core Lightning does.
    pub fn spendable(&self, wumbo: bool) -> Msat {
        self.available(Side::Local, wumbo)
    }

    /// The most the peer could send us in one payment (`receivable_msat`), reckoned as Core Lightning does.
    pub fn receivable(&self, wumbo: bool) -> Msat {
        self.available(Side::Remote, wumbo)
    }

    fn available(&self, sender: Side, wumbo: bool) -> Msat {
        /// The most of one payment without `option_support_large_channel`: 2^32 - 1 millisatoshi.
        const MAX_PAYMENT: Msat = Msat::from_msat(0xffff_ffff);
        let balance = match sender {
            Side::Local => self.to_us(),
            Side::Remote => self.total().saturating_sub(self.to_us()),
        };
        let offered: Msat = self
            .commitments
            .htlcs
            .offered_by(sender)
            .iter()
            .map(|htlc| htlc.amount)
            .sum();
        let mut room = balance
            .saturating_sub(self.params.reserve_of(sender))
            .saturating_sub(offered);
        if self.params.opener == sender {
            let cost = self.cost_with(sender, room).to_msat_saturating();
            room = room.saturating_sub(cost);
        }
        if room < self.params.sides[!sender].htlc_minimum {
            return Msat::ZERO;
        }
        if wumbo { room } else { room.min(MAX_PAYMENT) }
    }

    /// What fee and anchors would cost `side` once it offered an HTLC of `amount`, with room for one more at a higher feerate.
    fn cost_with(&self, side: Side, amount: Msat) -> Sat {
        let feerate = self.commitments.feerates.of(side);
        let untrimmed = self
            .htlcs()
            .map(|htlc| (htlc.offerer(), htlc.amount))
            .chain([(side, amount)])
            .filter(|(offerer, amount)| !self.is_trimmed(side, *offerer, *amount))
            .count();
        let format = self.params.format();
        commitment_fee(
            format,
            marginal_feerate(feerate),
            untrimmed.saturating_add(1),
        )
        .saturating_add(anchors_cost(format))
    }

    fn is_trimmed(&self, holder: Side, offerer: Side, amount: Msat) -> bool {
        is_trimmed(
            self.params.format(),
            self.commitments.feerates.of(holder),
            self.params.sides[holder].dust_limit,
            offerer == holder,
            amount,
        )
    }
}

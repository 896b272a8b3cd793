//! Relay policy: which valid transactions the mempool takes. Numbers are Bitcoin Core 29's defaults.

pub mod dust;
pub mod script_kind;
pub mod standard;

use bitcoin::Amount;

/// A fee rate in satoshis per 1000 virtual bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeePerKvb(u64);

impl FeePerKvb {
    /// From satoshis per 1000 virtual bytes.
    pub const fn from_sat_per_kvb(sats: u64) -> Self {
        Self(sats)
    }

    /// The rate a fee gives over a size in virtual bytes, rounded down; zero for size zero.
    pub fn from_fee(fee: Amount, vsize: u64) -> Self {
        let rate = u128::from(fee.to_sat())
            .saturating_mul(1000)
            .checked_div(vsize.into());
        Self(rate.map_or(0, |rate| u64::try_from(rate).unwrap_or(u64::MAX)))
    }

    /// Satoshis per 1000 virtual bytes.
    pub const fn to_sat_per_kvb(self) -> u64 {
        self.0
    }

    /// The fee for a size in virtual bytes, rounded up.
    pub fn fee(self, vsize: u64) -> Amount {
        let fee = u128::from(self.0)
            .saturating_mul(vsize.into())
            .div_ceil(1000);
        Amount::from_sat(u64::try_from(fee).unwrap_or(u64::MAX))
    }
}

/// What an operator can set of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Lowest fee rate that is relayed (`-minrelaytxfee`).
    pub min_relay: FeePerKvb,
    /// Fee rate a replacement must add (`-incrementalrelayfee`).
    pub incremental_relay: FeePerKvb,
    /// Fee rate by which dust is defined (`-dustrelayfee`).
    pub dust_relay: FeePerKvb,
    /// Lowest fee rate that is mined (`-blockmintxfee`).
    pub min_block: FeePerKvb,
    /// Whether transactions of unusual form are refused (`-acceptnonstdtxn=0`).
    pub require_standard: bool,
    /// Whether bare multisig outputs are standard (`-permitbaremultisig`).
    pub bare_multisig: bool,
    /// Longest standard data output script in bytes; `None` refuses all (`-datacarriersize`).
    pub data_carrier_bytes: Option<usize>,
    /// Most memory for unconfirmed transactions, counted at four bytes per virtual byte
    /// (`-maxmempool`).
    pub max_mempool_bytes: u64,
    /// Most unconfirmed ancestors of a transaction, itself included (`-limitancestorcount`).
    pub ancestor_count: usize,
    /// Most virtual bytes of a transaction with its ancestors (`-limitancestorsize`).
    pub ancestor_vbytes: u64,
    /// Most unconfirmed descendants of a transaction, itself included (`-limitdescendantcount`).
    pub descendant_count: usize,
    /// Most virtual bytes of a transaction with its descendants (`-limitdescendantsize`).
    pub descendant_vbytes: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_relay: FeePerKvb(1000),
            incremental_relay: FeePerKvb(1000),
            dust_relay: FeePerKvb(3000),
            min_block: FeePerKvb(1000),
            require_standard: true,
            bare_multisig: true,
            data_carrier_bytes: Some(83),
            max_mempool_bytes: 300_000_000,
            ancestor_count: 25,
            ancestor_vbytes: 101_000,
            descendant_count: 25,
            descendant_vbytes: 101_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_round_up_and_rates_round_down() {
        let rate = FeePerKvb::from_sat_per_kvb(1000);
        assert_eq!(rate.fee(110).to_sat(), 110);
        assert_eq!(FeePerKvb::from_sat_per_kvb(253).fee(4).to_sat(), 2);
        assert_eq!(
            FeePerKvb::from_fee(Amount::from_sat(199), 200).to_sat_per_kvb(),
            995
        );
        assert_eq!(
            FeePerKvb::from_fee(Amount::from_sat(199), 0).to_sat_per_kvb(),
            0
        );
    }
}

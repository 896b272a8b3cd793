//! Funding conserves value, never pays too little and never makes dust.
#![allow(
    clippy::as_conversions,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests on generated values"
)]

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use ln_types::{BlockHeight, Feerate, Sat};
use ln_wallet::weight::{CHANGE_WEIGHT, input_weight};
use ln_wallet::{
    AddressKind, Amount, CHANGE_DUST, FundError, FundRequest, Funding, Origin, Utxo, fund,
    fund_with,
};
use proptest::prelude::*;

const TIP: BlockHeight = BlockHeight(1000);

fn coin(vout: u32, sat: u64, kind: AddressKind, height: Option<u32>, reserved: bool) -> Utxo {
    Utxo {
        outpoint: OutPoint::new(Txid::all_zeros(), vout),
        value: Sat::from_sat(sat),
        script_pubkey: ScriptBuf::new(),
        origin: Origin::Wallet { kind, key_index: 1 },
        height: height.map(BlockHeight),
        spent_height: None,
        reserved_until: reserved.then_some(BlockHeight(1001)),
        is_coinbase: false,
    }
}

prop_compose! {
    fn coins()(list in prop::collection::vec(
        (1_u64..2_000_000, 0_u8..3, prop::option::weighted(0.9, 900_u32..=1000), prop::bool::weighted(0.1)), 0..25))
        -> Vec<Utxo>
    {
        (0..).zip(list).map(|(vout, (sat, kind, height, reserved))| {
            let kind = match kind {
                0 => AddressKind::P2wpkh,
                1 => AddressKind::P2tr,
                _ => AddressKind::P2shP2wpkh,
            };
            coin(vout, sat, kind, height, reserved)
        }).collect()
    }
}

prop_compose! {
    fn request()(exact in prop::option::weighted(0.8, 0_u64..5_000_000), perkw in 0_u32..20_000, start_weight in 0_u64..5000,
                 min_confirmations in 0_u32..10, min_witness_weight in 0_u64..200, no_wrapped: bool, excess_as_change: bool,
                 reserve in prop_oneof![Just(0_u64), Just(25_000), 1_u64..100_000]) -> FundRequest
    {
        FundRequest {
            amount: exact.map_or(Amount::All, |sat| Amount::Exact(Sat::from_sat(sat))),
            feerate: Feerate::from_perkw(perkw),
            start_weight,
            min_confirmations,
            min_witness_weight,
            no_wrapped,
            excess_as_change,
            emergency_reserve: Sat::from_sat(reserve),
            height: TIP,
        }
    }
}

fn check(wallet: &[Utxo], request: &FundRequest, funding: &Funding) -> Result<(), TestCaseError> {
    let value: u64 = funding.inputs.iter().map(|coin| coin.value.as_sat()).sum();
    let amount = match request.amount {
        Amount::Exact(amount) => amount.as_sat(),
        Amount::All => 0,
    };
    let change = funding.change.map_or(0, Sat::as_sat);
    prop_assert_eq!(
        value,
        amount + change + funding.fee.as_sat() + funding.excess.as_sat()
    );
    let mut weight = request.start_weight;
    for coin in &funding.inputs {
        weight += input_weight(coin, request.min_witness_weight);
    }
    if let Some(change) = funding.change {
        weight += CHANGE_WEIGHT;
        prop_assert!(change >= CHANGE_DUST);
    }
    prop_assert_eq!(weight, funding.weight);
    prop_assert_eq!(funding.fee, request.feerate.fee(weight));
    if request.excess_as_change && funding.change.is_none() && request.amount != Amount::All {
        // What is lost to the miners is less than what change would have cost, dust included.
        prop_assert!(
            funding.excess
                < request
                    .feerate
                    .fee(weight + CHANGE_WEIGHT)
                    .saturating_add(CHANGE_DUST)
        );
    }
    let left: u64 = wallet
        .iter()
        .filter(|coin| !funding.inputs.contains(coin) && coin.is_spendable(TIP))
        .filter(|coin| coin.has_confirmations(TIP, 1))
        .map(|coin| coin.value.as_sat())
        .sum();
    prop_assert!(left + change >= request.emergency_reserve.as_sat());
    Ok(())
}

proptest! {
    #[test]
    fn funding_adds_up(wallet in coins(), request in request()) {
        let result = fund(&wallet, &request);
        let usable = |coin: &&Utxo| coin.is_spendable(TIP)
            && coin.has_confirmations(TIP, request.min_confirmations)
            && !(request.no_wrapped && coin.is_wrapped());
        match result {
            Ok(funding) => {
                prop_assert!(funding.inputs.iter().all(|coin| usable(&coin)));
                check(&wallet, &request, &funding)?;
            }
            Err(FundError::CannotAfford { amount, short, .. }) => {
                let worth: u64 = wallet.iter().filter(usable).map(|coin| {
                    let fee = request.feerate.fee(input_weight(coin, request.min_witness_weight));
                    coin.value.saturating_sub(fee).as_sat()
                }).sum();
                let needed = amount.as_sat() + request.feerate.fee(request.start_weight).as_sat();
                // Rounding of each input's fee is at most one satoshi.
                prop_assert!(worth < needed + wallet.len() as u64 + 1, "{worth} {needed}");
                prop_assert!(!short.is_zero());
            }
            Err(_) => {}
        }
    }

    #[test]
    fn given_coins_are_used_all_and_alone(wallet in coins(), request in request(), take in 0_usize..10) {
        let inputs: Vec<Utxo> = wallet.iter().take(take).cloned().collect();
        if let Ok(funding) = fund_with(&wallet, inputs.clone(), &request) {
            prop_assert_eq!(&funding.inputs, &inputs);
            check(&wallet, &request, &funding)?;
        }
    }
}

#[test]
fn the_reserve_is_kept_even_when_coins_match_exactly() {
    let wallet = [
        coin(0, 100_272, AddressKind::P2wpkh, Some(900), false),
        coin(1, 200_000, AddressKind::P2wpkh, Some(900), false),
    ];
    let mut request = FundRequest {
        amount: Amount::Exact(Sat::from_sat(100_000)),
        feerate: Feerate::from_perkw(1000),
        start_weight: 0,
        min_confirmations: 1,
        min_witness_weight: 0,
        no_wrapped: false,
        excess_as_change: true,
        emergency_reserve: Sat::from_sat(25_000),
        height: TIP,
    };
    let funding = fund(&wallet, &request).unwrap();
    assert_eq!((funding.inputs.len(), funding.change), (1, None));
    request.amount = Amount::Exact(Sat::from_sat(275_000));
    assert_eq!(
        fund(&wallet, &request),
        Err(FundError::CannotAffordWithEmergency {
            reserve: Sat::from_sat(25_000)
        })
    );
    request.amount = Amount::All;
    let funding = fund(&wallet, &request).unwrap();
    assert_eq!(funding.change, Some(Sat::from_sat(25_000)));
}

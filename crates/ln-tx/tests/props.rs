//! Properties of commitments for any amounts.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests on generated values"
)]

use bitcoin::OutPoint;
use bitcoin::secp256k1::SecretKey;
use ln_codec::{Decode, Encode, Reader};
use ln_keys::public_key;
use ln_tx::{
    CommitmentFormat, CommitmentKeys, CommitmentParams, CommitmentSpec, HtlcSpec, ObscuringFactor,
    build_commitment,
};
use ln_types::{CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat, PaymentHash, Sat};
use proptest::prelude::*;

const FUNDING: u64 = 10_000_000;

fn params(format: CommitmentFormat, holder_is_opener: bool, dust: u64) -> CommitmentParams {
    let key = |n: u8| public_key(&SecretKey::from_slice(&[n; 32]).unwrap());
    CommitmentParams {
        funding_outpoint: OutPoint::null(),
        funding_amount: Sat::from_sat(FUNDING),
        holder_funding_key: key(1),
        other_funding_key: key(2),
        dust_limit: Sat::from_sat(dust),
        to_self_delay: 6,
        keys: CommitmentKeys {
            per_commitment_point: key(3),
            revocation_key: key(4),
            to_local_delayed_key: key(5),
            local_htlc_key: key(6),
            remote_htlc_key: key(7),
            to_remote_payment_key: key(8),
        },
        obscuring_factor: ObscuringFactor::new(&key(9), &key(10)),
        format,
        holder_is_opener,
    }
}

prop_compose! {
    fn htlc()(offered_by_holder: bool, id in 0_u64..1000, msat in 1_u64..2_000_000, hash in 0_u8..4, cltv in 500_u32..510)
        -> HtlcSpec
    {
        HtlcSpec {
            offered_by_holder,
            id: HtlcId(id),
            amount: Msat::from_msat(msat),
            payment_hash: PaymentHash([hash; 32]),
            cltv_expiry: CltvExpiry(cltv),
        }
    }
}

prop_compose! {
    fn spec()(htlcs in prop::collection::vec(htlc(), 0..40), number in 0_u64..(1 << 48), perkw in 0_u32..20_000,
              share in 0_u64..=1000) -> CommitmentSpec
    {
        let in_htlcs: u64 = htlcs.iter().map(|htlc| htlc.amount.as_msat()).sum();
        let rest = FUNDING * 1000 - in_htlcs;
        let to_holder = rest / 1000 * share;
        CommitmentSpec {
            number: CommitmentNumber(number),
            feerate: Feerate::from_perkw(perkw),
            to_holder: Msat::from_msat(to_holder),
            to_other: Msat::from_msat(rest - to_holder),
            htlcs,
        }
    }
}

fn format() -> impl Strategy<Value = CommitmentFormat> {
    prop_oneof![
        Just(CommitmentFormat::StaticRemotekey),
        Just(CommitmentFormat::Anchors)
    ]
}

proptest! {
    #[test]
    fn outputs_are_ordered_never_dust_and_never_more_than_the_funding(
        spec in spec(), format in format(), opener: bool, dust in 354_u64..2000,
    ) {
        let params = params(format, opener, dust);
        let tx = build_commitment(&params, &spec).unwrap();
        let outputs = &tx.unsigned().output;
        prop_assert_eq!(outputs.len(), tx.outputs().len());
        prop_assert!(outputs.is_sorted_by_key(|output| (output.value, output.script_pubkey.to_bytes())));
        let out: u64 = outputs.iter().map(|output| output.value.to_sat()).sum();
        prop_assert!(out <= FUNDING);
        prop_assert_eq!(out + tx.fee().as_sat(), FUNDING);
        let floor = if format.has_anchors() { 330 } else { dust };
        prop_assert!(outputs.iter().all(|output| output.value.to_sat() >= floor));
        prop_assert_eq!(tx.htlcs().count() + tx.trimmed().len(), spec.htlcs.len());
        prop_assert!(tx.htlc_txs().all(|htlc| htlc.unsigned().output[0].value.to_sat() >= dust));
    }

    #[test]
    fn the_commitment_number_comes_back(spec in spec(), opener: bool) {
        let params = params(CommitmentFormat::Anchors, opener, 354);
        let tx = build_commitment(&params, &spec).unwrap();
        prop_assert_eq!(params.obscuring_factor.reveal(tx.unsigned()), Some(spec.number));
    }

    #[test]
    fn what_a_commitment_is_built_from_survives_encoding(spec in spec(), format in format()) {
        let params = params(format, true, 354);
        let mut bytes = Vec::new();
        params.encode(&mut bytes);
        spec.encode(&mut bytes);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(CommitmentParams::decode(&mut reader).unwrap(), params);
        prop_assert_eq!(CommitmentSpec::decode(&mut reader).unwrap(), spec);
    }
}

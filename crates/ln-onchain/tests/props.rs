//! Any mix of HTLCs on any commitment, mined in any order, with reorganisations: nothing is left behind.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "tests on generated values"
)]

mod fixture;

use std::collections::{BTreeMap, HashMap};

use bitcoin::{OutPoint, Transaction, Txid};
use fixture::{Fixture, OURS, THEIRS, env, spent, wallet_script};
use ln_onchain::{Account, Action, Claim, Event, HtlcStub, Resolution};
use ln_tx::CommitmentFormat;
use ln_types::{ChainMoveTag, CltvExpiry, Feerate, HtlcId, Msat, Side};
use proptest::prelude::*;

prop_compose! {
    fn htlcs()(list in prop::collection::vec((any::<bool>(), 100_u64..10_000, 590_u32..594, any::<bool>()), 0..8))
        -> Vec<HtlcStub>
    {
        (0..).zip(list).map(|(id, (ours, sat, expiry, other_hash))| {
            let preimage = if ours == other_hash { THEIRS } else { OURS };
            HtlcStub {
                offerer: if ours { Side::Local } else { Side::Remote },
                id: HtlcId(id),
                amount: Msat::from_msat(sat * 1000),
                payment_hash: preimage.hash(),
                cltv_expiry: CltvExpiry(expiry),
                awaited: ours,
                incoming_expiry: None,
            }
        }).collect()
    }
}

/// The claims lightningd would hold, and the transactions that are in blocks.
#[derive(Default)]
struct World {
    claims: BTreeMap<OutPoint, Claim>,
    txs: HashMap<Txid, Transaction>,
    forgotten: bool,
    to_wallet: usize,
    /// What moved, each thing once, and what the channel's account gained or lost by it.
    moved: HashMap<(Account, OutPoint, ChainMoveTag, Option<Txid>), i64>,
}

impl World {
    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Claim(claim) => {
                    self.claims.insert(claim.outpoint, *claim);
                }
                Action::Unclaim { outpoint } => {
                    self.claims.remove(&outpoint);
                }
                Action::ToWallet { .. } => self.to_wallet += 1,
                Action::Forget => self.forgotten = true,
                Action::Moved(moved) => {
                    let value = i64::try_from(moved.value.as_sat()).unwrap();
                    let gained = match (moved.account, moved.spent_by) {
                        (Account::External, _) => 0,
                        (Account::Channel, None) => value,
                        (Account::Channel, Some(_)) => -value,
                    };
                    let key = (moved.account, moved.outpoint, moved.tag, moved.spent_by);
                    self.moved.insert(key, gained);
                }
                Action::Alert { text } => panic!("{text}"),
                _ => {}
            }
        }
    }

    /// Mines one claim that is ripe, if there is one.
    fn mine(
        &mut self,
        fixture: &Fixture,
        machine: &mut Resolution,
        height: u32,
        pick: usize,
    ) -> Option<Txid> {
        let ripe: Vec<Claim> = self
            .claims
            .values()
            .filter(|claim| claim.first_block.0 <= height)
            .cloned()
            .collect();
        let claim = ripe.get(pick % ripe.len().max(1))?;
        if let Some(Err(_)) = claim.sweep(wallet_script(), Feerate::from_perkw(1000)) {
            self.claims.remove(&claim.outpoint);
            let event = Event::Uneconomical {
                outpoint: claim.outpoint,
            };
            self.take(machine.step(event, &env(height)));
            return self.mine(fixture, machine, height, pick);
        }
        let tx = fixture.carry_out(claim, &self.txs[&claim.outpoint.txid]);
        let txid = tx.compute_txid();
        self.take(spent(machine, &tx, height));
        assert!(!self.claims.contains_key(&claim.outpoint));
        self.txs.insert(txid, tx);
        Some(txid)
    }
}

fn close(fixture: &Fixture, which: u8) -> Transaction {
    match which {
        0 => fixture.our_commitment(5),
        1 => fixture.their_commitment(5),
        _ => fixture.their_commitment(3),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn every_claim_is_valid_and_in_the_end_all_is_resolved(
        htlcs in htlcs(), anchors: bool, which in 0_u8..3, picks in prop::collection::vec(0_usize..100, 40),
        preimage_at in 500_u32..600, undo in prop::collection::vec(any::<bool>(), 40),
    ) {
        let format = if anchors { CommitmentFormat::Anchors } else { CommitmentFormat::StaticRemotekey };
        let mut fixture = Fixture::new(format);
        fixture.htlcs = htlcs;
        let tx = close(&fixture, which);
        let (mut machine, actions) = fixture.start(&tx);
        let mut world = World::default();
        world.txs.insert(tx.compute_txid(), tx);
        world.take(actions);
        let mut height = 500;
        for (pick, undo) in picks.iter().zip(undo) {
            height += 1 + u32::try_from(*pick).unwrap() / 20;
            if height >= preimage_at {
                world.take(machine.step(Event::Preimage { preimage: THEIRS }, &env(height)));
            }
            let mined = world.mine(&fixture, &mut machine, height, *pick);
            if let Some(txid) = mined.filter(|_| undo) {
                world.take(machine.step(Event::Unconfirmed { txid }, &env(height)));
            }
            world.take(machine.step(Event::Tip, &env(height)));
        }
        // Quiet days: everything is mined.
        height = height.max(700);
        for pick in 0..100 {
            height += 20;
            if world.mine(&fixture, &mut machine, height, pick).is_none() {
                break;
            }
        }
        prop_assert!(world.claims.is_empty());
        world.take(machine.step(Event::Tip, &env(height + 100)));
        prop_assert!(world.forgotten);
        prop_assert_eq!(world.to_wallet, usize::from(which != 0));
        // What came back into the channel's account has left it.
        prop_assert_eq!(world.moved.values().sum::<i64>(), 0, "{:?}", world.moved);
        let anchors_kept = world.moved.keys().filter(|key| key.2 == ChainMoveTag::Anchor).count();
        prop_assert!(anchors_kept <= 2 * usize::from(anchors));
    }

    #[test]
    fn no_transaction_makes_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..40), which in 0_u8..3, items in 0_usize..7, vout in 0_u32..8,
    ) {
        let fixture = Fixture::new(CommitmentFormat::Anchors);
        let tx = close(&fixture, which);
        let (mut machine, _) = fixture.start(&tx);
        let mut stranger = tx.clone();
        stranger.input[0].previous_output = OutPoint::new(tx.compute_txid(), vout);
        stranger.input[0].witness.clear();
        for item in 0..items {
            stranger.input[0].witness.push(&bytes[..bytes.len().min(item * 11)]);
        }
        stranger.output.truncate(usize::from(which));
        spent(&mut machine, &stranger, 501);
        machine.step(Event::Unconfirmed { txid: stranger.compute_txid() }, &env(501));
        let (mut anew, _) = fixture.start(&stranger);
        anew.step(Event::Tip, &env(700));
    }
}

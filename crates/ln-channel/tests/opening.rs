//! Opening a channel, and proposals and answers that are refused: wants.md O1 to O5.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test"
)]

mod support;

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use ln_channel::opening::{AcceptTerms, Incoming, OpeningPolicy, Proposed};
use ln_channel::{ChannelError, ChannelType, OpenError, PeerResponse};
use ln_types::{ChannelId, FeatureBit, Features, Feerate, Msat, Sat, Side};
use ln_wire::{AcceptChannel, FundingCreated, OpenChannel};
use support::{Setup, features, opening_env, outpoint, policy, signers, terms};

const MONEY: u64 = 2_100_000_000_000_000;

fn good_open() -> OpenChannel {
    let signers = signers();
    let (features, policy) = (features(), policy());
    let env = opening_env(&signers[0], &features, &policy);
    Proposed::new(terms(&Setup::default()), &env).unwrap().1
}

/// What the accepter says to an edited proposal.
fn incoming(edit: impl FnOnce(&mut OpenChannel)) -> Result<Incoming, ChannelError> {
    incoming_with(&features(), &policy(), edit)
}

fn incoming_with(
    features: &Features,
    policy: &OpeningPolicy,
    edit: impl FnOnce(&mut OpenChannel),
) -> Result<Incoming, ChannelError> {
    let signers = signers();
    let mut open = good_open();
    edit(&mut open);
    Incoming::new(open, &opening_env(&signers[1], features, policy))
}

fn refused(edit: impl FnOnce(&mut OpenChannel)) -> OpenError {
    open_error(incoming(edit).map(|_| ()))
}

fn open_error(result: Result<(), ChannelError>) -> OpenError {
    let error = result.unwrap_err();
    assert_eq!(error.response(), PeerResponse::FailChannel);
    let ChannelError::Open(error) = error else {
        panic!("{error}")
    };
    error
}

#[test]
fn two_nodes_agree_on_a_channel() {
    let [ours, theirs] = support::open(&Setup::default());
    assert_eq!(ours.params.channel_id, ChannelId::v1(outpoint()));
    assert_eq!(ours.params.channel_id, theirs.params.channel_id);
    assert_eq!(ours.params.sides.local, theirs.params.sides.remote);
    assert_eq!(ours.params.sides.remote, theirs.params.sides.local);
    assert_eq!(
        (ours.params.opener, theirs.params.opener),
        (Side::Local, Side::Remote)
    );
    assert_eq!(ours.to_us(), Msat::from_msat(600_000_000));
    assert_eq!(theirs.to_us(), Msat::from_msat(400_000_000));
    assert_eq!(
        ours.params.sides.local.channel_reserve,
        Sat::from_sat(10_000)
    );
    assert_eq!(ours.params.channel_type, ChannelType::anchors());
}

#[test]
fn a_private_channel_uses_aliases() {
    let [ours, _] = support::open(&Setup {
        announce: false,
        ..Setup::default()
    });
    assert!(ours.params.channel_type.has(FeatureBit::ScidAlias));
}

#[test]
fn o1_funding_amounts_that_cannot_be() {
    for funding in [0, MONEY + 1, u64::MAX] {
        let error = refused(|open| {
            open.funding_satoshis = Sat::from_sat(funding);
            open.push_msat = Msat::ZERO;
        });
        assert!(matches!(error, OpenError::FundingOutOfRange { .. }));
    }
    for funding in [1, 100, 2000, 20_000] {
        let error = refused(|open| {
            open.funding_satoshis = Sat::from_sat(funding);
            open.push_msat = Msat::ZERO;
        });
        assert!(
            matches!(
                error,
                OpenError::CannotPayFee { .. }
                    | OpenError::BothBelowReserve { .. }
                    | OpenError::ReserveTooLarge { .. }
                    | OpenError::TooSmall { .. }
            ),
            "{funding}: {error}"
        );
    }
    // Large ones need both sides' consent.
    let mut small = features();
    small.clear(FeatureBit::Wumbo.odd());
    let large = |open: &mut OpenChannel| open.funding_satoshis = Sat::from_sat(1 << 24);
    let error = open_error(incoming_with(&small, &policy(), large).map(|_| ()));
    assert!(matches!(error, OpenError::FundingOutOfRange { .. }));
    incoming(large).unwrap();
    incoming(|open| open.funding_satoshis = Sat::from_sat(MONEY)).unwrap();
}

#[test]
fn o1_push_above_funding() {
    for push in [1_000_000_001, u64::MAX] {
        let error = refused(|open| open.push_msat = Msat::from_msat(push));
        assert!(matches!(error, OpenError::PushTooLarge { .. }));
    }
    // All of it leaves nothing for the fee.
    for push in [1_000_000_000, 999_999_999, 998_300_000] {
        let error = refused(|open| open.push_msat = Msat::from_msat(push));
        assert!(matches!(error, OpenError::CannotPayFee { .. }));
    }
    // Fractions of a satoshi are kept.
    let [ours, theirs] = support::open(&Setup {
        push: 123_456_789,
        ..Setup::default()
    });
    assert_eq!(theirs.to_us(), Msat::from_msat(123_456_789));
    assert_eq!(ours.to_us(), Msat::from_msat(876_543_211));
}

#[test]
fn o2_numbers_at_their_ends() {
    for dust_limit in [0, 1, 353, 1093, u64::MAX] {
        let error = refused(|open| {
            open.dust_limit_satoshis = Sat::from_sat(dust_limit);
        });
        assert!(matches!(error, OpenError::DustLimitOutOfRange { .. }));
    }
    for reserve in [0, 1, 545] {
        let error = refused(|open| open.channel_reserve_satoshis = Sat::from_sat(reserve));
        assert!(matches!(error, OpenError::ReserveBelowDust { .. }));
    }
    for reserve in [1_000_000, u64::MAX] {
        let error = refused(|open| open.channel_reserve_satoshis = Sat::from_sat(reserve));
        assert!(
            matches!(
                error,
                OpenError::ReserveTooLarge { .. } | OpenError::BothBelowReserve { .. }
            ),
            "{error}"
        );
    }
    for delay in [2017, u16::MAX] {
        let error = refused(|open| open.to_self_delay = delay);
        assert_eq!(error, OpenError::DelayTooLong { delay, max: 2016 });
    }
    for count in [0, 484, u16::MAX] {
        let error = refused(|open| open.max_accepted_htlcs = count);
        assert_eq!(error, OpenError::HtlcCountOutOfRange { count });
    }
    for minimum in [1_000_000_000, u64::MAX] {
        let error = refused(|open| open.htlc_minimum_msat = Msat::from_msat(minimum));
        assert!(matches!(error, OpenError::HtlcMinimumTooLarge { .. }));
    }
    for in_flight in [0, 1, 9_999_999] {
        let error = refused(|open| {
            open.max_htlc_value_in_flight_msat = Msat::from_msat(in_flight);
        });
        assert!(matches!(error, OpenError::TooSmall { .. }));
    }
    for feerate in [0, 1, 252, 50_001, u32::MAX] {
        let error = refused(|open| open.feerate_per_kw = Feerate::from_perkw(feerate));
        assert!(matches!(error, OpenError::FeerateOutOfRange { .. }));
    }
    for chain in [[0; 32], [0xff; 32]] {
        let error = refused(|open| open.chain_hash = chain);
        assert_eq!(error, OpenError::UnknownChain);
    }
    // What is odd but can be borne.
    incoming(|open| {
        open.dust_limit_satoshis = Sat::from_sat(354);
        open.to_self_delay = 0;
        open.max_accepted_htlcs = 483;
        open.max_htlc_value_in_flight_msat = Msat::MAX;
        open.channel_flags = 0xff;
    })
    .unwrap();
}

#[test]
fn o3_channel_types_we_do_not_accept() {
    let error = refused(|open| open.tlvs.channel_type = None);
    assert_eq!(error, OpenError::NoChannelType);
    let anchors = [
        FeatureBit::StaticRemotekey.even(),
        FeatureBit::Anchors.even(),
    ];
    let types: [Vec<u16>; 8] = [
        vec![],
        vec![FeatureBit::StaticRemotekey.even()],
        vec![FeatureBit::Anchors.even()],
        vec![FeatureBit::StaticRemotekey.odd(), FeatureBit::Anchors.odd()],
        vec![
            FeatureBit::StaticRemotekey.even(),
            FeatureBit::AnchorOutputs.even(),
        ],
        [&anchors[..], &[FeatureBit::Wumbo.even()]].concat(),
        [&anchors[..], &[1000]].concat(),
        // Aliases are for channels that are not announced.
        [&anchors[..], &[FeatureBit::ScidAlias.even()]].concat(),
    ];
    for bits in types {
        let wanted: Features = bits.iter().copied().collect();
        let error = refused(|open| open.tlvs.channel_type = Some(wanted));
        assert!(
            matches!(error, OpenError::BadChannelType { .. }),
            "{bits:?}"
        );
    }
    incoming(|open| {
        open.channel_flags = 0;
        let bits = [&anchors[..], &[FeatureBit::ScidAlias.even()]].concat();
        open.tlvs.channel_type = Some(bits.into_iter().collect());
    })
    .unwrap();
}

#[test]
fn o3_a_zero_conf_channel_needs_our_word() {
    let incoming = incoming(|open| {
        let bits = [
            FeatureBit::StaticRemotekey,
            FeatureBit::Anchors,
            FeatureBit::Zeroconf,
        ];
        open.tlvs.channel_type = Some(bits.into_iter().map(FeatureBit::even).collect());
    })
    .unwrap();
    let signers = signers();
    let (features, policy) = (features(), policy());
    let env = opening_env(&signers[1], &features, &policy);
    for (minimum_depth, accepted) in [(None, false), (Some(1), false), (Some(0), true)] {
        let terms = AcceptTerms {
            minimum_depth,
            ..AcceptTerms::default()
        };
        let result = incoming.clone().accept(&terms, &env);
        assert_eq!(result.is_ok(), accepted);
    }
}

#[test]
fn o3_shutdown_scripts() {
    let incoming_of = |bytes: Vec<u8>| {
        incoming(|open| {
            open.tlvs.upfront_shutdown_script = Some(ScriptBuf::from_bytes(bytes));
        })
    };
    assert_eq!(incoming_of(vec![]).unwrap().shutdown_script(), None);
    let fixed = support::script(3);
    let incoming = incoming_of(fixed.to_bytes()).unwrap();
    assert_eq!(incoming.shutdown_script(), Some(&fixed));
    for bytes in [
        vec![0x51],
        vec![0, 20, 1, 2],
        vec![0x60, 1, 1],
        vec![0x6a, 0],
        vec![7; 500],
    ] {
        let error = open_error(incoming_of(bytes).map(|_| ()));
        assert_eq!(error, OpenError::BadShutdownScript);
    }
}

/// Takes the opening up to `accept_channel`, edited, or `funding_created`, edited.
fn after(
    edit_accept: impl FnOnce(&mut AcceptChannel),
    funding: OutPoint,
    edit_created: impl FnOnce(&mut FundingCreated),
) -> Result<(), ChannelError> {
    let signers = signers();
    let (features, policy) = (features(), policy());
    let ours = opening_env(&signers[0], &features, &policy);
    let theirs = opening_env(&signers[1], &features, &policy);
    let (proposed, open) = Proposed::new(terms(&Setup::default()), &ours)?;
    let incoming = Incoming::new(open, &theirs)?;
    let (awaiting, mut accept) = incoming.accept(&AcceptTerms::default(), &theirs)?;
    edit_accept(&mut accept);
    let accepted = proposed.on_accept_channel(&accept, &ours)?;
    let (created, mut message) = accepted.on_funding(funding, &ours)?;
    edit_created(&mut message);
    let (_, signed) = awaiting.on_funding_created(&message, &theirs)?;
    created.on_funding_signed(&signed, &ours).map(|_| ())
}

#[test]
fn answers_are_checked_as_proposals_are() {
    type Edit = fn(&mut AcceptChannel);
    let edits: [(Edit, fn(&OpenError) -> bool); 8] = [
        (
            |accept| accept.dust_limit_satoshis = Sat::from_sat(1),
            |error| matches!(error, OpenError::DustLimitOutOfRange { .. }),
        ),
        (
            |accept| accept.channel_reserve_satoshis = Sat::from_sat(100),
            |error| matches!(error, OpenError::ReserveBelowDust { .. }),
        ),
        (
            |accept| accept.channel_reserve_satoshis = Sat::MAX,
            |error| matches!(error, OpenError::ReserveTooLarge { .. }),
        ),
        (
            |accept| accept.to_self_delay = 3000,
            |error| matches!(error, OpenError::DelayTooLong { .. }),
        ),
        (
            |accept| accept.max_accepted_htlcs = 0,
            |error| matches!(error, OpenError::HtlcCountOutOfRange { .. }),
        ),
        (
            |accept| accept.minimum_depth = u32::MAX,
            |error| matches!(error, OpenError::DepthTooLarge { .. }),
        ),
        (
            |accept| accept.tlvs.channel_type = None,
            |error| matches!(error, OpenError::NoChannelType),
        ),
        (
            |accept| {
                let anchors = ChannelType::anchors().with(FeatureBit::Zeroconf);
                accept.tlvs.channel_type = Some(anchors.features().clone());
            },
            |error| matches!(error, OpenError::BadChannelType { .. }),
        ),
    ];
    for (edit, expected) in edits {
        let error = open_error(after(edit, outpoint(), |_| {}));
        assert!(expected(&error), "{error}");
    }
}

#[test]
fn o4_funding_outpoints_that_cannot_be() {
    let zero = OutPoint {
        txid: Txid::all_zeros(),
        vout: 0,
    };
    let error = open_error(after(|_| {}, zero, |_| {}));
    assert!(matches!(error, OpenError::BadFundingOutput { .. }));
    let error = open_error(after(
        |_| {},
        outpoint(),
        |created| created.funding_txid = Txid::all_zeros(),
    ));
    assert!(matches!(error, OpenError::BadFundingOutput { .. }));
    let far = OutPoint {
        vout: 65_536,
        ..outpoint()
    };
    let error = open_error(after(|_| {}, far, |_| {}));
    assert!(matches!(error, OpenError::BadFundingOutput { .. }));
}

#[test]
fn o4_a_signature_for_another_funding_is_refused() {
    let error = open_error(after(
        |_| {},
        outpoint(),
        |created| created.funding_output_index = 7,
    ));
    assert_eq!(error, OpenError::BadSignature);
    let error = open_error(after(
        |_| {},
        outpoint(),
        |created| {
            created.signature =
                bitcoin::secp256k1::ecdsa::Signature::from_compact(&[1; 64]).unwrap();
        },
    ));
    assert_eq!(error, OpenError::BadSignature);
}

#[test]
fn o5_other_ids_are_refused() {
    let other = ChannelId([8; 32]);
    let error = open_error(after(
        |accept| accept.temporary_channel_id = other,
        outpoint(),
        |_| {},
    ));
    assert_eq!(error, OpenError::WrongTemporaryId);
    let error = open_error(after(
        |_| {},
        outpoint(),
        |created| created.temporary_channel_id = other,
    ));
    assert_eq!(error, OpenError::WrongTemporaryId);
}

#[test]
fn what_we_propose_is_checked_too() {
    let signers = signers();
    let (features, policy) = (features(), policy());
    let env = opening_env(&signers[0], &features, &policy);
    let mut too_much = terms(&Setup::default());
    too_much.push = Msat::from_msat(1_000_000_001);
    let error = Proposed::new(too_much, &env).unwrap_err();
    assert!(matches!(
        error,
        ChannelError::Open(OpenError::PushTooLarge { .. })
    ));
    let mut strange = terms(&Setup::default());
    strange.channel_type = Some([1000].into_iter().collect());
    let error = Proposed::new(strange, &env).unwrap_err();
    assert!(matches!(
        error,
        ChannelError::Open(OpenError::BadChannelType { .. })
    ));
}

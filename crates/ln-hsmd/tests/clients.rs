//! Clients and what they may and may not do.
#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod harness;

use std::path::Path;
use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::PublicKey;
use bitcoin::transaction::Version;
use bitcoin::{NetworkKind, OutPoint, ScriptBuf, Transaction, TxIn, TxOut};
use harness::{Hsmd, init, peer, raw};
use ln_codec::{Decode, Encode};
use ln_hsmd::End;
use ln_hsmd::client::HsmClient;
use ln_ipc::hsmd::{
    FromHsmd, HsmUtxo, HsmdEcdhReq, HsmdGetPerCommitmentPoint, HsmdSignMessage, HsmdStatus, ToHsmd,
};
use ln_ipc::status::{LogLevel, Status};
use ln_ipc::{FrameError, Stream, message_number};
use ln_keys::{Basepoints, ForcedKeys, HsmSecret, NodeKeys, recover_signer, signature_to_zbase32};
use ln_signer::{Capabilities, ChannelSetup, InMemorySigner, NodeSigner, Signer, SignerError};
use ln_tx::{
    CommitmentFormat, CommitmentKeys, CommitmentParams, CommitmentSpec, CommitmentTx, HtlcSpec,
    ObscuringFactor, build_commitment,
};
use ln_types::{CltvExpiry, CommitmentNumber, Features, Feerate, HtlcId, Msat, PaymentHash, Sat};

const DBID: u64 = 7;
/// The node's secret.
const SECRET: [u8; 32] = [0x21; 32];

/// Starts hsmd with [`SECRET`] and opens it.
fn open(directory: &Path) -> Hsmd {
    std::fs::write(directory.join("hsm_secret"), SECRET).unwrap();
    let hsmd = Hsmd::start(directory, false);
    hsmd.master().init(init(None)).unwrap();
    hsmd
}

/// The same node's signer without hsmd.
fn node() -> Arc<NodeSigner> {
    let secret = HsmSecret::parse(&SECRET, None).unwrap();
    let keys = NodeKeys::new(&secret, NetworkKind::Test, ForcedKeys::default());
    Arc::new(NodeSigner::new(keys))
}

/// The commitment that `holder` can broadcast, with many HTLCs.
fn commitment(holder: &dyn Signer, other: &Basepoints, htlcs: u64) -> CommitmentTx {
    let number = CommitmentNumber(3);
    let h = holder.basepoints();
    let htlc = |id: u64| HtlcSpec {
        offered_by_holder: id.is_multiple_of(2),
        id: HtlcId(id),
        amount: Msat::from_msat(1_000_000 + 1000 * id),
        payment_hash: PaymentHash([id as u8; 32]),
        cltv_expiry: CltvExpiry(500),
    };
    let params = CommitmentParams {
        funding_outpoint: OutPoint::null(),
        funding_amount: Sat::from_sat(10_000_000),
        holder_funding_key: h.funding,
        other_funding_key: other.funding,
        dust_limit: Sat::from_sat(354),
        to_self_delay: 144,
        keys: CommitmentKeys::derive(holder.per_commitment_point(number).unwrap(), h, other),
        obscuring_factor: ObscuringFactor::new(&h.payment, &other.payment),
        format: CommitmentFormat::Anchors,
        holder_is_opener: true,
    };
    let spec = CommitmentSpec {
        number,
        feerate: Feerate::from_perkw(253),
        to_holder: Msat::from_msat(4_000_000_000),
        to_other: Msat::from_msat(3_000_000_000),
        htlcs: (0..htlcs).map(htlc).collect(),
    };
    build_commitment(&params, &spec).unwrap()
}

fn setup(remote: &Basepoints) -> ChannelSetup {
    ChannelSetup {
        is_outbound: true,
        channel_value: Sat::from_sat(10_000_000),
        push_value: Msat::ZERO,
        funding: OutPoint {
            vout: 1,
            ..OutPoint::null()
        },
        local_to_self_delay: 144,
        local_shutdown_script: ScriptBuf::new(),
        local_shutdown_wallet_index: None,
        remote_basepoints: *remote,
        remote_to_self_delay: 6,
        remote_shutdown_script: ScriptBuf::new(),
        channel_type: Features::new(),
    }
}

/// A channel daemon's signer in hsmd, and the same without.
fn channel(hsmd: &Hsmd, capabilities: Capabilities) -> (HsmClient, InMemorySigner) {
    let socket = hsmd
        .master()
        .new_client(peer(), DBID, capabilities)
        .unwrap();
    let basepoints = hsmd.master().channel_basepoints(peer(), DBID).unwrap();
    let same = InMemorySigner::new(Arc::clone(&node()), &peer(), DBID);
    assert_eq!(basepoints, *same.basepoints());
    (HsmClient::new(socket, basepoints), same)
}

#[test]
fn a_channel_daemon_gets_what_the_keys_give() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = open(directory.path());
    let (signer, same) = channel(&hsmd, Capabilities::CHANNELD);
    let remote = InMemorySigner::from_byte(5);
    signer.setup_channel(&setup(remote.basepoints())).unwrap();

    let number = CommitmentNumber(41);
    assert_eq!(
        signer.per_commitment_point(number),
        same.per_commitment_point(number)
    );
    assert_eq!(signer.revoke(number), same.revoke(number));
    let secret = same.revoke(number).unwrap().secret;
    assert_eq!(signer.check_future_secret(number, &secret), Ok(true));
    assert_eq!(
        signer.check_future_secret(number.next(), &secret),
        Ok(false)
    );
    signer.validate_revocation(number, &secret).unwrap();

    let theirs = commitment(&remote, same.basepoints(), 4);
    let signatures = signer.sign_remote_commitment(&theirs).unwrap();
    assert_eq!(
        Ok(&signatures),
        same.sign_remote_commitment(&theirs).as_ref()
    );
    theirs.clone().verify(signatures).unwrap();
    let ours = commitment(&same, remote.basepoints(), 4);
    let verified = ours
        .clone()
        .verify(remote.sign_remote_commitment(&ours).unwrap())
        .unwrap();
    signer.validate_commitment(&verified).unwrap();

    let (amount, key) = (Sat::from_sat(10_000_000), remote.basepoints().funding);
    let close = theirs.unsigned();
    assert_eq!(
        signer.sign_mutual_close(close, amount, &key),
        same.sign_mutual_close(close, amount, &key)
    );
    let spent = [TxOut {
        value: amount.into(),
        script_pubkey: ScriptBuf::new(),
    }];
    assert_eq!(
        signer.sign_splice(close, 0, &spent, &key),
        same.sign_splice(close, 0, &spent, &key)
    );
    let mut update = 258_u16.to_be_bytes().to_vec();
    update.resize(138, 3);
    assert_eq!(
        signer.sign_channel_update(&update),
        same.sign_channel_update(&update)
    );
    let mut announcement = 256_u16.to_be_bytes().to_vec();
    announcement.resize(430, 3);
    assert_eq!(
        signer.sign_channel_announcement(&announcement),
        same.sign_channel_announcement(&announcement)
    );
    let points: Vec<PublicKey> = vec![key; 3];
    assert_eq!(signer.ecdh(&points), same.ecdh(&points));
    assert_eq!(hsmd.end(), End::MasterGone);
}

#[test]
fn hundreds_of_requests_go_out_before_the_first_reply_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = open(directory.path());
    let (signer, same) = channel(&hsmd, Capabilities::CHANNELD);
    let remote = InMemorySigner::from_byte(5);
    let theirs = commitment(&remote, same.basepoints(), 400);
    let signatures = signer.sign_remote_commitment(&theirs).unwrap();
    assert_eq!(signatures.htlcs.len(), 400);
    theirs.verify(signatures).unwrap();
}

/// Waits for a report of a bad request: its reason.
fn bad_request(hsmd: &mut Hsmd) -> String {
    loop {
        let message = hsmd.status.recv_raw().unwrap();
        if message_number(&message) == Some(1000) {
            let HsmdStatus::ClientBadRequest(report) = HsmdStatus::from_bytes(&message).unwrap();
            assert_eq!(report.id, peer());
            return report.description.0;
        }
    }
}

fn ecdh_request() -> ToHsmd {
    ToHsmd::from(HsmdEcdhReq {
        point: peer().public_key(),
    })
}

fn is_closed(client: &mut Stream) -> bool {
    matches!(
        client.recv_raw(),
        Err(FrameError::Closed | FrameError::Io(_))
    )
}

#[test]
fn a_request_without_capability_ends_its_client_only() {
    let directory = tempfile::tempdir().unwrap();
    let mut hsmd = open(directory.path());
    let connectd = hsmd
        .master()
        .new_client(peer(), 0, Capabilities::CONNECTD)
        .unwrap();
    let mut connectd = raw(connectd);
    connectd.send(&ecdh_request()).unwrap();
    assert!(matches!(connectd.recv(), Ok(FromHsmd::EcdhResp(_))));
    connectd
        .send(&ToHsmd::from(HsmdSignMessage {
            msg: b"hi".to_vec(),
        }))
        .unwrap();
    assert!(is_closed(&mut connectd));
    assert_eq!(
        bad_request(&mut hsmd),
        "client does not have capability to run 23"
    );

    let zbase = signature_to_zbase32(&hsmd.master().sign_message(b"hi").unwrap());
    assert_eq!(recover_signer(b"hi", &zbase), Ok(node().keys().node_id()));
}

#[test]
fn a_client_without_a_channel_gets_no_points() {
    let directory = tempfile::tempdir().unwrap();
    let mut hsmd = open(directory.path());
    let client = hsmd
        .master()
        .new_client(peer(), 0, Capabilities::CHANNELD)
        .unwrap();
    let mut client = raw(client);
    let n = CommitmentNumber(0);
    client
        .send(&ToHsmd::from(HsmdGetPerCommitmentPoint { n }))
        .unwrap();
    assert!(is_closed(&mut client));
    assert_eq!(bad_request(&mut hsmd), "client has no channel");
}

#[test]
fn garbage_ends_its_client_only() {
    let directory = tempfile::tempdir().unwrap();
    let mut hsmd = open(directory.path());
    let frames: &[(&[u8], &str)] = &[
        (&[0, 0, 0, 0], "could not parse request"),
        (&[0, 0, 0, 1, 7], "could not parse request"),
        (
            &[0, 0, 0, 2, 0xff, 0xff],
            "client does not have capability to run 65535",
        ),
        (&[0, 0, 0, 3, 0, 1, 2], "could not parse request"),
        // A reply is no request.
        (
            &[0, 0, 0, 2, 0, 100],
            "client does not have capability to run 100",
        ),
        // A per-commitment number that does not exist.
        (
            &[0, 0, 0, 10, 0, 18, 255, 255, 255, 255, 255, 255, 255, 255],
            "there is no commitment number 18446744073709551615: the last is 2^48 - 1",
        ),
    ];
    for (frame, reason) in frames {
        let socket = hsmd
            .master()
            .new_client(peer(), DBID, Capabilities::CHANNELD)
            .unwrap();
        rustix::net::send(&socket, frame, rustix::net::SendFlags::empty()).unwrap();
        assert!(is_closed(&mut raw(socket)), "{frame:?}");
        assert_eq!(bad_request(&mut hsmd), *reason);
    }
    let oversized = hsmd
        .master()
        .new_client(peer(), DBID, Capabilities::CHANNELD)
        .unwrap();
    rustix::net::send(
        &oversized,
        &[7, 255, 255, 255],
        rustix::net::SendFlags::empty(),
    )
    .unwrap();
    assert!(is_closed(&mut raw(oversized)));
    hsmd.master().derive_secret(b"still here").unwrap();
}

#[test]
fn half_a_request_and_a_client_that_never_reads_hold_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = open(directory.path());
    let half = hsmd
        .master()
        .new_client(peer(), 1, Capabilities::CHANNELD)
        .unwrap();
    rustix::net::send(&half, &[0, 0, 0, 35, 0, 1], rustix::net::SendFlags::empty()).unwrap();

    let deaf = hsmd
        .master()
        .new_client(peer(), 2, Capabilities::CHANNELD)
        .unwrap();
    rustix::io::ioctl_fionbio(&deaf, true).unwrap();
    let request = ecdh_request().to_bytes();
    let mut frame = (request.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(&request);
    let flood = frame.repeat(500);
    let mut refused = 0;
    while refused < 3 {
        match rustix::net::send(&deaf, &flood, rustix::net::SendFlags::empty()) {
            Ok(_) => {}
            Err(rustix::io::Errno::AGAIN) => {
                refused += 1;
                // Others are served meanwhile.
                hsmd.master().derive_secret(b"x").unwrap();
                let (signer, _) = channel(&hsmd, Capabilities::CHANNELD);
                signer.per_commitment_point(CommitmentNumber(1)).unwrap();
            }
            Err(errno) => panic!("{errno}"),
        }
    }
    assert_eq!(hsmd.end(), End::MasterGone);
}

#[test]
fn a_new_connection_for_a_channel_replaces_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = open(directory.path());
    let mut old = raw(hsmd
        .master()
        .new_client(peer(), DBID, Capabilities::CHANNELD)
        .unwrap());
    let (new, _) = channel(&hsmd, Capabilities::CLOSINGD);
    new.per_commitment_point(CommitmentNumber(0)).unwrap();
    assert!(is_closed(&mut old));
    // It keeps to what it was given.
    assert!(matches!(
        new.revoke(CommitmentNumber(0)),
        Err(SignerError::Unavailable(_))
    ));
}

#[test]
fn a_transaction_that_can_not_be_signed_comes_back_unsigned() {
    let directory = tempfile::tempdir().unwrap();
    let mut hsmd = open(directory.path());
    let tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn::default()],
        output: vec![],
    };
    let psbt = Psbt::from_unsigned_tx(tx).unwrap();
    let coin = HsmUtxo {
        outpoint: OutPoint::null(),
        amount: Sat::from_sat(1),
        key_index: 1,
        script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
        close_info: None,
    };
    let back = hsmd.master().sign_withdrawal(psbt, vec![coin]).unwrap();
    assert!(back.inputs[0].partial_sigs.is_empty());
    let Status::Log(line) = hsmd.status.recv::<Status>().unwrap() else {
        panic!("no log line");
    };
    assert_eq!(line.level, LogLevel::Unusual);
    assert!(line.text.contains("not signed"), "{}", line.text);
}

#[test]
fn a_key_both_derive_differently_ends_hsmd() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = open(directory.path());
    let wallet = node().keys().wallet_base();
    let key = wallet.public_key(4).unwrap();
    assert_eq!(hsmd.master().check_wallet_key(false, 4, key), Ok(true));
    assert!(hsmd.master().check_wallet_key(false, 5, key).is_err());
    let End::Failed(text) = hsmd.end() else {
        panic!("it should have failed");
    };
    assert!(text.contains("derivation index 5 differed"), "{text}");
}

#[test]
fn too_long_a_text_is_refused_before_it_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let hsmd = open(directory.path());
    let text = vec![b'x'; 65_536];
    assert!(matches!(
        hsmd.master().sign_message(&text),
        Err(SignerError::TooLong { .. })
    ));
    hsmd.master().sign_message(&text[1..]).unwrap();
}

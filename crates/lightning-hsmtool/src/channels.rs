//! Keys of channels whose database is lost.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::str::FromStr;

use bitcoin::address::NetworkUnchecked;
use bitcoin::hex::DisplayHex;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use bitcoin::{Address, NetworkKind};
use ln_keys::{ChannelKeys, derive_private_key, public_key};
use ln_tx::CommitmentFormat;
use ln_tx::script::{to_remote_script, to_remote_script_pubkey};
use ln_types::{CommitmentNumber, NodeId};

use crate::failure::Failure;
use crate::files;
use crate::print::keys;

/// How many commitments a channel can have (BOLT 3 §Per-commitment Secret Requirements).
const COMMITMENTS: u64 = 1 << 48;

fn parse<T: FromStr<Err: Display>>(what: &str, text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error| Failure::Usage(format!("'{text}' is no {what}: {error}")))
}

fn channel(peer: &str, dbid: &str, path: &str) -> Result<ChannelKeys, Failure> {
    let peer: NodeId = parse("node id", peer)?;
    let dbid: u64 = parse("channel dbid", dbid)?;
    let secret = files::read_secret(path)?;
    Ok(keys(&secret, NetworkKind::Main).channel(&peer, dbid))
}

/// Our per-commitment secrets and points, from the first.
pub(crate) fn dump_commitments(
    peer: &str,
    dbid: &str,
    depth: &str,
    path: &str,
) -> Result<(), Failure> {
    let depth: u64 = parse("depth", depth)?;
    if depth > COMMITMENTS {
        return Err(Failure::Usage(format!(
            "a channel has {COMMITMENTS} commitments"
        )));
    }
    let channel = channel(peer, dbid, path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut put = |line: String| writeln!(out, "{line}").map_err(Failure::Output);
    put(format!(
        "shaseed: {}",
        channel.shachain_seed.0.to_lower_hex_string()
    ))?;
    for number in 0..depth {
        let commitment = CommitmentNumber(number);
        let secret = channel.per_commitment_secret(commitment);
        let secret = secret.0.to_lower_hex_string();
        let point = channel.per_commitment_point(commitment);
        put(format!("commit secret #{number}: {secret}"))?;
        put(format!("commit point #{number}: {point}"))?;
    }
    out.flush().map_err(Failure::Output)
}

/// The key of our output in the peer's commitment.
pub(crate) fn to_remote(
    peer: &str,
    dbid: &str,
    point: Option<&str>,
    path: &str,
) -> Result<String, Failure> {
    let point: Option<PublicKey> = point
        .map(|point| parse("commitment point", point))
        .transpose()?;
    let base = channel(peer, dbid, path)?.secrets.payment;
    let key = point.map_or(base, |point| derive_private_key(&base, &point));
    Ok(format!("privkey : {}", key.display_secret()))
}

/// The key of the output with this address, by trying channels.
pub(crate) fn guess_to_remote(
    address: &str,
    peer: &str,
    max: &str,
    path: &str,
) -> Result<String, Failure> {
    let parsed: Address<NetworkUnchecked> = parse("address", address)?;
    let wanted = parsed.assume_checked().script_pubkey();
    if !wanted.is_p2wpkh() && !wanted.is_p2wsh() {
        return Err(Failure::Usage(format!(
            "{address} can't be our output in a peer's commitment: that is a P2WPKH address, with anchors a P2WSH one"
        )));
    }
    let peer: NodeId = parse("node id", peer)?;
    let max: u64 = parse("channel dbid", max)?;
    let secret = files::read_secret(path)?;
    let node = keys(&secret, NetworkKind::Main);
    let formats = [CommitmentFormat::StaticRemotekey, CommitmentFormat::Anchors];
    for dbid in 1..=max {
        let key = node.channel(&peer, dbid).secrets.payment;
        let point = public_key(&key);
        let fits = |format: &CommitmentFormat| to_remote_script_pubkey(&point, *format) == wanted;
        if let Some(format) = formats.into_iter().find(fits) {
            return Ok(found(address, dbid, &key, format));
        }
    }
    Err(Failure::NoMatch(format!(
        "no channel with this peer up to {max} pays to {address}: was it the peer's commitment, and did the channel use option_static_remotekey?"
    )))
}

fn found(address: &str, dbid: u64, key: &SecretKey, format: CommitmentFormat) -> String {
    let point = public_key(key);
    let hash = bitcoin::PublicKey::new(point).pubkey_hash();
    let mut lines = vec![
        format!("bech32      : {address}"),
        format!("pubkey hash : {hash}"),
        format!("pubkey      : {point}"),
        format!("privkey     : {}", key.display_secret()),
        format!("channel dbid: {dbid}"),
    ];
    if format == CommitmentFormat::Anchors {
        let script = to_remote_script(&point).to_hex_string();
        lines.push(format!("script      : {script}"));
    }
    lines.join("\n")
}

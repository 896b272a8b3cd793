//! Return packets: sealed by the hop that fails, wrapped by the hops before it, opened by the sender.

use ln_codec::{Encode, Reader};

use crate::keys::{apply_stream, hmac, same_code};
use crate::{AttributionData, HoldTime, SharedSecret};

/// The length failure and padding have together unless the failure is longer, in bytes.
// BOLT 4 §Erring node: anything else may be unreadable for older nodes and gives the failure's length away.
pub const FAILURE_LENGTH: usize = 256;
/// How many layers a sender takes off, whoever failed.
// BOLT 4 §Origin node: the longest possible route, so that the time taken tells nothing.
const LAYERS: usize = 27;
/// The longest failure or padding a `u16` length allows.
const LONGEST: usize = 0xffff;

/// Seals a failure message for the sender, still without our own obfuscation: [`wrap_failure_packet`] adds that, after attribution data (if
/// any) was made over the result.
///
/// `length` is what message and padding shall have together, [`FAILURE_LENGTH`] if in doubt; it is raised to the message's length.
///
/// BOLT 4 §Erring node.
pub fn create_failure_packet(secret: &SharedSecret, message: &[u8], length: usize) -> Vec<u8> {
    let message = message.get(..LONGEST).unwrap_or(message);
    let padding = length.saturating_sub(message.len()).min(LONGEST);
    let mut body = Vec::with_capacity(message.len().saturating_add(padding).saturating_add(4));
    message.to_vec().encode(&mut body);
    vec![0_u8; padding].encode(&mut body);
    let mut packet = hmac(&secret.key(b"um"), &[&body]).to_vec();
    packet.append(&mut body);
    packet
}

/// Adds (or takes off) one hop's obfuscation.
// BOLT 4 §Transformation of the return packet
pub fn wrap_failure_packet(secret: &SharedSecret, packet: &mut [u8]) {
    apply_stream(&secret.key(b"ammag"), packet);
}

/// What a sender gets out of a return packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedFailure {
    /// The hop that failed, counted from 0, and its failure message; `None` when the packet was changed on the way.
    pub failure: Option<(usize, Vec<u8>)>,
    /// How long each hop held the HTLC, as far as the attribution data could be verified. When `failure` is `None` and attribution data was
    /// given, the hop after the last one here, or its neighbour, is to blame.
    pub hold_times: Vec<HoldTime>,
}

/// Opens a return packet with the secrets of the route, first hop first.
///
/// BOLT 4 §Origin node.
pub fn open_failure(
    secrets: &[SharedSecret],
    packet: &[u8],
    attribution: Option<&AttributionData>,
) -> OpenedFailure {
    let mut packet = packet.to_vec();
    let mut attribution = attribution.cloned();
    let mut hold_times = Vec::new();
    let mut found: Option<(usize, Vec<u8>)> = None;
    // A secret nobody has stands in for the hops beyond the route.
    let dummy = SharedSecret([0; 32]);
    for layer in 0..LAYERS.max(secrets.len()) {
        let secret = secrets.get(layer).unwrap_or(&dummy);
        wrap_failure_packet(secret, &mut packet);
        let real = layer < secrets.len() && found.is_none();
        let to_end = secrets.len().saturating_sub(layer).saturating_sub(1);
        attribution = attribution
            .filter(|_| real)
            .and_then(|data| data.take_off(secret, Some(&packet), to_end, &mut hold_times));
        let message = read_if_ours(secret, &packet);
        if let (true, Some(message)) = (real, message) {
            found = Some((layer, message));
        }
    }
    OpenedFailure {
        failure: found,
        hold_times,
    }
}

/// The hold times that came with a preimage, as far as they could be verified, first hop first.
///
/// BOLT 4 §Hold times for successful payments.
pub fn open_fulfill(secrets: &[SharedSecret], attribution: &AttributionData) -> Vec<HoldTime> {
    let mut hold_times = Vec::new();
    let mut attribution = Some(attribution.clone());
    for (layer, secret) in secrets.iter().enumerate() {
        let to_end = secrets.len().saturating_sub(layer).saturating_sub(1);
        attribution =
            attribution.and_then(|data| data.take_off(secret, None, to_end, &mut hold_times));
    }
    hold_times
}

/// The failure message, if this hop sealed the packet.
fn read_if_ours(secret: &SharedSecret, packet: &[u8]) -> Option<Vec<u8>> {
    let (code, body) = packet.split_at_checked(32)?;
    let expected = hmac(&secret.key(b"um"), &[body]);
    if !same_code(&expected, code) {
        return None;
    }
    let mut reader = Reader::new(body);
    let length = usize::from(u16::from_be_bytes(reader.array().ok()?));
    reader.take(length).ok().map(<[u8]>::to_vec)
}

//! Channels change their name while they are opened: from a temporary id to a final one. Whoever carries their messages has to know both.

use std::collections::HashMap;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{OutPoint, Txid};
use ln_codec::{Decode, Reader};
use ln_types::ChannelId;

/// Where `revocation_basepoint` stands in `open_channel2`, after the type.
const OPEN2_BASEPOINT: usize = 32 + 32 + 4 + 4 + 8 + 8 + 8 + 8 + 2 + 2 + 4 + 33;
/// Where `revocation_basepoint` stands in `accept_channel2`, after the type.
const ACCEPT2_BASEPOINT: usize = 32 + 8 + 8 + 8 + 8 + 4 + 2 + 2 + 33;

/// Openings in progress on one connection.
#[derive(Debug, Default)]
pub(crate) struct Openings {
    /// Of `open_channel2` messages seen, by temporary id.
    basepoints: HashMap<ChannelId, [u8; 33]>,
}

impl Openings {
    /// Looks at a message in either direction. Returns the channel's final id once it is known.
    pub(crate) fn see(
        &mut self,
        number: u16,
        temporary: ChannelId,
        body: &[u8],
    ) -> Option<ChannelId> {
        match number {
            34 => v1_id(body),
            64 => {
                self.basepoints
                    .insert(temporary, basepoint(body, OPEN2_BASEPOINT)?);
                None
            }
            65 => {
                let opener = self.basepoints.remove(&temporary)?;
                let accepter = basepoint(body, ACCEPT2_BASEPOINT)?;
                Some(v2_id(opener, accepter))
            }
            _ => None,
        }
    }

    /// The opening came to nothing.
    pub(crate) fn forget(&mut self, temporary: &ChannelId) {
        self.basepoints.remove(temporary);
    }
}

fn v1_id(funding_created: &[u8]) -> Option<ChannelId> {
    let mut reader = Reader::new(funding_created);
    reader.take(32).ok()?;
    let txid = Txid::from_byte_array(reader.array().ok()?);
    let vout = u16::decode(&mut reader).ok()?;
    Some(ChannelId::v1(OutPoint::new(txid, vout.into())))
}

fn basepoint(body: &[u8], at: usize) -> Option<[u8; 33]> {
    let bytes = body.get(at..)?.first_chunk::<33>()?;
    PublicKey::from_slice(bytes).ok().map(|_| *bytes)
}

// BOLT 2 §Definition of `channel_id`: for a v2 channel, the hash of both revocation basepoints, the lesser first.
fn v2_id(one: [u8; 33], other: [u8; 33]) -> ChannelId {
    let mut engine = sha256::Hash::engine();
    engine.input(&one.min(other));
    engine.input(&one.max(other));
    ChannelId(sha256::Hash::from_engine(engine).to_byte_array())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(byte: u8) -> [u8; 33] {
        let secp = bitcoin::secp256k1::Secp256k1::new();
        let key = bitcoin::secp256k1::SecretKey::from_slice(&[byte; 32]).unwrap();
        key.public_key(&secp).serialize()
    }

    fn with_basepoint(at: usize, basepoint: [u8; 33]) -> Vec<u8> {
        let mut body = vec![0; at];
        body.extend(basepoint);
        body
    }

    #[test]
    fn funding_created_tells_the_final_id() {
        let mut body = vec![9; 32];
        body.extend([1; 32]);
        body.extend([0, 2]);
        let mut id = [1; 32];
        id[31] = 3;
        let learnt = Openings::default().see(34, ChannelId([9; 32]), &body);
        assert_eq!(learnt, Some(ChannelId(id)));
        assert_eq!(
            Openings::default().see(34, ChannelId([9; 32]), &body[..60]),
            None
        );
    }

    #[test]
    fn both_basepoints_tell_the_final_id_of_a_v2_channel() {
        let temporary = ChannelId([5; 32]);
        let learn = |opener, accepter| {
            let mut openings = Openings::default();
            assert_eq!(
                openings.see(64, temporary, &with_basepoint(OPEN2_BASEPOINT, opener)),
                None
            );
            openings.see(65, temporary, &with_basepoint(ACCEPT2_BASEPOINT, accepter))
        };
        let learnt = learn(point(1), point(2));
        assert!(learnt.is_some());
        assert_eq!(learnt, learn(point(2), point(1)));
        assert_eq!(learn([0; 33], point(1)), None);
    }

    #[test]
    fn an_acceptance_of_nothing_teaches_nothing() {
        let mut openings = Openings::default();
        openings.see(
            64,
            ChannelId([5; 32]),
            &with_basepoint(OPEN2_BASEPOINT, point(1)),
        );
        openings.forget(&ChannelId([5; 32]));
        let accept = with_basepoint(ACCEPT2_BASEPOINT, point(2));
        assert_eq!(openings.see(65, ChannelId([5; 32]), &accept), None);
    }
}

//! Attribution data: how long each hop held an HTLC, and proof of who said so.

use std::fmt;
use std::time::Duration;

use ln_codec::{Decode, DecodeError, Encode, Reader};

use crate::SharedSecret;
use crate::keys::{apply_stream, hmac, same_code};

/// The longest route the data has room for.
const HOPS: usize = 20;
/// Bytes of one hold time and of one truncated HMAC.
const WORD: usize = 4;
/// One HMAC per hop and position: 20 + 19 + ... + 1.
const HMACS: usize = 210;
/// Bytes of all hold times.
const TIMES_SIZE: usize = HOPS * WORD;
/// Bytes altogether.
const SIZE: usize = TIMES_SIZE + HMACS * WORD;

/// How long a hop held an HTLC, in units of 100 milliseconds; zero also means that it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct HoldTime(pub u32);

impl From<Duration> for HoldTime {
    fn from(time: Duration) -> Self {
        let units = time.as_millis() / 100;
        Self(u32::try_from(units).unwrap_or(u32::MAX))
    }
}

/// The `attribution_data` of `update_fail_htlc` and `update_fulfill_htlc`.
///
/// BOLT 4 §Initialization of `attribution_data`: 20 hold times, then 210 HMACs of 4 bytes. Row x holds the HMACs of the node x hops from
/// the reader, one for each number of hops y that may lie between that node and the end, the largest y first.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributionData(Box<[u8; SIZE]>);

impl fmt::Debug for AttributionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttributionData(..)")
    }
}

impl Encode for AttributionData {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_slice());
    }
}

impl Decode for AttributionData {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(Box::new(reader.array()?)))
    }
}

/// Where the HMAC of the node `x` hops away, `y` hops from the end, starts.
fn place(x: usize, y: usize) -> usize {
    let rows: usize = (0..x).map(|row| HOPS.saturating_sub(row)).sum();
    let column = HOPS.saturating_sub(x).saturating_sub(y).saturating_sub(1);
    rows.saturating_add(column)
        .saturating_mul(WORD)
        .saturating_add(TIMES_SIZE)
}

impl AttributionData {
    /// The data that the last node, or the node that fails an HTLC, passes back.
    ///
    /// `packet` is the return packet before our obfuscation; `None` for a fulfilled HTLC.
    pub fn start(secret: &SharedSecret, packet: Option<&[u8]>, held: HoldTime) -> Self {
        Self(Box::new([0; SIZE])).sealed(secret, packet, held)
    }

    /// The data that a hop in between passes back. `received` is what came from downstream; a node that got none starts anew.
    ///
    /// `packet` is the return packet as it came, before our obfuscation; `None` for a fulfilled HTLC.
    // BOLT 4 §Transformation of `attribution_data`, §Update of `attribution_data`
    pub fn relay(
        received: Option<&Self>,
        secret: &SharedSecret,
        packet: Option<&[u8]>,
        held: HoldTime,
    ) -> Self {
        match received {
            Some(received) => received.shifted_back().sealed(secret, packet, held),
            None => Self::start(secret, packet, held),
        }
    }

    fn word(&self, at: usize) -> [u8; WORD] {
        self.0
            .get(at..)
            .and_then(<[u8]>::first_chunk)
            .copied()
            .unwrap_or_default()
    }

    fn set_word(&mut self, at: usize, word: [u8; WORD]) {
        if let Some(slot) = self.0.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *slot = word;
        }
    }

    /// Makes room for a hop in front: hold times move back by one, and each row becomes the next without its first HMAC.
    fn shifted_back(&self) -> Self {
        let mut shifted = Self(Box::new([0; SIZE]));
        for hop in 1..HOPS {
            let hold_time = self.word(hop.saturating_sub(1).saturating_mul(WORD));
            shifted.set_word(hop.saturating_mul(WORD), hold_time);
            for y in 0..HOPS.saturating_sub(hop) {
                let code = self.word(place(hop.saturating_sub(1), y));
                shifted.set_word(place(hop, y), code);
            }
        }
        shifted
    }

    /// Undoes `shifted_back`; the HMACs that were dropped stay zero.
    fn shifted_forth(&self) -> Self {
        let mut shifted = Self(Box::new([0; SIZE]));
        for hop in 1..HOPS {
            let hold_time = self.word(hop.saturating_mul(WORD));
            shifted.set_word(hop.saturating_sub(1).saturating_mul(WORD), hold_time);
            for y in 0..HOPS.saturating_sub(hop) {
                let code = self.word(place(hop, y));
                shifted.set_word(place(hop.saturating_sub(1), y), code);
            }
        }
        shifted
    }

    /// The HMAC of the hop in front, if `y` hops lie between it and the end.
    fn code(&self, um: &[u8; 32], packet: Option<&[u8]>, y: usize) -> [u8; WORD] {
        let times = y.saturating_add(1).saturating_mul(WORD);
        let times = self.0.get(..times).unwrap_or_default();
        let downstream: Vec<u8> = (1..=y)
            .flat_map(|x| self.word(place(x, y.saturating_sub(x))))
            .collect();
        let code = hmac(um, &[packet.unwrap_or_default(), times, &downstream]);
        code.first_chunk().copied().unwrap_or_default()
    }

    /// Adds our hold time and HMACs and obfuscates the whole.
    fn sealed(mut self, secret: &SharedSecret, packet: Option<&[u8]>, held: HoldTime) -> Self {
        self.set_word(0, held.0.to_be_bytes());
        let um = secret.key(b"um");
        for y in 0..HOPS {
            let code = self.code(&um, packet, y);
            self.set_word(place(0, y), code);
        }
        apply_stream(&secret.key(b"ammagext"), self.0.as_mut_slice());
        self
    }

    /// Takes one hop's layer off at the sender and notes its hold time. `None` once an HMAC is wrong, or for hops the data has no room
    /// for.
    // BOLT 4 §Origin node: the HMAC to look at is the one for the hop's position in the route.
    pub(crate) fn take_off(
        mut self,
        secret: &SharedSecret,
        packet: Option<&[u8]>,
        to_end: usize,
        hold_times: &mut Vec<HoldTime>,
    ) -> Option<Self> {
        if to_end >= HOPS {
            return None;
        }
        apply_stream(&secret.key(b"ammagext"), self.0.as_mut_slice());
        let expected = self.code(&secret.key(b"um"), packet, to_end);
        if !same_code(&expected, &self.word(place(0, to_end))) {
            return None;
        }
        hold_times.push(HoldTime(u32::from_be_bytes(self.word(0))));
        Some(self.shifted_forth())
    }
}

//! One HTLC, and all of a channel's.

use std::sync::Arc;

use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, DecodeError, Encode, Reader};
use ln_types::{CltvExpiry, HtlcId, Msat, PaymentHash, PaymentPreimage, Side};
use ln_wire::AttributionData;

use crate::{BySide, CommitStep, HtlcState};

/// An `onion_routing_packet`, shared rather than copied.
#[derive(Clone, PartialEq, Eq)]
pub struct OnionPacket(pub Arc<[u8; 1366]>);

impl OnionPacket {
    /// From the bytes of `update_add_htlc`.
    pub fn new(bytes: [u8; 1366]) -> Self {
        Self(Arc::new(bytes))
    }
}

impl std::fmt::Debug for OnionPacket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnionPacket(..)")
    }
}

impl Encode for OnionPacket {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_slice());
    }
}

impl Decode for OnionPacket {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(Self::new)
    }
}

/// How an HTLC was resolved by the side that received it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Removal {
    /// Paid.
    Fulfilled {
        /// What proves it.
        preimage: PaymentPreimage,
        /// Who held the HTLC for how long.
        attribution_data: Option<AttributionData>,
    },
    /// Failed, for a reason only the payment's origin can read.
    Failed {
        /// The encrypted reason.
        reason: Vec<u8>,
        /// Who held the HTLC for how long.
        attribution_data: Option<AttributionData>,
    },
    /// The onion could not be read.
    Malformed {
        /// The hash of the onion as the receiver saw it.
        sha256_of_onion: [u8; 32],
        /// The failure code, with its `BADONION` bit.
        failure_code: u16,
    },
}

/// One HTLC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Htlc {
    /// Its id, counted by the side that offers it.
    pub id: HtlcId,
    /// What it is worth.
    pub amount: Msat,
    /// The hash it is locked to.
    pub payment_hash: PaymentHash,
    /// The height at which its offerer gets it back.
    pub cltv_expiry: CltvExpiry,
    /// The `path_key` of a blinded path.
    pub path_key: Option<PublicKey>,
    /// Where it stands.
    pub state: HtlcState,
    /// How it was resolved: present exactly while it is being removed.
    pub removal: Option<Removal>,
    /// Whether the dust limit told us to fail it as soon as it is committed.
    pub over_dust_exposure: bool,
    /// Its onion: present, and part of the encoding, while it may have to be sent again (ours) or has not been handed on (the peer's).
    pub onion: Option<OnionPacket>,
    /// The TLV stream of its `update_add_htlc`, kept as long as the onion: empty, or at most [`MAX_EXTRA_TLVS`] bytes.
    pub extra_tlvs: Vec<u8>,
}

/// What is kept of the records of an `update_add_htlc`, in bytes: some times what any known use needs, and 483 HTLCs with as much are still
/// a state of bearable size. More than that is as if it had not come, as odd records may be.
pub const MAX_EXTRA_TLVS: usize = 4096;

impl Htlc {
    /// Who offers it.
    pub fn offerer(&self) -> Side {
        self.state.offerer()
    }

    /// Whether its onion is still wanted: see [`Htlc::onion`].
    fn needs_onion(&self) -> bool {
        match self.state {
            HtlcState::SentAddHtlc
            | HtlcState::SentAddCommit
            | HtlcState::RcvdAddHtlc
            | HtlcState::RcvdAddCommit
            | HtlcState::SentAddRevocation
            | HtlcState::SentAddAckCommit => true,
            HtlcState::RcvdAddRevocation
            | HtlcState::RcvdAddAckCommit
            | HtlcState::SentAddAckRevocation
            | HtlcState::RcvdRemoveHtlc
            | HtlcState::RcvdRemoveCommit
            | HtlcState::SentRemoveRevocation
            | HtlcState::SentRemoveAckCommit
            | HtlcState::RcvdRemoveAckRevocation
            | HtlcState::RcvdAddAckRevocation
            | HtlcState::SentRemoveHtlc
            | HtlcState::SentRemoveCommit
            | HtlcState::RcvdRemoveRevocation
            | HtlcState::RcvdRemoveAckCommit
            | HtlcState::SentRemoveAckRevocation => false,
        }
    }

    /// Whether it was resolved with a preimage.
    pub fn is_fulfilled(&self) -> bool {
        matches!(self.removal, Some(Removal::Fulfilled { .. }))
    }
}

impl Encode for Htlc {
    fn encode(&self, out: &mut Vec<u8>) {
        self.id.encode(out);
        self.amount.encode(out);
        self.payment_hash.encode(out);
        self.cltv_expiry.encode(out);
        self.path_key.encode(out);
        self.state.encode(out);
        self.removal.encode(out);
        self.over_dust_exposure.encode(out);
        match (&self.onion, self.extra_tlvs.is_empty()) {
            (None, _) => NOTHING.encode(out),
            (Some(onion), true) => {
                ONION.encode(out);
                onion.encode(out);
            }
            (Some(onion), false) => {
                ONION_AND_TLVS.encode(out);
                onion.encode(out);
                self.extra_tlvs.encode(out);
            }
        }
    }
}

/// What comes last in the encoding of an HTLC.
const NOTHING: u8 = 0;
const ONION: u8 = 1;
const ONION_AND_TLVS: u8 = 2;

impl Decode for Htlc {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut htlc = Self {
            id: Decode::decode(reader)?,
            amount: Decode::decode(reader)?,
            payment_hash: Decode::decode(reader)?,
            cltv_expiry: Decode::decode(reader)?,
            path_key: Decode::decode(reader)?,
            state: Decode::decode(reader)?,
            removal: Decode::decode(reader)?,
            over_dust_exposure: Decode::decode(reader)?,
            onion: None,
            extra_tlvs: Vec::new(),
        };
        match u8::decode(reader)? {
            NOTHING => {}
            ONION => htlc.onion = Some(Decode::decode(reader)?),
            ONION_AND_TLVS => {
                htlc.onion = Some(Decode::decode(reader)?);
                htlc.extra_tlvs = Decode::decode(reader)?;
            }
            tag => {
                let what = "onion of an htlc";
                return Err(DecodeError::UnknownTag {
                    what,
                    tag: tag.into(),
                });
            }
        }
        Ok(htlc)
    }
}

/// All HTLCs of a channel that are not irrevocably removed, by who offers them, ids ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Htlcs {
    by_offerer: BySide<Vec<Htlc>>,
}

impl Htlcs {
    /// All of them: ours first, ids ascending.
    pub fn iter(&self) -> impl Iterator<Item = &Htlc> + Clone {
        self.by_offerer.local.iter().chain(&self.by_offerer.remote)
    }

    /// All of them, to change.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Htlc> {
        let BySide { local, remote } = &mut self.by_offerer;
        local.iter_mut().chain(remote)
    }

    /// Those one side offers.
    pub fn offered_by(&self, offerer: Side) -> &[Htlc] {
        &self.by_offerer[offerer]
    }

    /// One of them.
    pub fn get(&self, offerer: Side, id: HtlcId) -> Option<&Htlc> {
        let htlcs = &self.by_offerer[offerer];
        let index = htlcs.binary_search_by_key(&id, |htlc| htlc.id).ok()?;
        htlcs.get(index)
    }

    /// One of them, to change.
    pub(crate) fn get_mut(&mut self, offerer: Side, id: HtlcId) -> Option<&mut Htlc> {
        let htlcs = &mut self.by_offerer[offerer];
        let index = htlcs.binary_search_by_key(&id, |htlc| htlc.id).ok()?;
        htlcs.get_mut(index)
    }

    /// Adds one whose id is above all others of its offerer.
    pub(crate) fn push(&mut self, htlc: Htlc) {
        self.by_offerer[htlc.offerer()].push(htlc);
    }

    /// Keeps those that `keep` says.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Htlc) -> bool) {
        self.by_offerer.local.retain(&keep);
        self.by_offerer.remote.retain(&keep);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_offerer.local.is_empty() && self.by_offerer.remote.is_empty()
    }

    /// Moves every HTLC that was waiting for a message of the dance, and lets go of onions nobody needs any more; what the last
    /// owner of an onion needs it for must be done before.
    pub(crate) fn advance(&mut self, step: CommitStep) {
        for htlc in self.iter_mut() {
            if let Some(next) = htlc.state.after(step) {
                htlc.state = next;
                if !htlc.needs_onion() {
                    htlc.onion = None;
                    htlc.extra_tlvs = Vec::new();
                }
            }
        }
    }

    /// The connection is gone: reverses what nobody committed to.
    pub(crate) fn disconnect(&mut self) {
        self.retain(|htlc| htlc.state.after_disconnect().is_some());
        for htlc in self.iter_mut() {
            if let Some(state) = htlc.state.after_disconnect() {
                htlc.state = state;
                if !state.is_removing() {
                    htlc.removal = None;
                }
            }
        }
    }
}

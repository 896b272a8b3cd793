//! Between the machine's words and lightningd's.

use bitcoin::secp256k1::PublicKey;
use ln_channel::{BySide, FeerateBounds, FundingPlace, Htlc, Notice, Offer, OnionPacket, Removal};
use ln_ipc::channeld::{
    ChannelEvent, ChanneldBlock, ChanneldFeerates, ChanneldOfferHtlc, ReceivedHtlc, Resolution,
    RevokedCommitment, Shutdown,
};
use ln_signer::SharedSecret;

/// The node's decision about an HTLC.
pub(crate) fn removal(resolution: Resolution) -> Removal {
    match resolution {
        Resolution::Fulfill(preimage) => Removal::Fulfilled {
            preimage,
            attribution_data: None,
        },
        Resolution::Fail(reason) => Removal::Failed {
            reason,
            attribution_data: None,
        },
        Resolution::FailMalformed(sha256_of_onion, failure_code) => Removal::Malformed {
            sha256_of_onion,
            failure_code,
        },
    }
}

/// An HTLC to offer; nothing when its onion has not 1366 bytes.
pub(crate) fn offer(offer: &ChanneldOfferHtlc) -> Option<Offer> {
    Some(Offer {
        request: offer.request,
        amount: offer.amount,
        payment_hash: offer.payment_hash,
        cltv_expiry: offer.cltv_expiry,
        onion: OnionPacket::new(offer.onion.as_slice().try_into().ok()?),
        path_key: offer.path_key,
        extra_tlvs: offer.extra_tlvs.clone(),
    })
}

pub(crate) fn feerates(feerates: &ChanneldFeerates) -> FeerateBounds {
    FeerateBounds {
        desired: feerates.desired,
        min: feerates.min,
        max: feerates.max,
    }
}

pub(crate) fn funding_place(block: &ChanneldBlock) -> FundingPlace {
    FundingPlace {
        depth: block.funding_depth,
        scid: block.scid,
    }
}

/// The point an HTLC's onion is encrypted to us with; nothing when it is no point.
pub(crate) fn onion_key(htlc: &Htlc) -> Option<PublicKey> {
    let onion = htlc.onion.as_ref()?;
    PublicKey::from_slice(onion.0.get(1..34)?).ok()
}

/// What lightningd is told. `secrets` has one for each received HTLC, in order.
pub(crate) fn event(
    notice: Notice,
    secrets: &mut impl Iterator<Item = Option<SharedSecret>>,
) -> ChannelEvent {
    match notice {
        Notice::Offered { id, request } => ChannelEvent::Offered(id, request),
        Notice::Received(htlc) => ChannelEvent::Received(received(*htlc, secrets.next().flatten())),
        Notice::Fulfilled { id, preimage, .. } => ChannelEvent::Fulfilled(id, preimage),
        Notice::Failed { id, reason, .. } => ChannelEvent::Failed(id, reason),
        Notice::FailedMalformed {
            id, failure_code, ..
        } => ChannelEvent::FailedMalformed(id, failure_code),
        Notice::OfferedRemoved(id) => ChannelEvent::OfferedRemoved(id),
        Notice::ReceivedRemoved(id) => ChannelEvent::ReceivedRemoved(id),
        Notice::RemoteReady(alias) => ChannelEvent::RemoteReady(alias),
        Notice::Ready => ChannelEvent::Ready,
        Notice::ShuttingDown(BySide { local, remote }) => ChannelEvent::ShuttingDown(Shutdown {
            local_script: local,
            remote_script: remote,
        }),
        Notice::Revoked { number, txid } => {
            ChannelEvent::Revoked(RevokedCommitment { number, txid })
        }
    }
}

fn received(htlc: Htlc, secret: Option<SharedSecret>) -> ReceivedHtlc {
    ReceivedHtlc {
        id: htlc.id,
        amount: htlc.amount,
        cltv_expiry: htlc.cltv_expiry,
        payment_hash: htlc.payment_hash,
        onion: htlc.onion.map(|onion| onion.0.to_vec()).unwrap_or_default(),
        shared_secret: secret.map(|secret| secret.0),
        path_key: htlc.path_key,
        extra_tlvs: htlc.extra_tlvs,
        over_dust_exposure: htlc.over_dust_exposure,
    }
}

//! Failure messages.

use ln_codec::{BigSize, Decode, DecodeError, Encode, Reader};
use ln_types::{BlockHeight, CltvExpiry, Msat};

use crate::FailureCode;

/// The type bytes of `channel_update`.
const CHANNEL_UPDATE: [u8; 2] = [0x01, 0x02];

macro_rules! failure_messages {
    ($($(#[$meta:meta])* $variant:ident = $code:literal { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        /// A failure, as a hop reports it to the sender.
        ///
        /// BOLT 4 §Failure Messages. `channel_update` fields hold the message with or without its type, or nothing; see
        /// [`FailureMessage::channel_update`].
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum FailureMessage {
            $($(#[$meta])* $variant { $($(#[$field_meta])* $field: $type),* },)*
            /// A code nobody defined.
            Unknown {
                /// The code.
                code: FailureCode,
                /// What followed.
                data: Vec<u8>,
            },
        }

        impl FailureMessage {
            /// Its code.
            pub fn code(&self) -> FailureCode {
                match self {
                    $(Self::$variant { .. } => FailureCode($code),)*
                    Self::Unknown { code, .. } => *code,
                }
            }
        }

        impl Encode for FailureMessage {
            fn encode(&self, out: &mut Vec<u8>) {
                self.code().encode(out);
                match self {
                    $(Self::$variant { $($field),* } => { $(Encode::encode($field, out);)* })*
                    Self::Unknown { data, .. } => out.extend_from_slice(data),
                }
            }
        }

        impl Decode for FailureMessage {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let code = FailureCode::decode(reader)?;
                match code.0 {
                    $($code => Ok(Self::$variant { $($field: Decode::decode(reader)?),* }),)*
                    _ => Ok(Self::Unknown { code, data: reader.rest().to_vec() }),
                }
            }
        }
    };
}

failure_messages! {
    /// The node failed for now.
    TemporaryNodeFailure = 0x2002 {}
    /// The node failed for good.
    PermanentNodeFailure = 0x6002 {}
    /// The node requires a feature the onion lacks.
    RequiredNodeFeatureMissing = 0x6003 {}
    /// The next node does not know the onion's version.
    InvalidOnionVersion = 0xc004 {
        /// SHA256 of the packet it got.
        sha256_of_onion: [u8; 32],
    }
    /// The onion's HMAC was wrong at the next node.
    InvalidOnionHmac = 0xc005 {
        /// SHA256 of the packet it got.
        sha256_of_onion: [u8; 32],
    }
    /// The onion's ephemeral key was not a point.
    InvalidOnionKey = 0xc006 {
        /// SHA256 of the packet it got.
        sha256_of_onion: [u8; 32],
    }
    /// The channel can't carry this HTLC now.
    TemporaryChannelFailure = 0x1007 {
        /// The channel's parameters.
        channel_update: Vec<u8>,
    }
    /// The channel can't carry any HTLC any more.
    PermanentChannelFailure = 0x4008 {}
    /// The channel requires a feature the onion lacks.
    RequiredChannelFeatureMissing = 0x4009 {}
    /// No such channel.
    UnknownNextPeer = 0x400a {}
    /// Below the channel's `htlc_minimum_msat`.
    AmountBelowMinimum = 0x100b {
        /// The outgoing amount.
        htlc_msat: Msat,
        /// The channel's parameters.
        channel_update: Vec<u8>,
    }
    /// The fee was too small.
    FeeInsufficient = 0x100c {
        /// The incoming amount.
        htlc_msat: Msat,
        /// The channel's parameters.
        channel_update: Vec<u8>,
    }
    /// The expiry did not leave the channel's `cltv_expiry_delta`.
    IncorrectCltvExpiry = 0x100d {
        /// The outgoing expiry.
        cltv_expiry: CltvExpiry,
        /// The channel's parameters.
        channel_update: Vec<u8>,
    }
    /// The expiry is too close.
    ExpiryTooSoon = 0x100e {
        /// The channel's parameters.
        channel_update: Vec<u8>,
    }
    /// The last node does not want this payment, for whatever reason.
    IncorrectOrUnknownPaymentDetails = 0x400f {
        /// The amount that arrived.
        htlc_msat: Msat,
        /// The last node's best height then.
        height: BlockHeight,
    }
    /// The expiry that reached the last node was below the one in its payload.
    FinalIncorrectCltvExpiry = 18 {
        /// The expiry that arrived.
        cltv_expiry: CltvExpiry,
    }
    /// The amount that reached the last node was below the one in its payload.
    FinalIncorrectHtlcAmount = 19 {
        /// The amount that arrived.
        incoming_htlc_amt: Msat,
    }
    /// The channel is disabled.
    ChannelDisabled = 0x1014 {
        /// No flag is defined.
        disabled_flags: u16,
        /// The channel's parameters.
        channel_update: Vec<u8>,
    }
    /// The expiry is too far away.
    ExpiryTooFar = 21 {}
    /// The hop's payload was not understood.
    InvalidOnionPayload = 0x4016 {
        /// The record at fault, or 0.
        tlv_type: BigSize,
        /// Where it starts, or 0.
        offset: u16,
    }
    /// The other parts of the payment did not come in time.
    MppTimeout = 23 {}
    /// Something failed inside a blinded path.
    InvalidOnionBlinding = 0xc018 {
        /// SHA256 of the packet, or zeros from a node that is not the path's first.
        sha256_of_onion: [u8; 32],
    }
}

impl FailureMessage {
    /// Reads a failure out of a return packet; what follows its fields is not looked at.
    // BOLT 4 §Receiving Failure Codes: extra bytes are ignored.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(&mut Reader::new(bytes))
    }

    /// The code of a failure, even when the rest of it can't be read.
    pub fn code_of(bytes: &[u8]) -> Option<FailureCode> {
        FailureCode::decode(&mut Reader::new(bytes)).ok()
    }

    /// The channel's parameters as a whole `channel_update` message, if the reporting node sent any.
    ///
    /// Some nodes leave the message's type out; it is put back.
    pub fn channel_update(&self) -> Option<Vec<u8>> {
        let update = self.raw_channel_update().filter(|raw| !raw.is_empty())?;
        let mut message = Vec::with_capacity(update.len().saturating_add(2));
        if !update.starts_with(&CHANNEL_UPDATE) {
            message.extend_from_slice(&CHANNEL_UPDATE);
        }
        message.extend_from_slice(update);
        Some(message)
    }

    fn raw_channel_update(&self) -> Option<&[u8]> {
        match self {
            Self::TemporaryChannelFailure { channel_update }
            | Self::AmountBelowMinimum { channel_update, .. }
            | Self::FeeInsufficient { channel_update, .. }
            | Self::IncorrectCltvExpiry { channel_update, .. }
            | Self::ExpiryTooSoon { channel_update }
            | Self::ChannelDisabled { channel_update, .. } => Some(channel_update),
            Self::TemporaryNodeFailure { .. }
            | Self::PermanentNodeFailure { .. }
            | Self::RequiredNodeFeatureMissing { .. }
            | Self::InvalidOnionVersion { .. }
            | Self::InvalidOnionHmac { .. }
            | Self::InvalidOnionKey { .. }
            | Self::PermanentChannelFailure { .. }
            | Self::RequiredChannelFeatureMissing { .. }
            | Self::UnknownNextPeer { .. }
            | Self::IncorrectOrUnknownPaymentDetails { .. }
            | Self::FinalIncorrectCltvExpiry { .. }
            | Self::FinalIncorrectHtlcAmount { .. }
            | Self::ExpiryTooFar { .. }
            | Self::InvalidOnionPayload { .. }
            | Self::MppTimeout { .. }
            | Self::InvalidOnionBlinding { .. }
            | Self::Unknown { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_update_gets_its_type_back() {
        let failure = |channel_update| FailureMessage::TemporaryChannelFailure { channel_update };
        assert_eq!(failure(vec![]).channel_update(), None);
        assert_eq!(failure(vec![9, 9]).channel_update(), Some(vec![1, 2, 9, 9]));
        assert_eq!(failure(vec![1, 2, 9]).channel_update(), Some(vec![1, 2, 9]));
    }

    #[test]
    fn extra_bytes_are_ignored_and_missing_ones_are_not() {
        let whole = FailureMessage::FinalIncorrectCltvExpiry {
            cltv_expiry: CltvExpiry(7),
        };
        let mut bytes = whole.to_bytes();
        bytes.push(1);
        assert_eq!(FailureMessage::read(&bytes), Ok(whole));
        bytes.truncate(4);
        assert!(FailureMessage::read(&bytes).is_err());
        assert_eq!(FailureMessage::code_of(&bytes), Some(FailureCode(18)));
    }
}

//! `dev-warn-on-overgrind`: signatures that are shorter than most.
//!
//! A test that expects an exact fee is off when a signature comes out a byte short, which happens once in some hundred times.

use bitcoin::ecdsa::Signature;
use ln_ipc::hsmd::{BitcoinSignature, FromHsmd, WirePsbt};

/// How long nearly all are, with the byte that says what they cover.
const USUAL: usize = 71;

/// The lengths of those signatures in a reply that are not as long as usual.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other replies have no signature for a transaction"
)]
pub(crate) fn short_signatures(reply: &FromHsmd) -> Vec<usize> {
    let lengths = match reply {
        FromHsmd::SignTxReply(reply) => vec![length(&reply.sig)],
        FromHsmd::SignCommitmentTxReply(reply) => vec![length(&reply.sig)],
        FromHsmd::SignWithdrawalReply(reply) => lengths(&reply.psbt),
        FromHsmd::SignAnchorspendReply(reply) => lengths(&reply.psbt),
        FromHsmd::SignHtlcTxMingleReply(reply) => lengths(&reply.psbt),
        _ => Vec::new(),
    };
    let short = lengths.into_iter().filter(|length| *length != USUAL);
    short.collect()
}

fn length(signature: &BitcoinSignature) -> usize {
    let BitcoinSignature { signature, sighash } = *signature;
    let sighash_type = sighash;
    Signature {
        signature,
        sighash_type,
    }
    .serialize()
    .len()
}

fn lengths(WirePsbt(psbt): &WirePsbt) -> Vec<usize> {
    let inputs = psbt.inputs.iter();
    let signatures = inputs.flat_map(|input| input.partial_sigs.values());
    signatures
        .map(|signature| signature.serialize().len())
        .collect()
}

#[cfg(test)]
mod tests {
    use bitcoin::EcdsaSighashType;
    use bitcoin::secp256k1::ecdsa;
    use ln_ipc::hsmd::HsmdSignTxReply;

    use super::*;

    fn reply(r: [u8; 32]) -> FromHsmd {
        let bytes = [r, [0x11; 32]].concat();
        let sig = BitcoinSignature {
            signature: ecdsa::Signature::from_compact(&bytes).unwrap(),
            sighash: EcdsaSighashType::All,
        };
        HsmdSignTxReply { sig }.into()
    }

    #[test]
    fn a_byte_too_few_is_seen() {
        let mut r = [0x11; 32];
        assert_eq!(short_signatures(&reply(r)), Vec::<usize>::new());
        r[0] = 0;
        assert_eq!(short_signatures(&reply(r)), [70]);
    }
}

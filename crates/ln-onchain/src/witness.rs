//! What a witness tells about who spent an output, and how.

use bitcoin::Witness;
use ln_types::PaymentPreimage;

/// The form of a witness that spends an output of a commitment or of an HTLC transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WitnessForm {
    /// A signature and an empty item: a delayed output after its delay, or an HTLC after its expiry.
    Plain,
    /// A signature and either 1 or a revocation key.
    Revocation,
    /// A signature and a preimage.
    Preimage(PaymentPreimage),
    /// An HTLC-timeout transaction.
    HtlcTimeoutTx,
    /// An HTLC-success transaction.
    HtlcSuccessTx(PaymentPreimage),
    /// None of these.
    Other,
}

// BOLT 3 §Commitment Transaction Outputs: each branch of each script has a witness of its own shape.
pub(crate) fn witness_form(witness: &Witness) -> WitnessForm {
    let items: Vec<&[u8]> = witness.iter().collect();
    match items.as_slice() {
        [_, [], _] => WitnessForm::Plain,
        [_, [1], _] => WitnessForm::Revocation,
        [_, item, _] if item.len() == 33 => WitnessForm::Revocation,
        [_, item, _] => <[u8; 32]>::try_from(*item).map_or(WitnessForm::Other, |bytes| {
            WitnessForm::Preimage(PaymentPreimage(bytes))
        }),
        [[], _, _, [], _] => WitnessForm::HtlcTimeoutTx,
        [[], _, _, item, _] => <[u8; 32]>::try_from(*item).map_or(WitnessForm::Other, |bytes| {
            WitnessForm::HtlcSuccessTx(PaymentPreimage(bytes))
        }),
        _ => WitnessForm::Other,
    }
}

//! Which capability each request needs.

use ln_ipc::hsmd::ToHsmd;
use ln_signer::Capabilities;

/// What a client must be permitted to send message `number`; `None` when it is no request.
pub(crate) fn required(number: u16) -> Option<Capabilities> {
    match number {
        // ecdh
        1 => Some(Capabilities::ECDH),
        // channel_announcement, channel_update, node_announcement
        2 | 3 | 6 => Some(Capabilities::SIGN_GOSSIP),
        // outputs of a closed channel: delayed, HTLC, penalty
        12..=14 => Some(Capabilities::SIGN_ONCHAIN_TX),
        // per-commitment point, future secret, setup_channel
        18 | 22 | 31 => Some(Capabilities::COMMITMENT_POINT),
        // the peer's commitment and HTLC transactions, validate, revoke
        19 | 20 | 35 | 36 | 40 => Some(Capabilities::SIGN_REMOTE_TX),
        // closing transaction
        21 => Some(Capabilities::SIGN_CLOSING_TX),
        // option_will_fund
        26 => Some(Capabilities::SIGN_WILL_FUND_OFFER),
        // splice
        29 => Some(Capabilities::SIGN_SPLICE_TX),
        // check_outpoint, lock_outpoint
        32 | 37 => Some(Capabilities::LOCK_OUTPOINT),
        _ if ToHsmd::knows(number) => Some(Capabilities::MASTER),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_have_a_capability_and_all_of_them_do() {
        for number in 0..=u16::MAX {
            assert_eq!(
                required(number).is_some(),
                ToHsmd::knows(number),
                "{number}"
            );
        }
    }

    #[test]
    fn lightningd_alone_may_sign_commitments_and_withdrawals() {
        let daemons = [
            Capabilities::CONNECTD,
            Capabilities::OPENINGD,
            Capabilities::DUALOPEND,
            Capabilities::CHANNELD,
            Capabilities::CLOSINGD,
            Capabilities::ONCHAIND,
        ];
        for number in [5, 7, 8, 9, 10, 11, 23, 27, 41, 142, 147] {
            let needed = required(number).unwrap();
            assert!(Capabilities::LIGHTNINGD.contains(needed));
            assert!(daemons.iter().all(|daemon| !daemon.contains(needed)));
        }
    }
}

//! A channel we open.

use std::os::fd::AsFd;

use ln_channel::opening::{OpenTerms, Proposed};
use ln_codec::{Encode, LongBytes};
use ln_ipc::openingd::{
    FromOpeningd, OpeningdFund, OpeningdFundReply, OpeningdFundTxReply, ToOpeningd,
};
use ln_wire::PeerMessage;

use crate::daemon::{Ended, Openingd};

impl Openingd {
    pub(crate) fn open_to_peer(&mut self, fund: OpeningdFund) -> Result<(), Ended> {
        let temporary_channel_id = fund.temporary_channel_id;
        let terms = OpenTerms {
            temporary_channel_id,
            funding: fund.funding,
            push: fund.push,
            feerate: fund.feerate,
            announce: fund.announce,
            channel_type: fund.channel_type,
            upfront_shutdown_script: self.init.upfront_shutdown_script.clone(),
            reserve: None,
            minimum_depth: fund.minimum_depth,
        };
        // Nobody but us knows of it yet: an error here is not the peer's business.
        let (proposed, open) =
            Proposed::new(terms, &self.env()).map_err(|error| self.broken(&error))?;
        self.channel_id = temporary_channel_id;
        self.send(open)?;
        let message = self.hear_from_peer()?;
        let PeerMessage::AcceptChannel(accept) = &*message else {
            return Err(self.out_of_place(&message));
        };
        let accepted = proposed
            .on_accept_channel(accept, &self.env())
            .map_err(|error| self.broken(&error))?;
        self.shell.send(&FromOpeningd::from(OpeningdFundReply {
            funding_script: accepted.funding_script(),
            channel_type: accepted.channel_type().features().clone(),
            minimum_depth: accepted.minimum_depth(),
        }))?;
        let message = self.hear_from_master()?;
        let ToOpeningd::FundTx(tx) = &message else {
            return Err(self.confused(&message));
        };
        let (created, message) = accepted
            .on_funding(tx.funding, &self.env())
            .map_err(|error| self.broken(&error))?;
        self.send(message)?;
        let channel_id = created.channel_id();
        let message = self.hear_from_peer()?;
        let PeerMessage::FundingSigned(signed) = &*message else {
            return Err(self.out_of_place(&message));
        };
        let state = created
            .on_funding_signed(signed, &self.env())
            .map_err(|error| self.broken(&error))?;
        let reply = FromOpeningd::from(OpeningdFundTxReply {
            channel_id,
            state: LongBytes(state.to_bytes()),
            unread: self.unread()?,
        });
        Ok(self.shell.send_with_fds(&reply, &[self.peer.as_fd()])?)
    }
}

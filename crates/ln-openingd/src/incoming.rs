//! A channel the peer opens.

use std::os::fd::AsFd;

use ln_channel::opening::{AcceptTerms, Incoming};
use ln_codec::{Encode, LongBytes};
use ln_ipc::openingd::{
    FromOpeningd, OpeningdAccepted, OpeningdDone, OpeningdIncoming, ToOpeningd,
};
use ln_wire::{OpenChannel, PeerMessage};

use crate::daemon::{Ended, Openingd};

impl Openingd {
    pub(crate) fn open_to_us(&mut self, open: OpenChannel) -> Result<(), Ended> {
        self.channel_id = open.temporary_channel_id;
        let incoming = Incoming::new(open, &self.env()).map_err(|error| self.broken(&error))?;
        self.shell.send(&FromOpeningd::from(describe(&incoming)))?;
        let message = self.hear_from_master()?;
        let ToOpeningd::IncomingReply(reply) = message else {
            return Err(self.confused(&message));
        };
        if let Some(reason) = reply.reject {
            return Err(self.give_up(&reason));
        }
        let upfront = self.init.upfront_shutdown_script.clone();
        let terms = AcceptTerms {
            upfront_shutdown_script: reply.close_to.or(upfront),
            minimum_depth: reply.minimum_depth,
            reserve: reply.reserve,
        };
        let (awaiting, accept) = incoming
            .accept(&terms, &self.env())
            .map_err(|error| self.broken(&error))?;
        self.send(accept)?;
        let message = self.hear_from_peer()?;
        let PeerMessage::FundingCreated(created) = &*message else {
            return Err(self.out_of_place(&message));
        };
        let (state, signed) = awaiting
            .on_funding_created(created, &self.env())
            .map_err(|error| self.broken(&error))?;
        self.shell.send(&FromOpeningd::from(OpeningdAccepted {
            channel_id: state.params.channel_id,
            funding: state.params.funding,
            state: LongBytes(state.to_bytes()),
        }))?;
        let message = self.hear_from_master()?;
        if !matches!(message, ToOpeningd::AcceptedPersisted(_)) {
            return Err(self.confused(&message));
        }
        self.send(signed)?;
        let unread = self.unread()?;
        let done = FromOpeningd::from(OpeningdDone { unread });
        Ok(self.shell.send_with_fds(&done, &[self.peer.as_fd()])?)
    }
}

fn describe(incoming: &Incoming) -> OpeningdIncoming {
    let open = incoming.open_channel();
    OpeningdIncoming {
        temporary_channel_id: open.temporary_channel_id,
        funding: open.funding_satoshis,
        push: open.push_msat,
        dust_limit: open.dust_limit_satoshis,
        max_htlc_value_in_flight: open.max_htlc_value_in_flight_msat,
        channel_reserve: open.channel_reserve_satoshis,
        htlc_minimum: open.htlc_minimum_msat,
        feerate: open.feerate_per_kw,
        to_self_delay: open.to_self_delay,
        max_accepted_htlcs: open.max_accepted_htlcs,
        channel_flags: open.channel_flags,
        shutdown_script: incoming.shutdown_script().cloned(),
        channel_type: incoming.channel_type().features().clone(),
    }
}

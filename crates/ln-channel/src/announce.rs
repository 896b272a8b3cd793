//! `announcement_signatures`.

use bitcoin::secp256k1::{PublicKey, ecdsa};
use ln_keys::secp;
use ln_types::ShortChannelId;
use ln_wire::{AnnouncementSignatures, ChannelAnnouncement, FeatureBytes};

use crate::outbox::Outbox;
use crate::state::RemoteAnnouncement;
use crate::{Action, Channel, ChannelError, Env, signing};

/// Confirmations before a channel is announced.
// BOLT 7 §The `announcement_signatures` Message: not before six.
const ANNOUNCE_DEPTH: u32 = 6;

/// A signature to hold the place of those still missing.
fn placeholder() -> ecdsa::Signature {
    let mut bytes = [0; 64];
    for byte in bytes.iter_mut().skip(31).step_by(32) {
        *byte = 1;
    }
    ecdsa::Signature::from_compact(&bytes).expect("r = s = 1 is in range")
}

impl Channel {
    /// The place to announce, once everything is there.
    fn announceable(&self) -> Option<ShortChannelId> {
        let state = &self.state;
        let deep = self.funding.depth >= ANNOUNCE_DEPTH.max(state.params.minimum_depth);
        let ready = state.ready.local && state.ready.remote;
        let closing = state.shutdown.local.is_some() || state.shutdown.remote.is_some();
        (state.params.announce && deep && ready && !closing)
            .then_some(self.funding.scid)
            .flatten()
    }

    /// Sends our signatures, once on each connection until we have the peer's, and announces the channel when both are there.
    pub(crate) fn maybe_announce(
        &mut self,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        let Some(scid) = self.announceable() else {
            return Ok(());
        };
        let remote = self
            .state
            .remote_announcement
            .clone()
            .filter(|remote| remote.scid == scid);
        if self.session.sent_announcement && (remote.is_none() || self.session.announced) {
            return Ok(());
        }
        let mut announcement = self.unsigned_announcement(scid, env);
        let ours = signing::sign_announcement(env, &announcement)?;
        if !self.session.sent_announcement && (remote.is_none() || !self.session.announced) {
            self.session.sent_announcement = true;
            out.send(AnnouncementSignatures {
                channel_id: self.state.params.channel_id,
                short_channel_id: scid,
                node_signature: ours.node,
                bitcoin_signature: ours.bitcoin,
            });
        }
        let Some(remote) = remote else {
            return Ok(());
        };
        if self.session.announced {
            return Ok(());
        }
        self.session.announced = true;
        let ours = (ours.node, ours.bitcoin);
        let theirs = (remote.node_signature, remote.bitcoin_signature);
        let (first, second) = if env.node_ids.local < env.node_ids.remote {
            (ours, theirs)
        } else {
            (theirs, ours)
        };
        (
            announcement.node_signature_1,
            announcement.bitcoin_signature_1,
        ) = first;
        (
            announcement.node_signature_2,
            announcement.bitcoin_signature_2,
        ) = second;
        out.push(Action::Announce {
            scid,
            announcement: Box::new(announcement),
        });
        Ok(())
    }

    pub(crate) fn on_announcement_signatures(
        &mut self,
        message: &AnnouncementSignatures,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        if !self.state.params.announce {
            return Err(ChannelError::OutOfPlace {
                message: "announcement_signatures",
                why: "the channel is private",
            });
        }
        let scid = message.short_channel_id;
        if let Some(ours) = self.funding.scid
            && ours != scid
        {
            // BOLT 7 §The `announcement_signatures` Message: a place we do not see it at. Blocks may come in another order for the peer, so this
            // is no reason to hang up.
            out.log(format!(
                "peer wants to announce the channel at {scid}, it is at {ours}"
            ));
            return Ok(());
        }
        let digest = self.unsigned_announcement(scid, env).signed_digest();
        let check = |signature: &ecdsa::Signature, key: &PublicKey| {
            secp()
                .verify_ecdsa(&digest, signature, key)
                .map_err(|_| ChannelError::BadAnnouncementSignature { scid })
        };
        // BOLT 7 §The `announcement_signatures` Message: both signatures must be good.
        check(&message.node_signature, &env.node_ids.remote.public_key())?;
        check(
            &message.bitcoin_signature,
            &self.state.params.sides.remote.basepoints.funding,
        )?;
        let remote = RemoteAnnouncement {
            scid,
            node_signature: message.node_signature,
            bitcoin_signature: message.bitcoin_signature,
        };
        if self.state.remote_announcement.as_ref() == Some(&remote) {
            // BOLT 7 §The `announcement_signatures` Message: a peer that sends it again has not got ours.
            if self.session.announced && !self.session.sent_announcement {
                self.session.announced = false;
            }
            return Ok(());
        }
        self.state.remote_announcement = Some(remote);
        out.persist();
        Ok(())
    }

    /// The announcement with placeholders for signatures.
    fn unsigned_announcement(&self, scid: ShortChannelId, env: &Env<'_>) -> ChannelAnnouncement {
        let sides = &self.state.params.sides;
        let ours = (env.node_ids.local, sides.local.basepoints.funding);
        let theirs = (env.node_ids.remote, sides.remote.basepoints.funding);
        // BOLT 7 §The `channel_announcement` Message: the lesser node id is the first.
        let ((node_id_1, bitcoin_key_1), (node_id_2, bitcoin_key_2)) = if ours.0 < theirs.0 {
            (ours, theirs)
        } else {
            (theirs, ours)
        };
        ChannelAnnouncement {
            node_signature_1: placeholder(),
            node_signature_2: placeholder(),
            bitcoin_signature_1: placeholder(),
            bitcoin_signature_2: placeholder(),
            features: FeatureBytes::default(),
            chain_hash: env.chain_hash,
            short_channel_id: scid,
            node_id_1,
            node_id_2,
            bitcoin_key_1,
            bitcoin_key_2,
            extension: Vec::new(),
        }
    }
}

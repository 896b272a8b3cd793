//! The side that connects.

use bitcoin::secp256k1::ecdh::SharedSecret;
use bitcoin::secp256k1::{PublicKey, SecretKey};

use crate::symmetric::{Symmetric, read_ephemeral};
use crate::{ACT_ONE_LENGTH, ACT_THREE_LENGTH, Act, HandshakeError, Session};

/// An initiator that has sent act one and waits for act two.
#[must_use]
pub struct Initiator {
    symmetric: Symmetric,
    local: PublicKey,
    remote: PublicKey,
    ephemeral: SecretKey,
}

impl Initiator {
    /// Starts a handshake from our node id to `remote`, with a fresh `ephemeral` key that is used nowhere else. Returns act one.
    pub fn start(
        local: PublicKey,
        remote: PublicKey,
        ephemeral: SecretKey,
    ) -> (Self, [u8; ACT_ONE_LENGTH]) {
        let mut symmetric = Symmetric::new(&remote);
        let act_one = symmetric.write_ephemeral(&ephemeral, &remote);
        let initiator = Self {
            symmetric,
            local,
            remote,
            ephemeral,
        };
        (initiator, act_one)
    }

    /// Reads act two.
    pub fn read_act_two(mut self, bytes: &[u8]) -> Result<ActTwoRead, HandshakeError> {
        let act = Act::Two;
        let mut read = read_ephemeral(act, bytes)?;
        self.symmetric.mix_hash(&read.key.serialize());
        let secret = SharedSecret::new(&read.key, &self.ephemeral);
        self.ephemeral.non_secure_erase();
        self.symmetric.mix_secret(&secret);
        self.symmetric
            .open(0, &mut read.tag)
            .map_err(|_| HandshakeError::Tag { act })?;
        Ok(ActTwoRead {
            symmetric: self.symmetric,
            local: self.local,
            remote: self.remote,
            responder_ephemeral: read.key,
        })
    }
}

/// An initiator that has read act two and needs our static key for act three.
#[must_use]
pub struct ActTwoRead {
    symmetric: Symmetric,
    local: PublicKey,
    remote: PublicKey,
    responder_ephemeral: PublicKey,
}

impl ActTwoRead {
    /// The point to do ECDH with, with our static key.
    pub fn point(&self) -> PublicKey {
        self.responder_ephemeral
    }

    /// Given the shared secret of our static key and [`Self::point`], returns act three and the session. The other side may still
    /// refuse it: only its first message shows that it did not.
    pub fn finish(mut self, secret: SharedSecret) -> ([u8; ACT_THREE_LENGTH], Session) {
        // BOLT 8 §Act Three: our static key goes under the key of act two, with the next nonce.
        let mut key = self.local.serialize();
        let key_tag = self.symmetric.seal(1, &mut key);
        self.symmetric.mix_secret(&secret);
        let tag = self.symmetric.seal(0, &mut []);
        let mut act = [0; ACT_THREE_LENGTH];
        let sent = key.iter().chain(&key_tag).chain(&tag);
        for (to, from) in act.iter_mut().skip(1).zip(sent) {
            *to = *from;
        }
        (act, self.symmetric.into_session(self.remote, true))
    }
}

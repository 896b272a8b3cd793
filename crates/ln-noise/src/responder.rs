//! The side that is connected to.

use bitcoin::secp256k1::ecdh::SharedSecret;
use bitcoin::secp256k1::{PublicKey, SecretKey};

use crate::symmetric::{EphemeralAct, Symmetric, open_act, read_ephemeral};
use crate::{ACT_THREE_LENGTH, ACT_TWO_LENGTH, Act, HandshakeError, Session};

/// A responder that waits for act one.
#[must_use]
pub struct Responder {
    symmetric: Symmetric,
}

impl Responder {
    /// Waits for somebody who knows our node id.
    pub fn new(local: PublicKey) -> Self {
        Self {
            symmetric: Symmetric::new(&local),
        }
    }

    /// Reads act one. Whether the peer knows our node id is seen only when the shared secret is there.
    pub fn read_act_one(mut self, bytes: &[u8]) -> Result<ActOneRead, HandshakeError> {
        let read = read_ephemeral(Act::One, bytes)?;
        self.symmetric.mix_hash(&read.key.serialize());
        Ok(ActOneRead {
            symmetric: self.symmetric,
            read,
        })
    }
}

/// A responder that has read act one and needs our static key to check it.
#[must_use]
pub struct ActOneRead {
    symmetric: Symmetric,
    read: EphemeralAct,
}

impl ActOneRead {
    /// The point to do ECDH with, with our static key.
    pub fn point(&self) -> PublicKey {
        self.read.key
    }

    /// Given the shared secret of our static key and [`Self::point`], checks act one and returns act two, made with a fresh
    /// `ephemeral` key that is used nowhere else.
    pub fn answer(
        mut self,
        secret: SharedSecret,
        ephemeral: SecretKey,
    ) -> Result<(ResponderAwaitingActThree, [u8; ACT_TWO_LENGTH]), HandshakeError> {
        self.symmetric.mix_secret(&secret);
        // BOLT 8 §Act One: a tag that fails means that the initiator does not know our static key.
        self.symmetric
            .open(0, &mut self.read.tag)
            .map_err(|_| HandshakeError::Tag { act: Act::One })?;
        let act_two = self.symmetric.write_ephemeral(&ephemeral, &self.read.key);
        let responder = ResponderAwaitingActThree {
            symmetric: self.symmetric,
            ephemeral,
        };
        Ok((responder, act_two))
    }
}

/// A responder that has sent act two and waits for act three.
#[must_use]
pub struct ResponderAwaitingActThree {
    symmetric: Symmetric,
    ephemeral: SecretKey,
}

impl ResponderAwaitingActThree {
    /// Reads act three: now we know who connected.
    pub fn read_act_three(mut self, bytes: &[u8]) -> Result<Session, HandshakeError> {
        let act = Act::Three;
        let mut body = [0; ACT_THREE_LENGTH.saturating_sub(1)];
        body.copy_from_slice(open_act::<ACT_THREE_LENGTH>(act, bytes)?);
        let (sealed_key, tag) = body.split_at_mut(49);
        let key = self
            .symmetric
            .open(1, sealed_key)
            .map_err(|_| HandshakeError::Ciphertext { act })?;
        let remote = PublicKey::from_slice(key).map_err(|_| HandshakeError::PublicKey { act })?;
        let secret = SharedSecret::new(&remote, &self.ephemeral);
        self.ephemeral.non_secure_erase();
        self.symmetric.mix_secret(&secret);
        self.symmetric
            .open(0, tag)
            .map_err(|_| HandshakeError::Tag { act })?;
        Ok(self.symmetric.into_session(remote, false))
    }
}

//! BOLT 8, bytes in, bytes out: the `Noise_XK` handshake of both sides and the encryption of the messages that follow.
//!
//! Covers BOLT 8 §Authenticated Key Exchange Handshake Specification, §Lightning Message Specification,
//! §Lightning Message Key Rotation.
//!
//! A handshake is a chain of values, each consumed by the next step, so that no act can be read twice or out of order. The static
//! key never comes here: a step that needs it names the point ([`Initiator::read_act_two`], [`Responder::read_act_one`]) and goes on
//! when it is given the shared secret.
//!
//! ```
//! use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey, ecdh::SharedSecret};
//! use ln_noise::{Initiator, Next, Responder};
//! let secp = Secp256k1::new();
//! let key = |byte| SecretKey::from_slice(&[byte; 32]).expect("in range");
//! let (alice, bob) = (key(1), key(2));
//! let id = |secret: &SecretKey| PublicKey::from_secret_key(&secp, secret);
//!
//! let (initiator, act_one) = Initiator::start(id(&alice), id(&bob), key(3));
//! let asked = Responder::new(id(&bob)).read_act_one(&act_one)?;
//! let secret = SharedSecret::new(&asked.point(), &bob);
//! let (responder, act_two) = asked.answer(secret, key(4))?;
//! let asked = initiator.read_act_two(&act_two)?;
//! let secret = SharedSecret::new(&asked.point(), &alice);
//! let (act_three, mut at_alice) = asked.finish(secret);
//! let mut at_bob = responder.read_act_three(&act_three)?;
//! assert_eq!(at_bob.remote, id(&alice));
//!
//! let mut wire = Vec::new();
//! at_alice.encryptor.encrypt(b"hello", &mut wire).expect("short enough");
//! let Next::Message { message, .. } = at_bob.decryptor.decrypt(&mut wire).expect("not tampered with") else { panic!() };
//! assert_eq!(message, b"hello");
//! # Ok::<(), ln_noise::HandshakeError>(())
//! ```
//!
//! Invariants: no randomness (ephemeral keys are arguments), no static secret, no clock, no socket; chaining and transport
//! secrets are wiped when dropped;
//! steady-state encryption and decryption allocate nothing but room in the caller's buffer.
#![warn(clippy::arithmetic_side_effects)]

mod cipher;
mod error;
mod initiator;
mod responder;
mod symmetric;
mod transport;

pub use error::{Act, HandshakeError, TransportError};
pub use initiator::{ActTwoRead, Initiator};
pub use responder::{ActOneRead, Responder, ResponderAwaitingActThree};
pub use transport::{
    Decryptor, Encryptor, HEADER_LENGTH, MAX_MESSAGE_LENGTH, Next, Session, TAG_LENGTH,
};

/// Bytes of act one.
pub const ACT_ONE_LENGTH: usize = 50;
/// Bytes of act two.
pub const ACT_TWO_LENGTH: usize = 50;
/// Bytes of act three.
pub const ACT_THREE_LENGTH: usize = 66;

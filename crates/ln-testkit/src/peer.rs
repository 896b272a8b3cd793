//! A peer that speaks raw bytes, and so can misbehave.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bitcoin::secp256k1::ecdh::SharedSecret;
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use ln_codec::{Decode as _, Encode as _};
use ln_noise::{Initiator, Next, Session};
use ln_types::{ChannelId, Features, NetAddr, Network, NodeId};
use ln_wire::{Init, InitTlvs, PeerMessage};

/// A node that says nothing for so long has failed the test.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes read at once.
const CHUNK: usize = 65_536;

/// The secret key all of whose bytes are this one, from 1 to 254.
///
/// # Panics
/// If there is no such key.
pub fn secret(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).expect("a byte from 1 to 254 makes a key")
}

/// The node id of [`secret`].
pub fn id(byte: u8) -> NodeId {
    NodeId::from(secret(byte).public_key(&Secp256k1::new()))
}

/// A TCP connection to a node, before any handshake.
///
/// # Panics
/// If the node does not listen there.
pub fn open(address: &NetAddr) -> TcpStream {
    let stream = TcpStream::connect(address.to_string()).expect("the node listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("not a duration of zero");
    stream.set_nodelay(true).expect("it is a TCP connection");
    stream
}

/// A peer past the handshake, which says what it likes.
#[derive(Debug)]
pub struct RawPeer {
    /// The connection, for bytes that are not encrypted.
    pub stream: TcpStream,
    session: Session,
    buffer: Vec<u8>,
}

impl RawPeer {
    /// Connects to a node as the peer with this byte's key.
    ///
    /// # Panics
    /// If the node does not shake hands.
    pub fn handshake(address: &NetAddr, node: NodeId, byte: u8) -> Self {
        let mut stream = open(address);
        let (us, them) = (id(byte).public_key(), node.public_key());
        let (initiator, act_one) = Initiator::start(us, them, secret(77));
        stream.write_all(&act_one).expect("act one is taken");
        let mut act_two = [0; ln_noise::ACT_TWO_LENGTH];
        stream.read_exact(&mut act_two).expect("act two comes");
        let asked = initiator.read_act_two(&act_two).expect("act two is right");
        let shared = SharedSecret::new(&asked.point(), &secret(byte));
        let (act_three, session) = asked.finish(shared);
        stream.write_all(&act_three).expect("act three is taken");
        Self {
            stream,
            session,
            buffer: Vec::new(),
        }
    }

    /// Says `init` with these features and hears the node's.
    ///
    /// # Panics
    /// If the node's first message is another.
    pub fn exchange_init(&mut self, features: &Features) -> Init {
        self.send(&init(features, Network::Regtest));
        let first = self.recv().expect("init comes");
        match PeerMessage::from_bytes(&first) {
            Ok(PeerMessage::Init(init)) => init,
            other => panic!("{other:?} in place of init"),
        }
    }

    /// Sends a message as it is.
    ///
    /// # Panics
    /// If it is too long or the connection is gone.
    pub fn send(&mut self, message: &[u8]) {
        self.try_send(message).expect("the connection stands");
    }

    /// Sends a message as it is, unless the node has hung up.
    ///
    /// # Errors
    /// If it has.
    ///
    /// # Panics
    /// If the message is too long.
    pub fn try_send(&mut self, message: &[u8]) -> std::io::Result<()> {
        let mut frame = Vec::new();
        let encrypted = self.session.encryptor.encrypt(message, &mut frame);
        encrypted.expect("at most 65535 bytes");
        self.stream.write_all(&frame)
    }

    /// Sends messages in one piece.
    ///
    /// # Panics
    /// If one is too long or the connection is gone.
    pub fn send_many(&mut self, messages: &[Vec<u8>]) {
        let mut frames = Vec::new();
        for message in messages {
            let encrypted = self.session.encryptor.encrypt(message, &mut frames);
            encrypted.expect("at most 65535 bytes");
        }
        self.stream
            .write_all(&frames)
            .expect("the connection stands");
    }

    /// The next message, or `None` when the node closed.
    ///
    /// # Panics
    /// If the node says nothing for a minute, or something that does not authenticate.
    pub fn recv(&mut self) -> Option<Vec<u8>> {
        loop {
            let next = self.session.decryptor.decrypt(&mut self.buffer);
            if let Next::Message { message, used } = next.expect("the node's bytes authenticate") {
                let message = message.to_vec();
                self.buffer.drain(..used);
                return Some(message);
            }
            let mut chunk = vec![0; CHUNK];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(read) => self.buffer.extend(chunk.iter().take(read)),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("the node says nothing: {error}"),
            }
        }
    }

    /// The node complains with these words and closes.
    ///
    /// # Panics
    /// If it does not.
    pub fn must_be_refused(mut self, words: &str) {
        let last = self.recv().expect("a warning comes");
        let Ok(PeerMessage::Warning(warning)) = PeerMessage::from_bytes(&last) else {
            panic!("{last:?} is no warning")
        };
        let text = warning.text();
        assert!(text.contains(words), "{text} does not contain {words}");
        self.must_be_closed();
    }

    /// The node closes without a word.
    ///
    /// # Panics
    /// If it does not.
    pub fn must_be_closed(mut self) {
        assert_eq!(self.recv(), None);
    }
}

/// An `init` with these features.
pub fn init(features: &Features, network: Network) -> Vec<u8> {
    let init = Init {
        globalfeatures: Features::new(),
        features: features.clone(),
        tlvs: InitTlvs {
            networks: Some(vec![network.chain_hash()]),
            remote_addr: None,
        },
    };
    PeerMessage::from(init).to_bytes()
}

/// A message of this type about a channel, of this length, with nothing meaningful behind the id.
pub fn channel_message(number: u16, channel_id: ChannelId, length: usize) -> Vec<u8> {
    let mut message = number.to_be_bytes().to_vec();
    message.extend(channel_id.0);
    message.resize(length.max(message.len()), 5);
    message
}

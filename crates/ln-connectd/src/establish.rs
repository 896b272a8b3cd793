//! From a connected socket to a peer that has said who it is and what it can do.

use std::io;

use bitcoin::secp256k1::SecretKey;
use ln_ipc::status::LogLevel;
use ln_noise::{
    ACT_ONE_LENGTH, ACT_THREE_LENGTH, ACT_TWO_LENGTH, HandshakeError, Initiator, Responder, Session,
};
use ln_types::{NetAddr, NodeId};
use rustix::io::Errno;

use crate::dev_disconnect::Fault;
use crate::hsm::{Hsm, HsmGone};
use crate::init::{self, InitProblem, Judgement, PeerInit};
use crate::limits::CLOSE_TIME;
use crate::mux::warning;
use crate::shared::Shared;
use crate::socket::{Socket, read_exact, write_all};
use crate::transport::{Transport, TransportEnd};

/// The type number of `init`.
const INIT: u16 = 16;

/// A connection whose `init` exchange is done.
#[derive(Debug)]
pub(crate) struct Established {
    pub(crate) transport: Transport,
    pub(crate) id: NodeId,
    pub(crate) address: NetAddr,
    pub(crate) incoming: bool,
    pub(crate) init: PeerInit,
}

/// Why a connection did not come about. The words before the colon are those operators know.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EstablishError {
    #[error("Connection establishment: {0}")]
    Connect(io::Error),
    #[error("Connection establishment: timed out")]
    ConnectTimeout,
    #[error("Websocket handshake: {0}")]
    WebSocket(io::Error),
    #[error("Cryptographic handshake: peer closed connection (wrong key?)")]
    HandshakeClosed,
    #[error("Cryptographic handshake: {0}")]
    HandshakeIo(io::Error),
    #[error("Cryptographic handshake: {0}")]
    Handshake(#[from] HandshakeError),
    #[error("Cryptographic handshake: {0}")]
    Hsm(#[from] HsmGone),
    #[error("Cryptographic handshake: no randomness: {0}")]
    Randomness(getrandom::Error),
    #[error("Cryptographic handshake: the peer has our own node id")]
    OwnId,
    #[error("Exchanging init messages: {0}")]
    Init(#[from] TransportEnd),
    #[error("Exchanging init messages: {0}")]
    BadInit(InitProblem),
    #[error("Exchanging init messages: closed by dev-disconnect")]
    DevDisconnect,
    #[error("timed out before init was exchanged")]
    Timeout,
}

impl EstablishError {
    /// Whether the process, or the system, has as many files open as it may.
    pub(crate) fn is_lack_of_descriptors(&self) -> bool {
        let Self::Connect(error) = self else {
            return false;
        };
        let number = error.raw_os_error();
        [Errno::MFILE, Errno::NFILE]
            .iter()
            .any(|errno| number == Some(errno.raw_os_error()))
    }

    fn from_handshake_io(error: io::Error) -> Self {
        let closed = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
        if closed.contains(&error.kind()) {
            Self::HandshakeClosed
        } else {
            Self::HandshakeIo(error)
        }
    }
}

/// Which side we are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Direction {
    /// They connected to us.
    Incoming {
        /// By a request to speak the websocket protocol.
        websocket: bool,
    },
    /// We connected to this node.
    Outgoing(NodeId),
}

/// Handshake and `init` exchange over a connected socket, within the time limit.
pub(crate) async fn establish(
    shared: &Shared,
    hsm: &Hsm,
    mut socket: Socket,
    address: NetAddr,
    direction: Direction,
) -> Result<Established, EstablishError> {
    let all = async {
        let incoming = matches!(direction, Direction::Incoming { .. });
        let session = match direction {
            Direction::Incoming { websocket } => {
                if websocket {
                    let upgraded = socket.into_websocket().await;
                    socket = upgraded.map_err(EstablishError::WebSocket)?;
                }
                respond(shared, hsm, &mut socket).await?
            }
            Direction::Outgoing(id) => {
                shared.debug(id, "Connected out, starting crypto");
                initiate(shared, hsm, &mut socket, id).await?
            }
        };
        let id = NodeId::from(session.remote);
        if id == shared.node_id {
            return Err(EstablishError::OwnId);
        }
        shared.debug(
            id,
            if incoming {
                "Connect IN"
            } else {
                "Connect OUT"
            },
        );
        let mut transport = Transport::new(socket, session.encryptor, session.decryptor);
        if shared.dev.handshake_no_reply {
            std::future::pending::<()>().await;
        }
        let told = incoming.then_some(&address);
        send_init(shared, &mut transport, id, told).await?;
        match read_init(shared, &mut transport, id).await? {
            Ok(init) => Ok(Established {
                transport,
                id,
                address,
                incoming,
                init,
            }),
            Err((problem, warn)) => {
                shared.debug(id, problem.to_string());
                refuse(transport, warn.then(|| problem.to_string()));
                Err(EstablishError::BadInit(problem))
            }
        }
    };
    tokio::time::timeout(shared.timeout, all)
        .await
        .unwrap_or(Err(EstablishError::Timeout))
}

async fn initiate(
    shared: &Shared,
    hsm: &Hsm,
    socket: &mut Socket,
    id: NodeId,
) -> Result<Session, EstablishError> {
    let (us, them) = (shared.node_id.public_key(), id.public_key());
    let (initiator, act_one) = Initiator::start(us, them, ephemeral()?);
    write(socket, &act_one).await?;
    let act_two = read::<ACT_TWO_LENGTH>(socket).await?;
    let asked = initiator.read_act_two(&act_two)?;
    let secret = hsm.ecdh(asked.point()).await?;
    let (act_three, session) = asked.finish(secret);
    write(socket, &act_three).await?;
    Ok(session)
}

async fn respond(
    shared: &Shared,
    hsm: &Hsm,
    socket: &mut Socket,
) -> Result<Session, EstablishError> {
    let act_one = read::<ACT_ONE_LENGTH>(socket).await?;
    let asked = Responder::new(shared.node_id.public_key()).read_act_one(&act_one)?;
    let secret = hsm.ecdh(asked.point()).await?;
    let (responder, act_two) = asked.answer(secret, ephemeral()?)?;
    write(socket, &act_two).await?;
    let act_three = read::<ACT_THREE_LENGTH>(socket).await?;
    Ok(responder.read_act_three(&act_three)?)
}

async fn read<const N: usize>(socket: &mut Socket) -> Result<[u8; N], EstablishError> {
    let mut act = [0; N];
    read_exact(socket, &mut act)
        .await
        .map_err(EstablishError::from_handshake_io)?;
    Ok(act)
}

async fn write(socket: &mut Socket, act: &[u8]) -> Result<(), EstablishError> {
    write_all(socket, act)
        .await
        .map_err(EstablishError::from_handshake_io)
}

// BOLT 8 §Handshake State: each session has an ephemeral key of its own, from a strong source.
fn ephemeral() -> Result<SecretKey, EstablishError> {
    loop {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(EstablishError::Randomness)?;
        // Out of range once in 2^127 times.
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
}

async fn send_init(
    shared: &Shared,
    transport: &mut Transport,
    id: NodeId,
    told: Option<&NetAddr>,
) -> Result<(), EstablishError> {
    let message = init::ours(&shared.features.borrow(), shared.network, told);
    let fault = shared.fault_on_send(id, INIT);
    if fault == Fault::CloseBefore {
        return Err(EstablishError::DevDisconnect);
    }
    if fault != Fault::Drop {
        shared.io(LogLevel::IoOut, id, &message);
        transport.queue(&message).map_err(TransportEnd::Crypto)?;
        transport.flush().await.map_err(TransportEnd::Io)?;
    }
    match fault {
        Fault::CloseAfter => Err(EstablishError::DevDisconnect),
        Fault::Blackhole | Fault::DisableAfter => std::future::pending().await,
        Fault::None | Fault::Drop | Fault::CloseBefore => Ok(()),
    }
}

/// The outer error means that the connection is gone, the inner one that it must go, with a warning or without.
async fn read_init(
    shared: &Shared,
    transport: &mut Transport,
    id: NodeId,
) -> Result<Result<PeerInit, (InitProblem, bool)>, EstablishError> {
    loop {
        let message = transport.receive().await?;
        shared.io(LogLevel::IoIn, id, &message);
        if message.starts_with(&INIT.to_be_bytes()) && shared.fault_on_receive(id, INIT) {
            return Err(EstablishError::DevDisconnect);
        }
        let ours = shared.features.borrow().clone();
        match init::judge(&message, &ours, shared.network) {
            Judgement::Accept(init) => return Ok(Ok(init)),
            Judgement::Ignore => (),
            Judgement::Refuse { reason, warn } => return Ok(Err((reason, warn))),
        }
    }
}

/// Closes a connection in the background, after a last warning.
fn refuse(mut transport: Transport, text: Option<String>) {
    tokio::task::spawn_local(async move {
        if let Some(text) = text {
            let _ = transport.queue(&warning(&text));
            let _ = tokio::time::timeout(CLOSE_TIME, transport.flush()).await;
        }
        transport.into_socket().close_gently().await;
    });
}

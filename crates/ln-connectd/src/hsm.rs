//! ECDH with the node's key, done by hsmd.

use bitcoin::secp256k1::PublicKey;
use bitcoin::secp256k1::ecdh::SharedSecret;
use ln_ipc::hsmd::{FromHsmd, HsmdEcdhReq, ToHsmd};
use ln_ipc::{AsyncStream, FrameError};
use tokio::sync::{mpsc, oneshot};

/// hsmd does not answer any more.
#[derive(Debug, thiserror::Error)]
#[error("hsmd is gone")]
pub(crate) struct HsmGone;

/// Asks hsmd. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Hsm(mpsc::Sender<(PublicKey, oneshot::Sender<SharedSecret>)>);

impl Hsm {
    /// Starts the task that talks to hsmd; it ends with hsmd's socket.
    pub(crate) fn start(stream: AsyncStream) -> Self {
        let (sender, requests) = mpsc::channel(64);
        tokio::task::spawn_local(serve(stream, requests));
        Self(sender)
    }

    /// The shared secret of the node's key and `point`.
    pub(crate) async fn ecdh(&self, point: PublicKey) -> Result<SharedSecret, HsmGone> {
        let (answer, answered) = oneshot::channel();
        self.0.send((point, answer)).await.map_err(|_| HsmGone)?;
        answered.await.map_err(|_| HsmGone)
    }
}

async fn serve(
    mut stream: AsyncStream,
    mut requests: mpsc::Receiver<(PublicKey, oneshot::Sender<SharedSecret>)>,
) {
    while let Some((point, answer)) = requests.recv().await {
        let Ok(secret) = ask(&mut stream, point).await else {
            return;
        };
        // Whoever asked may have given up: its connection timed out.
        let _ = answer.send(secret);
    }
}

async fn ask(stream: &mut AsyncStream, point: PublicKey) -> Result<SharedSecret, FrameError> {
    stream.send(&ToHsmd::from(HsmdEcdhReq { point })).await?;
    loop {
        if let FromHsmd::EcdhResp(reply) = stream.recv().await? {
            return Ok(SharedSecret::from_bytes(reply.ss.0));
        }
    }
}

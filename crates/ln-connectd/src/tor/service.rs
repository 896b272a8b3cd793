//! One onion service: made when the node starts, and again whenever Tor has forgotten it.

use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use data_encoding::BASE64;
use ln_ipc::status::LogLevel;
use ln_types::{NetAddr, NodeId, TorKey, TorService};

use super::control::{Control, Onion, TorError};
use crate::hsm::Hsm;
use crate::shared::Shared;

/// How long to wait before Tor is asked again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// See [`FIRST_WAIT`].
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What must not be seen in a log.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A service that Tor has.
#[derive(Debug)]
pub(crate) struct OnionService {
    /// Its name and port: what is announced.
    pub(crate) address: NetAddr,
    recipe: Recipe,
    control: Control,
}

/// All it takes to make it once more.
#[derive(Debug)]
struct Recipe {
    control: NetAddr,
    password: Option<Secret>,
    key: Option<Secret>,
    port: u16,
    target: NetAddr,
    patience: Duration,
}

impl OnionService {
    /// Has Tor make a service that leads to `target`, where we listen.
    pub(crate) async fn start(
        service: &TorService,
        password: Option<Secret>,
        target: NetAddr,
        patience: Duration,
        (hsm, id): (&Hsm, NodeId),
    ) -> Result<Self, TorError> {
        let mut recipe = Recipe {
            control: service.control.clone(),
            password,
            key: private_key(&service.key, hsm, id).await?,
            port: service.port,
            target,
            patience,
        };
        let (control, onion) = recipe.make().await?;
        // The name stays the same when Tor comes back.
        recipe.key = recipe.key.or(onion.key.map(Secret));
        Ok(Self {
            address: NetAddr::TorV3(onion.name, recipe.port),
            recipe,
            control,
        })
    }

    /// The file with the cookie that Tor wanted to see, if it did.
    pub(crate) fn cookie(&self) -> Option<&Path> {
        self.control.cookie()
    }

    /// Where peers that come over Tor are led to.
    pub(crate) fn target(&self) -> &NetAddr {
        &self.recipe.target
    }

    /// Keeps it for ever.
    pub(crate) async fn keep(mut self, shared: Rc<Shared>) {
        let address = self.address.clone();
        loop {
            self.control.ended().await;
            let text = format!(
                "Tor closed its control connection: nobody reaches {address} until it is back"
            );
            shared.log(LogLevel::Unusual, None, text);
            self.control = self.recipe.make_again(&shared).await;
            let text = format!("Tor is back: {address} can be reached again");
            shared.log(LogLevel::Info, None, text);
        }
    }
}

impl Recipe {
    async fn make(&self) -> Result<(Control, Onion), TorError> {
        let making = async {
            let mut control = Control::connect(&self.control).await?;
            let password = self.password.as_ref().map(|secret| secret.0.as_str());
            control.authenticate(password).await?;
            let key = self.key.as_ref().map(|secret| secret.0.as_str());
            let onion = control.add_onion(key, self.port, &self.target).await?;
            Ok((control, onion))
        };
        let made = tokio::time::timeout(self.patience, making).await;
        made.unwrap_or(Err(TorError::Slow))
    }

    async fn make_again(&self, shared: &Shared) -> Control {
        let mut wait = FIRST_WAIT;
        loop {
            tokio::time::sleep(wait).await;
            match self.make().await {
                Ok((control, _)) => return control,
                Err(error) => {
                    let text = format!("Tor's control port {}: {error}", self.control);
                    shared.log(LogLevel::Debug, None, text);
                }
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// The key of a service that always has the same name, as Tor takes it: the secret scalar and the seed of its nonces. Only the scalar
/// decides about the name.
///
/// As Core Lightning makes them, so that a node that comes from there keeps its name.
async fn private_key(key: &TorKey, hsm: &Hsm, id: NodeId) -> Result<Option<Secret>, TorError> {
    let mut bytes = [0; 64];
    match key {
        TorKey::Chance => return Ok(None),
        TorKey::Node => {
            let shared = hsm.ecdh(id.public_key()).await.map_err(|_| TorError::Hsm)?;
            let scalar = sha256::Hash::hash(&shared.secret_bytes()).to_byte_array();
            let (first, second) = bytes.split_at_mut(32);
            first.copy_from_slice(&scalar);
            getrandom::fill(second).map_err(|error| TorError::Io(error.into()))?;
        }
        TorKey::Text(text) => bytes
            .iter_mut()
            .zip(text.bytes())
            .for_each(|(to, from)| *to = from),
    }
    Ok(Some(Secret(format!(
        "ED25519-V3:{}",
        BASE64.encode(&bytes)
    ))))
}

//! What stands between connections and the secret: start-up, permissions and new clients.

use std::path::PathBuf;

use ln_codec::Decode;
use ln_daemon::{Helper, Home};
use ln_ipc::hsmd::{
    FromHsmd, HsmdClientHsmfd, HsmdClientHsmfdReply, HsmdDevPreinit, HsmdInit, Passphrase, ToHsmd,
};
use ln_ipc::status::LogLevel;
use ln_ipc::{Stream, message_number};
use ln_keys::HsmSecretError;
use ln_signer::Capabilities;

use crate::capability::required;
use crate::client_connection::Connection;
use crate::dev_overgrind::short_signatures;
use crate::handle::{Identity, Refusal};
use crate::hsm::{DevSwitches, Hsm, init_failure, negotiate};
use crate::report::Reporter;
use crate::secret_file::{self, SecretFileError};
use crate::server::End;

/// The largest request of a client that is not lightningd, in bytes: many times a transaction of the largest standard size with the
/// transactions it spends.
const MAX_CLIENT_FRAME: usize = 1 << 24;

/// Why a client is not served any more.
#[derive(Debug)]
pub(crate) enum Leave {
    /// Its connection ended.
    Gone,
    /// It asked for what it may not have.
    BadRequest {
        /// What was wrong.
        reason: String,
        /// What it sent.
        request: Vec<u8>,
    },
    /// hsmd ends.
    End(End),
}

/// What one request came to.
pub(crate) enum Step {
    /// Nothing is said.
    Silent,
    /// A reply.
    Reply(FromHsmd),
    /// A reply that a descriptor follows, and the new client at its other end.
    NewClient(std::os::fd::OwnedFd, Box<Connection>),
    /// A last reply: hsmd ends.
    Last(FromHsmd, End),
}

/// The secret and how it is to be used.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    directory: PathBuf,
    developer: bool,
    home: Home,
    dev: DevSwitches,
    hsm: Option<Hsm>,
}

impl Dispatcher {
    pub(crate) fn new(directory: PathBuf, developer: bool, home: Home) -> Self {
        Self {
            directory,
            developer,
            home,
            dev: DevSwitches::default(),
            hsm: None,
        }
    }

    /// Answers one message of a client.
    pub(crate) fn step(
        &mut self,
        client: &Identity,
        message: &[u8],
        reporter: &mut Reporter,
    ) -> Result<Step, Leave> {
        self.refusable_step(client, message, reporter)
            .map_err(|refusal| match refusal {
                Refusal::BadRequest(reason) => Leave::BadRequest {
                    reason,
                    request: message.to_vec(),
                },
                Refusal::Disagreement(text) => Leave::End(End::Failed(text)),
            })
    }

    fn refusable_step(
        &mut self,
        client: &Identity,
        message: &[u8],
        reporter: &mut Reporter,
    ) -> Result<Step, Refusal> {
        let bad = |reason: &str| Refusal::BadRequest(reason.to_owned());
        let number = message_number(message).ok_or_else(|| bad("could not parse request"))?;
        // Who may not ask is not even read.
        if !required(number).is_some_and(|needed| client.capabilities.contains(needed)) {
            return Err(Refusal::BadRequest(format!(
                "client does not have capability to run {number}"
            )));
        }
        let request = ToHsmd::from_bytes(message).map_err(|_| bad("could not parse request"))?;
        let Some(hsm) = &self.hsm else {
            return self.first_step(&request, reporter);
        };
        if let ToHsmd::ClientHsmfd(request) = &request {
            return new_client(hsm, request, reporter);
        }
        if let Some(check_only) = preapproval(&request) {
            let text = format!("preapprove_invoice: check_only={}", u8::from(check_only));
            reporter.log(LogLevel::Debug, client.peer, text);
        }
        let answer = hsm.answer(client, &request)?;
        for remark in answer.remarks {
            reporter.log(LogLevel::Unusual, client.peer, remark);
        }
        if hsm.dev.warn_on_overgrind {
            for length in short_signatures(&answer.reply) {
                let text = format!("overgrind: short signature length {length}");
                reporter.log(LogLevel::Broken, client.peer, text);
            }
        }
        Ok(Step::Reply(answer.reply))
    }

    /// Answers while the secret is not open yet.
    fn first_step(&mut self, request: &ToHsmd, reporter: &mut Reporter) -> Result<Step, Refusal> {
        if let ToHsmd::Init(init) = request {
            return self.init(init, reporter);
        }
        if let (ToHsmd::DevPreinit(switches), true) = (request, self.developer) {
            self.preinit(switches);
            return Ok(Step::Silent);
        }
        Err(Refusal::BadRequest(format!(
            "hsmd was not initialized: expected hsmd_init, got {}",
            request.name()
        )))
    }

    fn preinit(&mut self, switches: &HsmdDevPreinit) {
        let tlvs = &switches.tlvs;
        self.dev = DevSwitches {
            fail_preapprove: tlvs.fail_preapprove.unwrap_or_default(),
            no_preapprove_check: tlvs.no_preapprove_check.unwrap_or_default(),
            warn_on_overgrind: tlvs.warn_on_overgrind.unwrap_or_default(),
        };
    }

    fn init(&mut self, init: &HsmdInit, reporter: &mut Reporter) -> Result<Step, Refusal> {
        let version = negotiate(init).map_err(Refusal::BadRequest)?;
        let network = init.bip32_key_version.network_kind().ok_or_else(|| {
            Refusal::BadRequest("no network has these extended key versions".to_owned())
        })?;
        let forced = init.dev_force_privkey.is_some()
            || init.dev_force_bip32_seed.is_some()
            || init.dev_force_channel_secrets.is_some()
            || init.dev_force_channel_secrets_shaseed.is_some();
        if forced && !self.developer {
            return Err(Refusal::BadRequest(
                "keys can be forced with --developer only".to_owned(),
            ));
        }
        let passphrase = init.tlvs.hsm_passphrase.as_ref().map(Passphrase::as_str);
        let file =
            secret_file::create_if_missing(&self.directory, passphrase).and_then(|created| {
                if created {
                    reporter.log(LogLevel::Unusual, None, "HSM: created new hsm_secret file");
                }
                secret_file::read(&self.directory)
            });
        let opened = file.and_then(|file| {
            Hsm::open(&file, init, network, version, self.dev).map_err(SecretFileError::from)
        });
        match opened {
            Ok(hsm) => {
                // The file was all there was to open. No client but lightningd has come yet.
                for line in self.home.confine(Helper::Hsmd, &[]) {
                    reporter.log(line.level, None, line.text);
                }
                let reply = hsm.init_reply().into();
                self.hsm = Some(hsm);
                Ok(Step::Reply(reply))
            }
            Err(error) => {
                let code = match &error {
                    SecretFileError::Secret(error) => error.code(),
                    SecretFileError::Io { .. }
                    | SecretFileError::Random(_)
                    | SecretFileError::TooLong => {
                        HsmSecretError::InvalidFormat { length: 0 }.code()
                    }
                };
                let text = format!("Failed to load hsm_secret: {error}");
                let reply = init_failure(code, &text).into();
                Ok(Step::Last(reply, End::NoSecret(code)))
            }
        }
    }
}

/// Whether a request is to approve of an invoice, and if so, whether nothing is going to be paid.
fn preapproval(request: &ToHsmd) -> Option<bool> {
    if let ToHsmd::PreapproveInvoiceCheck(ask) = request {
        return Some(ask.check_only);
    }
    matches!(request, ToHsmd::PreapproveInvoice(_)).then_some(false)
}

/// Opens a connection for a client of lightningd's choice.
fn new_client(
    hsm: &Hsm,
    request: &HsmdClientHsmfd,
    reporter: &mut Reporter,
) -> Result<Step, Refusal> {
    let connection = |error: ln_ipc::FrameError| {
        Refusal::Disagreement(format!("no connection for a new client: {error}"))
    };
    let (ours, theirs) = Stream::pair().map_err(connection)?;
    let identity = Identity {
        peer: Some(request.id),
        dbid: request.dbid,
        capabilities: Capabilities::from_bits(request.permissions),
        channel: (request.dbid != 0).then(|| hsm.signer.channel(&request.id, request.dbid)),
    };
    reporter.log(
        LogLevel::Debug,
        Some(request.id),
        format!("new_client: {} ({})", request.dbid, identity.capabilities),
    );
    let client = Connection::new(ours, MAX_CLIENT_FRAME, identity).map_err(connection)?;
    Ok(Step::NewClient(theirs, Box::new(client)))
}

impl Step {
    /// The reply, for those that have one beside a descriptor.
    pub(crate) fn new_client_reply() -> FromHsmd {
        HsmdClientHsmfdReply {}.into()
    }
}

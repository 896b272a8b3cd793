//! Talking to Tor's control port.

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXUPPER;
use ln_types::NetAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::reply::{self, MAX_LINE, MAX_LINES};

/// Bytes of a cookie file.
const COOKIE: usize = 32;

/// Why Tor does not do what we want. No secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TorError {
    #[error("can't connect ({0}): is Tor running, and has its torrc a line `ControlPort`?")]
    Unreachable(io::Error),
    #[error("it does not answer: is that Tor's control port?")]
    Slow,
    #[error("it closed the connection: is that Tor's control port?")]
    Closed,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error(
        "it does not speak the control protocol: give Tor's ControlPort (9051 by default), not its SocksPort"
    )]
    NotTor,
    #[error(
        "Tor refuses the password: tor-service-password must be the one whose hash is HashedControlPassword in torrc"
    )]
    WrongPassword,
    #[error("Tor wants a password: give it with tor-service-password")]
    NeedsPassword,
    #[error(
        "Tor takes no password: set HashedControlPassword in torrc, or leave tor-service-password away"
    )]
    TakesNoPassword,
    #[error(
        "can't read Tor's cookie file {0} ({1}): let this user read it (CookieAuthFileGroupReadable in torrc), or set \
         HashedControlPassword there and tor-service-password here"
    )]
    Cookie(String, io::Error),
    #[error("Tor refuses its cookie: is another Tor's cookie file at {0}?")]
    WrongCookie(String),
    #[error("Tor offers no way to authenticate that is known: set HashedControlPassword in torrc")]
    NoMethod,
    #[error(
        "Tor has a service of this name already: another node uses the same torblob, or a run of this one has not ended"
    )]
    Collision,
    #[error("Tor refuses to make the service: {0}")]
    Refused(String),
    #[error("Tor is too old for services of version 3: use 0.4 or later")]
    Old,
    #[error("hsmd is gone")]
    Hsm,
}

/// An open control connection. Services made over it end with it.
#[derive(Debug)]
pub(super) struct Control {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    cookie: Option<PathBuf>,
}

/// The answer to a command.
struct Answer {
    status: u16,
    lines: Vec<String>,
}

/// What `ADD_ONION` made.
#[derive(Debug)]
pub(super) struct Onion {
    /// The name, with `.onion`.
    pub(super) name: String,
    /// The key that Tor chose, as it takes it back.
    pub(super) key: Option<String>,
}

impl Control {
    /// Connects.
    pub(super) async fn connect(address: &NetAddr) -> Result<Self, TorError> {
        let stream = TcpStream::connect(address.to_string()).await;
        let (reader, writer) = stream.map_err(TorError::Unreachable)?.into_split();
        let reader = BufReader::new(reader);
        Ok(Self {
            reader,
            writer,
            cookie: None,
        })
    }

    /// The file whose contents Tor was shown.
    pub(super) fn cookie(&self) -> Option<&Path> {
        self.cookie.as_deref()
    }

    /// Shows Tor that we may give it orders.
    pub(super) async fn authenticate(&mut self, password: Option<&str>) -> Result<(), TorError> {
        let info = self.command("PROTOCOLINFO 1").await?;
        let methods = reply::methods(&info.lines).filter(|_| info.status == 250);
        let methods = methods.ok_or(TorError::NotTor)?;
        let (proof, refused) = match (password, methods.cookie_file) {
            _ if methods.null => (String::new(), TorError::NoMethod),
            (Some(password), _) if methods.password => {
                (reply::quote(password), TorError::WrongPassword)
            }
            (_, Some(path)) => {
                let cookie = read_cookie(&path).await;
                let cookie = cookie.map_err(|error| match (password, methods.password) {
                    (None, true) => TorError::NeedsPassword,
                    _ => TorError::Cookie(path.clone(), error),
                })?;
                self.cookie = Some(PathBuf::from(&path));
                (HEXUPPER.encode(&cookie), TorError::WrongCookie(path))
            }
            (Some(_), None) => return Err(TorError::TakesNoPassword),
            (None, None) if methods.password => return Err(TorError::NeedsPassword),
            (None, None) => return Err(TorError::NoMethod),
        };
        let command = format!("AUTHENTICATE {proof}");
        match self.command(command.trim_end()).await?.status {
            250 => Ok(()),
            _ => Err(refused),
        }
    }

    /// Makes a service of this key (or a new one) whose port leads to `target`.
    pub(super) async fn add_onion(
        &mut self,
        key: Option<&str>,
        port: u16,
        target: &NetAddr,
    ) -> Result<Onion, TorError> {
        let what = match key {
            Some(key) => format!("{key} Flags=DiscardPK"),
            None => "NEW:ED25519-V3".to_owned(),
        };
        let answer = self
            .command(&format!("ADD_ONION {what} Port={port},{target}"))
            .await?;
        let said = answer.lines.last().map(String::as_str).unwrap_or_default();
        match answer.status {
            250 => {}
            _ if said.contains("collision") => return Err(TorError::Collision),
            513 if said.contains("key type") => return Err(TorError::Old),
            _ => return Err(TorError::Refused(printable(said))),
        }
        let found = |name: &str| answer.lines.iter().find_map(|line| line.strip_prefix(name));
        let name = found("ServiceID=").ok_or(TorError::NotTor)?;
        let name = format!("{name}.onion");
        match NetAddr::from_host(&name, port) {
            Some(NetAddr::TorV3(name, _)) => Ok(Onion {
                name,
                key: found("PrivateKey=").map(str::to_owned),
            }),
            _ => Err(TorError::NotTor),
        }
    }

    /// Waits until Tor closes the connection.
    pub(super) async fn ended(&mut self) {
        let mut waste = [0; 256];
        while self
            .reader
            .read(&mut waste)
            .await
            .is_ok_and(|read| read > 0)
        {}
    }

    async fn command(&mut self, command: &str) -> Result<Answer, TorError> {
        self.writer.write_all(command.as_bytes()).await?;
        self.writer.write_all(b"\r\n").await?;
        let mut lines = Vec::new();
        while lines.len() < MAX_LINES {
            let text = self.line().await?;
            let (status, more, rest) = reply::line(&text)?;
            lines.push(rest.to_owned());
            if !more {
                return Ok(Answer { status, lines });
            }
        }
        Err(TorError::NotTor)
    }

    async fn line(&mut self) -> Result<String, TorError> {
        let mut bytes = Vec::new();
        let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let mut limited = (&mut self.reader).take(most);
        let read = limited.read_until(b'\n', &mut bytes).await?;
        match (read, bytes.strip_suffix(b"\n")) {
            (0, _) => Err(TorError::Closed),
            (_, None) => Err(TorError::NotTor),
            (_, Some(line)) => {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                String::from_utf8(line.to_vec()).map_err(|_| TorError::NotTor)
            }
        }
    }
}

/// Only a file that can be a cookie is sent: who listens at the port might name any other.
async fn read_cookie(path: &str) -> io::Result<[u8; COOKIE]> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut bytes = Vec::with_capacity(COOKIE + 1);
    let most = u64::try_from(COOKIE + 1).unwrap_or(u64::MAX);
    (&mut file).take(most).read_to_end(&mut bytes).await?;
    let wrong = |_| io::Error::other(format!("it has not {COOKIE} bytes, so it is no cookie"));
    bytes.try_into().map_err(wrong)
}

fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    text.chars().take(200).map(plain).collect()
}

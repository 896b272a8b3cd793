//! `regtest-cli`: bitcoin-cli's command line. It speaks to a real bitcoind as well.

mod convert;
mod pretty;

pub use convert::{named_params, positional_params};
pub use pretty::pretty;

use crate::client::{Client, ClientError};
use crate::server::auth::cookie_path;
use crate::server::options::Options;
use crate::server::run::version_line;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal};
use std::time::{Duration, Instant};

/// Options bitcoin-cli takes.
const KNOWN_OPTIONS: &[&str] = &[
    "?",
    "h",
    "help",
    "version",
    "datadir",
    "conf",
    "includeconf",
    "regtest",
    "testnet",
    "testnet4",
    "signet",
    "chain",
    "rpcconnect",
    "rpcport",
    "rpcuser",
    "rpcpassword",
    "rpccookiefile",
    "rpcclienttimeout",
    "rpcwait",
    "rpcwaittimeout",
    "rpcwallet",
    "named",
    "stdin",
    "stdinrpcpass",
    "stdinwalletpassphrase",
    "generate",
    "getinfo",
    "color",
    "ipcconnect",
];

const USAGE: &str = "Usage: bitcoin-cli -regtest [options] <command> [params]
       bitcoin-cli -regtest [options] -named <command> [name=value]...
       bitcoin-cli -regtest [options] -generate [nblocks [maxtries]]
       bitcoin-cli -regtest help [command]

  -datadir=<dir>  -conf=<file>  -rpcconnect=<host>  -rpcport=<port>  -rpcuser=<user>
  -rpcpassword=<pw>  -rpccookiefile=<loc>  -rpcwallet=<name>  -rpcclienttimeout=<n>
  -rpcwait  -rpcwaittimeout=<n>  -named  -stdin  -stdinrpcpass  -getinfo
";

/// What the program prints and how it ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Text for the standard output, without the last line break.
    pub output: String,
    /// Text for the standard error, without the last line break.
    pub errors: String,
    /// The exit status.
    pub status: u8,
}

impl Outcome {
    fn output(text: impl Into<String>) -> Self {
        Self {
            output: text.into(),
            ..Self::default()
        }
    }

    fn failure(text: impl std::fmt::Display) -> Self {
        Self {
            errors: format!("error: {text}"),
            status: 1,
            ..Self::default()
        }
    }
}

/// Runs the command line in `words`.
pub fn run(words: Vec<String>) -> Outcome {
    let mut options = Options::from_words(words);
    if options.flag("version", false) {
        return Outcome::output(version_line("RPC client"));
    }
    if ["?", "h", "help"]
        .iter()
        .any(|name| options.flag(name, false))
    {
        return Outcome::output(format!("{}\n\n{USAGE}", version_line("RPC client")));
    }
    if let Some(name) = options.unknown(KNOWN_OPTIONS) {
        return Outcome {
            errors: format!("Error parsing command line arguments: Invalid parameter -{name}"),
            status: 1,
            ..Outcome::default()
        };
    }
    if let Err(why) = options.read_config() {
        return Outcome {
            errors: why,
            status: 1,
            ..Outcome::default()
        };
    }
    match prepare(&mut options) {
        Ok(mut client) => execute(&options, &mut client),
        Err(why) => Outcome::failure(why),
    }
}

/// Reads standard input where told so, and finds the server and the credentials.
fn prepare(options: &mut Options) -> Result<Client, String> {
    let mut lines = std::io::stdin().lock().lines();
    let mut password = options.get("rpcpassword").map(str::to_owned);
    if options.flag("stdinrpcpass", false) {
        if std::io::stdin().is_terminal() {
            eprint_prompt("RPC password> ");
        }
        let line = lines.next().and_then(Result::ok);
        password =
            Some(line.ok_or("-stdinrpcpass specified but failed to read from standard input")?);
    }
    if options.flag("stdin", false) {
        options.words.extend(lines.map_while(Result::ok));
    }
    let credentials = match password.filter(|password| !password.is_empty()) {
        Some(password) => format!("{}:{password}", options.get("rpcuser").unwrap_or_default()),
        None => read_cookie(options)?,
    };
    let timeout = options.number("rpcclienttimeout", 900)?;
    let timeout = (timeout > 0).then(|| Duration::from_secs(timeout));
    Ok(Client::new(&server(options)?, &credentials, timeout))
}

fn eprint_prompt(text: &str) {
    use std::io::Write;
    let mut errors = std::io::stderr().lock();
    let _closed = errors
        .write_all(text.as_bytes())
        .and_then(|()| errors.flush());
}

/// The cookie; while waiting for the server it may not be there yet.
fn read_cookie(options: &Options) -> Result<String, String> {
    let path = cookie_path(options);
    let end = Instant::now() + wait_time(options)?;
    loop {
        match std::fs::read_to_string(&path) {
            Ok(cookie) => return Ok(cookie.trim().to_owned()),
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(100)),
            Err(_) => {
                return Err(format!(
                    "Could not locate RPC credentials. No authentication cookie could be found, and RPC password is not set.  See -rpcpassword and -stdinrpcpass.  Configuration file: ({})",
                    options.config_path().display()
                ));
            }
        }
    }
}

/// How long `-rpcwait` waits; nothing without it.
fn wait_time(options: &Options) -> Result<Duration, String> {
    if !options.flag("rpcwait", false) {
        return Ok(Duration::ZERO);
    }
    let seconds = options.number("rpcwaittimeout", 0)?;
    // Zero means for ever; a year is as good.
    Ok(Duration::from_secs(if seconds == 0 {
        31_536_000
    } else {
        seconds
    }))
}

fn server(options: &Options) -> Result<String, String> {
    let default_port = match options.is_regtest() {
        Ok(true) => 18443,
        Ok(false) => 8332,
        Err(chain) => match chain.as_str() {
            "signet" => 38332,
            "testnet4" => 48332,
            "main" => 8332,
            _ => 18332,
        },
    };
    let host = options.get("rpcconnect").unwrap_or("127.0.0.1");
    let (host, own_port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            (name, port.parse().ok())
        }
        _ => (host, None),
    };
    let port = options.number("rpcport", own_port.unwrap_or(default_port))?;
    if port == 0 || port > u64::from(u16::MAX) {
        return Err(format!("Invalid port provided in -rpcport: {port}"));
    }
    Ok(if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    })
}

fn execute(options: &Options, client: &mut Client) -> Outcome {
    let path = match options.get("rpcwallet") {
        Some(name) => format!("/wallet/{}", percent_encoded(name)),
        None => "/".to_owned(),
    };
    if options.flag("generate", false) {
        return generate(options, client, &path);
    }
    if options.flag("getinfo", false) {
        return info(options, client);
    }
    let Some((method, words)) = options.words.split_first() else {
        return Outcome::failure("too few parameters (need at least command)");
    };
    let named = options.flag("named", false);
    let params = if named {
        named_params(method, words)
    } else {
        positional_params(method, words)
    };
    let params = match params {
        Ok(params) => params,
        Err(why) => return Outcome::failure(why),
    };
    let result = call(options, client, &path, method, &params);
    finish(client, result)
}

/// Calls, and with `-rpcwait` tries again until the server is up.
fn call(
    options: &Options,
    client: &mut Client,
    path: &str,
    method: &str,
    params: &Value,
) -> Result<String, ClientError> {
    let end = Instant::now() + wait_time(options).unwrap_or_default();
    loop {
        match client.call_raw(path, method, params) {
            Err(ClientError::Io(..) | ClientError::Rpc(-28, _)) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(250));
            }
            result => return result,
        }
    }
}

fn finish(client: &Client, result: Result<String, ClientError>) -> Outcome {
    match result {
        Ok(result) if result == "null" => Outcome::default(),
        Ok(result) if result.starts_with('"') => {
            let text = serde_json::from_str::<String>(&result);
            Outcome::output(text.unwrap_or(result))
        }
        Ok(result) => Outcome::output(pretty(&result)),
        Err(ClientError::Rpc(code, message)) => Outcome {
            output: String::new(),
            errors: format!("error code: {code}\nerror message:\n{message}"),
            status: u8::try_from(code.unsigned_abs() & 0xff).unwrap_or(1),
        },
        Err(ClientError::Unauthorized) => {
            Outcome::failure("Authorization failed: Incorrect rpcuser or rpcpassword")
        }
        Err(ClientError::Io(_, error)) => Outcome::failure(format!(
            "Could not connect to the server {}\n\nMake sure the bitcoind server is running and that you are connecting to the correct RPC port.\nUse \"bitcoin-cli -help\" for more info. ({error})",
            client.address()
        )),
        Err(error @ ClientError::Malformed(..)) => Outcome::failure(error),
    }
}

/// `-generate`: a fresh address and blocks to it.
fn generate(options: &Options, client: &mut Client, path: &str) -> Outcome {
    let mut params = match positional_params("generatetodescriptor", &options.words) {
        Ok(Value::Array(params)) => params,
        Ok(_) => Vec::new(),
        Err(why) => return Outcome::failure(why),
    };
    let address = match call(options, client, path, "getnewaddress", &json!([])) {
        Ok(address) => address,
        Err(error) => return finish(client, Err(error)),
    };
    if params.is_empty() {
        params.push(json!(1));
    }
    let parsed = serde_json::from_str(&address).unwrap_or(Value::Null);
    params.insert(1, parsed);
    match call(
        options,
        client,
        path,
        "generatetoaddress",
        &Value::Array(params),
    ) {
        Ok(blocks) => Outcome::output(pretty(&format!(
            "{{\"address\":{address},\"blocks\":{blocks}}}"
        ))),
        Err(error) => finish(client, Err(error)),
    }
}

/// `-getinfo`: the state of the chain in a few lines.
fn info(options: &Options, client: &mut Client) -> Outcome {
    let mut ask = |method: &str| -> Result<Value, ClientError> {
        let raw = call(options, client, "/", method, &json!([]))?;
        serde_json::from_str(&raw).map_err(|_| ClientError::Malformed(200, raw))
    };
    let answers = ask("getblockchaininfo").and_then(|chain| Ok((chain, ask("getnetworkinfo")?)));
    match answers {
        Ok((chain, network)) => {
            let of = |from: &Value, name: &str| match from.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => String::new(),
            };
            Outcome::output(format!(
                "Chain: {}\nBlocks: {}\nHeaders: {}\nVerification progress: {}\nDifficulty: {}\n\n\
                 Version: {}\nMin tx relay fee rate (BTC/kvB): {}",
                of(&chain, "chain"),
                of(&chain, "blocks"),
                of(&chain, "headers"),
                of(&chain, "verificationprogress"),
                of(&chain, "difficulty"),
                of(&network, "version"),
                of(&network, "relayfee"),
            ))
        }
        Err(error) => finish(client, Err(error)),
    }
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

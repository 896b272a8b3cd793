//! `lightning-cli`: one command to a running node, its answer on standard output.
//!
//! Exit codes: 0 the command succeeded, 1 the node answered with an error (which is printed), 2 the node can't be talked to, 3 wrong
//! usage.

mod literal;
mod man;
mod notify;
mod options;
mod output;
mod place;
mod plugin_new;
mod request;

use std::env;
use std::io::{self, Write};
use std::process::{self, ExitCode};

use ln_rpc::client::{Answer, Client, ClientError};

use crate::notify::Notifier;
use crate::options::{Options, Parsed, USAGE};
use crate::output::Format;
use crate::plugin_new::{NotWritten, Wanted};
use crate::request::Request;

/// Why there is no answer to print.
#[derive(Debug)]
enum Failure {
    /// The user asked for something that makes no sense.
    Usage(String),
    /// The node can't be reached, or what it says makes no sense.
    Talk(String),
    /// Nobody reads our output any more, as with `| head`.
    Output(io::Error),
}

impl Failure {
    fn exit(self) -> ExitCode {
        let (code, message) = match self {
            Self::Usage(message) => (3, message),
            Self::Talk(message) => (2, message),
            // What a shell shows for a program that a closed pipe ended.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return 141.into(),
            Self::Output(error) => (2, format!("can't write the answer: {error}")),
        };
        // If this can't be written either, the exit code has to do.
        let _ = writeln!(io::stderr(), "lightning-cli: {message}");
        code.into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn main() -> ExitCode {
    run().unwrap_or_else(Failure::exit)
}

fn run() -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    let mut options = match options::parse(lexopt::Parser::from_env()).map_err(Failure::Usage)? {
        Parsed::Run(options) => options,
        Parsed::Help => {
            out.write_all(USAGE.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        Parsed::Version => {
            writeln!(out, "{}", ln_daemon::VERSION)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    if options.method.is_none() {
        out.write_all(USAGE.as_bytes())?;
        writeln!(
            out,
            "\nCommands of the running node (\"lightning-cli help\"):\n"
        )?;
        out.flush()?;
        options.method = Some("help".to_owned());
    }
    let method = options.method.clone().unwrap_or_default();
    if plugin_new::is_wanted(&method, &options.params) {
        let steps = new_plugin(&options)?;
        out.write_all(steps.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(page) = wants_man_page(&method, &options)
        && man::show(page)
    {
        return Ok(ExitCode::SUCCESS);
    }
    let request = Request::new(&method, &options, process::id()).map_err(Failure::Usage)?;
    let answer = ask(&request, &options, &mut out)?;
    print(answer, &method, &options, &mut out)
}

/// Writes a plugin to begin with, and returns what to do next.
fn new_plugin(options: &Options) -> Result<String, Failure> {
    let wanted = Wanted::parse(&options.params, options.lang.as_deref()).map_err(Failure::Usage)?;
    let here = env::current_dir().map_err(|error| Failure::Talk(error.to_string()))?;
    wanted.write(&here).map_err(|error| match error {
        NotWritten::Usage(problem) => Failure::Usage(problem),
        NotWritten::Disk(problem) => Failure::Talk(problem),
    })
}

/// The command whose manual page is wanted.
fn wants_man_page<'a>(method: &str, options: &'a Options) -> Option<&'a str> {
    let plain = options.format.is_none() && options.commando.is_none();
    let page = options.params.first()?;
    (method == "help" && plain).then_some(page)
}

/// Sends the request and waits for the answer, showing what the node tells meanwhile.
fn ask(request: &Request, options: &Options, out: &mut impl Write) -> Result<Answer, Failure> {
    let place = place::find(&options.place, env::var_os("HOME")).map_err(Failure::Usage)?;
    let mut client = Client::connect(&place.socket)
        .map_err(|error| Failure::Talk(place.explain_failure(&error)))?;
    // The remote node of a commando call has no way to send notifications.
    if options.level.is_some() && options.commando.is_none() {
        request
            .enable_notifications(&mut client)
            .map_err(|error| talk_failure(&error))?;
    }
    let mut notifier = Notifier::new(options.level, out);
    let answer = client.call_raw(request.call(), |note| notifier.show(&note));
    notifier.finish()?;
    answer.map_err(|error| talk_failure(&error))
}

fn talk_failure(error: &ClientError) -> Failure {
    let mut message = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        message = format!("{message}: {cause}");
    }
    if matches!(error, ClientError::Closed) {
        message.push_str(": see its log for what happened");
    }
    Failure::Talk(message)
}

fn print(
    answer: Answer,
    method: &str,
    options: &Options,
    out: &mut impl Write,
) -> Result<ExitCode, Failure> {
    let (text, code) = match &answer {
        Answer::Result(result) => {
            let format = options.format.unwrap_or_else(|| {
                let list = method == "help" && options.params.is_empty();
                Format::choose(result, list)
            });
            (format.render(result), ExitCode::SUCCESS)
        }
        Answer::Error(error) => {
            let raw = options.format == Some(Format::Raw);
            let format = if raw { Format::Raw } else { Format::Json };
            (format.render(error), ExitCode::from(1))
        }
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(code)
}

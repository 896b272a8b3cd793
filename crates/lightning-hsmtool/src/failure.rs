//! Why there is no answer.

use std::io::{self, Write};
use std::process::ExitCode;

use ln_keys::HsmSecretError;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line, or what was typed, makes no sense.
    Usage(String),
    /// Nothing was found, or it does not fit.
    NoMatch(String),
    /// A file can't be read, written or understood.
    File(String),
    /// Nobody takes the answer.
    Output(io::Error),
}

impl Failure {
    /// Says it, and gives the exit code.
    pub(crate) fn exit(self) -> ExitCode {
        let (code, message) = match self {
            Self::Usage(problem) => (
                2,
                format!("{problem}\n(\"lightning-hsmtool --help\" shows the methods)"),
            ),
            Self::NoMatch(problem) => (5, problem),
            Self::File(problem) => (20, problem),
            // What a shell shows for a program that a closed pipe ended.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return 141.into(),
            Self::Output(error) => (2, format!("can't write the answer: {error}")),
        };
        // If this can't be written either, the exit code has to do.
        let _ = writeln!(io::stderr(), "lightning-hsmtool: {message}");
        code.into()
    }
}

/// What is wrong with a secret, in the words of a tool rather than of a node.
pub(crate) fn of_secret(path: &str, error: HsmSecretError) -> Failure {
    if error == HsmSecretError::InvalidMnemonic {
        return Failure::Usage(
            "these are not words of BIP 39's English list with a right checksum, one space between them".to_owned(),
        );
    }
    Failure::File(format!("{path}: {error}"))
}

/// Nothing usable was typed.
pub(crate) fn no_answer(error: io::Error) -> Failure {
    Failure::Usage(error.to_string())
}

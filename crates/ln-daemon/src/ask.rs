//! Asking the operator on the terminal.

use std::io::{self, BufRead, Write};
use std::sync::Mutex;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// How the terminal was before it was told to show nothing.
static SHOWN: Mutex<Option<Termios>> = Mutex::new(None);

/// Asks for what nobody should see: where standard input is a terminal it is not shown. The question goes to standard error.
pub fn ask_secret(question: &str) -> io::Result<Zeroizing<String>> {
    let stdin = io::stdin();
    if let Ok(shown) = tcgetattr(&stdin) {
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        if let Ok(mut place) = SHOWN.lock() {
            *place = Some(shown);
        }
        tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    }
    let answer = ask_line(question);
    show_terminal();
    answer
}

/// Has the terminal show what is typed again, if [`ask_secret`] is asking: for whoever ends the process meanwhile.
pub fn show_terminal() {
    let shown = SHOWN.lock().ok().and_then(|mut place| place.take());
    if let Some(shown) = shown {
        // The terminal was there a moment ago; if it is gone, nobody sees it.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &shown);
        let _ = writeln!(io::stderr());
    }
}

/// Asks for a line of text, which comes without its end. The end of the input is an error.
pub fn ask_line(question: &str) -> io::Result<Zeroizing<String>> {
    write!(io::stderr(), "{question}: ")?;
    let mut line = Zeroizing::new(String::new());
    if io::stdin().lock().read_line(&mut line)? == 0 {
        let problem = format!("no answer to \"{question}\"");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
    }
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Ok(line)
}

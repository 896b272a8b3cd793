//! Manual pages, which need no running node.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Shows the manual page of a command; `false` if there is none.
pub(crate) fn show(command: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if command.is_empty() || !command.bytes().all(plain) {
        return false;
    }
    let page = format!("lightning-{command}");
    run_man(&[&page])
        || near_pages(&page)
            .into_iter()
            .filter(|path| path.is_file())
            .any(|path| run_man(&["-l", &path.display().to_string()]))
}

/// Where the page may be besides the usual places: installed beside this program, or in the tree it was built in.
fn near_pages(page: &str) -> Vec<PathBuf> {
    // Packages compress them.
    let files = [format!("{page}.7"), format!("{page}.7.gz")];
    let program = env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .skip(1)
        .take(4)
        .flat_map(|directory| [directory.join("share/man/man7"), directory.join("docs/man")])
        .flat_map(|directory| files.each_ref().map(|file| directory.join(file)))
        .collect()
}

fn run_man(arguments: &[&str]) -> bool {
    // Its complaint about a missing page would only confuse: the node is asked next.
    Command::new("man")
        .args(arguments)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

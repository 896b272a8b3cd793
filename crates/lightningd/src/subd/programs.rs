//! Programs that stand in for helpers: whether they can be run.

use std::process::{Command, Stdio};

use ln_daemon::VERSION;

use crate::exit::{self, Exit};

/// Looks whether each program answers `--version`, and is of the release that this node stands in for.
pub(crate) fn try_programs(programs: &[(String, String)], any_version: bool) -> Result<(), Exit> {
    for (helper, path) in programs {
        let refuse = |problem: String| Exit {
            code: exit::HELPER,
            text: format!("subdaemon={helper}:{path}: {problem}"),
        };
        let output = Command::new(path)
            .arg("--version")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| refuse(format!("can't be run: {error}")))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.lines().next().unwrap_or_default().trim();
        if any_version || release(version) == release(VERSION) {
            continue;
        }
        let version: String = version.chars().take(100).collect();
        return Err(refuse(format!(
            "says to --version '{}', but only what is made for {} can stand in for a helper",
            crate::log::printable(&version),
            release(VERSION)
        )));
    }
    Ok(())
}

/// `v26.06` of `v26.06.6-fulgurite-0.1.0`.
fn release(version: &str) -> &str {
    let second = version.match_indices(['.', '-']).nth(1);
    second.map_or(version, |(end, _)| version.get(..end).unwrap_or(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_must_run_and_be_of_our_release() {
        assert_eq!(release("v26.06.6-fulgurite-0.1.0"), "v26.06");
        assert_eq!(release("v26.06"), "v26.06");
        assert_eq!(release("v26.06-modded"), "v26.06");
        let one = |path: &str| [("hsmd".to_owned(), path.to_owned())];
        let error = try_programs(&one("/no/such/program"), false).unwrap_err();
        assert_eq!(error.code, 10);
        assert!(error.text.contains("can't be run: No such file"), "{error}");
        let error = try_programs(&one("/bin/true"), false).unwrap_err();
        assert!(error.text.contains("made for v26.06"), "{error}");
        assert!(try_programs(&one("/bin/true"), true).is_ok());
    }
}

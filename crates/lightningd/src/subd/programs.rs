//! Programs that stand in for helpers: whether they can be run.

use std::process::Stdio;
use std::time::Duration;

use ln_daemon::VERSION;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::exit::{self, Exit};

/// How long a program may take to tell its version; some have to start a runtime for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is read of that: more than any version.
const MAX_ANSWER: u64 = 4096;

/// Looks whether each program answers `--version`, and is of the release that this node stands in for.
pub(crate) async fn try_programs(
    programs: &[(String, String)],
    any_version: bool,
) -> Result<(), Exit> {
    for (helper, path) in programs {
        let tried = try_program(path, any_version, PATIENCE).await;
        tried.map_err(|problem| Exit {
            code: exit::HELPER,
            text: format!("subdaemon={helper}:{path}: {problem}"),
        })?;
    }
    Ok(())
}

async fn try_program(path: &str, any_version: bool, patience: Duration) -> Result<(), String> {
    let said = ask_version(path, patience).await?;
    let version = said.lines().next().unwrap_or_default().trim();
    if any_version || release(version) == release(VERSION) {
        return Ok(());
    }
    let version: String = version.chars().take(100).collect();
    Err(format!(
        "says to --version '{}', but only what is made for {} can stand in for a helper",
        crate::log::printable(&version),
        release(VERSION)
    ))
}

/// What a program says to `--version`.
async fn ask_version(path: &str, patience: Duration) -> Result<String, String> {
    let mut child = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("can't be run: {error}"))?;
    let group = child.id().and_then(|pid| i32::try_from(pid).ok());
    let mut said = Vec::new();
    let asked = async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_ANSWER).read_to_end(&mut said).await?;
        }
        child.wait().await
    };
    match tokio::time::timeout(patience, asked).await {
        Ok(Ok(_)) => Ok(String::from_utf8_lossy(&said).into_owned()),
        Ok(Err(error)) => Err(format!("can't be asked for its version: {error}")),
        Err(_) => {
            // It has not been waited for: the number is still its own.
            if let Some(group) = group.and_then(Pid::from_raw) {
                let _gone_already = kill_process_group(group, Signal::KILL);
            }
            Err(format!(
                "was asked for --version and did not answer and end within {} seconds: repair it, or leave this subdaemon out",
                patience.as_secs()
            ))
        }
    }
}

/// `v26.06` of `v26.06.6-fulgurite-0.1.0`.
fn release(version: &str) -> &str {
    let second = version.match_indices(['.', '-']).nth(1);
    second.map_or(version, |(end, _)| version.get(..end).unwrap_or(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_must_run_and_be_of_our_release() {
        assert_eq!(release("v26.06.6-fulgurite-0.1.0"), "v26.06");
        assert_eq!(release("v26.06"), "v26.06");
        assert_eq!(release("v26.06-modded"), "v26.06");
        let one = |path: &str| [("hsmd".to_owned(), path.to_owned())];
        let error = try_programs(&one("/no/such/program"), false).await;
        let error = error.unwrap_err();
        assert_eq!(error.code, 10);
        assert!(error.text.contains("can't be run: No such file"), "{error}");
        let error = try_programs(&one("/bin/true"), false).await.unwrap_err();
        assert!(error.text.contains("made for v26.06"), "{error}");
        assert!(try_programs(&one("/bin/true"), true).await.is_ok());
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_or_never_stops_talking_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        let program = |script: &str| {
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, executable).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let pid_file = dir.path().join("pid");
        // What it started itself holds the pipe, too.
        let hanging = program(&format!(
            "sleep 1000 & echo $! > {}; wait",
            pid_file.display()
        ));
        let patience = Duration::from_secs(1);
        let error = try_program(&hanging, true, patience).await.unwrap_err();
        assert!(
            error.contains("did not answer and end within 1 seconds"),
            "{error}"
        );
        let child = std::fs::read_to_string(&pid_file).unwrap_or_default();
        // On a machine with too much to do it may not have come so far.
        if let Ok(child) = child.trim().parse::<u32>() {
            let stat = format!("/proc/{child}/stat");
            while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let talking = program("while echo v26.06-of-many-words; do :; done");
        assert_eq!(try_program(&talking, false, PATIENCE).await, Ok(()));
    }
}

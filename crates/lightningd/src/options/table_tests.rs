//! Every option with every kind of wrong value.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::super::settings::MAY_BE_EMPTY;
use super::super::{Config, ConfigFile, LogConfig, OptionError, Settings};
use super::*;

/// Reads settings as the node does before it writes anything.
fn load(arguments: &[OsString]) -> Result<(), OptionError> {
    let settings = Settings::command_line(arguments)?;
    settings.check_known(true, |_| true)?;
    Config::new(&settings, PathBuf::from("/nowhere"))?;
    LogConfig::new(&settings).map(drop)
}

fn wrong_values() -> Vec<(&'static str, Option<Vec<u8>>)> {
    vec![
        ("missing", None),
        ("empty", Some(Vec::new())),
        ("a word", Some(b"x".to_vec())),
        ("negative", Some(b"-1".to_vec())),
        ("too large", Some(vec![b'9'; 40])),
        ("huge", Some(vec![b'x'; 1 << 20])),
        ("two lines", Some(b"1\n2".to_vec())),
        ("zero byte", Some(b"1\x002".to_vec())),
        ("no text", Some(b"\xff\xfe".to_vec())),
    ]
}

/// Whether a value of this kind can never be right.
fn never_right(info: &OptionInfo, kind: &str) -> bool {
    match (kind, info.kind) {
        ("no text", _) => true,
        ("missing", kind) => !matches!(kind, Flag | Bool),
        (_, Flag) => true,
        ("empty", Text) => !MAY_BE_EMPTY.contains(&info.name),
        ("negative", Int | Msat) => false,
        (_, Int | Msat | Bool) => true,
        (_, Text) => false,
    }
}

#[test]
fn what_is_wrong_is_said_in_one_line_that_names_the_option() {
    for info in OPTIONS {
        for (kind, value) in wrong_values() {
            let mut argument = format!("--{}", info.name).into_bytes();
            if let Some(value) = &value {
                argument.push(b'=');
                argument.extend_from_slice(value);
            }
            let outcome = load(&[OsString::from_vec(argument)]);
            let name = info.name;
            let Err(error) = outcome else {
                assert!(!never_right(info, kind), "--{name}, {kind}: taken");
                continue;
            };
            let text = error.to_string();
            let expected = format!("--{name}: ");
            assert!(text.starts_with(&expected), "--{name}, {kind}: {text}");
            assert!(!text.contains('\n') && text.len() < 500, "{kind}: {text}");
        }
    }
}

/// Reads a config file with one line as the node does before it writes anything.
fn load_file(path: &Path, line: &[u8]) -> Result<(), OptionError> {
    std::fs::write(path, line).unwrap();
    let settings = Settings::file(path, ConfigFile::Explicit)?;
    settings.check_known(true, |_| true)?;
    Config::new(&settings, PathBuf::from("/nowhere"))?;
    LogConfig::new(&settings).map(drop)
}

#[test]
fn the_same_in_a_file_names_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    for info in OPTIONS {
        // The second line of these would be a line of its own.
        for (kind, value) in wrong_values()
            .into_iter()
            .filter(|(kind, _)| *kind != "two lines")
        {
            let mut line = info.name.as_bytes().to_vec();
            if let Some(value) = &value {
                line.push(b'=');
                line.extend_from_slice(value);
            }
            let name = info.name;
            let Err(error) = load_file(&path, &line) else {
                let fine = matches!(name, "help" | "version") || kind == "zero byte";
                assert!(!fine && !never_right(info, kind), "{name}, {kind}: taken");
                continue;
            };
            let text = error.to_string();
            let expected = format!("{} line 1", path.display());
            assert!(text.starts_with(&expected), "{name}, {kind}: {text}");
            let about_the_line = matches!(kind, "no text" | "zero byte");
            assert!(
                about_the_line || text.contains(name),
                "{name}, {kind}: {text}"
            );
            assert!(!text.contains('\n') && text.len() < 600, "{kind}: {text}");
        }
    }
}

#[test]
fn names_are_unique_and_written_like_options() {
    let mut names: Vec<&str> = OPTIONS.iter().map(|info| info.name).collect();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(names.iter().all(|name| name.chars().all(plain)));
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(NOT_YET.iter().all(|name| names.contains(name)));
    assert!(
        OPTIONS
            .iter()
            .all(|info| info.dev == info.name.starts_with("dev-"))
    );
}

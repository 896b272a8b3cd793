//! `plugin new`: writes a plugin to begin with. No node is needed for that.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A language there is a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    Rust,
    Shell,
}

impl Language {
    const NAMES: &str = "python, rust or shell";

    fn parse(name: &str) -> Result<Self, String> {
        match name {
            "python" => Ok(Self::Python),
            "rust" => Ok(Self::Rust),
            "shell" => Ok(Self::Shell),
            _ => Err(format!(
                "there is no template for '{name}': --lang is {}",
                Self::NAMES
            )),
        }
    }
}

/// Who a file is for.
const PROGRAM: u32 = 0o755;
const TEXT: u32 = 0o644;

const SHELL: &str = include_str!("../templates/shell.sh");
const PYTHON: &str = include_str!("../templates/python.py");
const RUST_MANIFEST: &str = include_str!("../templates/rust/Cargo.toml.in");
const RUST_MAIN: &str = include_str!("../templates/rust/src/main.rs.in");

/// What is wanted: a name, which plugin, option and method get, and a language.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    name: String,
    language: Language,
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum NotWritten {
    /// What was asked for can't be.
    Usage(String),
    /// The disk refused.
    Disk(String),
}

/// Whether a command line is for this program and not for the node.
pub(crate) fn is_wanted(method: &str, params: &[String]) -> bool {
    method == "plugin"
        && params
            .first()
            .is_some_and(|word| word == "new" || word == "subcommand=new")
}

impl Wanted {
    /// Reads `new NAME [LANGUAGE]`; the language may also be given by `--lang`.
    pub(crate) fn parse(params: &[String], lang: Option<&str>) -> Result<Self, String> {
        let words = params.get(1..).unwrap_or_default();
        let word = |index: usize, key: &str| {
            let word = words.get(index)?;
            Some(word.strip_prefix(key).unwrap_or(word))
        };
        let usage = "usage: lightning-cli plugin new NAME [--lang python|rust|shell]";
        let name = word(0, "name=").ok_or(usage)?;
        if words.len() > 2 || (words.len() == 2 && lang.is_some()) {
            return Err(usage.to_owned());
        }
        let lang = lang.or(word(1, "lang=")).unwrap_or("python");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.starts_with(|c: char| c.is_ascii_lowercase())
            || !name.chars().all(plain)
            || name.ends_with('-')
        {
            return Err(format!(
                "'{name}' is no name for a plugin: lowercase letters, digits and '-', beginning with a letter"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            language: Language::parse(lang)?,
        })
    }

    /// Writes it below `directory`; returns what to do next.
    pub(crate) fn write(&self, directory: &Path) -> Result<String, NotWritten> {
        let Self { name, language } = self;
        let (path, program) = match language {
            Language::Shell => self.file(directory, "sh", SHELL)?,
            Language::Python => self.file(directory, "py", PYTHON)?,
            Language::Rust => self.project(directory)?,
        };
        let file = program.file_name().unwrap_or_default().to_string_lossy();
        let mut text = format!("Wrote {}.\n\nNext:\n", path.display());
        let mut step = |line: String| text.extend(["    ", &line, "\n"]);
        match language {
            Language::Shell => {}
            Language::Python => {
                step("pip install pyln-client        # unless it is there already".to_owned());
            }
            Language::Rust => step(format!("(cd {} && cargo build)", quoted(&path))),
        }
        step(format!("lightning-cli plugin start {}", quoted(&program)));
        step(format!("lightning-cli {name}-hello you"));
        step(format!(
            "lightning-cli plugin reload {file}        # after a change"
        ));
        Ok(text)
    }

    fn file(
        &self,
        directory: &Path,
        ending: &str,
        template: &str,
    ) -> Result<(PathBuf, PathBuf), NotWritten> {
        let path = directory.join(format!("{}.{ending}", self.name));
        self.create(&path, template, PROGRAM)?;
        Ok((path.clone(), path))
    }

    /// A cargo project. It uses the published crate `cln-plugin`, so that it builds anywhere.
    fn project(&self, directory: &Path) -> Result<(PathBuf, PathBuf), NotWritten> {
        let path = directory.join(&self.name);
        fs::create_dir(&path).map_err(|error| not_written(&path, &error))?;
        let source = path.join("src");
        fs::create_dir(&source).map_err(|error| not_written(&source, &error))?;
        self.create(&path.join("Cargo.toml"), RUST_MANIFEST, TEXT)?;
        self.create(&source.join("main.rs"), RUST_MAIN, TEXT)?;
        self.create(&path.join(".gitignore"), "/target\n", TEXT)?;
        let program = path.join("target/debug").join(&self.name);
        Ok((path, program))
    }

    /// Writes a file that must not be there yet.
    fn create(&self, path: &Path, template: &str, mode: u32) -> Result<(), NotWritten> {
        let text = template.replace("@NAME@", &self.name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let written = options
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| not_written(path, &error))
    }
}

fn not_written(path: &Path, error: &io::Error) -> NotWritten {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return NotWritten::Usage(format!(
            "{} is there already: choose another name, or move it away",
            path.display()
        ));
    }
    NotWritten::Disk(format!("can't write {}: {error}", path.display()))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str], lang: Option<&str>) -> Result<Wanted, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert!(is_wanted("plugin", &words));
        Wanted::parse(&words, lang)
    }

    #[test]
    fn names_and_languages_are_checked() {
        let python = parsed(&["new", "shop"], None).unwrap();
        assert_eq!(python.language, Language::Python);
        for wanted in [
            parsed(&["new", "shop", "shell"], None),
            parsed(&["subcommand=new", "name=shop", "lang=shell"], None),
            parsed(&["new", "shop"], Some("shell")),
        ] {
            assert_eq!(wanted.unwrap().language, Language::Shell);
        }
        for name in ["", "../x", "Shop", "a b", "-x", "x-", "7", "a.sh", "a_b"] {
            assert!(parsed(&["new", name], None).is_err(), "{name}");
        }
        assert!(parsed(&["new"], None).is_err());
        assert!(parsed(&["new", "a", "rust", "more"], None).is_err());
        assert!(parsed(&["new", "a", "rust"], Some("rust")).is_err());
        let error = parsed(&["new", "a"], Some("cobol")).unwrap_err();
        assert!(error.contains("python, rust or shell"), "{error}");
        assert!(!is_wanted("plugin", &["list".to_owned()]));
        assert!(!is_wanted("new", &["new".to_owned()]));
    }

    #[test]
    fn paths_can_be_pasted() {
        assert_eq!(quoted(Path::new("/a/b.sh")), "/a/b.sh");
        assert_eq!(quoted(Path::new("/a b/c'd")), r"'/a b/c'\''d'");
    }
}

//! Files that hold secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ln_daemon::ask_secret;
use ln_keys::{HsmSecret, HsmSecretKind};
use zeroize::Zeroizing;

use crate::failure::{Failure, no_answer, of_secret};

/// No file we read comes near this size.
const MAX_SIZE: u64 = 16 << 20;

/// A whole file.
pub(crate) fn read(path: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut contents = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(MAX_SIZE).read_to_end(&mut contents))
        .map_err(|error| Failure::File(format!("can't read {path}: {error}")))?;
    Ok(contents)
}

/// A secret, for which a passphrase is asked if it has one.
pub(crate) fn read_secret(path: &str) -> Result<HsmSecret, Failure> {
    let file = read(path)?;
    let locked = HsmSecretKind::detect(&file).is_some_and(HsmSecretKind::needs_passphrase);
    let passphrase = locked
        .then(|| ask_secret("Enter hsm_secret password"))
        .transpose()
        .map_err(no_answer)?;
    HsmSecret::parse(&file, passphrase.as_ref().map(|text| text.as_str()))
        .map_err(|error| of_secret(path, error))
}

/// Makes a new file; one that exists is left alone.
pub(crate) fn create(path: &str, contents: &[u8]) -> Result<(), Failure> {
    let unfinished = write_beside(path, contents)?;
    // A second name, unlike a new one, never takes the place of a file.
    let named = fs::hard_link(&unfinished, path);
    let removed = fs::remove_file(&unfinished);
    match named {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(trouble("name", path, &error)),
        Ok(()) => removed
            .and_then(|()| sync_directory(path))
            .map_err(|error| trouble("sync", path, &error)),
    }
}

/// Why there will be no new file.
pub(crate) fn exists(path: &str) -> Failure {
    Failure::Usage(format!(
        "hsm_secret file at {path} already exists: it may be the key to somebody's money, so it stays as it is"
    ))
}

/// Puts other content in a file's place: at each moment one of the two is there, whole.
pub(crate) fn replace(path: &str, contents: &[u8]) -> Result<(), Failure> {
    let unfinished = write_beside(path, contents)?;
    fs::rename(&unfinished, path)
        .and_then(|()| sync_directory(path))
        .map_err(|error| trouble("replace", path, &error))
}

/// Writes content to the disk, in a file beside the one it is meant for.
fn write_beside(path: &str, contents: &[u8]) -> Result<PathBuf, Failure> {
    let unfinished = PathBuf::from(format!("{path}.new"));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(&unfinished)
        .and_then(|mut file| {
            file.write_all(contents)?;
            file.sync_all()
        });
    match written {
        Ok(()) => Ok(unfinished),
        Err(error) => {
            if error.kind() != io::ErrorKind::AlreadyExists {
                // Half a file is of no use; if it can't be removed the error below is the better one to show.
                let _ = fs::remove_file(&unfinished);
            }
            Err(trouble("write", &unfinished.to_string_lossy(), &error))
        }
    }
}

fn sync_directory(path: &str) -> io::Result<()> {
    let directory = Path::new(path).parent().unwrap_or(Path::new(""));
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    File::open(directory)?.sync_all()
}

fn trouble(what: &str, path: &str, error: &io::Error) -> Failure {
    Failure::File(format!("can't {what} {path}: {error}"))
}

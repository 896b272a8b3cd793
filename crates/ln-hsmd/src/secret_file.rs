//! The `hsm_secret` file: created once, then only read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ln_keys::new_hsm_secret_file;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// Its name in the network directory.
const NAME: &str = "hsm_secret";
/// What it is called until it is whole.
const UNFINISHED: &str = "hsm_secret.new";
/// No kind of secret comes near this size.
const MAX_SIZE: u64 = 4096;

/// Why the file could not be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFileError {
    /// The system refused.
    #[error("{action} hsm_secret: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("hsm_secret is too long: no kind of secret has more than {MAX_SIZE} bytes")]
    TooLong,
    /// No secret could be made.
    #[error(transparent)]
    Secret(#[from] ln_keys::HsmSecretError),
    /// The system has no random numbers.
    #[error("no randomness for a new hsm_secret: {0}")]
    Random(String),
}

fn io_error(action: &'static str) -> impl FnOnce(io::Error) -> SecretFileError {
    move |source| SecretFileError::Io { action, source }
}

/// Makes a file with twelve new words, unless there is a file already. Returns whether it made one.
///
/// The file appears under its name only when all of it is on disk: a crash leaves no secret or a whole one.
pub(crate) fn create_if_missing(
    directory: &Path,
    passphrase: Option<&str>,
) -> Result<bool, SecretFileError> {
    let path = directory.join(NAME);
    match fs::symlink_metadata(&path) {
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io_error("looking for")(error)),
    }
    let mut entropy = Zeroizing::new([0; 16]);
    getrandom::fill(&mut *entropy).map_err(|error| SecretFileError::Random(error.to_string()))?;
    let contents = new_hsm_secret_file(&entropy, passphrase)?;

    let unfinished = directory.join(UNFINISHED);
    // One left by a crash was never used: it had no name a node reads.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("clearing the way for")(error));
        }
        Ok(()) | Err(_) => {}
    }
    write_and_sync(&unfinished, &contents).map_err(io_error("writing"))?;
    let created = publish(&unfinished, &path).map_err(io_error("naming"))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io_error("syncing the directory of"))?;
    Ok(created)
}

fn write_and_sync(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// Gives the file its name, never taking the name from another. Returns whether it could have it.
fn publish(unfinished: &Path, path: &Path) -> io::Result<bool> {
    let taken = match renameat_with(CWD, unfinished, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(true),
        Err(Errno::EXIST) => true,
        // File systems that can't do that can make a second name.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match fs::hard_link(unfinished, path) {
            Ok(()) => false,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => true,
            Err(error) => return Err(error),
        },
        Err(errno) => return Err(errno.into()),
    };
    fs::remove_file(unfinished)?;
    Ok(!taken)
}

/// The file's contents.
pub(crate) fn read(directory: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let mut contents = Zeroizing::new(Vec::new());
    File::open(directory.join(NAME))
        .and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut contents))
        .map_err(io_error("reading"))?;
    if u64::try_from(contents.len()).unwrap_or(u64::MAX) > MAX_SIZE {
        return Err(SecretFileError::TooLong);
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_secret_is_private_whole_and_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(UNFINISHED), b"half a").unwrap();
        assert!(create_if_missing(directory.path(), None).unwrap());
        let path = directory.path().join(NAME);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o400
        );
        let first = read(directory.path()).unwrap();
        assert_eq!(first[..32], [0; 32]);
        assert!(!create_if_missing(directory.path(), None).unwrap());
        assert_eq!(read(directory.path()).unwrap(), first);
        assert!(!directory.path().join(UNFINISHED).exists());
    }

    #[test]
    fn a_name_taken_meanwhile_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (new, name) = (directory.path().join("new"), directory.path().join("name"));
        fs::write(&new, b"new").unwrap();
        fs::write(&name, b"old").unwrap();
        assert!(!publish(&new, &name).unwrap());
        assert_eq!(fs::read(&name).unwrap(), b"old");
        assert!(!new.exists());
    }
}

//! The pid file: one node for each directory.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::exit::{self, Exit};

/// The pid file, which is locked as long as the node lives and gone afterwards.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    _locked: File,
    /// The process of the last run, if that left its file behind: it did not end by itself.
    pub(crate) left_by: Option<String>,
}

/// More than this is no process id.
const MAX_LENGTH: u64 = 32;

impl PidFile {
    /// Takes it. What is no pid file is not touched.
    pub(crate) fn take(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .with_context(|| format!("can't open the pid file {shown}"))?;
        let exclusive = rustix::fs::FlockOperation::NonBlockingLockExclusive;
        match rustix::fs::fcntl_lock(&file, exclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN) => {
                let text = format!("lightningd already running? {shown} is locked");
                return Err(Exit {
                    code: exit::PID_FILE,
                    text,
                }
                .into());
            }
            Err(errno) => {
                return Err(errno).with_context(|| format!("can't lock the pid file {shown}"));
            }
        }
        let mut found = Vec::new();
        (&file)
            .take(MAX_LENGTH + 1)
            .read_to_end(&mut found)
            .with_context(|| format!("can't read the pid file {shown}"))?;
        let digits = found.trim_ascii().iter().all(u8::is_ascii_digit);
        if !digits || u64::try_from(found.len()).unwrap_or(u64::MAX) > MAX_LENGTH {
            bail!("pid-file: {shown} is there and is no pid file: name another one");
        }
        let written = (|| {
            rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0))?;
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())
        })();
        written.with_context(|| format!("can't write the pid file {shown}"))?;
        let left_by = String::from_utf8_lossy(found.trim_ascii()).into_owned();
        Ok(Self {
            path: path.to_owned(),
            _locked: file,
            left_by: Some(left_by).filter(|pid| !pid.is_empty()),
        })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pid_file_is_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        std::fs::write(&path, "123456789\n").unwrap();
        let taken = PidFile::take(&path).unwrap();
        assert_eq!(taken.left_by.as_deref(), Some("123456789"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
        drop(taken);
        assert!(!path.exists());
        assert_eq!(PidFile::take(&path).unwrap().left_by, None);
        std::fs::write(&path, "").unwrap();
        assert_eq!(PidFile::take(&path).unwrap().left_by, None);
        for other in ["dear diary", &"1".repeat(100), "12\n\n34"] {
            std::fs::write(&path, other).unwrap();
            let error = PidFile::take(&path).unwrap_err().to_string();
            assert!(error.contains("is no pid file"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
        }
        let error = PidFile::take(dir.path()).unwrap_err().to_string();
        assert!(error.starts_with("can't open the pid file "), "{error}");
    }
}

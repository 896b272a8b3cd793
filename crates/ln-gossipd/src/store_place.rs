//! Where the store's file is found, made and named: by ourselves, or by lightningd for us.
//!
//! gossipd reads what strangers send, and the store stands among files that are nobody's business: the secret, the database. So
//! the helper process opens nothing; it asks lightningd, which knows no other file than this one.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ln_ipc::gossipd::{
    GossipdStoreMake, GossipdStoreOpen, GossipdStorePublish, GossipdStoreReply,
    GossipdStoreRequest, GossipdStoreSetAside,
};
use ln_ipc::{FrameError, Stream, from_errno};

/// The store's file, open.
#[derive(Debug)]
pub struct StoreHandles {
    /// For gossipd.
    pub file: File,
    /// For connectd: it can't be written through this.
    pub reader: File,
}

/// Who deals with the file system.
#[derive(Debug, Clone)]
enum Who {
    Ourselves,
    Lightningd(Arc<Mutex<Stream>>),
}

/// The place of the store.
#[derive(Debug, Clone)]
pub struct StorePlace {
    path: PathBuf,
    who: Who,
}

/// A file next to the store.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl StorePlace {
    /// The store at `path`, whose files we open ourselves.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            who: Who::Ourselves,
        }
    }

    /// The same store, whose files lightningd opens for us, asked over this socket.
    pub fn through(self, lightningd: OwnedFd) -> Self {
        let stream = Arc::new(Mutex::new(Stream::new(lightningd)));
        Self {
            who: Who::Lightningd(stream),
            ..self
        }
    }

    /// Where it is, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a damaged one goes.
    pub(crate) fn aside(&self) -> PathBuf {
        beside(&self.path, ".corrupt")
    }

    /// Where a new one is written.
    pub(crate) fn temporary(&self) -> PathBuf {
        beside(&self.path, ".tmp")
    }

    /// Opens the store.
    pub fn open(&self) -> io::Result<StoreHandles> {
        match &self.who {
            Who::Ourselves => {
                let mut options = OpenOptions::new();
                let file = options.read(true).write(true).open(&self.path)?;
                // The same file, though somebody may be replacing it.
                let reader = File::open(&self.path)?;
                if !same(&file, &reader.metadata()?)? {
                    return Err(io::ErrorKind::ResourceBusy.into());
                }
                Ok(StoreHandles { file, reader })
            }
            Who::Lightningd(stream) => {
                let mut stream = locked(stream)?;
                ask(&mut stream, GossipdStoreOpen {})?;
                Ok(StoreHandles {
                    file: receive(&mut stream)?,
                    reader: receive(&mut stream)?,
                })
            }
        }
    }

    /// Makes an empty file to take the store's place.
    pub fn make(&self) -> io::Result<File> {
        match &self.who {
            Who::Ourselves => {
                let temporary = self.temporary();
                match fs::remove_file(&temporary) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => (),
                }
                let mut options = OpenOptions::new();
                options.read(true).write(true).create_new(true).mode(0o600);
                options.open(&temporary)
            }
            Who::Lightningd(stream) => {
                let mut stream = locked(stream)?;
                ask(&mut stream, GossipdStoreMake {})?;
                receive(&mut stream)
            }
        }
    }

    /// Gives the file made last the store's name.
    pub fn publish(&self) -> io::Result<()> {
        match &self.who {
            Who::Ourselves => fs::rename(self.temporary(), &self.path),
            Who::Lightningd(stream) => ask(&mut *locked(stream)?, GossipdStorePublish {}),
        }
    }

    /// Renames a store that is of no use.
    pub fn set_aside(&self) -> io::Result<()> {
        match &self.who {
            Who::Ourselves => fs::rename(&self.path, self.aside()),
            Who::Lightningd(stream) => ask(&mut *locked(stream)?, GossipdStoreSetAside {}),
        }
    }

    /// Whether this file has the store's name: false when somebody deleted or replaced it. Looking takes no permission.
    pub(crate) fn has(&self, file: &File) -> bool {
        let named = fs::metadata(&self.path);
        named.is_ok_and(|named| same(file, &named).unwrap_or(false))
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

fn same(file: &File, other: &fs::Metadata) -> io::Result<bool> {
    let file = file.metadata()?;
    Ok((file.dev(), file.ino()) == (other.dev(), other.ino()))
}

fn locked(stream: &Mutex<Stream>) -> io::Result<std::sync::MutexGuard<'_, Stream>> {
    let poisoned = |_| io::Error::other("another request failed half-way");
    stream.lock().map_err(poisoned)
}

/// Has lightningd do one thing, and waits for it.
fn ask(stream: &mut Stream, request: impl Into<GossipdStoreRequest>) -> io::Result<()> {
    stream.send(&request.into()).map_err(lost)?;
    let GossipdStoreReply::Done(done) = stream.recv().map_err(lost)?;
    from_errno(done.errno)
}

fn receive(stream: &mut Stream) -> io::Result<File> {
    Ok(stream.recv_fd().map_err(lost)?.into())
}

fn lost(error: FrameError) -> io::Error {
    io::Error::other(format!("lightningd opens no files for us: {error}"))
}

//! Where a page is typed: a home of its own, and the built programs.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use ln_testkit::nodes::program;
use tempfile::TempDir;

use super::run::repository;

/// bitcoind in the place of regtest-bitcoind: with a wallet, as that one has from the start.
const REAL_BITCOIND: &str = r#"#!/bin/sh
stays=yes
for word; do case $word in -daemon*) stays=no ;; esac; done
wallet() {
    for word; do
        shift
        case $word in -daemon*) ;; *) set -- "$@" "$word" ;; esac
    done
    "$BITCOIN_CLI" "$@" -rpcwait createwallet play
}
if [ $stays = yes ]; then
    wallet "$@" >/dev/null 2>&1 &
    exec "$BITCOIND" "$@" -fallbackfee=0.0001
fi
"$BITCOIND" "$@" -fallbackfee=0.0001 && wallet "$@"
"#;
const REAL_CLI: &str = "#!/bin/sh\nexec \"$BITCOIN_CLI\" \"$@\"\n";

/// A fresh home and a directory for temporary files; both go when it does.
#[derive(Debug)]
pub struct Place {
    dir: TempDir,
}

impl Place {
    /// Makes one.
    ///
    /// # Errors
    /// If its files can't be written.
    pub fn new() -> io::Result<Self> {
        let dir = TempDir::with_prefix("book-")?;
        let place = Self { dir };
        for directory in [place.home(), place.tmp(), place.notes(), place.bin()] {
            fs::create_dir(directory)?;
        }
        symlink(repository(), place.home().join("fulgurite"))?;
        let given = env::var_os("BITCOIND").filter(|given| !given.is_empty());
        for (ours, real, script) in [
            ("regtest-bitcoind", "bitcoind", REAL_BITCOIND),
            ("regtest-cli", "bitcoin-cli", REAL_CLI),
        ] {
            let bin = place.bin();
            if given.is_some() {
                fs::write(bin.join(ours), script)?;
                fs::set_permissions(bin.join(ours), fs::Permissions::from_mode(0o755))?;
                symlink(ours, bin.join(real))?;
            } else {
                symlink(programs().join(ours), bin.join(real))?;
            }
        }
        Ok(place)
    }

    /// The reader's home.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("me")
    }

    /// What pages call `/tmp`.
    pub fn tmp(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// What the shell keeps about itself.
    pub(super) fn notes(&self) -> PathBuf {
        self.dir.path().join("notes")
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    /// Where programs are looked for: the built ones, then the system's.
    pub(super) fn path(&self) -> OsString {
        let mut path = self.bin().into_os_string();
        path.push(":");
        path.push(programs());
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        path
    }

    /// A text of a page with its paths as they are here.
    pub(super) fn localised(&self, text: &str) -> String {
        text.replace("/tmp/", &format!("{}/", self.tmp().display()))
            .replace("/home/me", &self.home().display().to_string())
    }

    /// Output with paths as a page has them.
    pub(super) fn as_on_page(&self, output: &str) -> String {
        output
            .replace(&self.home().display().to_string(), "/home/me")
            .replace(&self.tmp().display().to_string(), "/tmp")
            .replace(&repository().display().to_string(), "/home/me/fulgurite")
    }
}

/// The directory of the built programs.
fn programs() -> PathBuf {
    let lightningd = program("lightningd");
    let directory = lightningd.parent().map(Path::to_owned);
    directory.unwrap_or_default()
}

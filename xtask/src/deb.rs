//! A package for Debian.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::cargo;
use crate::install::{self, Plan};

/// What the package's users come from and go to.
const AFTER_INSTALL: &str = "#!/bin/sh
set -e
# Into another root there is no system to tell.
if [ \"$1\" = configure ] && [ -z \"$DPKG_ROOT\" ]; then
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers lightningd.conf
    elif ! getent passwd lightningd >/dev/null; then
        useradd --system --home-dir /var/lib/lightningd --shell /usr/sbin/nologin lightningd
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
    fi
fi
";
const BEFORE_REMOVAL: &str = "#!/bin/sh
set -e
if [ \"$1\" = remove ] && [ -z \"$DPKG_ROOT\" ] && [ -d /run/systemd/system ]; then
    systemctl stop lightningd.service || true
fi
";

/// `cargo xtask deb`
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let (mut release, mut check) = (true, false);
    for argument in arguments {
        match *argument {
            "--debug" => release = false,
            "--check" => check = true,
            other => bail!("deb takes --debug and --check, not '{other}'"),
        }
    }
    let package = build(release)?;
    writeln!(io::stdout(), "{}", package.display())?;
    if check { try_out(&package) } else { Ok(()) }
}

/// Whether this system can make packages.
pub(crate) fn is_possible() -> bool {
    let asked = Command::new("dpkg-deb").arg("--version").output();
    asked.is_ok_and(|output| output.status.success())
}

fn build(release: bool) -> Result<PathBuf> {
    ensure!(
        is_possible(),
        "dpkg-deb is needed to make a package (on Debian and its children it is there; else: cargo xtask install)"
    );
    let version = cargo::version()?;
    let architecture = text_of(Command::new("dpkg").arg("--print-architecture"))?;
    let work = cargo::target_directory()?.join("deb");
    let root = work.join("root");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    let plan = Plan {
        prefix: "/usr".into(),
        destdir: Some(root.clone()),
        release,
    };
    let files = install::install(&plan)?;
    as_debian_wants(&root)?;
    write_control(&root, &version, &architecture, files.len())?;
    let package = work.join(format!("fulgurite_{version}_{architecture}.deb"));
    let mut command = Command::new("dpkg-deb");
    if !release {
        // For trying it out: large programs, seldom kept.
        command.args(["-Zgzip", "-z1"]);
    }
    command.args(["--root-owner-group", "--build"]);
    text_of(command.arg(&root).arg(&package))?;
    Ok(package)
}

/// Manual pages and the changelog are compressed there, and zsh looks elsewhere.
fn as_debian_wants(root: &Path) -> Result<()> {
    let share = root.join("usr/share");
    let zsh = share.join("zsh/vendor-completions");
    fs::rename(share.join("zsh/site-functions"), zsh)?;
    let mut pages = vec![share.join("doc/fulgurite/CHANGELOG.md")];
    for section in fs::read_dir(share.join("man"))? {
        for page in fs::read_dir(section?.path())? {
            pages.push(page?.path());
        }
    }
    text_of(Command::new("gzip").args(["-9", "--no-name"]).args(&pages))?;
    Ok(())
}

fn write_control(root: &Path, version: &str, architecture: &str, files: usize) -> Result<()> {
    ensure!(files > 0, "there is nothing to pack");
    let directory = root.join("DEBIAN");
    fs::create_dir_all(&directory)?;
    let size = text_of(
        Command::new("du")
            .args(["-sk", "--apparent-size"])
            .arg(root),
    )?;
    let size = size.split_whitespace().next().unwrap_or("0").to_owned();
    let libc = oldest_libc(root)?;
    let control = format!(
        "Package: fulgurite\nVersion: {version}\nArchitecture: {architecture}\nInstalled-Size: {size}\nSection: net\nPriority: optional\n\
         Maintainer: Fulgurite developers <fulgurite@localhost>\nDepends: libc6 (>= {libc}), libgcc-s1, libstdc++6\nRecommends: bitcoind | bitcoin-core, man-db\n\
         Suggests: python3\nConflicts: core-lightning, c-lightning\nDescription: Lightning Network node, compatible with Core Lightning\n \
         A master process, small isolated helper processes and plugins: the same\n commands, options, files and plugins as Core Lightning.\n .\n \
         lightningd.service runs the node as its own user in /var/lib/lightningd.\n"
    );
    fs::write(directory.join("control"), control)?;
    for (name, text) in [("postinst", AFTER_INSTALL), ("prerm", BEFORE_REMOVAL)] {
        let path = directory.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// The oldest libc that has all that the programs ask of it: they name versions such as `GLIBC_2.34`.
fn oldest_libc(root: &Path) -> Result<String> {
    let mut newest = (0_u32, 0_u32);
    for program in fs::read_dir(root.join("usr/bin"))? {
        let contents = fs::read(program?.path())?;
        for version in versions_of_libc(&contents) {
            newest = newest.max(version);
        }
    }
    let (major, minor) = newest;
    ensure!(
        major > 0,
        "the programs in {} name no version of libc",
        root.display()
    );
    Ok(format!("{major}.{minor}"))
}

fn versions_of_libc(program: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let texts = program.split(|byte| *byte == 0);
    texts.filter_map(|text| {
        let version = std::str::from_utf8(text.strip_prefix(b"GLIBC_")?).ok()?;
        let (major, minor) = version.split_once('.')?;
        let minor = minor.split('.').next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

/// Installs the package into a directory of its own and runs the demo from there.
fn try_out(package: &Path) -> Result<()> {
    let root = cargo::target_directory()?.join("deb/installed");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    let admin = root.join("var/lib/dpkg");
    for directory in ["info", "updates", "triggers"] {
        fs::create_dir_all(admin.join(directory))?;
    }
    for file in ["status", "available"] {
        fs::write(admin.join(file), "")?;
    }
    let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
    let mut dpkg = Command::new("dpkg");
    dpkg.args([option("instdir", &root), option("admindir", &admin)])
        .arg(option("log", &root.join("dpkg.log")))
        .args([
            "--force-not-root",
            "--force-script-chrootless",
            "--force-depends",
        ])
        .arg("--install")
        .arg(package);
    text_of(&mut dpkg)?;
    let bin = root.join("usr/bin");
    let version = text_of(Command::new(bin.join("lightningd")).arg("--version"))?;
    ensure!(
        version.contains("fulgurite"),
        "lightningd --version says '{version}'"
    );
    let page = root.join("usr/share/man/man8/lightningd.8.gz");
    ensure!(page.is_file(), "there is no {}", page.display());
    if Command::new("man").arg("--version").output().is_ok() {
        let shown = text_of(Command::new(bin.join("lightning-cli")).args(["help", "pay"]))?;
        ensure!(
            shown.contains("LIGHTNING-PAY(7)"),
            "lightning-cli help pay shows no manual page:\n{shown}"
        );
    }
    let unit = fs::read_to_string(root.join("usr/lib/systemd/system/lightningd.service"))?;
    ensure!(
        unit.contains("ExecStart=/usr/bin/lightningd "),
        "the unit starts something else:\n{unit}"
    );
    // Nothing but the package's own programs and the system's.
    let path = format!("{}:/usr/bin:/bin", bin.display());
    text_of(
        Command::new(bin.join("lightning-playground"))
            .arg("demo")
            .env_clear()
            .env("PATH", path),
    )?;
    writeln!(
        io::stdout(),
        "installed into {} and ran the demo from there",
        root.display()
    )?;
    fs::remove_dir_all(&root)?;
    Ok(())
}

/// What a command says; an error if it fails.
fn text_of(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("can't start {}", command.get_program().display()))?;
    ensure!(
        output.status.success(),
        "{} failed:\n{}{}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_name_the_libc_they_need() {
        let program = b"\x7fELF\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_PRIVATE\0\xff\0";
        let found: Vec<_> = versions_of_libc(program).collect();
        assert_eq!(found, [(2, 2), (2, 34)]);
    }
}

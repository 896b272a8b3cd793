//! The socket.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use tokio::net::UnixListener;

use crate::node::Node;

/// How long the path of a socket may be: what the kernel takes, without the zero at its end.
const MAX_PATH: usize = 107;

/// Looks whether the socket can have this path: what is there and is no socket is not touched.
pub(crate) fn may_listen(file: &str) -> anyhow::Result<()> {
    let length = file.len();
    if length > MAX_PATH {
        bail!(
            "rpc-file: {length} bytes are too long for the path of a socket, which has {MAX_PATH} at most: name it from the network's directory on"
        );
    }
    match std::fs::symlink_metadata(file) {
        Ok(found) if !found.file_type().is_socket() => {
            bail!("rpc-file: {file} is there and is no socket: move it away, or name another one")
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't open the RPC socket {file}"))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Opens the socket in the working directory. One left behind by an earlier run is replaced: the pid file's lock keeps two nodes apart.
pub(crate) fn listen(file: &str, mode: u32) -> anyhow::Result<UnixListener> {
    may_listen(file)?;
    let path = Path::new(file);
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("can't replace the RPC socket {file}"));
        }
    }
    // Nobody else may connect between the moment the socket exists and the moment it has its mode.
    let before = rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o177));
    let listener =
        UnixListener::bind(path).with_context(|| format!("can't open the RPC socket {file}"));
    rustix::process::umask(before);
    let listener = listener?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .with_context(|| format!("can't set the mode of the RPC socket {file}"))?;
    Ok(listener)
}

/// Serves clients for ever.
pub(crate) async fn serve(node: Rc<Node>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::task::spawn_local(super::connection::serve(Rc::clone(&node), stream));
            }
            Err(error) => {
                // Out of descriptors, most likely: some will be free again.
                node.log.unusual(
                    &node.origin,
                    format!("an RPC client can't be let in: {error}"),
                );
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

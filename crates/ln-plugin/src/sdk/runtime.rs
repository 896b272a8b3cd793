//! Where handlers that are futures run: one thread with an event loop, started with the first of them.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle};

static RUNTIME: OnceLock<Handle> = OnceLock::new();

fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("async".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}

/// Lets a future run.
pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    if RUNTIME.get().is_none() {
        // Two threads may come here at once: one of the two event loops then has nothing to do.
        drop(RUNTIME.set(start()?));
    }
    if let Some(handle) = RUNTIME.get() {
        drop(handle.spawn(future));
    }
    Ok(())
}

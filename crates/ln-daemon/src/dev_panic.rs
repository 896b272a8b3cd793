//! For developers: a helper that makes a mistake, to see what is made of that.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Set by lightningd for the helper that `dev-panic` names: how many messages it still takes.
pub const DEV_PANIC: &str = "FULGURITE_DEV_PANIC";

/// Panics in a helper that is to. Called with each message from lightningd.
#[expect(clippy::panic, reason = "it is what the developer asked for")]
pub fn panic_if_asked() {
    static AFTER: LazyLock<Option<u32>> =
        LazyLock::new(|| std::env::var(DEV_PANIC).ok()?.parse().ok());
    static SEEN: AtomicU32 = AtomicU32::new(0);
    if let Some(after) = *AFTER
        && SEEN.fetch_add(1, Ordering::Relaxed) >= after
    {
        panic!("dev-panic asked for this");
    }
}

//! The calls that need `unsafe` and that no crate wraps: taking over a descriptor the parent process left open at an agreed number, and giving
//! free memory back to the kernel.
//!
//! Invariants: nothing else lives here; every `unsafe` block says why it is sound.

use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::sync::Mutex;

/// Descriptors already handed out by [`take_inherited_fd`].
static TAKEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// Takes over descriptor `number`, which the parent process passed by leaving it open. The caller gets a duplicate that is closed on exec.
///
/// Returns `None` when the descriptor is not open or was taken before.
///
/// # Panics
/// Never: the lock is not held across a panic.
#[expect(
    unsafe_code,
    reason = "a bare descriptor number is all that a parent process can pass"
)]
pub fn take_inherited_fd(number: RawFd) -> Option<OwnedFd> {
    let mut taken = TAKEN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if number < 0 || taken.contains(&number) {
        return None;
    }
    // SAFETY: the descriptor is only borrowed for the call below, which fails with EBADF when it is not open. It is never closed
    // through this borrow, so whoever else may own it stays unharmed.
    let inherited = unsafe { BorrowedFd::borrow_raw(number) };
    let duplicate = rustix::io::fcntl_dupfd_cloexec(inherited, 3).ok()?;
    taken.push(number);
    // The original stays open at its number for the life of the process, but no child may inherit it.
    let _ = rustix::io::fcntl_setfd(inherited, rustix::io::FdFlags::CLOEXEC);
    Some(duplicate)
}

/// Gives the heap's free pages back to the kernel. Worth it after a burst of work, in a process of which there may be thousands: freed memory
/// in the middle of the heap stays with the process otherwise. Where the allocator is not glibc's it does nothing.
#[cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "the allocator's call has no wrapper")
)]
pub fn release_free_memory() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: it touches only what the allocator holds as free, under the allocator's own lock, and takes a plain number.
        unsafe { malloc_trim(0) };
    }
}

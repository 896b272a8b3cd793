//! The shell every helper process lives in: its descriptors, its name, its log, its sandbox, and what happens when it panics; and asking the
//! operator.
//!
//! A helper has lightningd on descriptor 0, and what else it needs from descriptor 3 on (the peer on 3, hsmd on 4 for channel daemons).
//!
//! Invariants: no protocol rule lives here; a helper that loses lightningd ends.

mod ask;
mod dev_panic;
mod inherited;
mod panic;
mod sandbox;
mod shell;

pub use ask::{ask_line, ask_secret, show_terminal};
pub use dev_panic::{DEV_PANIC, panic_if_asked};
pub use inherited::{FD_HSM, FD_MASTER, FD_PEER, inherited};
pub use ln_sandbox::{BREAK_OUT, Helper, SANDBOX, SANDBOX_OFF};
pub use ln_sys::release_free_memory;
pub use panic::Panic;
pub use sandbox::{Home, Line, confine};
pub use shell::{Shell, VERSION, set_process_name};

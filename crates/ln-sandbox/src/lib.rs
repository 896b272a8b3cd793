//! What each helper process may do once it is set up, and having the kernel hold it to that.
//!
//! A helper reads what strangers send. Should one of them take it over, it finds a process that can use the descriptors it has and nothing
//! else: no file, no other process, no program to become, and for all but connectd no network. docs/adr/0013 says how and why.
//!
//! - [`Helper`] and its [`Profile`]: the table of who may what; pure.
//! - [`Filter`]: the system calls that follow from it; pure.
//! - [`confine`]: limits, no new privileges, landlock and seccomp, in this order, for the calling process.
//! - [`attempt`]: a developer's try to get out.
//!
//! Invariants: what is given up never comes back; a kernel that lacks a part is told of in the [`Report`] and stops nobody; whoever
//! calls [`confine`] has one thread.

mod attempt;
#[cfg_attr(
    not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )),
    expect(dead_code, reason = "there are no lists for this machine")
)]
mod call;
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
mod calls;
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
#[path = "no_calls.rs"]
mod calls;
mod confine;
mod files;
mod filter;
mod limits;
mod profile;
mod ruleset;
mod switch;

pub use attempt::{Attempt, attempt};
pub use confine::{Report, confine};
pub use files::{alone, for_names};
pub use filter::{Filter, FilterError};
pub use profile::{Helper, May, Profile};
pub use switch::{BREAK_OUT, SANDBOX, SANDBOX_OFF};

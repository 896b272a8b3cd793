//! Real processes: nodes of the built `lightningd` on a private chain, for black-box tests.
//!
//! [`TestNet`] is a chain and the verbs that need it (fund, mine, open a channel); [`TestNode`] is one node: start, call, wait for a
//! line of its log, kill, restart. A test that fails prints the end of each node's log. The programs are those beside the test
//! executable, or the ones named by `LIGHTNINGD` and `BITCOIND`.

mod log;
mod net;
mod node;
mod options;
mod processes;
mod programs;
mod seed;
mod wait;

pub use log::{LogMark, NodeLog};
pub use net::{OpenChannel, TestNet};
pub use node::{CallError, TestNode};
pub use options::NodeOptions;
pub use processes::{HelperProcess, descendants, process_is_running};
pub use programs::program;
pub use regtest_bitcoind::harness::ReservedPort;
pub use seed::Seed;
pub use wait::{patience, try_wait_until, wait_until};

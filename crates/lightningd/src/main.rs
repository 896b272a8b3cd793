//! lightningd: the node's master process, and every helper and built-in plugin it starts.
//!
//! One executable holds them all; it becomes the one its `argv[0]` names. The master owns the database, the wallet, invoices, payments,
//! the view of the chain and the RPC socket; helpers own what talks to strangers or holds secrets.
//!
//! Invariants: no peer's byte is parsed here before a helper has checked it; nothing is told to a peer, a plugin or an RPC client before it is
//! durable; no borrow of shared state is held across an await.
//~ The tour starts here: `roles` picks what this process becomes, `startup` brings the master up.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an answer of any other kind than the one asked for is one and the same error"
)]

mod clock;
mod crash;
mod daemon;
mod damage;
mod exit;
mod features;
mod gossip;
mod node;
mod old_forms;
mod open_files;
mod pid_file;
mod roles;
mod signals;
mod startup;

mod accounts;
mod chain;
mod channels;
mod hsm;
mod invoices;
mod log;
mod options;
mod payments;
mod peers;
mod plugins;
mod recover;
mod rpc;
mod subd;
mod wallet;

fn main() {
    std::process::exit(roles::become_role());
}

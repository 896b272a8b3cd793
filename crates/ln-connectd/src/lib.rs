//! lightning_connectd: everything between a peer's socket and the node's other processes.
//!
//! Covers BOLT 1 §Connection Handling and Multiplexing, §Lightning Message Format, §The `init` Message,
//! §The `error` and `warning` Messages, §The `ping` and `pong` Messages, BOLT 7 §The `gossip_timestamp_filter` Message,
//! BOLT 8 (through `ln-noise`) and BOLT 9's rules for `init`.
//!
//! At the start `places` takes the operator's addresses: `bind` to listen, `tor` for onion services, and what is to be announced.
//! A connection begins in `listen` or `dial`, goes through `establish` (handshake and `init`) and is judged by `daemon`, which spawns
//! one `peer` for it. What a message means is decided by `mux`, which has no socket: it takes a message and returns one action.
//!
//! Once it has started it is confined (`ln-sandbox`): it opens no file of ours and connects to no unix socket. The store it streams from
//! comes from gossipd, connected unix sockets from lightningd.
//!
//! Invariants: no secret is here (hsmd does ECDH); every queue has a bound in `limits` and stops its source when it is
//! full; what a peer sends can end its own connection and nothing else; lightningd hears of each connection exactly once that it began
//! and once that it ended, in order.

mod address;
mod admission;
mod backoff;
mod bind;
mod daemon;
mod dev_disconnect;
mod dev_exhaust_fds;
mod dial;
mod establish;
mod features;
mod gossip_store;
mod gossip_stream;
mod hsm;
mod init;
mod limits;
mod link;
mod listen;
mod lookup;
mod mux;
mod names;
mod opening;
mod outbox;
mod padding;
mod peer;
mod ping;
mod places;
mod run;
mod shared;
mod socket;
mod socks;
mod throttle;
mod tor;
mod transport;
mod unix_dial;
mod websocket;
mod wire;

pub use names::message_name;
pub use run::{ConnectdError, Descriptors, main, run};

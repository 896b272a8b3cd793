//! The node and the interface itself.

mod check;
mod getinfo;
mod help;
mod stop;

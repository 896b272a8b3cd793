//! Commands of Core Lightning for its own developers that are not built here.

/// Their names.
const NOT_YET: &[&str] = &[
    // Core Lightning's memory is a tree it can show. Ours is not.
    "dev-memdump",
    // Only a program that Core Lightning's tests put in channeld's place understands it.
    "dev-peer-shachain",
    // It asks what a peer wants for liquidity, which is not leased here.
    "dev-queryrates",
    // Queries about gossip are not answered yet.
    "dev-set-max-scids-encode-size",
    // Channels can't be made quiet yet: that comes with splicing.
    "dev-quiesce",
    "dev-splice",
    // There are no offers yet, nor invoice requests to send as they are.
    "dev-rawrequest",
];

/// Whether Core Lightning has a command for developers with this name and this version has not.
pub(in crate::rpc) fn is_not_yet(name: &str) -> bool {
    NOT_YET.contains(&name)
}

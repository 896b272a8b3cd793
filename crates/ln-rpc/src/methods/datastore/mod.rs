//! Values that plugins and scripts keep with the node.

#[expect(
    clippy::module_inception,
    reason = "the method has the name of its family"
)]
pub mod datastore;
pub mod datastoreusage;
pub mod deldatastore;
pub mod listdatastore;

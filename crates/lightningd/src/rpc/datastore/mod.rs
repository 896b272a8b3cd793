//! What plugins and users keep with the node.

#[expect(clippy::module_inception, reason = "the method has the family's name")]
mod datastore;
mod datastoreusage;
mod deldatastore;
mod entry;
mod listdatastore;

//! Limits of resources.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::profile::{May, Profile};

/// Sets them for good. What can't be set is told.
pub(crate) fn set(profile: &Profile) -> Vec<String> {
    let mut limits = vec![(Resource::Core, "core", 0)];
    if !profile.allows(May::StartThreads) {
        // Counts all processes of the user, so that nought means no more of them; root is not counted.
        limits.push((Resource::Nproc, "nproc", 0));
    }
    if let Some(most) = profile.descriptors {
        limits.push((Resource::Nofile, "nofile", most));
    }
    let set = |(resource, name, most): (Resource, &str, u64)| {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        let error = setrlimit(resource, limit).err()?;
        Some(format!("limit {name}: {error}"))
    };
    limits.into_iter().filter_map(set).collect()
}

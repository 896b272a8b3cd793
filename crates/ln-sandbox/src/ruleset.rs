//! Landlock: which files may be read, and nothing else of the file system, the network and other processes.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::profile::{May, Profile};

/// The newest version that was tried. An older kernel does what it knows of it.
const TRIED: ABI = ABI::V7;

/// Gives up all but reading these files and directories. Returns the version in force, or `None` where there is none.
pub(crate) fn restrict(profile: &Profile, read: &[PathBuf]) -> Result<Option<ABI>, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(TRIED))?
        .handle_access(network(profile))?
        .scope(Scope::from_all(TRIED))?
        .create()?;
    for path in read {
        // What is not there can't be read.
        let Ok(fd) = PathFd::new(path) else { continue };
        let access = if path.is_dir() {
            AccessFs::ReadFile | AccessFs::ReadDir
        } else {
            AccessFs::ReadFile.into()
        };
        ruleset = ruleset.add_rule(PathBeneath::new(fd, access))?;
    }
    let status = ruleset.restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, .. }) => Some(effective_abi),
        (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => None,
    })
}

/// What of the network nobody may do any more. Whoever has it still may not listen anywhere else than before.
fn network(profile: &Profile) -> BitFlags<AccessNet> {
    if profile.allows(May::UseNetwork) {
        AccessNet::BindTcp.into()
    } else {
        AccessNet::from_all(TRIED)
    }
}

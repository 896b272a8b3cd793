//! Programs for seccomp, made from a profile.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use crate::call::{Call, When};
use crate::calls::{FATAL, allowed};
use crate::profile::Profile;

/// Why there is no filter.
#[derive(Debug)]
#[non_exhaustive]
pub enum FilterError {
    /// Nobody has listed the system calls of this kind of machine.
    UnknownMachine,
    /// A list makes no program.
    Lists(BackendError),
}

impl std::fmt::Display for FilterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownMachine => {
                write!(f, "no list of system calls for {}", std::env::consts::ARCH)
            }
            Self::Lists(error) => write!(f, "the lists of system calls: {error}"),
        }
    }
}

impl std::error::Error for FilterError {}

impl From<BackendError> for FilterError {
    fn from(error: BackendError) -> Self {
        Self::Lists(error)
    }
}

/// Two programs; the kernel does the harsher of what they say. It remembers which calls pass whatever their arguments, so that those
/// cost next to nothing (Linux 5.11), and the order of the others matters little.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Ends the process for what it never does.
    pub(crate) fatal: BpfProgram,
    /// Lets pass what it needs and answers the rest with "no such call".
    pub(crate) allowed: BpfProgram,
}

impl Filter {
    /// For a helper whose process has this number. It opens files only if landlock holds it to the right ones.
    pub fn new(profile: &Profile, process: u32, opens: bool) -> Result<Self, FilterError> {
        let target = TargetArch::try_from(std::env::consts::ARCH);
        let target = target.map_err(|_| FilterError::UnknownMachine)?;
        let allowed = rules(allowed(profile.may, opens), process)?;
        let fatal = rules(FATAL.iter().copied(), process)?;
        let no_such_call = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
        let (kill, allow) = (SeccompAction::KillProcess, SeccompAction::Allow);
        Ok(Self {
            fatal: SeccompFilter::new(fatal, allow.clone(), kill, target)?.try_into()?,
            allowed: SeccompFilter::new(allowed, no_such_call, allow, target)?.try_into()?,
        })
    }
}

/// Several rules for one call: any of them will do; none: always.
fn rules(
    calls: impl Iterator<Item = Call>,
    process: u32,
) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<i64, Option<Vec<SeccompRule>>> = BTreeMap::new();
    for call in calls {
        let number = call.number;
        let rule = condition(call.when, process)
            .map(|condition| SeccompRule::new(vec![condition?]))
            .transpose()?;
        let present = rules.entry(number).or_insert_with(|| Some(Vec::new()));
        match (rule, present) {
            (None, present) => *present = None,
            (Some(rule), Some(present)) => present.push(rule),
            (Some(_), None) => {}
        }
    }
    let plain =
        |(number, rules): (i64, Option<Vec<SeccompRule>>)| (number, rules.unwrap_or_default());
    Ok(rules.into_iter().map(plain).collect())
}

fn condition(when: When, process: u32) -> Option<Result<SeccompCondition, BackendError>> {
    use SeccompCmpArgLen::Dword;
    use SeccompCmpOp::{Eq, MaskedEq};
    let number = |bits: i32| u64::from(bits.cast_unsigned());
    Some(match when {
        When::Always => return None,
        When::Without(index, bits) => {
            SeccompCondition::new(index, Dword, MaskedEq(number(bits)), 0)
        }
        When::With(index, bits) => {
            let bits = number(bits);
            SeccompCondition::new(index, Dword, MaskedEq(bits), bits)
        }
        When::Is(index, value) => SeccompCondition::new(index, Dword, Eq, number(value)),
        When::IsThisProcess(index) => SeccompCondition::new(index, Dword, Eq, process.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Helper;

    /// As many instructions as the kernel takes in one program.
    const MOST: usize = 4096;

    #[test]
    fn every_profile_makes_programs_that_the_kernel_takes() {
        for helper in Helper::all() {
            for opens in [true, false] {
                let filter = Filter::new(&helper.profile(), 7, opens).unwrap();
                assert!(filter.allowed.len() < MOST && filter.fatal.len() < MOST);
                assert!(filter.allowed.len() > 100 && filter.fatal.len() > 50);
            }
        }
    }

    #[test]
    fn a_call_without_condition_wins_over_one_with() {
        let limited = Call {
            number: 9,
            when: When::Without(2, 4),
        };
        let free = Call {
            number: 9,
            when: When::Always,
        };
        for calls in [[limited, free], [free, limited]] {
            let rules = rules(calls.into_iter(), 1).unwrap();
            assert_eq!(rules.get(&9).map(Vec::len), Some(0));
        }
        let rules = rules([limited, limited].into_iter(), 1).unwrap();
        assert_eq!(rules.get(&9).map(Vec::len), Some(2));
    }
}

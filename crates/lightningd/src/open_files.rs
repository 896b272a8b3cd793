//! How many files the master may have open: one or two for each channel's daemon.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::node::Node;

/// More than one machine's channels need.
const PLENTY: u64 = 65_536;

/// What the limit becomes, and whether that is too little.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    limit: u64,
    is_too_little: bool,
}

/// Whether the limit must be raised so that `needed` files can be open, and to what. No limit is `None`.
fn choose(current: Option<u64>, most: Option<u64>, needed: u64) -> Option<Choice> {
    let wanted = needed.max(PLENTY);
    let current = current.filter(|current| *current < wanted)?;
    let most = most.unwrap_or(u64::MAX);
    Some(Choice {
        limit: wanted.min(most).max(current),
        is_too_little: needed > most,
    })
}

/// Makes room for the channels there are, and for others to come.
pub(crate) fn make_room(node: &Node) {
    let limit = getrlimit(Resource::Nofile);
    let channels = u64::try_from(node.channels.all().len()).unwrap_or(u64::MAX);
    let needed = channels.saturating_mul(node.config.dev.fd_limit_multiplier.into());
    let Some(choice) = choose(limit.current, limit.maximum, needed) else {
        return;
    };
    let most = limit.maximum.unwrap_or(u64::MAX);
    if choice.is_too_little {
        let text =
            format!("WARNING: we have {channels} channels but file descriptors limited to {most}!");
        node.log.unusual(&node.origin, text);
    }
    let raised = Rlimit {
        current: Some(choice.limit),
        maximum: limit.maximum,
    };
    let text = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => format!(
            "Increasing file descriptor limit to {} ({channels} channels, max is {most})",
            choice.limit
        ),
        Err(error) => format!("Could not increase file limit to {}: {error}", choice.limit),
    };
    node.log.debug(&node.origin, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_all_channels_where_the_system_allows_it() {
        let choice = |limit, is_too_little| {
            Some(Choice {
                limit,
                is_too_little,
            })
        };
        assert_eq!(choose(None, None, 10), None);
        assert_eq!(choose(Some(70_000), Some(70_000), 10), None);
        assert_eq!(choose(Some(1024), None, 10), choice(PLENTY, false));
        assert_eq!(choose(Some(1024), Some(4096), 10), choice(4096, false));
        assert_eq!(choose(Some(1024), None, 80_000), choice(80_000, false));
        assert_eq!(choose(Some(4096), Some(4096), 5000), choice(4096, true));
    }
}

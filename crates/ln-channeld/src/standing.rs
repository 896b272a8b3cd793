//! The sentence about the channel in `listpeerchannels`' `status`.

use ln_channel::{ChannelState, Link};

use crate::daemon::Channeld;

/// What the last sentence said.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Whether both sides signed the announcement on this connection.
    pub(crate) announced: bool,
    said: String,
}

impl Channeld {
    /// Says how the channel stands, when that changed.
    pub(crate) fn report_standing(&mut self) {
        let text = sentence(
            self.channel.state(),
            self.channel.link(),
            self.standing.announced,
        );
        if text != self.standing.said {
            self.shell.billboard(false, text.as_str());
            self.standing.said = text;
        }
    }
}

fn sentence(state: &ChannelState, link: Link, announced: bool) -> String {
    if link == Link::Reestablishing {
        return "Reconnected, and reestablishing.".to_owned();
    }
    let shutdown = &state.shutdown;
    match (&shutdown.local, &shutdown.remote) {
        (Some(_), Some(_)) => return "Shutdown messages exchanged.".to_owned(),
        (Some(_), None) => return "We've sent shutdown, waiting for theirs".to_owned(),
        (None, Some(_)) => return "They've sent shutdown, waiting for ours".to_owned(),
        (None, None) => {}
    }
    let ready = match (state.ready.local, state.ready.remote) {
        (true, true) => "Channel ready for use.",
        (true, false) => "We've confirmed channel ready, they haven't yet.",
        (false, true) => "They've confirmed channel ready, we haven't yet.",
        (false, false) => "Waiting for the funding transaction to be deep enough.",
    };
    if announced {
        format!("{ready} Channel announced.")
    } else {
        ready.to_owned()
    }
}

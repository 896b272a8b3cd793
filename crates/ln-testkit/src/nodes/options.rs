//! How a node is started.

/// What a test changes about a node before it starts.
#[derive(Debug, Clone, Default)]
pub struct NodeOptions {
    /// More arguments; later ones win.
    pub(super) arguments: Vec<String>,
    /// Listens on a unix socket in its directory, too.
    pub(super) unix_socket: bool,
    /// Complaints in the log that are expected.
    pub(super) allowed_complaints: Vec<String>,
}

impl NodeOptions {
    /// Adds an argument, as on the command line.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Makes the node listen on the unix socket [`super::TestNode::peer_socket`], too.
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = true;
        self
    }

    /// Lines of level BROKEN that contain this do not fail the test.
    pub fn allow_complaint(mut self, text: impl Into<String>) -> Self {
        self.allowed_complaints.push(text.into());
        self
    }
}

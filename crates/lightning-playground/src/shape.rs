//! Who has a channel with whom.

use std::str::FromStr;

use anyhow::bail;

/// How the nodes are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each with the next.
    Line,
    /// A line whose ends meet.
    Ring,
    /// All with the first.
    Star,
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "line" => Self::Line,
            "ring" => Self::Ring,
            "star" => Self::Star,
            _ => bail!("--shape is line, ring or star, not '{text}'"),
        })
    }
}

impl Shape {
    /// The channels between so many nodes, counted from 0: who opens, and with whom. Nobody opens more than one.
    pub(crate) fn channels(self, nodes: usize) -> Vec<(usize, usize)> {
        let mut channels: Vec<_> = match self {
            Self::Line | Self::Ring => (1..nodes)
                .map(|node| (node.saturating_sub(1), node))
                .collect(),
            Self::Star => (1..nodes).map(|node| (node, 0)).collect(),
        };
        if self == Self::Ring && nodes > 2 {
            channels.push((nodes.saturating_sub(1), 0));
        }
        channels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_their_channels() {
        assert_eq!(Shape::Line.channels(1), []);
        assert_eq!(Shape::Ring.channels(1), []);
        assert_eq!(Shape::Star.channels(1), []);
        assert_eq!(Shape::Line.channels(3), [(0, 1), (1, 2)]);
        assert_eq!(Shape::Ring.channels(2), [(0, 1)]);
        assert_eq!(Shape::Ring.channels(3), [(0, 1), (1, 2), (2, 0)]);
        assert_eq!(Shape::Star.channels(3), [(1, 0), (2, 0)]);
    }
}

//! The alias and colour a node has until its operator chooses others. They follow from its id.

use ln_types::NodeId;

/// The first words, in Core Lightning's order (one stands twice).
const ADJECTIVES: [&str; 29] = [
    "LOUD",
    "RED",
    "BLUE",
    "GREEN",
    "YELLOW",
    "IRATE",
    "ANGRY",
    "PEEVED",
    "HAPPY",
    "SLIMY",
    "SLEEPY",
    "JUNIOR",
    "SLICKER",
    "UNITED",
    "SOMBER",
    "BIZARRE",
    "ODD",
    "WEIRD",
    "WRONG",
    "LATENT",
    "CHILLY",
    "STRANGE",
    "LOUD",
    "SILENT",
    "HOPPING",
    "ORANGE",
    "VIOLET",
    "VIOLENT",
    "LIGHTNING",
];

/// The second words.
const NOUNS: [&str; 55] = [
    "WHISPER",
    "FELONY",
    "MOON",
    "SUCKER",
    "PENGUIN",
    "WAFFLE",
    "MAESTRO",
    "NIGHT",
    "TRINITY",
    "DEITY",
    "MONKEY",
    "ARK",
    "SQUIRREL",
    "IRON",
    "BOUNCE",
    "FARM",
    "CHEF",
    "TROUGH",
    "NET",
    "TRAWL",
    "GLEE",
    "WATER",
    "SPORK",
    "PLOW",
    "FEED",
    "SOUFFLE",
    "ROUTE",
    "BAGEL",
    "MONTANA",
    "ANALYST",
    "AUTO",
    "WATCH",
    "PHOTO",
    "YARD",
    "SOURCE",
    "MONKEY",
    "SEAGULL",
    "TOLL",
    "SPAWN",
    "GOPHER",
    "CHIPMUNK",
    "SET",
    "CALENDAR",
    "ARTIST",
    "CHASER",
    "SCAN",
    "TOTE",
    "BEAM",
    "ENTOURAGE",
    "GENESIS",
    "WALK",
    "SPATULA",
    "RAGE",
    "FIRE",
    "MASTER",
];

/// Bytes of an alias in `node_announcement`.
const ALIAS_LEN: usize = 32;

/// The word a list has for eight bytes of the id, read little-endian.
fn pick(words: &[&'static str], bytes: &[u8]) -> &'static str {
    let number = bytes
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let count = u64::try_from(words.len()).unwrap_or(u64::MAX);
    number
        .checked_rem(count)
        .and_then(|index| words.get(usize::try_from(index).ok()?))
        .copied()
        .unwrap_or_default()
}

/// The alias of a node whose operator gave none.
///
/// In developer mode, as much of the end of `version` as fits follows after a dash.
pub fn default_alias(id: &NodeId, developer_version: Option<&str>) -> String {
    let bytes = id.to_bytes();
    let adjective = pick(&ADJECTIVES, bytes.get(3..11).unwrap_or_default());
    let noun = pick(&NOUNS, bytes.get(11..19).unwrap_or_default());
    let mut alias = format!("{adjective}{noun}");
    if let Some(version) = developer_version {
        let room = ALIAS_LEN.saturating_sub(1).saturating_sub(alias.len());
        let start = version.len().saturating_sub(room);
        alias.push('-');
        alias.push_str(version.get(start..).unwrap_or_default());
    }
    alias
}

/// The colour of a node whose operator gave none.
pub fn default_color(id: &NodeId) -> [u8; 3] {
    let [red, green, blue, ..] = id.to_bytes();
    [red, green, blue]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> NodeId {
        text.parse().expect("a node id")
    }

    #[test]
    fn an_id_gives_the_same_alias_as_in_core_lightning() {
        // The nodes with secrets "lightning-1" and so on, as printed in Core Lightning's documentation.
        let known = [
            (
                "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518",
                "JUNIORBEAM",
            ),
            (
                "022d223620a359a47ff7f7ac447c85c46c923da53389221a0054c11c1e3ca31d59",
                "SILENTARTIST",
            ),
            (
                "035d2b1192dfba134e10e540875d366ebc8bc353d5aa766b80c090b39c3a5d885d",
                "HOPPINGFIRE",
            ),
        ];
        for (node, alias) in known {
            assert_eq!(default_alias(&id(node), None), alias);
        }
    }

    #[test]
    fn a_developer_alias_ends_with_the_version() {
        let node = id("0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518");
        assert_eq!(default_alias(&node, Some("v1")), "JUNIORBEAM-v1");
        let long = default_alias(&node, Some("v26.06-123-gabcdef0123456789-modded"));
        assert_eq!(long.len(), 32);
        assert!(long.ends_with("-modded"));
        assert_eq!(default_color(&node), [0x02, 0x66, 0xe4]);
    }
}

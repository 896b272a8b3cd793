//! `log-level`: which lines are shown where.

use super::LogLevel;

/// One `log-level`: which lines of which subsystems, and in which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter {
    /// The least loud.
    pub(crate) level: LogLevel,
    /// A part of the origin's name; nothing means all.
    pub(crate) subsystem: Option<String>,
    /// The `log-file` it is for; nothing means all.
    pub(crate) file: Option<String>,
}

/// The levels by name.
const NAMES: &[(&str, LogLevel)] = &[
    ("io", LogLevel::IoIn),
    ("trace", LogLevel::Trace),
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("unusual", LogLevel::Unusual),
    ("broken", LogLevel::Broken),
];

impl LogFilter {
    /// Everything from a level up.
    pub(crate) fn from(level: LogLevel) -> Self {
        Self {
            level,
            subsystem: None,
            file: None,
        }
    }

    /// Reads `LEVEL[:SUBSYSTEM[:PATH]]`; the path is one of `files`.
    pub(crate) fn parse(text: &str, files: &[String]) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let level = parts.next().unwrap_or_default();
        let lower = level.to_ascii_lowercase();
        let known = NAMES.iter().find(|(name, _)| *name == lower);
        let (_, level) = known.ok_or_else(|| {
            format!("'{level}' is not a log level: use io, trace, debug, info, unusual or broken")
        })?;
        let subsystem = parts.next().filter(|part| !part.is_empty());
        let file = parts.next();
        if let Some(file) = file
            && !files.iter().any(|known| known == file)
        {
            return Err(format!(
                "'{file}' is no log file of this node: give it with log-file as well"
            ));
        }
        Ok(Self {
            level: *level,
            subsystem: subsystem.map(str::to_owned),
            file: file.map(str::to_owned),
        })
    }

    fn fits(&self, origin: &str) -> bool {
        let part = self.subsystem.as_ref();
        part.is_none_or(|part| origin.contains(part.as_str()))
    }
}

/// All filters of a log.
///
/// What is said for one file comes before what is said for all; what is said for a subsystem, before what is said for everything. Of several that
/// fit the first counts for subsystems and the last for everything, as in Core Lightning.
#[derive(Debug, Clone)]
pub(super) struct Filters {
    all: Vec<LogFilter>,
    /// What counts where no other filter fits.
    default: LogLevel,
    /// The least that any file shows.
    least: LogLevel,
    /// Whether nothing but the level decides.
    plain: bool,
}

impl Filters {
    /// Puts filters into force.
    pub(super) fn new(given: Vec<LogFilter>) -> Self {
        let is_plain = |filter: &LogFilter| filter.subsystem.is_none() && filter.file.is_none();
        let plain = given.iter().rev().find(|filter| is_plain(filter));
        let default = plain.map_or(LogLevel::Info, |filter| filter.level);
        let all: Vec<_> = given
            .into_iter()
            .filter(|filter| !is_plain(filter))
            .collect();
        let least = all.iter().map(|filter| filter.level).min();
        Self {
            default,
            least: least.map_or(default, |least| least.min(default)),
            plain: all.is_empty(),
            all,
        }
    }

    /// The least that is shown anywhere.
    pub(super) fn least(&self) -> LogLevel {
        self.least
    }

    /// Whether nothing but the level decides: an origin's name need not be made.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// The least that a file shows of an origin.
    pub(super) fn level_in(&self, file: &str, origin: &str) -> LogLevel {
        let of_file = |filter: &&LogFilter| filter.file.as_deref() == Some(file);
        let general = |filter: &&LogFilter| filter.file.is_none();
        let mut fitting = self.all.iter().filter(|filter| filter.fits(origin));
        let found = fitting.clone().find(of_file);
        let found = found.or_else(|| fitting.find(general));
        found.map_or(self.default, |filter| filter.level)
    }

    /// Whether lines of this level may be shown of a subsystem, whatever peer it serves.
    pub(super) fn may_show(&self, level: LogLevel, subsystem: &str) -> bool {
        let may_fit = |filter: &LogFilter| {
            let part = filter.subsystem.as_deref();
            // A filter that looks like a node's id, or reaches over the dash behind it, may fit any subsystem that serves a peer.
            part.is_none_or(|part| {
                subsystem.contains(part)
                    || part.contains('-')
                    || part.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        };
        self.default <= level
            || self
                .all
                .iter()
                .any(|filter| filter.level <= level && may_fit(filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(texts: &[&str]) -> Filters {
        let files = ["-".to_owned(), "/log".to_owned()];
        let parsed = texts.iter().map(|text| LogFilter::parse(text, &files));
        Filters::new(parsed.collect::<Result<_, _>>().unwrap())
    }

    #[test]
    fn the_more_special_filter_counts() {
        let filters = filters(&[
            "broken",
            "debug:connectd",
            "io:02ab",
            "trace:connectd:/log",
            "unusual::/log",
            "info",
            "broken:connectd",
        ]);
        let level = |file, origin| filters.level_in(file, origin);
        assert_eq!(level("-", "lightningd"), LogLevel::Info);
        assert_eq!(level("-", "connectd"), LogLevel::Debug);
        assert_eq!(level("-", "02ab00-channeld-chan#1"), LogLevel::IoIn);
        assert_eq!(level("/log", "02ab00-connectd"), LogLevel::Trace);
        assert_eq!(level("/log", "02ab00-channeld-chan#1"), LogLevel::Unusual);
        assert_eq!(filters.least(), LogLevel::IoIn);
        assert!(filters.may_show(LogLevel::IoIn, "channeld"));
        assert!(!Filters::new(Vec::new()).may_show(LogLevel::Debug, "channeld"));
    }

    #[test]
    fn what_is_no_level_or_no_file_is_refused() {
        let problem = |text| LogFilter::parse(text, &["-".to_owned()]).unwrap_err();
        assert!(problem("").contains("'' is not a log level"));
        assert!(problem("loud:connectd").contains("'loud' is not a log level"));
        assert!(problem("debug:connectd:/x:y").contains("'/x:y' is no log file"));
        let taken = LogFilter::parse("IO::-", &["-".to_owned()]).unwrap();
        assert_eq!((taken.subsystem, taken.file.as_deref()), (None, Some("-")));
    }
}

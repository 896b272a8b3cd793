//! The book and the README are typed, page by page, each in a fresh home with the built programs.

use tests::book::{self, Place, Report, Shell};

/// A test for each page with commands, and the list of them.
macro_rules! pages {
    ($($name:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(
            #[test]
            fn $name() {
                print(&book::run($page).unwrap_or_else(|error| panic!("{error}")));
            }
        )*
    };
}

pages! {
    readme: "README.md",
    quick_start: "docs/book/src/quick-start.md",
    talk: "docs/book/src/talk.md",
    playground: "docs/book/src/playground.md",
    backups: "docs/book/src/operate/backups.md",
    chain: "docs/book/src/operate/chain.md",
    options: "docs/book/src/operate/options.md",
    tools: "docs/book/src/operate/tools.md",
    monitoring: "docs/book/src/operate/monitoring.md",
    paying: "docs/book/src/operate/paying.md",
    security: "docs/book/src/operate/security.md",
    moving: "docs/book/src/operate/moving.md",
    rpc_basics: "docs/book/src/rpc/basics.md",
    writing_plugins: "docs/book/src/plugins/writing.md",
    tour: "docs/book/src/develop/tour.md",
}

fn print(report: &Report) {
    let Report {
        typed,
        compared,
        left_out,
        ..
    } = report;
    eprintln!(
        "{typed} typed, {compared} of them compared, {} left out",
        left_out.len()
    );
    for reason in left_out {
        eprintln!("  left out: {reason}");
    }
}

#[test]
fn a_shell_notices_what_fails_and_keeps_what_was_said() {
    let place = Place::new().unwrap();
    let mut shell = Shell::start(&place, &place.home()).unwrap();
    let typed = shell.type_in("alias greet='echo hello'\nname=you");
    assert_eq!(typed.failed, None);
    assert_eq!(
        shell.type_in("greet $name; pwd").output,
        "hello you\n/home/me\n"
    );
    let failed = shell.type_in("grep x /dev/null\ntrue").failed.unwrap();
    assert!(failed.contains("grep x /dev/null"), "{failed}");
    assert_eq!(
        shell.type_in("if false; then :; fi; false || true").failed,
        None
    );
    assert!(shell.type_in("sleep 1000 &").failed.is_none());
    // What is left running ends with it.
}

#[test]
fn every_page_is_typed() {
    let (mut typed, mut left_out, mut problems) = (0, 0, Vec::new());
    for page in book::book() {
        match book::read(&page) {
            Ok(read) => {
                let (of_page, not) = read.counts();
                typed += of_page;
                left_out += not;
                let is_ours = of_page > 0 && read.needs_python.is_none();
                if is_ours != PAGES.contains(&page.as_str()) {
                    problems.push(format!(
                        "{page}: belongs into the list of tests/tests/blackbox/book.rs if it has commands that need no Python package"
                    ));
                }
            }
            Err(broken) => problems.push(broken),
        }
    }
    eprintln!("{typed} blocks and lines of the book are typed, {left_out} blocks are left out");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_tour_leads_to_files_that_are_there() {
    let root = book::repository();
    let chapter = root.join("docs/book/src/develop/tour.md");
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let chapter = std::fs::read_to_string(chapter).unwrap();
    let mut seen = 0;
    for text in [&chapter, &architecture] {
        for word in text
            .split('`')
            .filter(|word| word.starts_with("crates/") && !word.contains(['<', '*']))
        {
            assert!(root.join(word).exists(), "{word}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

use std::ffi::OsString;

use tempfile::TempDir;

use super::super::ConfigFile;
use super::*;

const NOW: Duration = Duration::from_secs(1_700_000_000);
const INCLUDED: &str =
    "# Inserted by setconfig 2023-11-14 22:13:20 UTC\ninclude config.setconfig\n";

/// A network's directory with config files in it and in the directory above.
struct Files {
    dir: TempDir,
    settings: Settings,
}

impl Files {
    fn new(files: &[(&str, &str)], line: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("net")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let line: Vec<OsString> = line.iter().map(OsString::from).collect();
        let mut files = Self {
            dir,
            settings: Settings::default(),
        };
        files.settings = files.load();
        files
            .settings
            .extend(Settings::command_line(&line).unwrap());
        files
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn load(&self) -> Settings {
        let mut settings = Settings::file(&self.at("config"), ConfigFile::Base).unwrap();
        settings.extend(Settings::file(&self.at("net/config"), ConfigFile::Network).unwrap());
        settings
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    fn set(&mut self, name: &str, values: &[&str], multi: bool) -> Result<(), String> {
        let values: Vec<_> = values
            .iter()
            .map(|value| Some((*value).to_owned()))
            .collect();
        let settings = self.settings.clone();
        let net = self.at("net");
        let persist = Persist::new(&settings, &net, name, multi);
        persist.check().map_err(|problem| problem.to_string())?;
        let written = persist.write(&values, NOW);
        let written = written.map_err(|problem| problem.to_string())?;
        self.settings.adopt(name, written);
        // What is in the files is what the running node holds.
        let all = |settings: &Settings| -> Vec<_> {
            let list = settings.list(name);
            list.map(|setting| (setting.value.clone(), setting.source.to_string()))
                .collect()
        };
        let (held, loaded) = (all(&self.settings), all(&self.load()));
        assert!(loaded.ends_with(&held), "{held:?} {loaded:?}");
        assert!(!multi || held == loaded, "{held:?} {loaded:?}");
        Ok(())
    }
}

#[test]
fn a_node_without_a_config_file_gets_one() {
    let mut files = Files::new(&[], &[]);
    files.set("fee-base", &["5"], false).unwrap();
    assert_eq!(files.text("net/config"), INCLUDED);
    assert_eq!(
        files.text("net/config.setconfig"),
        format!("{HEADER}\nfee-base=5\n")
    );
    files.set("alias", &["x"], false).unwrap();
    files.set("fee-base", &["6"], false).unwrap();
    assert_eq!(files.text("net/config"), INCLUDED);
    let expected = format!("{HEADER}\nfee-base=6\nalias=x\n");
    assert_eq!(files.text("net/config.setconfig"), expected);
}

#[test]
fn the_line_that_counted_is_commented_out_where_it_stands() {
    let config = "alias=a\r\nfee-base=1\r\nfee-base=2";
    let mut files = Files::new(&[("config", config), ("net/config", "rescan=1\n")], &[]);
    files.set("fee-base", &["5"], false).unwrap();
    let mark = "# setconfig commented out (see config.setconfig): ";
    let expected = format!("alias=a\r\n{mark}fee-base=1\r\n{mark}fee-base=2");
    assert_eq!(files.text("config"), expected);
    assert_eq!(files.text("net/config"), format!("rescan=1\n{INCLUDED}"));
    assert_eq!(files.settings.text("fee-base"), Some("5"));
}

#[test]
fn a_line_behind_the_include_does_not_win() {
    let files = [
        ("net/config", "include config.setconfig\nfee-base=9\n"),
        ("net/config.setconfig", "fee-base=5"),
    ];
    let mut files = Files::new(&files, &["--fee-base=77"]);
    files.set("fee-base", &["6"], false).unwrap();
    assert_eq!(files.text("net/config.setconfig"), "fee-base=6");
    assert_eq!(files.load().text("fee-base"), Some("6"));
}

#[test]
fn all_values_of_a_list_are_replaced() {
    let mut files = Files::new(&[("net/config", "addr=a\naddr=b\n")], &[]);
    files.set("addr", &["c", "", "c"], true).unwrap();
    files.set("addr", &[], true).unwrap();
    files.set("addr", &["d"], true).unwrap();
    let list = |settings: &Settings| settings.every("addr");
    assert_eq!(list(&files.load()), ["d"]);
    files
        .settings
        .set_for_this_run("addr", &[Some("e".to_owned())], true);
    let now: Vec<_> = files.settings.list("addr").collect();
    assert_eq!(now.len(), 1);
    files.set("addr", &["f", "g"], true).unwrap();
    assert_eq!(list(&files.load()), ["f", "g"]);
}

#[test]
fn files_changed_meanwhile_are_left_alone() {
    let mut files = Files::new(&[("net/config", "fee-base=1\n")], &[]);
    let path = files.at("net/config");
    let shown = path.display();
    std::fs::write(&path, "#new\nfee-base=1\n").unwrap();
    assert_eq!(
        files.set("fee-base", &["5"], false),
        Err(format!(
            "Configfile {shown} line 1 changed from fee-base=1 to #new!"
        ))
    );
    std::fs::write(&path, "").unwrap();
    assert_eq!(
        files.set("fee-base", &["5"], false),
        Err(format!("Configfile {shown} no longer has 1 lines!"))
    );
    std::fs::remove_file(&path).unwrap();
    let gone = files.set("fee-base", &["5"], false).unwrap_err();
    assert!(
        gone.starts_with(&format!("Could not load configfile {shown}: ")),
        "{gone}"
    );
    assert!(!files.at("net/config.setconfig").exists());
}

#[test]
fn when_a_file_can_not_be_written_no_file_is_changed() {
    let mut files = Files::new(&[("config", "fee-base=1\n")], &[]);
    // What stands here can't be replaced by a file.
    std::fs::create_dir_all(files.at("config.new/x")).unwrap();
    let problem = files.set("fee-base", &["5"], false).unwrap_err();
    assert!(problem.contains("nothing was changed"), "{problem}");
    assert_eq!(files.text("config"), "fee-base=1\n");
    for name in [
        "net/config",
        "net/config.setconfig",
        "net/config.new",
        "net/config.setconfig.new",
    ] {
        assert!(!files.at(name).exists(), "{name}");
    }
    // A node that was killed leaves its draft.
    std::fs::remove_dir_all(files.at("config.new")).unwrap();
    std::fs::write(files.at("config.new"), "half a li").unwrap();
    files.set("fee-base", &["5"], false).unwrap();
    assert!(!files.at("config.new").exists());
}

#[test]
fn a_link_stays_a_link() {
    let mut files = Files::new(&[("real", "fee-base=1\n")], &[]);
    std::os::unix::fs::symlink(files.at("real"), files.at("net/config")).unwrap();
    files.settings = files.load();
    files.set("fee-base", &["5"], false).unwrap();
    assert!(files.at("net/config").is_symlink());
    assert!(files.text("real").ends_with(INCLUDED));
}

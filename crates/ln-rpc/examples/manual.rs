//! Writes the manual, the schemas and the completions below a directory: `cargo xtask gen` runs this.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use ln_rpc::manual::{completions, error_table, man_page, method_table};
use ln_rpc::methods::registry;

fn main() -> io::Result<()> {
    let target = env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other("usage: manual <directory>"))?;
    for info in registry() {
        let schema = format!("{:#}\n", info.to_schema());
        write(&target, &format!("schemas/{}.json", info.name), &schema)?;
        write(
            &target,
            &format!("man/lightning-{}.7", info.name),
            &man_page(info),
        )?;
    }
    for (name, script) in completions(registry()) {
        write(&target, &format!("completions/{name}"), &script)?;
    }
    write(&target, "book/methods.md", &method_table(registry()))?;
    write(&target, "book/errors.md", &error_table())
}

fn write(target: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = target.join(name);
    fs::create_dir_all(path.parent().unwrap_or(target))?;
    fs::write(path, text)
}

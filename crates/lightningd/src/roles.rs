//! What this process is: the master, a helper or a built-in plugin.

use std::path::Path;

use crate::startup;

/// What is linked into this program besides the master.
enum Role {
    /// A helper: it names itself and ends the process if it fails.
    Helper(fn()),
    /// A built-in plugin, with its exit code.
    Plugin(fn() -> i32),
}

/// The names they are started under.
const ROLES: &[(&str, Role)] = &[
    ("lightning_channeld", Role::Helper(ln_channeld::run)),
    ("lightning_closingd", Role::Helper(ln_closingd::run)),
    ("lightning_connectd", Role::Helper(ln_connectd::main)),
    ("lightning_gossipd", Role::Helper(ln_gossipd::run)),
    ("lightning_hsmd", Role::Helper(ln_hsmd::run)),
    ("lightning_onchaind", Role::Helper(ln_onchaind::run)),
    ("lightning_openingd", Role::Helper(ln_openingd::run)),
    ("bcli", Role::Plugin(bcli::run)),
];

/// Becomes what `argv[0]` names and returns the exit code.
//~ 1. Helpers and plugins are this same program under another name: `subd` and `plugins` start them. On to `bring_up` in `startup.rs`.
pub(crate) fn become_role() -> i32 {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let name = Path::new(&program)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    match ROLES.iter().find(|(role, _)| *role == name) {
        Some((_, Role::Helper(run))) => {
            run();
            0
        }
        Some((name, Role::Plugin(run))) => {
            ln_daemon::set_process_name(name);
            run()
        }
        None => startup::run(arguments.collect()),
    }
}

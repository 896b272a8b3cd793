//! Completion of `lightning-cli` in shells.

use std::fmt::Write as _;

use crate::methods::MethodInfo;

/// Options that take no value, each with what it is for.
const FLAGS: &[(&str, &str)] = &[
    ("--mainnet", "the node on Bitcoin's main chain"),
    ("--testnet", "the node on the third test network"),
    ("--testnet4", "the node on the fourth test network"),
    ("--signet", "the node on signet"),
    ("--regtest", "the node on a private chain"),
    ("--keywords", "parameters are key=value"),
    ("--order", "parameters are in order"),
    ("--json", "indented JSON"),
    ("--raw", "JSON as it came"),
    ("--human-readable", "plain lines"),
    ("--flat", "one path=value per line"),
    ("--help", "show the options"),
    ("--version", "show the version"),
];

/// What the value of an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Directory,
    File,
    Words(&'static str),
    Free,
}

/// Options that take a value, each with its short form and what it is for.
const VALUED: &[(&str, Option<&str>, Value, &str)] = &[
    (
        "--lightning-dir",
        None,
        Value::Directory,
        "the node's base directory",
    ),
    (
        "--network",
        None,
        Value::Words("bitcoin testnet testnet4 signet regtest"),
        "the node's network",
    ),
    ("--conf", None, Value::File, "the node's configuration file"),
    ("--rpc-file", None, Value::File, "the node's socket"),
    (
        "--filter",
        Some("-l"),
        Value::Free,
        "which parts of the answer to get",
    ),
    (
        "--commando",
        Some("-c"),
        Value::Free,
        "send the command to that peer",
    ),
    (
        "--notifications",
        Some("-N"),
        Value::Words("io trace debug info unusual broken none"),
        "least level to show",
    ),
];

/// What follows `plugin`.
const PLUGIN_WORDS: &str = "start stop startdir rescan list reload";

/// How a shell gets the methods of the running node, those of plugins included, from raw JSON.
const PICK_METHODS: &str = r#"grep -o '"command": *"[A-Za-z0-9_-]*' | sed 's/.*"//'"#;

/// The scripts with the names that shells look for them under: bash, zsh, fish.
pub fn completions(methods: &[MethodInfo]) -> [(&'static str, String); 3] {
    let mut shown: Vec<&MethodInfo> = methods.iter().filter(|info| !info.developer).collect();
    shown.sort_by_key(|info| info.name);
    [
        ("lightning-cli.bash", bash(&shown)),
        ("_lightning-cli", zsh(&shown)),
        ("lightning-cli.fish", fish(&shown)),
    ]
}

fn header(shell: &str) -> String {
    format!("# Completion of lightning-cli for {shell}. Written by `cargo xtask gen`.\n")
}

/// The names of a method's parameters, as `name=`.
fn keywords(info: &MethodInfo) -> String {
    let shown = info
        .params
        .iter()
        .filter(|param| !param.is_developer_only());
    let words: Vec<String> = shown.map(|param| format!("{}=", param.name)).collect();
    words.join(" ")
}

fn names(methods: &[&MethodInfo]) -> String {
    let names: Vec<&str> = methods.iter().map(|info| info.name).collect();
    names.join(" ")
}

fn bash(methods: &[&MethodInfo]) -> String {
    let mut out = header("bash");
    bash_words(&mut out);
    bash_options(&mut out);
    bash_methods(&mut out, methods);
    out.push_str("    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n    return 0\n}\ncomplete -F _lightning_cli lightning-cli\n");
    out
}

/// Finds what was typed before: which node, which method, an option that waits for its value.
fn bash_words(out: &mut String) {
    let with_value: Vec<&str> = VALUED
        .iter()
        .flat_map(|(long, short, _, _)| std::iter::once(*long).chain(*short))
        .collect();
    out.push_str(
        r#"_lightning_cli() {
    local current=${COMP_WORDS[COMP_CWORD]}
    local method= option= word i
    local -a node=()
    COMPREPLY=()
    # bash makes a word of each '='.
    [[ $current == "=" ]] && current=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
"#,
    );
    line(out, &format!("        {})", with_value.join(" | ")));
    out.push_str(
        r#"            option=$word
            [[ ${COMP_WORDS[i + 1]} == "=" ]] && i=$((i + 1))
            i=$((i + 1))
            if ((i < COMP_CWORD)); then
                node+=("$option" "${COMP_WORDS[i]}")
                option=
            fi
            ;;
        -*) node+=("$word") ;;
        *)
            method=$word
            break
            ;;
        esac
    done
"#,
    );
}

/// Offers options, and values of options.
fn bash_options(out: &mut String) {
    let options: Vec<&str> = VALUED
        .iter()
        .map(|(long, _, _, _)| *long)
        .chain(FLAGS.iter().map(|(flag, _)| *flag))
        .collect();
    out.push_str("    if [[ -n $option ]]; then\n        case $option in\n");
    for (long, short, value, _) in VALUED {
        let case = short.map_or_else(|| (*long).to_owned(), |short| format!("{long} | {short}"));
        let reply = match value {
            Value::Directory => "compgen -d -- \"$current\"".to_owned(),
            Value::File => "compgen -f -- \"$current\"".to_owned(),
            Value::Words(words) => format!("compgen -W \"{words}\" -- \"$current\""),
            Value::Free => continue,
        };
        line(
            out,
            &format!("        {case}) mapfile -t COMPREPLY < <({reply}) ;;"),
        );
    }
    out.push_str("        esac\n        return\n    fi\n");
    out.push_str("    if [[ -z $method && $current == -* ]]; then\n");
    line(
        out,
        &format!(
            "        mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$current\")",
            options.join(" ")
        ),
    );
}

/// Offers commands and the names of their parameters.
fn bash_methods(out: &mut String, methods: &[&MethodInfo]) {
    out.push_str("        return\n    fi\n    local known=\"");
    out.push_str(&names(methods));
    out.push_str("\"\n    case $method in\n    \"\" | help | check)\n");
    out.push_str(
        "        # Commands of plugins are known to the running node only.\n        known+=\" $(lightning-cli \"${node[@]}\" --raw help 2>/dev/null | ",
    );
    out.push_str(PICK_METHODS);
    out.push_str(")\"\n        mapfile -t COMPREPLY < <(compgen -W \"$known\" -- \"$current\" | sort -u)\n        ;;\n");
    line(
        out,
        &format!(
            "    plugin) mapfile -t COMPREPLY < <(compgen -f -W \"{PLUGIN_WORDS}\" -- \"$current\") ;;"
        ),
    );
    for info in methods {
        let words = keywords(info);
        if !words.is_empty() && !matches!(info.name, "plugin" | "help" | "check") {
            line(
                out,
                &format!(
                    "    {}) mapfile -t COMPREPLY < <(compgen -W \"{words}\" -- \"$current\") ;;",
                    info.name
                ),
            );
        }
    }
    out.push_str("    esac\n");
}

fn zsh(methods: &[&MethodInfo]) -> String {
    let mut out = "#compdef lightning-cli\n".to_owned();
    out.push_str(&header("zsh"));
    out.push_str("_lightning_cli_methods() {\n    local -a known\n    known=(\n");
    for info in methods {
        let summary = quoted(info.summary()).replace(':', "\\:");
        line(&mut out, &format!("        '{}:{summary}'", info.name));
    }
    out.push_str("    )\n    known+=(${(f)\"$(lightning-cli --raw help 2>/dev/null | ");
    out.push_str(PICK_METHODS);
    out.push_str(")\"})\n    _describe command known\n}\n_lightning_cli_params() {\n    local -a names\n    case $words[1] in\n    help | check) _lightning_cli_methods; return ;;\n");
    line(
        &mut out,
        &format!(
            "    plugin) _alternative 'words:word:({PLUGIN_WORDS})' 'files:file:_files'; return ;;"
        ),
    );
    for info in methods {
        let words = keywords(info);
        if !words.is_empty() && !matches!(info.name, "plugin" | "help" | "check") {
            line(&mut out, &format!("    {}) names=({words}) ;;", info.name));
        }
    }
    out.push_str(
        "    esac\n    compadd -S '' -- $names\n}\n_lightning_cli() {\n    _arguments -S \\\n",
    );
    for (long, short, value, help) in VALUED {
        let action = match value {
            Value::Directory => "directory:_files -/".to_owned(),
            Value::File => "file:_files".to_owned(),
            Value::Words(words) => format!("value:({words})"),
            Value::Free => "value: ".to_owned(),
        };
        let help = quoted(help);
        line(&mut out, &format!("        '{long}=[{help}]:{action}' \\"));
        if let Some(short) = short {
            line(&mut out, &format!("        '{short}+[{help}]:{action}' \\"));
        }
    }
    for (flag, help) in FLAGS {
        line(&mut out, &format!("        '{flag}[{}]' \\", quoted(help)));
    }
    out.push_str("        '1:command:_lightning_cli_methods' \\\n        '*::parameter:_lightning_cli_params'\n}\n_lightning_cli \"$@\"\n");
    out
}

fn fish(methods: &[&MethodInfo]) -> String {
    let mut out = header("fish");
    out.push_str("function __lightning_cli_methods\n    lightning-cli --raw help 2>/dev/null | ");
    out.push_str(PICK_METHODS);
    out.push_str("\nend\ncomplete -c lightning-cli -f\n");
    for (long, short, value, help) in VALUED {
        let long = long.trim_start_matches('-');
        let short = short.map_or_else(String::new, |short| {
            format!(" -s {}", short.trim_start_matches('-'))
        });
        let action = match value {
            Value::Directory => "-x -a '(__fish_complete_directories)'".to_owned(),
            Value::File => "-r -F".to_owned(),
            Value::Words(words) => format!("-x -a '{words}'"),
            Value::Free => "-x".to_owned(),
        };
        line(
            &mut out,
            &format!(
                "complete -c lightning-cli -l {long}{short} {action} -d '{}'",
                fish_quoted(help)
            ),
        );
    }
    for (flag, help) in FLAGS {
        line(
            &mut out,
            &format!(
                "complete -c lightning-cli -l {} -d '{}'",
                flag.trim_start_matches('-'),
                fish_quoted(help)
            ),
        );
    }
    out.push_str(
        "complete -c lightning-cli -n __fish_use_subcommand -a '(__lightning_cli_methods)'\n",
    );
    line(
        &mut out,
        &format!(
            "complete -c lightning-cli -n '__fish_seen_subcommand_from plugin' -F -a '{PLUGIN_WORDS}'"
        ),
    );
    out.push_str("complete -c lightning-cli -n '__fish_seen_subcommand_from help check' -a '(__lightning_cli_methods)'\n");
    for info in methods {
        line(
            &mut out,
            &format!(
                "complete -c lightning-cli -n __fish_use_subcommand -a {} -d '{}'",
                info.name,
                fish_quoted(info.summary())
            ),
        );
        let words = keywords(info);
        if !words.is_empty() && !matches!(info.name, "plugin" | "help" | "check") {
            line(
                &mut out,
                &format!(
                    "complete -c lightning-cli -n '__fish_seen_subcommand_from {}' -a '{words}'",
                    info.name
                ),
            );
        }
    }
    out
}

/// Text between single quotes of zsh, and between brackets.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''").replace(['[', ']'], "")
}

/// Text between single quotes of fish.
fn fish_quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes everything");
}

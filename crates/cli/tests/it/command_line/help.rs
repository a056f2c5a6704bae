//! The help of every command.

use crate::command_line::support::{command, shown};

const COMMANDS: &[&str] = &[
    "register",
    "search",
    "transfer",
    "storage-initializer",
    "upload-job",
    "models",
    "versions",
    "artifacts",
    "experiments",
    "runs",
    "metrics",
    "environments",
    "services",
    "open",
    "login",
    "logout",
    "profiles",
    "config",
    "token",
    "completion",
    "up",
    "server",
    "proxy",
    "catalog",
    "export",
    "import",
    "watch",
];

fn help(path: &[String]) -> String {
    let home = tempfile::tempdir().unwrap();
    shown(&command(home.path()).args(path).arg("--help").output().unwrap())
}

/// The names in the list of subcommands.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

fn visit(path: &[String], visited: &mut usize) {
    let help = help(path);
    *visited += 1;
    assert!(help.contains("Example"), "no example: {path:?}");
    insta::assert_snapshot!(format!("help_{}", path.join("_")), help);
    for name in subcommands(&help) {
        visit(&[path, &[name]].concat(), visited);
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let mut visited = 0;
    for name in COMMANDS {
        visit(&[(*name).to_owned()], &mut visited);
    }
    assert_eq!(visited, 89);
}

#[test]
fn the_executable_lists_its_commands_and_exit_codes() {
    let help = help(&[]);
    let listed = subcommands(&help);
    for name in COMMANDS {
        assert!(listed.iter().any(|listed| listed == name), "{name} is not in {listed:?}");
    }
    insta::assert_snapshot!("help", help);
}

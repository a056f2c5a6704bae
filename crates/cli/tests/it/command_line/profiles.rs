//! Named servers in the configuration file.

use std::fs;
use std::path::Path;

use crate::command_line::support::{Registry, command, shown};

fn write(home: &Path, text: &str) {
    let directory = home.join(".config/model-registry");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("client.toml"), text).unwrap();
}

/// The rows of `config show` with keys that start with `client.`, except the file.
fn settings(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = command(home);
    let output = command.args(["config", "show"]).args(arguments).envs(variables.iter().copied()).output().unwrap();
    let text = shown(&output);
    assert!(output.status.success(), "{text}");
    let rows = text.lines().filter(|line| line.starts_with("client.") && !line.starts_with("client.file"));
    rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

const FILE: &str = r#"
default = "laptop"

[profiles.laptop]
server = "http://127.0.0.1:8081"

[profiles.production]
server = "https://models.example.com"
token = "hunter2"
output = "name"
"#;

#[test]
fn flags_override_variables_which_override_the_profile() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), FILE);
    assert!(settings(home.path(), &[], &[]).contains("client.server http://127.0.0.1:8081 profile laptop\n"));
    let production = settings(home.path(), &["--profile", "production", "--output", "table"], &[]);
    assert!(production.contains("client.profile production --profile\n"), "{production}");
    assert!(production.contains("client.server https://models.example.com profile production\n"), "{production}");
    assert!(production.contains("client.token *** profile production\n"), "{production}");
    let variables = [("MR_SERVER", "http://a"), ("MR_PROFILE", "production")];
    let mixed = settings(home.path(), &["--server", "http://b", "--output", "table"], &variables);
    assert!(mixed.contains("client.server http://b --server\n"), "{mixed}");
    assert!(mixed.contains("client.profile production MR_PROFILE\n"), "{mixed}");
}

#[test]
fn the_token_of_a_profile_is_sent_only_to_its_server() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), FILE);
    let other = ["--profile", "production", "--server", "http://elsewhere", "--output", "table"];
    assert!(settings(home.path(), &other, &[]).contains("client.token default\n"));
}

#[tokio::test]
async fn commands_use_the_profile() {
    let registry = Registry::start().await;
    let url = registry.server.base_url();
    write(registry.home.path(), &format!("[profiles.here]\nserver = \"{url}\"\noutput = \"name\"\n"));
    let run = |arguments: &[&str]| {
        shown(&command(registry.home.path()).args(arguments).env("MR_PROFILE", "here").output().unwrap())
    };
    assert_eq!(run(&["models", "create", "m"]), "m\n");
    assert_eq!(run(&["models", "list", "--columns", "id,name"]), "ID  NAME\n1   m\n");
}

#[test]
fn an_invalid_file_is_reported_with_the_position() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let text = shown(&command(home.path()).args(arguments).output().unwrap());
        text.replace(&home.path().display().to_string(), "~")
    };
    write(home.path(), "[profiles.a]\nserver = 5\n");
    insta::assert_snapshot!(run(&["models", "list"]), @r#"
    error: ~/.config/model-registry/client.toml:2:10: invalid type: integer `5`, expected a string
    [exit code 2]
    "#);
    write(home.path(), FILE);
    insta::assert_snapshot!(run(&["models", "list", "--profile", "staging"]), @"
    error: --profile: no profile `staging`: ~/.config/model-registry/client.toml has laptop, production
    [exit code 2]
    ");
}

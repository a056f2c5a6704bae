use model_registry_server::config;

use super::*;

/// The candidates for the last word, which are in the declarations of the commands.
fn candidates(line: &str) -> Vec<String> {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let mut root = crate::command(&Schema::new(&[config::SETTINGS, crate::commands::catalog::SETTINGS]));
    root.build();
    match complete(&root, &words) {
        Completion::Candidates(candidates) => candidates.into_iter().map(|candidate| candidate.value).collect(),
        Completion::Files => vec!["FILES".to_owned()],
    }
}

#[test]
fn subcommands_are_completed_at_every_depth() {
    assert_eq!(candidates("mr mod"), ["models"]);
    assert_eq!(candidates("mr models ar"), ["archive"]);
    assert_eq!(candidates("mr catalog se"), ["search", "servers"]);
    assert_eq!(candidates("mr models --output json ge"), ["get"]);
    assert!(!candidates("mr ").contains(&COMMAND.to_owned()));
}

#[test]
fn options_are_completed_until_they_are_set() {
    assert_eq!(candidates("mr models list --ord"), ["--order-by"]);
    assert_eq!(candidates("mr models list --order-by id --ord"), [""; 0]);
    assert_eq!(candidates("mr models create x --prop"), ["--property"]);
    assert_eq!(candidates("mr models create x --property a=1 --prop"), ["--property"]);
}

#[test]
fn values_of_options_and_arguments_are_completed() {
    assert_eq!(candidates("mr models list --output js"), ["json"]);
    assert_eq!(candidates("mr models list --output=js"), ["--output=json"]);
    assert_eq!(candidates("mr models list -o js"), ["json"]);
    assert_eq!(candidates("mr models list --columns id,nam"), ["id,name"]);
    assert_eq!(candidates("mr search --kind models,ver x"), [""; 0]);
    assert_eq!(candidates("mr search --kind models,ver"), ["models,versions"]);
    assert_eq!(candidates("mr completion z"), ["zsh"]);
    assert_eq!(candidates("mr open mod"), ["models"]);
}

#[test]
fn the_shell_completes_files() {
    for line in ["mr models list --ca-file x", "mr models list --ca-file=", "mr import ", "mr catalog check a.yaml b"] {
        assert_eq!(candidates(line), ["FILES"], "{line}");
    }
}

#[test]
fn no_option_is_completed_after_two_hyphens() {
    assert_eq!(candidates("mr completion -- ba"), ["bash"]);
    assert_eq!(candidates("mr models list -- --ord"), [""; 0]);
}

//! Runs the examples of the documentation in order, and compares their output with the documented one.

use std::path::Path;

use crate::command_line::support::{Registry, command, shell, shown};

/// A command of a `console` block, and its output.
struct Example {
    line: usize,
    command: String,
    output: String,
}

fn examples(guide: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut is_inside, mut continues) = (false, false);
    for (number, line) in guide.lines().enumerate() {
        if line.starts_with("```") {
            is_inside = line == "```console with-output";
        } else if !is_inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example { line: number + 1, command: command.to_owned(), output: String::new() });
            continues = command.ends_with('\\');
        } else if let Some(example) = examples.last_mut() {
            if continues {
                example.command.push('\n');
                example.command.push_str(line);
                continues = line.ends_with('\\');
            } else {
                example.output.push_str(line);
                example.output.push('\n');
            }
        }
    }
    examples
}

#[tokio::test]
async fn every_example_of_the_command_line_page_has_the_documented_output() {
    check("command-line.md", 20).await;
}

#[tokio::test]
async fn every_example_of_the_catalog_page_has_the_documented_output() {
    check("catalog.md", 5).await;
}

async fn check(page: &str, least: usize) {
    let registry = Registry::with_catalog().await;
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let examples = examples(&std::fs::read_to_string(guide).unwrap());
    assert!(examples.len() > least);
    for example in examples {
        let mut shell = shell(registry.home.path(), &example.command);
        let output = shell.env("MR_SERVER", registry.server.base_url()).output().unwrap();
        let shown = registry.stable(&shown(&output)).replace("http://SERVER", "http://127.0.0.1:8080");
        let expected = registry.stable(&example.output);
        assert_eq!(shown.trim_end(), expected.trim_end(), "docs/{page}:{}: {}", example.line, example.command);
    }
}

#[test]
fn the_page_of_settings_is_up_to_date() {
    let home = tempfile::tempdir().unwrap();
    let printed = command(home.path()).args(["config", "reference"]).output().unwrap();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configure.md")).unwrap();
    assert!(
        printed.stdout == page.as_bytes(),
        "docs/configure.md is out of date; update it with `model-registry config reference > docs/configure.md`"
    );
}

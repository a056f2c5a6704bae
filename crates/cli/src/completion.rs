//! Completion in shells: the scripts that `completion` prints call the hidden subcommand [`COMMAND`] at each key press.
//!
//! Candidates are subcommands, options and values from the declarations of the commands, and names of entities from the
//! server (`names.rs`). The generated scripts of `clap_complete` cannot look up names, and its engine that can is not stable
//! and does not see the other arguments, such as `--server`.

mod command_line;
mod names;
mod position;

use std::fmt::Write;

use clap::{Arg, ArgMatches, Command};
use model_registry_server::config::Schema;

use self::command_line::CommandLine;
use self::position::{Expected, Position};
use crate::output::printable;
use crate::print;

/// The hidden subcommand.
pub(crate) const COMMAND: &str = "__complete";

/// The shells and their scripts.
pub(crate) const SCRIPTS: [(&str, &str); 3] = [
    ("bash", include_str!("completion/bash.sh")),
    ("zsh", include_str!("completion/zsh.zsh")),
    ("fish", include_str!("completion/fish.fish")),
];

/// A possible word.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    value: String,
    help: String,
    /// Whether the word is incomplete, so that no space follows: the name of a parent.
    continues: bool,
}

/// What the shell offers.
#[derive(Debug, PartialEq, Eq)]
enum Completion {
    Candidates(Vec<Candidate>),
    /// The shell completes names of files itself.
    Files,
}

pub(crate) fn command(_schema: &Schema) -> Command {
    Command::new(COMMAND)
        .about("Print the candidates for a word of a command line, for the scripts of `completion`")
        .hide(true)
        .arg(Arg::new("shell").required(true))
        .arg(Arg::new("words").num_args(0..).allow_hyphen_values(true).trailing_var_arg(true))
}

/// Prints what to do after a candidate (`values`, `nospace`, or `files` for no candidates), then a candidate per line. Fails
/// silently: a message would destroy the command line.
pub(crate) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let shell = arguments.get_one::<String>("shell").map_or("", String::as_str);
    let words: Vec<String> = arguments.get_many::<String>("words").into_iter().flatten().cloned().collect();
    let line = match words.as_slice() {
        [breaks, line] if shell == "bash" => Some(CommandLine::parse(line, breaks)),
        _ => None,
    };
    let words = line.as_ref().map_or(&words, |line| &line.words);
    let mut root = crate::command(schema);
    root.build();
    let completion = complete(&root, words);
    Ok(print::text(&rendered(&completion, line.as_ref()))?)
}

fn complete(root: &Command, words: &[String]) -> Completion {
    let position = Position::find(root, words);
    let current = words.last().map_or("", String::as_str);
    let candidates = match &position.expected {
        Expected::Option => options(&position),
        Expected::Value { argument, before, text } => match values(&position, argument, text) {
            Completion::Files => return Completion::Files,
            Completion::Candidates(mut found) => {
                for candidate in &mut found {
                    candidate.value.insert_str(0, before);
                }
                found
            }
        },
        Expected::Word { argument } => {
            let mut found = subcommands(position.command);
            if let Some(Completion::Candidates(more)) = argument.map(|argument| values(&position, argument, current)) {
                found.extend(more);
            }
            found
        }
    };
    let candidates = candidates.into_iter().filter(|candidate| candidate.value.starts_with(current));
    Completion::Candidates(candidates.collect())
}

fn subcommands(command: &Command) -> Vec<Candidate> {
    let visible = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    let candidate = |subcommand: &Command| Candidate {
        value: subcommand.get_name().to_owned(),
        help: subcommand.get_about().map(ToString::to_string).unwrap_or_default(),
        continues: false,
    };
    visible.map(candidate).collect()
}

/// The options that can still be set.
fn options(position: &Position<'_>) -> Vec<Candidate> {
    let is_possible = |argument: &&Arg| {
        let repeats = matches!(argument.get_action(), clap::ArgAction::Append | clap::ArgAction::Count);
        let is_set = position.options.iter().any(|(id, _)| argument.get_id() == id);
        !argument.is_hide_set() && (repeats || !is_set)
    };
    let possible = position.command.get_arguments().filter(is_possible);
    let candidate = |argument: &Arg| {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        Some(Candidate { value: format!("--{}", argument.get_long()?), help, continues: false })
    };
    possible.filter_map(candidate).collect()
}

/// The values of an argument whose text is `text` so far.
fn values(position: &Position<'_>, argument: &Arg, text: &str) -> Completion {
    let possible: Vec<Candidate> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && argument.get_action().takes_values())
        .map(|value| Candidate {
            value: value.get_name().to_owned(),
            help: value.get_help().map(ToString::to_string).unwrap_or_default(),
            continues: false,
        })
        .collect();
    if !possible.is_empty() {
        return Completion::Candidates(possible);
    }
    let placeholder = argument.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
    if matches!(placeholder, "FILE" | "DIRECTORY" | "PATH") {
        return Completion::Files;
    }
    Completion::Candidates(names::find(position, argument.get_id().as_str(), placeholder, text))
}

fn rendered(completion: &Completion, line: Option<&CommandLine>) -> String {
    let Completion::Candidates(candidates) = completion else { return "files\n".to_owned() };
    let continues = candidates.iter().any(|candidate| candidate.continues);
    let mut text = if continues { "nospace\n" } else { "values\n" }.to_owned();
    // A name with control characters cannot be shown and cannot be typed.
    for Candidate { value, help, .. } in
        candidates.iter().filter(|candidate| printable(&candidate.value) == candidate.value)
    {
        let _ = match line {
            Some(line) => writeln!(text, "{}", line.replacement(value)),
            None if help.is_empty() => writeln!(text, "{value}"),
            None => writeln!(text, "{value}\t{}", printable(help.lines().next().unwrap_or_default())),
        };
    }
    text
}

#[cfg(test)]
mod tests;

//! `completion`: prints completion scripts for shells.

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;
use model_registry_server::config::Schema;

use crate::print;

pub(super) fn command(_schema: &Schema) -> Command {
    Command::new("completion")
        .about("Print a completion script for a shell")
        .after_help(
            "Examples:\n  \
             model-registry completion bash > ~/.local/share/bash-completion/completions/model-registry\n  \
             model-registry completion zsh > ~/.zfunc/_model-registry\n  \
             model-registry completion fish > ~/.config/fish/completions/model-registry.fish",
        )
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .help("bash, zsh or fish")
                .hide_possible_values(true)
                .value_parser(clap::builder::PossibleValuesParser::new(["bash", "zsh", "fish"])),
        )
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let shell = match arguments.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command(schema), "model-registry", &mut script);
    Ok(print::text(&String::from_utf8(script)?)?)
}

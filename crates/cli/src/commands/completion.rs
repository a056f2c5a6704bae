//! `completion`: prints completion scripts for shells.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use model_registry_server::config::Schema;

use crate::completion::SCRIPTS;
use crate::print;

pub(super) fn command(_schema: &Schema) -> Command {
    Command::new("completion")
        .about("Print a completion script for a shell")
        .long_about(
            "Print a completion script for a shell. It completes subcommands, options, their values, and names of models, \
             versions and other entities, which it looks up on the server.",
        )
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
                .value_parser(PossibleValuesParser::new(SCRIPTS.map(|(shell, _)| shell))),
        )
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let shell = arguments.get_one::<String>("shell").map_or("", String::as_str);
    let script = SCRIPTS.iter().find(|(name, _)| *name == shell).map_or("", |(_, script)| script);
    Ok(print::text(script)?)
}

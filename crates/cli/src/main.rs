//! The executable `model-registry`: every role of the system is a subcommand.
//!
//! It never does a role's work itself: a file of `commands/` reads settings and starts what the other crates offer.
//!
//! To add a subcommand, add a file in `commands/` with a `command()` and a `run()`, and a line in [`COMMANDS`].

mod commands;
mod database;
mod service;

use std::process::ExitCode;

use clap::{ArgMatches, Command};
use model_registry_server::config::{self, ConfigError, Environment, Schema, Settings, Sources};

/// The command line or a setting is wrong.
const USAGE_ERROR: u8 = 2;
const FAILURE: u8 = 1;

struct Subcommand {
    command: fn(&Schema) -> Command,
    run: fn(&Schema, &ArgMatches) -> anyhow::Result<()>,
}

const COMMANDS: &[Subcommand] = &[
    Subcommand { command: commands::up::command, run: commands::up::run },
    Subcommand { command: commands::server::command, run: commands::server::run },
    Subcommand { command: commands::server::proxy_command, run: commands::server::run_proxy },
    Subcommand { command: commands::catalog::command, run: commands::catalog::run },
];

fn main() -> ExitCode {
    // Two providers in one build panic at first use: this one is chosen before anything can need it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let schema = Schema::new(&[config::SETTINGS, commands::catalog::SETTINGS]);
    let arguments = command(&schema).get_matches();
    let Some((name, arguments)) = arguments.subcommand() else { return ExitCode::from(USAGE_ERROR) };
    let subcommand = COMMANDS.iter().find(|subcommand| (subcommand.command)(&schema).get_name() == name);
    let Some(subcommand) = subcommand else { return ExitCode::from(USAGE_ERROR) };
    match (subcommand.run)(&schema, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<ConfigError>() { USAGE_ERROR } else { FAILURE })
        }
    }
}

fn command(schema: &Schema) -> Command {
    Command::new("model-registry")
        .about("Keeps machine learning models, their versions, artifacts, experiments and deployments")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(COMMANDS.iter().map(|subcommand| (subcommand.command)(schema)))
}

/// The settings of a subcommand: flags, environment, file, defaults.
fn settings(schema: &Schema, arguments: &ArgMatches) -> Result<Settings, ConfigError> {
    let environment = Environment::of_process();
    schema.load(&Sources { arguments, environment: &environment, default_file: None })
}

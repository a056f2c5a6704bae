//! The executable `model-registry`: every role of the system is a subcommand.
//!
//! It never does a role's work itself: a file of `commands/` reads settings and starts what the other crates offer.
//!
//! To add a subcommand, add a file in `commands/` with a `command()` and a `run()`, and a line in [`COMMANDS`].

mod backup;
mod commands;
mod database;
mod entity;
mod failure;
mod output;
mod profiles;
mod prompt;
mod service;
mod session;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use model_registry_server::config::{self, ConfigError, Environment, Schema, Settings, Sources};

use crate::output::Style;

/// A fifth more reads than with glibc's allocator, which tidies up among the many small allocations of a request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Subcommand {
    command: fn(&Schema) -> Command,
    run: fn(&Schema, &ArgMatches) -> anyhow::Result<()>,
}

const COMMANDS: &[Subcommand] = &[
    Subcommand { command: commands::up::command, run: commands::up::run },
    Subcommand { command: commands::server::command, run: commands::server::run },
    Subcommand { command: commands::server::proxy_command, run: commands::server::run_proxy },
    Subcommand { command: commands::register::command, run: commands::register::run },
    Subcommand { command: commands::search::command, run: commands::search::run },
    Subcommand { command: commands::models::command, run: commands::models::run },
    Subcommand { command: commands::versions::command, run: commands::versions::run },
    Subcommand { command: commands::artifacts::command, run: commands::artifacts::run },
    Subcommand { command: commands::experiments::command, run: commands::experiments::run },
    Subcommand { command: commands::runs::command, run: commands::runs::run },
    Subcommand { command: commands::metrics::command, run: commands::metrics::run },
    Subcommand { command: commands::environments::command, run: commands::environments::run },
    Subcommand { command: commands::services::command, run: commands::services::run },
    Subcommand { command: commands::open::command, run: commands::open::run },
    Subcommand { command: commands::config::command, run: commands::config::run },
    Subcommand { command: commands::completion::command, run: commands::completion::run },
    Subcommand { command: commands::export::command, run: commands::export::run },
    Subcommand { command: commands::import::command, run: commands::import::run },
    Subcommand { command: commands::watch::command, run: commands::watch::run },
    Subcommand { command: commands::catalog::command, run: commands::catalog::run },
];

fn main() -> ExitCode {
    // Two providers in one build panic at first use: this one is chosen before anything can need it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let schema = Schema::new(&[config::SETTINGS, commands::catalog::SETTINGS]);
    let arguments = command(&schema).get_matches();
    let Some((name, arguments)) = arguments.subcommand() else { return ExitCode::from(failure::USAGE) };
    let subcommand = COMMANDS.iter().find(|subcommand| (subcommand.command)(&schema).get_name() == name);
    let Some(subcommand) = subcommand else { return ExitCode::from(failure::USAGE) };
    match (subcommand.run)(&schema, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let Some(report) = failure::report(error) else { return ExitCode::SUCCESS };
    let style = Style::of_errors();
    let lines: Vec<String> = report.message.lines().map(output::printable).collect();
    eprintln!("{} {}", style.error("error:"), lines.join("\n"));
    if let Some(hint) = report.hint {
        eprintln!("{} {}", style.hint("hint:"), output::printable(&hint));
    }
    ExitCode::from(report.code)
}

fn command(schema: &Schema) -> Command {
    Command::new("model-registry")
        .about("Keeps machine learning models, their versions, artifacts, experiments and deployments")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(format!(
            "Example:\n  model-registry up\n  model-registry register my-model v1 --uri s3://bucket/model\n\n{}",
            failure::EXIT_CODES
        ))
        .subcommands(COMMANDS.iter().map(|subcommand| (subcommand.command)(schema)))
}

/// The settings of a subcommand: flags, environment, file, defaults.
fn settings(schema: &Schema, arguments: &ArgMatches) -> Result<Settings, ConfigError> {
    let environment = Environment::of_process();
    schema.load(&Sources { arguments, environment: &environment, default_file: None })
}

/// The same for `proxy`: without another file, it reads the one that the reference reads (parity, registry-server 5.1).
fn settings_of_proxy(schema: &Schema, arguments: &ArgMatches) -> Result<Settings, ConfigError> {
    let environment = Environment::of_process();
    let file = file_of_proxy(&environment);
    schema.load(&Sources { arguments, environment: &environment, default_file: file.as_deref() })
}

fn file_of_proxy(environment: &Environment) -> Option<PathBuf> {
    environment.get("HOME").map(|home| Path::new(home).join(".model-registry.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_has_two_options_of_one_name() {
        command(&Schema::new(&[config::SETTINGS])).debug_assert();
    }
}

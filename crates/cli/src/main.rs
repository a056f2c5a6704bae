//! The executable `model-registry`: every role of the system is a subcommand.
//!
//! A subcommand reads settings and calls the other crates, which do the work. To add a subcommand: see `commands.rs`.

mod api_copy;
mod backup;
mod client_context;
mod client_settings;
mod commands;
mod completion;
mod database;
mod entity;
mod failure;
mod notes;
mod output;
mod print;
mod profiles;
mod prompt;
mod server_process;
mod transfer;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use model_registry_base::redact;
use model_registry_server::config::{self, ConfigError, Environment, Inputs, Schema, Settings};

use crate::commands::SUBCOMMANDS;
use crate::output::{Style, printable};

/// A fifth more reads per second than with the allocator of glibc, which consolidates the many small allocations of a
/// request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // With two providers in one build, rustls panics at the first use unless one is installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let schema =
        Schema::new(&[config::SETTINGS, commands::catalog::SETTINGS]).with_other_variables(client_settings::VARIABLES);
    let arguments = command(&schema).try_get_matches().unwrap_or_else(|error| exit_with(&error));
    let Some((name, arguments)) = arguments.subcommand() else { return ExitCode::from(failure::USAGE) };
    let subcommand = SUBCOMMANDS.iter().find(|subcommand| subcommand.command(&schema).get_name() == name);
    let Some(subcommand) = subcommand else { return ExitCode::from(failure::USAGE) };
    match subcommand.run(&schema, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Prints the help, the version or a mistake in the arguments, and exits. A mistake may be a URL with a password.
fn exit_with(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    let redacted = redact(&text);
    if redacted == text || !error.use_stderr() {
        error.exit()
    }
    eprint!("{redacted}");
    std::process::exit(error.exit_code())
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let Some(failure) = failure::of(error) else { return ExitCode::SUCCESS };
    let style = Style::new(std::io::stderr().is_terminal(), &Environment::of_process());
    let lines: Vec<String> = redact(&failure.message).lines().map(printable).collect();
    eprintln!("{} {}", style.error("error:"), lines.join("\n"));
    if let Some(hint) = failure.hint {
        eprintln!("{} {}", style.hint("hint:"), printable(&hint));
    }
    ExitCode::from(failure.code)
}

fn command(schema: &Schema) -> Command {
    Command::new("model-registry")
        .about("A registry of machine learning models, their versions, artifacts, experiments and deployments")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(format!(
            "Example:\n  model-registry up\n  model-registry register my-model v1 --uri s3://bucket/model\n\n{}",
            failure::EXIT_CODES
        ))
        .subcommands(SUBCOMMANDS.iter().map(|subcommand| subcommand.command(schema)))
}

/// The settings of a subcommand, from flags, environment, file and defaults.
fn settings(schema: &Schema, arguments: &ArgMatches) -> Result<Settings, ConfigError> {
    let environment = Environment::of_process();
    schema.load(&Inputs { arguments, environment: &environment, default_file: None })
}

/// The settings of `proxy`, which reads the default file of the Kubeflow Model Registry unless `--config` names another
/// (parity).
fn settings_of_proxy(schema: &Schema, arguments: &ArgMatches) -> Result<Settings, ConfigError> {
    let environment = Environment::of_process();
    let file = file_of_proxy(&environment);
    schema.load(&Inputs { arguments, environment: &environment, default_file: file.as_deref() })
}

/// The default file of the Kubeflow Model Registry.
fn file_of_proxy(environment: &Environment) -> Option<PathBuf> {
    environment.get("HOME").map(|home| Path::new(home).join(".model-registry.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_each_command_are_unique() {
        command(&Schema::new(&[config::SETTINGS, commands::catalog::SETTINGS])).debug_assert();
    }
}

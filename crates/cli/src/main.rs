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
mod jobs;
mod notes;
mod output;
mod print;
mod profiles;
mod prompt;
mod server_process;
mod transfer;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use model_registry_base::redact;
use model_registry_server::config::{self, ConfigError, Environment, Inputs, Schema, Settings};

use crate::commands::{SUBCOMMANDS, storage_initializer, upload_job};
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
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if is_named(&arguments, storage_initializer::PROGRAM) {
        let texts: Vec<String> = arguments.iter().skip(1).map(|text| text.to_string_lossy().into_owned()).collect();
        if let Some(code) = storage_initializer::run_as_program(&texts) {
            return ExitCode::from(code);
        }
        arguments.insert(1, "storage-initializer".into());
    }
    if is_named(&arguments, upload_job::PROGRAM) {
        arguments.insert(1, upload_job::NAME.into());
    }
    let arguments = command(&schema).try_get_matches_from(&arguments).unwrap_or_else(|error| {
        // The one who looks at the pod sees the message, not the output.
        if error.use_stderr() && arguments.get(1).is_some_and(|name| name == upload_job::NAME) {
            upload_job::note_wrong_arguments(&error.render().to_string());
        }
        exit_with(&error)
    });
    let Some((name, arguments)) = arguments.subcommand() else { return ExitCode::from(failure::USAGE) };
    let subcommand = SUBCOMMANDS.iter().find(|subcommand| subcommand.command(&schema).get_name() == name);
    let Some(subcommand) = subcommand else { return ExitCode::from(failure::USAGE) };
    match subcommand.run(&schema, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Whether the executable was started under a name.
fn is_named(arguments: &[OsString], name: &str) -> bool {
    arguments.first().and_then(|own| Path::new(own).file_stem()).is_some_and(|own| own == name)
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
    if failure.message.is_empty() {
        return ExitCode::from(failure.code);
    }
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

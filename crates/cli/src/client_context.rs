//! The context of a client command: connection, output and environment.

use std::io::IsTerminal;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_client::Client;
use model_registry_server::config::Environment;

use crate::client_settings::ClientSettings;
use crate::failure::CommandError;
use crate::notes::Notes;
use crate::output::{Format, Output, Style};

pub(crate) struct ClientContext {
    pub(crate) client: Client,
    pub(crate) output: Output,
    pub(crate) notes: Notes,
    pub(crate) environment: Environment,
    /// Certificates (PEM) that are trusted in addition to the system's.
    pub(crate) certificates: Vec<u8>,
}

/// Adds the options of the connection to a command and its subcommands.
pub(crate) fn with_connection(command: Command) -> Command {
    let option = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id)
            .long(id)
            .value_name(value)
            .value_parser(NonEmptyStringValueParser::new())
            .help(help)
            .global(true)
            .help_heading("Connection")
    };
    let command = command
        .arg(option("server", "URL", "URL of the server [default: http://127.0.0.1:8080] [env: MR_SERVER]"))
        .arg(option("token", "TOKEN", "Bearer token; visible in the list of processes [env: MR_TOKEN]"))
        .arg(option("token-file", "FILE", "File with the bearer token [env: MR_TOKEN_FILE]").conflicts_with("token"))
        .arg(option("ca-file", "FILE", "Trusted certificates (PEM), in addition to the system's [env: MR_CA_FILE]"))
        .arg(option("profile", "NAME", "Profile of the configuration file [env: MR_PROFILE]"));
    with_quiet(command)
}

/// Adds `--quiet` to a command and its subcommands.
pub(crate) fn with_quiet(command: Command) -> Command {
    command.arg(
        Arg::new("quiet")
            .short('q')
            .long("quiet")
            .action(ArgAction::SetTrue)
            .global(true)
            .help_heading("Output")
            .help("Print only errors to standard error: no notes, no reports of retries"),
    )
}

/// Adds the options of the connection and of the output to a command and its subcommands.
pub(crate) fn with_options(command: Command) -> Command {
    with_format(with_connection(command)).arg(
        Arg::new("columns")
            .long("columns")
            .value_name("LIST")
            .value_delimiter(',')
            .value_parser(NonEmptyStringValueParser::new())
            .action(ArgAction::Append)
            .global(true)
            .help_heading("Output")
            .help("Columns of the table: fields, custom properties, created, updated, parent"),
    )
}

/// Adds `--output` to a command and its subcommands.
pub(crate) fn with_format(command: Command) -> Command {
    command.arg(
        Arg::new("output")
            .short('o')
            .long("output")
            .value_name("FORMAT")
            .value_parser(Format::NAMES)
            .global(true)
            .help_heading("Output")
            .hide_possible_values(true)
            .help("table, json, yaml, or name (references for other commands) [default: table]"),
    )
}

impl ClientContext {
    pub(crate) fn open(arguments: &ArgMatches) -> anyhow::Result<Self> {
        let environment = Environment::of_process();
        let settings = ClientSettings::load(arguments, &environment)?;
        let columns: Option<Vec<String>> = arguments
            .try_get_many::<String>("columns")
            .ok()
            .flatten()
            .map(|columns| columns.map(|column| column.trim().to_owned()).collect());
        let is_flag = settings.output.origin.starts_with("--");
        // `--columns` overrides the format of a profile.
        let format = if columns.is_some() && !is_flag { Format::Table } else { Format::of(&settings.output.value) };
        if columns.is_some() && format != Format::Table {
            return Err(CommandError::usage("--columns requires --output table").into());
        }
        let is_terminal = std::io::stdout().is_terminal();
        let output = Output::new(format, columns, Style::new(is_terminal, &environment), is_terminal);
        let notes = Notes::of(arguments);
        settings.warn_about_permissions(notes);
        let certificates = settings.certificates()?.unwrap_or_default();
        Ok(Self { client: settings.client(notes)?, output, notes, environment, certificates })
    }

    /// Fails if `--columns` is set, for commands whose output is not a table of columns.
    pub(crate) fn reject_columns(&self) -> Result<(), CommandError> {
        if self.output.has_columns() {
            return Err(CommandError::usage("this command prints no table: --columns has no effect"));
        }
        Ok(())
    }
}

/// Runs a client command on a single-threaded runtime, which starts fastest.
pub(crate) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

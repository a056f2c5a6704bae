//! `open`: opens the JSON of an entity in a browser.

use std::io::IsTerminal;
use std::process::{Command as Process, Stdio};

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_server::config::{Environment, Schema};

use crate::client_context::{self, ClientContext};
use crate::entity::{KIND_COMMANDS, Target, resolve_existing};
use crate::print;

pub(super) fn command(_schema: &Schema) -> Command {
    let command = Command::new("open")
        .about("Print the URL of an entity and open it in a browser if possible")
        .after_help("Example:\n  model-registry open models fraud-detector\n  curl $(model-registry open models fraud-detector)")
        .arg(
            Arg::new("kind")
                .value_name("KIND")
                .required(true)
                .value_parser(PossibleValuesParser::new(KIND_COMMANDS.iter().map(|kind| kind.name())))
                .help("Kind of the entity"),
        )
        .arg(
            Arg::new("reference")
                .value_name("ENTITY")
                .required(true)
                .value_parser(NonEmptyStringValueParser::new())
                .help("Name or id"),
        )
        .arg(Arg::new("print").long("print").action(ArgAction::SetTrue).help("Only print the URL"));
    client_context::with_connection(command)
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let text = |id: &str| arguments.get_one::<String>(id).cloned().unwrap_or_default();
    let name = text("kind");
    let Some(kind) = KIND_COMMANDS.into_iter().find(|kind| kind.name() == name) else { return Ok(()) };
    let context = ClientContext::open(arguments)?;
    let target = Target { parent: None, reference: text("reference") };
    let id = client_context::block_on(resolve_existing(&context.client, kind, &target))?;
    let url = (kind.operations.url)(&context.client, &id)?;
    print::line(&url)?;
    if std::io::stdout().is_terminal() && !arguments.get_flag("print") {
        browse(&url, &context.environment);
    }
    Ok(())
}

/// Failures are ignored, since the URL is printed.
fn browse(url: &str, environment: &Environment) {
    let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| environment.get(name).is_some());
    let program = match environment.get("BROWSER") {
        Some(browser) => browser,
        None if cfg!(target_os = "macos") => "open",
        None if has_desktop => "xdg-open",
        None => return,
    };
    let mut browser = Process::new(program);
    let _ = browser.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

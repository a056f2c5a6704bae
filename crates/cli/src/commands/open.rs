//! `open`: an entity's JSON in the browser.

use std::io::{IsTerminal, Write};
use std::process::{Command as Process, Stdio};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_server::config::{Environment, Schema};

use crate::entity::{NOUNS, Target, resolve};
use crate::session::{self, Session};

pub(crate) fn command(_schema: &Schema) -> Command {
    let command = Command::new("open")
        .about("Print the URL of an entity's JSON, and open it in a browser where there is one")
        .after_help("Example:\n  model-registry open models fraud-detector\n  curl $(model-registry open models fraud-detector)")
        .arg(
            Arg::new("kind")
                .value_name("KIND")
                .required(true)
                .value_parser(PossibleValuesParser::new(NOUNS.iter().map(|noun| noun.command)))
                .help("Kind of the entity"),
        )
        .arg(Arg::new("reference").value_name("ENTITY").required(true).help("Its name or id"))
        .arg(Arg::new("print").long("print").action(ArgAction::SetTrue).help("Only print it"));
    session::with_connection(command)
}

pub(crate) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let text = |id: &str| arguments.get_one::<String>(id).cloned().unwrap_or_default();
    let kind = text("kind");
    let Some(noun) = NOUNS.into_iter().find(|noun| noun.command == kind) else { return Ok(()) };
    let session = Session::open(arguments)?;
    let target = Target { parent: None, reference: text("reference") };
    let id = session::block_on(resolve(&session.client, noun, &target))?;
    let url = (noun.operations.url)(&session.client, &id)?;
    writeln!(std::io::stdout(), "{url}")?;
    if std::io::stdout().is_terminal() && !arguments.get_flag("print") {
        browse(&url, &session.environment);
    }
    Ok(())
}

/// Whether it works does not matter: the URL has been printed.
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

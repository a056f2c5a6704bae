//! `get`: one entity in full.

use clap::{Arg, ArgMatches, Command};

use super::noun::Noun;
use super::reference::{Target, add_parents, parent, resolve};
use crate::session::Session;

pub(super) fn command(noun: &Noun) -> Command {
    let command = Command::new("get")
        .about(format!("Show one {}", noun.singular))
        .after_help(format!("Example:\n  model-registry {} get {} --output yaml", noun.command, noun.example()))
        .arg(reference_argument(noun));
    add_parents(noun, command)
}

/// The entity that a command is about.
pub(super) fn reference_argument(noun: &Noun) -> Arg {
    Arg::new("reference").value_name(noun.placeholder).required(true).help("Its name or id")
}

/// The entity that the arguments name.
pub(super) fn target(noun: &Noun, arguments: &ArgMatches) -> Target {
    let reference = arguments.get_one::<String>("reference").cloned().unwrap_or_default();
    Target { parent: parent(noun, arguments), reference }
}

pub(super) async fn run(noun: &'static Noun, session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let id = resolve(&session.client, noun, &target(noun, arguments)).await?;
    let found = (noun.operations.get)(&session.client, &id).await?;
    session.output.entity(&session.client, noun, &found.entity).await
}

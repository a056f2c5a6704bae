//! `get`: shows an entity.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command};

use super::kind_command::KindCommand;
use super::print;
use super::reference::{Target, add_parents, parent, resolve};
use crate::client_context::ClientContext;

pub(super) fn command(kind: &KindCommand) -> Command {
    let command = Command::new("get")
        .about(format!("Show {} {}", kind.article(), kind.singular))
        .after_help(format!("Example:\n  model-registry {} get {} --output yaml", kind.name(), kind.example()))
        .arg(reference_argument(kind));
    add_parents(kind, command)
}

/// The argument with the reference of an entity.
pub(super) fn reference_argument(kind: &KindCommand) -> Arg {
    Arg::new("reference")
        .value_name(kind.placeholder)
        .required(true)
        .value_parser(NonEmptyStringValueParser::new())
        .help("Name or id")
}

/// The entity to which the arguments refer.
pub(super) fn target(kind: &KindCommand, arguments: &ArgMatches) -> Target {
    let reference = arguments.get_one::<String>("reference").cloned().unwrap_or_default();
    Target { parent: parent(kind, arguments), reference }
}

pub(super) async fn run(
    kind: &'static KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
) -> anyhow::Result<()> {
    let id = resolve(&context.client, kind, &target(kind, arguments)).await?;
    let found = (kind.operations.get)(&context.client, &id).await?;
    print::entity(context, kind, &found.entity).await
}

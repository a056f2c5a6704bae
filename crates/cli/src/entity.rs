//! The commands of the kinds of entity: list, get, create, update, archive.
//!
//! Kinds differ by their [`KindCommand`] and by the declaration of their fields; no kind has code of its own.

mod archive;
mod create;
mod deployments;
mod explain;
mod fields;
mod get;
mod kind_command;
mod list;
mod list_order;
mod operations;
pub(crate) mod parent_names;
pub(crate) mod print;
mod properties;
mod reference;
mod reference_fields;
mod reference_names;
mod total;
mod update;

use clap::{ArgMatches, Command};

pub(crate) use fields::{add_fields, quoted, read_fields};
pub(crate) use kind_command::{
    ARTIFACTS, ENVIRONMENTS, EXPERIMENTS, KIND_COMMANDS, KindCommand, MODELS, RUNS, SERVICES, VERSIONS,
};
pub(crate) use list::{name_contains, name_starts_with};
pub(crate) use operations::{value, values};
pub(crate) use properties::{add_properties, read_properties};
pub(crate) use reference::{Target, new_name, parent_option, resolve, resolve_existing};

use crate::client_context::{self, ClientContext};

/// Help on references, for every kind.
const REFERENCES: &str = "\
Refer to an entity by its id (`7` or `id:7`) or its name; `name:7` is the entity with the name 7.";

/// The subcommand of a kind.
pub(crate) fn command(kind: &'static KindCommand) -> Command {
    let command = Command::new(kind.name())
        .about(kind.about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list::command(kind))
        .subcommand(get::command(kind))
        .subcommand(create::command(kind))
        .subcommand(update::command(kind))
        .after_help(format!("{REFERENCES}{}\n\n{}", kind.reference_help, kind.examples));
    let command = if kind.archived.is_some() { command.subcommand(archive::command(kind)) } else { command };
    let command = match deployments::command(kind) {
        Some(deployments) => command.subcommand(deployments),
        None => command,
    };
    client_context::with_options(command)
}

pub(crate) fn run(kind: &'static KindCommand, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some((name, arguments)) = arguments.subcommand() else { return Ok(()) };
    let context = ClientContext::open(arguments)?;
    client_context::block_on(async {
        match name {
            "list" => list::run(kind, &context, arguments).await,
            "get" => get::run(kind, &context, arguments).await,
            "create" => create::run(kind, &context, arguments).await,
            "update" => update::run(kind, &context, arguments).await,
            deployments::NAME => deployments::run(kind, &context, arguments).await,
            _ => archive::run(kind, &context, arguments).await,
        }
    })
}

//! `archive`: sets the state of an entity to archived; deletes nothing.

use clap::{ArgMatches, Command};
use model_registry_api::Field;
use serde_json::Map;

use super::get::{reference_argument, target};
use super::kind_command::KindCommand;
use super::reference::{add_parents, resolve};
use super::update::{entity_kind, update_entity};
use super::{fields, parent_names, print};
use crate::client_context::ClientContext;
use crate::failure::CommandError;
use crate::output::printable;
use crate::prompt;

pub(super) fn command(kind: &KindCommand) -> Command {
    let archived = kind.archived.as_ref();
    let (field, value, active) = archived.map_or(("", "", ""), |state| (state.field, state.archived, state.active));
    let option = fields::fields(kind, Field::on_update).into_iter().find(|known| known.name == field);
    let option = option.map(fields::option).unwrap_or_default();
    let command = Command::new("archive")
        .about(format!("Archive {} {}: set its {field} to {value}", kind.article(), kind.singular))
        .after_help(format!(
            "Nothing is deleted, and entities below it do not change. `update --{option} {active}` reverts it.\n\n\
             Example:\n  model-registry {} archive {} --yes",
            kind.name(),
            kind.example()
        ))
        .arg(reference_argument(kind))
        .arg(prompt::yes_argument());
    add_parents(kind, command)
}

pub(super) async fn run(
    kind: &'static KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
) -> anyhow::Result<()> {
    let Some(state) = &kind.archived else {
        return Err(CommandError::usage(format!("{} cannot be archived", kind.name())).into());
    };
    let client = &context.client;
    let id = resolve(client, kind, &target(kind, arguments)).await?;
    let old = (kind.operations.get)(client, &id).await?.entity;
    let names = parent_names::load(client, kind, std::slice::from_ref(&old)).await?;
    let name = printable(&kind.reference(&old, &names));
    prompt::confirm(arguments, &format!("Archive {} {name}?", kind.singular))?;
    let body = Map::from_iter([(state.field.to_owned(), state.archived.into())]);
    let updated = update_entity(kind, context, &id, entity_kind(kind, &old), body, "").await?;
    print::written(context, kind, "Archived", &updated).await
}

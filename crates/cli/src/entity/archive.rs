//! `archive`: takes out of use; nothing is deleted.

use clap::{ArgMatches, Command};
use model_registry_api::Field;
use serde_json::Map;

use super::get::{reference_argument, target};
use super::noun::Noun;
use super::reference::{add_parents, resolve};
use super::update::{change, kind};
use super::{fields, parents};
use crate::failure::CommandError;
use crate::output::printable;
use crate::prompt;
use crate::session::Session;

pub(super) fn command(noun: &Noun) -> Command {
    let archived = noun.archived.as_ref();
    let (field, value, in_use) =
        archived.map_or(("", "", ""), |archived| (archived.field, archived.value, archived.in_use));
    let option = fields::fields(noun, Field::on_update).into_iter().find(|known| known.name == field);
    let option = option.map(fields::option).unwrap_or_default();
    let command = Command::new("archive")
        .about(format!("Take {} {} out of use: its {field} becomes {value}", noun.article(), noun.singular))
        .after_help(format!(
            "Nothing is deleted, and what belongs to it stays as it is. `update --{option} {in_use}` undoes it.\n\n\
             Example:\n  model-registry {} archive {} --yes",
            noun.command,
            noun.example()
        ))
        .arg(reference_argument(noun))
        .arg(prompt::yes_argument());
    add_parents(noun, command)
}

pub(super) async fn run(noun: &'static Noun, session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some(archived) = &noun.archived else {
        return Err(CommandError::usage(format!("{} cannot be archived", noun.command)).into());
    };
    let client = &session.client;
    let id = resolve(client, noun, &target(noun, arguments)).await?;
    let old = (noun.operations.get)(client, &id).await?.entity;
    let names = parents::names(client, noun, std::slice::from_ref(&old)).await?;
    let name = printable(&noun.reference(&old, &names));
    prompt::confirm(arguments, &format!("Archive {} {name}?", noun.singular))?;
    let body = Map::from_iter([(archived.field.to_owned(), archived.value.into())]);
    let updated = change(noun, session, &id, kind(noun, &old), body, "").await?;
    session.output.done(client, noun, "Archived", &updated).await
}

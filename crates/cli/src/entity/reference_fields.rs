//! Options for fields that refer to other entities, such as `--model` of a service; derived from the declaration of the
//! kind.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command};
use model_registry_api::Field;
use serde_json::{Map, Value};

use super::kind_command::KindCommand;
use super::reference::{Target, resolve, resolve_existing};
use crate::client_context::ClientContext;
use crate::failure::CommandError;
use crate::output::printable;

/// The fields of a kind that refer to other entities, with the kinds of those.
pub(super) fn reference_fields(kind: &KindCommand) -> impl Iterator<Item = (&'static Field, &'static KindCommand)> {
    let spec = kind.kinds[0].spec();
    spec.references
        .iter()
        .filter_map(|reference| Some((spec.field(reference.field)?, KindCommand::of(reference.kind)?)))
}

/// Adds an option for each of these fields that satisfies `filter`.
pub(super) fn add_reference_fields(kind: &KindCommand, command: Command, filter: impl Fn(&Field) -> bool) -> Command {
    let is_creation = command.get_name() == "create";
    reference_fields(kind).filter(|(field, _)| filter(field)).fold(command, |command, (field, target)| {
        command.arg(
            option(field, target)
                .required(is_creation && field.required)
                .help(format!("The {} of the {}", target.singular, kind.singular))
                .help_heading("Fields"),
        )
    })
}

/// Adds an option for each of these fields to a list.
pub(super) fn add_reference_filters(kind: &KindCommand, command: Command) -> Command {
    reference_fields(kind).fold(command, |command, (field, target)| {
        command.arg(option(field, target).help(format!("Only {} of this {}", kind.name(), target.singular)))
    })
}

fn option(field: &Field, target: &KindCommand) -> Arg {
    Arg::new(field.name)
        .long(target.singular)
        .value_name(target.placeholder)
        .value_parser(NonEmptyStringValueParser::new())
}

/// The fields whose options are set, with the ids of the existing entities that they refer to.
pub(super) async fn read_reference_filters(
    kind: &KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut filters = Vec::new();
    for (field, target_kind) in reference_fields(kind) {
        let Some(reference) = arguments.try_get_one::<String>(field.name).ok().flatten() else { continue };
        let target = Target { parent: None, reference: reference.clone() };
        filters.push((field.name, resolve_existing(&context.client, target_kind, &target).await?));
    }
    Ok(filters)
}

/// Resolves the references in the arguments and adds their ids to `body`. `old` is the entity before an update.
pub(super) async fn read_reference_fields(
    kind: &KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
    old: Option<&Value>,
    body: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    for (field, target_kind) in reference_fields(kind) {
        let Some(reference) = arguments.try_get_one::<String>(field.name).ok().flatten() else { continue };
        let target = Target { parent: None, reference: reference.clone() };
        let id = resolve(&context.client, target_kind, &target).await?;
        check_parent(kind, context, (target_kind, &target, &id), old, body).await?;
        body.insert(field.name.to_owned(), id.into());
    }
    Ok(())
}

/// Fails if an entity that is referred to has another parent than the entity's own reference to that kind: a service of
/// model `a` cannot serve a version of model `b`.
async fn check_parent(
    kind: &KindCommand,
    context: &ClientContext,
    (target_kind, target, id): (&'static KindCommand, &Target, &str),
    old: Option<&Value>,
    body: &Map<String, Value>,
) -> anyhow::Result<()> {
    let Some((parent_kind, parent_field)) = target_kind.parent() else { return Ok(()) };
    let Some((own, _)) = reference_fields(kind).find(|(_, other)| other.name() == parent_kind.name()) else {
        return Ok(());
    };
    let expected = body.get(own.name).or_else(|| old?.get(own.name)).and_then(Value::as_str);
    let found = (target_kind.operations.get)(&context.client, id).await?.entity;
    let actual = found.get(parent_field).and_then(Value::as_str);
    if let (Some(expected), Some(actual)) = (expected, actual)
        && expected != actual
    {
        let name = async |id: &str| -> anyhow::Result<String> {
            let parent = (parent_kind.operations.get)(&context.client, id).await?.entity;
            Ok(printable(parent.get("name").and_then(Value::as_str).unwrap_or_default()))
        };
        let (singular, parent) = (target_kind.singular, parent_kind.singular);
        let (actual, expected) = (name(actual).await?, name(expected).await?);
        return Err(CommandError::usage(format!(
            "{singular} `{}` belongs to {parent} `{actual}`, not to {parent} `{expected}` of the {}",
            target.reference, kind.singular
        ))
        .hint(format!("`model-registry {} list --{parent} {expected}` lists those to choose from", target_kind.name()))
        .into());
    }
    Ok(())
}

//! `update`: changes the fields and properties in the arguments, and no others.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_api::Field;
use model_registry_client::{CustomProperties, Kind};
use serde_json::{Map, Value};

use super::get::{reference_argument, target};
use super::kind_command::KindCommand;
use super::operations::{typed, value};
use super::reference::{add_parents, resolve};
use super::reference_fields::{add_reference_fields, read_reference_fields};
use super::{add_fields, add_properties, fields, print, read_fields, read_properties};
use crate::client_context::ClientContext;
use crate::failure::CommandError;

pub(super) fn command(kind: &KindCommand) -> Command {
    let clearable = clearable(kind).into_iter().map(fields::option);
    let command = Command::new("update")
        .about(format!("Update {} {}", kind.article(), kind.singular))
        .after_help(format!(
            "Other fields and custom properties do not change.\n\nExample:\n  \
             model-registry {} update {} --description 'now with more data' --property reviewed=true",
            kind.name(),
            kind.example()
        ))
        .arg(reference_argument(kind))
        .arg(
            Arg::new("clear")
                .long("clear")
                .value_name("FIELD")
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(clearable.collect::<Vec<_>>()))
                .hide_possible_values(true)
                .help_heading("Fields")
                .help("Remove the value of a field"),
        )
        .arg(
            Arg::new("remove-property")
                .long("remove-property")
                .value_name("KEY")
                .action(ArgAction::Append)
                .help_heading("Fields")
                .help("Remove a custom property"),
        );
    let command = add_reference_fields(kind, add_parents(kind, command), Field::on_update);
    add_properties(add_fields(command, &fields::fields(kind, Field::on_update)))
}

fn clearable(kind: &KindCommand) -> Vec<&'static Field> {
    fields::fields(kind, |field| field.on_update() && !field.null_keeps())
}

pub(super) async fn run(
    kind: &'static KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
) -> anyhow::Result<()> {
    let client = &context.client;
    let id = resolve(client, kind, &target(kind, arguments)).await?;
    let old = (kind.operations.get)(client, &id).await?;
    let entity_kind = entity_kind(kind, &old.entity);
    let fields = fields::fields(kind, Field::on_update);
    let mut body = read_fields(arguments, &fields, |name| Some(entity_kind.spec().field(name)?.shape))?;
    for option in arguments.get_many::<String>("clear").into_iter().flatten() {
        let field = clearable(kind).into_iter().find(|field| &fields::option(field) == option);
        if field.is_some_and(|field| body.insert(field.name.to_owned(), Value::Null).is_some()) {
            return Err(CommandError::usage(format!("--{option} is both set and cleared")).into());
        }
    }
    read_reference_fields(kind, context, arguments, Some(&old.entity), &mut body).await?;
    let properties = properties(arguments, &old.entity)?;
    if let Some(properties) = &properties {
        body.insert("customProperties".to_owned(), value(properties)?);
    }
    if body.is_empty() {
        return Err(CommandError::usage("no changes in the arguments")
            .hint(format!("`model-registry {} update --help` lists the options", kind.name()))
            .into());
    }
    // Properties are replaced as a whole, so a concurrent update must not be overwritten: compare-and-set by entity
    // tag.
    let etag = if properties.is_some() { old.etag.as_str() } else { "" };
    let updated = update_entity(kind, context, &id, entity_kind, body, etag).await?;
    print::written(context, kind, "Updated", &updated).await
}

/// Sends an update; that of an artifact includes its type.
pub(super) async fn update_entity(
    kind: &KindCommand,
    context: &ClientContext,
    id: &str,
    entity_kind: Kind,
    mut body: Map<String, Value>,
    etag: &str,
) -> anyhow::Result<Value> {
    if let Some(artifact_type) = entity_kind.spec().artifact_type {
        body.insert("artifactType".to_owned(), artifact_type.into());
    }
    Ok((kind.operations.update)(&context.client, id, Value::Object(body), etag).await?)
}

/// The kind of an entity; that of an artifact depends on its type.
pub(super) fn entity_kind(kind: &KindCommand, entity: &Value) -> Kind {
    let artifact_type = entity.get("artifactType").and_then(Value::as_str);
    artifact_type.and_then(Kind::from_artifact_type).unwrap_or(kind.kinds[0])
}

/// All custom properties after the update; `None` without changes.
fn properties(arguments: &ArgMatches, entity: &Value) -> anyhow::Result<Option<CustomProperties>> {
    let set = read_properties(arguments)?;
    let removed: Vec<&String> = arguments.get_many("remove-property").into_iter().flatten().collect();
    if let Some(key) = removed.iter().find(|key| set.contains_key(key.as_str())) {
        return Err(CommandError::usage(format!("custom property `{key}` is both set and removed")).into());
    }
    if set.is_empty() && removed.is_empty() {
        return Ok(None);
    }
    let mut properties: CustomProperties =
        entity.get("customProperties").map(|old| typed(old.clone())).transpose()?.unwrap_or_default();
    for key in removed {
        if properties.remove(key).is_none() {
            return Err(CommandError::not_found(format!("no custom property named `{key}`")).into());
        }
    }
    properties.extend(set);
    Ok(Some(properties))
}

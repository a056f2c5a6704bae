//! `update`: only what is mentioned changes.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_api::Field;
use model_registry_client::{CustomProperties, Kind};
use serde_json::{Map, Value};

use super::create::{add_references, read_references};
use super::get::{reference_argument, target};
use super::noun::Noun;
use super::operations::{typed, value};
use super::reference::{add_parents, resolve};
use super::{add_fields, add_properties, fields, read_fields, read_properties};
use crate::failure::CommandError;
use crate::session::Session;

pub(super) fn command(noun: &Noun) -> Command {
    let clearable = clearable(noun).into_iter().map(fields::option);
    let command = Command::new("update")
        .about(format!("Change {} {}", noun.article(), noun.singular))
        .after_help(format!(
            "Other fields and custom properties stay as they are.\n\nExample:\n  \
             model-registry {} update {} --description 'now with more data' --property reviewed=true",
            noun.command,
            noun.example()
        ))
        .arg(reference_argument(noun))
        .arg(
            Arg::new("clear")
                .long("clear")
                .value_name("FIELD")
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(clearable.collect::<Vec<_>>()))
                .hide_possible_values(true)
                .help_heading("Fields")
                .help("Take the value of a field away"),
        )
        .arg(
            Arg::new("remove-property")
                .long("remove-property")
                .value_name("KEY")
                .action(ArgAction::Append)
                .help_heading("Fields")
                .help("Remove a custom property"),
        );
    let command = add_references(noun, add_parents(noun, command));
    add_properties(add_fields(command, &fields::fields(noun, Field::on_update)))
}

fn clearable(noun: &Noun) -> Vec<&'static Field> {
    fields::fields(noun, |field| field.on_update() && !field.null_keeps())
}

pub(super) async fn run(noun: &'static Noun, session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let client = &session.client;
    let id = resolve(client, noun, &target(noun, arguments)).await?;
    let old = (noun.operations.get)(client, &id).await?;
    let kind = kind(noun, &old.entity);
    let fields = fields::fields(noun, Field::on_update);
    let mut body = read_fields(arguments, &fields, |name| Some(kind.spec().field(name)?.shape))?;
    for option in arguments.get_many::<String>("clear").into_iter().flatten() {
        let field = clearable(noun).into_iter().find(|field| &fields::option(field) == option);
        if field.is_some_and(|field| body.insert(field.name.to_owned(), Value::Null).is_some()) {
            return Err(CommandError::usage(format!("--{option} is both set and cleared")).into());
        }
    }
    read_references(noun, session, arguments, &mut body).await?;
    let properties = properties(arguments, &old.entity)?;
    if let Some(properties) = &properties {
        body.insert("customProperties".to_owned(), value(properties)?);
    }
    if body.is_empty() {
        return Err(CommandError::usage("nothing to change")
            .hint(format!("`model-registry {} update --help` shows what can be changed", noun.command))
            .into());
    }
    // Properties are replaced as a whole: those that somebody else added meanwhile must not get lost.
    let etag = if properties.is_some() { old.etag.as_str() } else { "" };
    let updated = change(noun, session, &id, kind, body, etag).await?;
    session.output.done(client, noun, "Updated", &updated).await
}

/// Sends a change; artifacts have to say what they are.
pub(super) async fn change(
    noun: &Noun,
    session: &Session,
    id: &str,
    kind: Kind,
    mut body: Map<String, Value>,
    etag: &str,
) -> anyhow::Result<Value> {
    if let Some(artifact_type) = kind.spec().artifact_type {
        body.insert("artifactType".to_owned(), artifact_type.into());
    }
    Ok((noun.operations.update)(&session.client, id, Value::Object(body), etag).await?)
}

/// The kind of an entity.
pub(super) fn kind(noun: &Noun, entity: &Value) -> Kind {
    let artifact_type = entity.get("artifactType").and_then(Value::as_str);
    artifact_type.and_then(Kind::from_artifact_type).unwrap_or(noun.kinds[0])
}

/// All custom properties as they are to be; `None` where they stay.
fn properties(arguments: &ArgMatches, entity: &Value) -> anyhow::Result<Option<CustomProperties>> {
    let given = read_properties(arguments)?;
    let removed: Vec<&String> = arguments.get_many("remove-property").into_iter().flatten().collect();
    if given.is_empty() && removed.is_empty() {
        return Ok(None);
    }
    let mut properties: CustomProperties =
        entity.get("customProperties").map(|old| typed(old.clone())).transpose()?.unwrap_or_default();
    for key in removed {
        if properties.remove(key).is_none() {
            return Err(CommandError::not_found(format!("there is no custom property `{key}`")).into());
        }
    }
    properties.extend(given);
    Ok(Some(properties))
}

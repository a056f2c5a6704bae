//! `create`: a new entity.

use clap::{Arg, ArgMatches, Command};
use model_registry_api::Field;
use model_registry_client::{Artifact, Kind};
use serde_json::{Map, Value};

use super::noun::{MODELS, Noun, VERSIONS};
use super::operations::{typed, value};
use super::reference::{Target, add_parents, new_name, parent, resolve};
use super::{add_fields, add_properties, fields, list, read_fields, read_properties};
use crate::failure::CommandError;
use crate::session::Session;

/// The references of a service beside its environment: field, option, kind, whether it has to be there.
const SERVICE_REFERENCES: [(&str, &str, &Noun, bool); 2] =
    [("registeredModelId", "model", &MODELS, true), ("modelVersionId", "version", &VERSIONS, false)];

pub(super) fn command(noun: &Noun) -> Command {
    let is_name_required = noun.kinds[0].spec().name_required;
    let name = Arg::new("reference")
        .value_name(noun.placeholder)
        .required(is_name_required)
        .help(if is_name_required { "Its name" } else { "Its name; made up by the server without one" });
    let command = Command::new("create")
        .about(format!("Create {} {}", noun.article(), noun.singular))
        .after_help(format!("Example:\n  model-registry {} create {}", noun.command, noun.create_example()))
        .arg(name);
    let command = add_references(noun, add_parents(noun, command));
    let command = if noun.is_artifact() {
        command.arg(list::type_argument().default_value("model-artifact").help("Its type"))
    } else {
        command
    };
    add_properties(add_fields(command, &fields::fields(noun, Field::on_create)))
}

/// Gives the command of services the options that say what is served.
pub(super) fn add_references(noun: &Noun, command: Command) -> Command {
    if noun.kinds != [Kind::InferenceService] {
        return command;
    }
    let is_creation = command.get_name() == "create";
    SERVICE_REFERENCES.iter().fold(command, |command, (field, option, of, is_required)| {
        // The model is never changed.
        if *is_required && !is_creation {
            return command;
        }
        command.arg(
            Arg::new(*field)
                .long(*option)
                .value_name(of.placeholder)
                .required(*is_required)
                .help(format!("The {option} that is served"))
                .help_heading("Fields"),
        )
    })
}

/// The ids of what a service serves.
pub(super) async fn read_references(
    noun: &Noun,
    session: &Session,
    arguments: &ArgMatches,
    body: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    if noun.kinds != [Kind::InferenceService] {
        return Ok(());
    }
    for (field, _, of, _) in SERVICE_REFERENCES {
        let Some(reference) = arguments.try_get_one::<String>(field).ok().flatten() else { continue };
        let target = Target { parent: None, reference: reference.clone() };
        body.insert(field.to_owned(), resolve(&session.client, of, &target).await?.into());
    }
    Ok(())
}

pub(super) async fn run(noun: &'static Noun, session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let kind = list::artifact_kind(arguments).unwrap_or(noun.kinds[0]);
    let fields = fields::fields(noun, Field::on_create);
    let mut body = read_fields(arguments, &fields, |name| Some(kind.spec().field(name)?.shape))?;
    let properties = read_properties(arguments)?;
    if !properties.is_empty() {
        body.insert("customProperties".to_owned(), value(&properties)?);
    }
    let reference = arguments.get_one::<String>("reference").map(String::as_str);
    let (owner, name) = new_name(noun, reference, parent(noun, arguments))?;
    if let Some(name) = name {
        body.insert("name".to_owned(), name.into());
    }
    let client = &session.client;
    let owner = match owner {
        Some((owner, reference)) => {
            let target = Target { parent: None, reference };
            Some((owner, resolve(client, owner, &target).await?))
        }
        None => None,
    };
    read_references(noun, session, arguments, &mut body).await?;
    let created = if noun.is_artifact() {
        let artifact_type = kind.spec().artifact_type.unwrap_or_default();
        body.insert("artifactType".to_owned(), artifact_type.into());
        create_artifact(noun, session, owner, body).await?
    } else {
        if let Some((parent, field)) = noun.parent {
            let Some((_, id)) = owner else {
                return Err(CommandError::usage(format!(
                    "the new {} needs {} {}",
                    noun.singular,
                    parent.article(),
                    parent.singular
                ))
                .hint(format!("write {}, or add --{}", noun.placeholder, parent.singular))
                .into());
            };
            body.insert(field.to_owned(), id.into());
        }
        (noun.operations.create)(client, Value::Object(body)).await?
    };
    session.output.done(client, noun, "Created", &created).await
}

async fn create_artifact(
    noun: &Noun,
    session: &Session,
    owner: Option<(&'static Noun, String)>,
    body: Map<String, Value>,
) -> anyhow::Result<Value> {
    let client = &session.client;
    let Some((owner, id)) = owner else {
        return Ok((noun.operations.create)(client, Value::Object(body)).await?);
    };
    let artifact: Artifact = typed(Value::Object(body))?;
    let artifacts =
        if owner.command == VERSIONS.command { client.artifacts_of_version(&id) } else { client.artifacts_of_run(&id) };
    Ok(value(&artifacts.upsert(&artifact).await?)?)
}

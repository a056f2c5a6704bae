//! `register`: creates a version of a model with its artifact in one request.

use std::fmt::Write;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_api::{Field, Kind, Shape};
use model_registry_client::{
    ModelArtifactCreate, ModelVersionCreate, RegisterRequest, RegisterResponse, RegisteredModelCreate, State,
};
use model_registry_server::config::Schema;
use serde_json::Value;

use crate::client_context::{self, ClientContext};
use crate::entity::{MODELS, add_fields, add_properties, new_name, read_fields, read_properties};
use crate::failure::CommandError;
use crate::output::{Format, printable};
use crate::print;

pub(super) fn command(_schema: &Schema) -> Command {
    let text = |id: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name("STRING").help(help).help_heading("Fields")
    };
    let name = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).value_name(value).value_parser(NonEmptyStringValueParser::new()).required(true).help(help)
    };
    let command = Command::new("register")
        .about("Register a version of a model with its artifact in one step")
        .after_help(
            "The model is created if it does not exist; an existing model does not change. The request is atomic: \
             it succeeds or fails as a whole. Without an option of the artifact, such as --uri, no artifact is \
             created.\n\nExample:\n  \
             model-registry register fraud-detector v1 --uri s3://models/fraud/1 --model-format-name onnx \\\n    \
             --property accuracy=0.93",
        )
        .arg(name("model", MODELS.placeholder, "Name of the model"))
        .arg(name("version", "VERSION", "Name of the new version"))
        .arg(text("description", "Description of the version"))
        .arg(text("author", "Author of the version"))
        .arg(text("owner", "Owner of the model, if it is created"))
        .arg(text("model-description", "Description of the model, if it is created"))
        .arg(text("artifact-name", "Name of the artifact [default: model]"))
        .arg(
            Arg::new("archived")
                .long("archived")
                .action(ArgAction::SetTrue)
                .help_heading("Fields")
                .help("Create the version as archived"),
        );
    client_context::with_options(add_properties(add_fields(command, &artifact_fields())))
}

/// The fields of the artifact that have options: strings and URIs.
fn artifact_fields() -> Vec<&'static Field> {
    let spec = Kind::ModelArtifact.spec();
    let fields =
        spec.fields.iter().filter(|field| field.on_create() && matches!(field.shape, Shape::String | Shape::Uri));
    fields.collect()
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let request = request(arguments)?;
    let context = ClientContext::open(arguments)?;
    context.reject_columns()?;
    client_context::block_on(async {
        let registered = context.client.register(&request).await?;
        write(&context, &registered)?;
        if registered.artifacts.is_empty() {
            context.notes.print(
                "no artifact was created, so the version has no location of its files: --uri sets it, `model-registry \
                 artifacts create` adds one",
            );
        }
        Ok(())
    })
}

fn request(arguments: &ArgMatches) -> anyhow::Result<RegisterRequest> {
    let text = |id: &str| arguments.get_one::<String>(id).cloned();
    let (_, model) = new_name(&MODELS, text("model").as_deref(), None)?;
    let fields = artifact_fields();
    let artifact = read_fields(arguments, &fields, |name| Some(Kind::ModelArtifact.spec().field(name)?.shape))?;
    if artifact.is_empty() && text("artifact-name").is_some() {
        return Err(CommandError::usage("--artifact-name requires another field of the artifact, such as --uri").into());
    }
    let artifacts = if artifact.is_empty() {
        Vec::new()
    } else {
        let mut artifact: ModelArtifactCreate = serde_json::from_value(Value::Object(artifact))?;
        artifact.name = text("artifact-name").or_else(|| Some("model".to_owned()));
        vec![artifact.into()]
    };
    Ok(RegisterRequest {
        registered_model: RegisteredModelCreate {
            name: model.unwrap_or_default(),
            owner: text("owner"),
            description: text("model-description"),
            ..RegisteredModelCreate::default()
        },
        model_version: ModelVersionCreate {
            name: text("version").unwrap_or_default(),
            description: text("description"),
            author: text("author"),
            state: arguments.get_flag("archived").then_some(State::Archived),
            custom_properties: read_properties(arguments)?,
            ..ModelVersionCreate::default()
        },
        artifacts,
    })
}

fn write(context: &ClientContext, registered: &RegisterResponse) -> anyhow::Result<()> {
    let output = &context.output;
    let name = printable(&format!("{}/{}", registered.registered_model.name, registered.model_version.name));
    match output.format {
        Format::Json | Format::Yaml => print::value(output, &serde_json::to_value(registered)?),
        Format::Name => Ok(print::line(&name)?),
        Format::Table => {
            let id = &registered.model_version.id;
            let mut text = format!("Registered version {} (id {id})\n", output.style.bold(&name));
            for artifact in &registered.artifacts {
                let _ = writeln!(text, "  artifact {} (id {})", printable(artifact.name()), artifact.id());
            }
            Ok(print::text(&text)?)
        }
    }
}

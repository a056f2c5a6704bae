//! `catalog show`: one model with what belongs to it.

use std::io::Write;

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::TryStreamExt;
use model_registry_client::catalog::{CatalogModel, ModelOptions};
use serde_json::{Value, json};

use super::artifacts;
use super::list::{MODELS, reference, text};
use crate::entity::{literal, value};
use crate::failure::CommandError;
use crate::output::{Format, Output, printable};
use crate::session::Session;

pub(super) fn command() -> Command {
    Command::new("show")
        .about("Show a model of a server's catalog, with its artifacts and measurements")
        .after_help(
            "Examples:\n  \
             model-registry catalog show sample_models/northwind/breeze-2b-instruct\n  \
             model-registry catalog show northwind/breeze-2b-instruct --output yaml\n  \
             model-registry catalog show northwind/breeze-2b-instruct --readme",
        )
        .arg(
            Arg::new("model")
                .value_name("MODEL")
                .required(true)
                .help("SOURCE/NAME, or the name alone where one source has it"),
        )
        .arg(Arg::new("source").long("source").value_name("SOURCE").help("Source of the model; then MODEL is its name"))
        .arg(
            Arg::new("readme")
                .long("readme")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["output", "columns"])
                .help("Print the model card alone"),
        )
}

pub(super) async fn run(session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let name = text(arguments, "model").unwrap_or_default();
    let model = match arguments.get_one::<String>("source") {
        Some(source) => session.client.catalog().model(source, &name).await?,
        None => find(session, &name).await?,
    };
    if arguments.get_flag("readme") {
        return Output::lines(model.readme.iter().flat_map(|readme| readme.lines()).map(str::to_owned));
    }
    let found = value(&model)?;
    let output = &session.output;
    match output.format {
        Format::Json | Format::Yaml => {
            let artifacts: Vec<Value> = artifacts::of(session, &model.source_id, &model.name).try_collect().await?;
            output.value(&json!({"model": found, "artifacts": artifacts}))
        }
        Format::Table if !output.has_columns() => {
            let mut shown = found;
            if let Some(fields) = shown.as_object_mut()
                && fields.remove("readme").is_some()
            {
                // A card is pages long; its lines would stand in one cell.
                fields.insert("readme".to_owned(), "(see it with --readme)".into());
            }
            output.item(&MODELS, &shown).await?;
            writeln!(std::io::stdout())?;
            output.items(&artifacts::ARTIFACTS, artifacts::of(session, &model.source_id, &model.name)).await
        }
        Format::Table | Format::Name => output.item(&MODELS, &found).await,
    }
}

/// The model that is meant: by its source and name, or by its name alone.
async fn find(session: &Session, text: &str) -> anyhow::Result<CatalogModel> {
    let catalog = session.client.catalog();
    if let Some((source, name)) = text.split_once('/')
        && !source.is_empty()
        && !name.is_empty()
    {
        match catalog.model(source, name).await {
            Err(error) if error.is_not_found() => {}
            found => return Ok(found?),
        }
    }
    let options = ModelOptions {
        filter: Some(format!("name = {}", literal(text))),
        page_size: Some(100),
        ..ModelOptions::default()
    };
    let mut found: Vec<CatalogModel> = catalog.models().list(options).try_collect().await?;
    match found.len() {
        0 => Err(CommandError::not_found(format!("the catalog has no model `{}`", printable(text)))
            .hint("`model-registry catalog list` shows what there is, `search` finds parts of names")
            .into()),
        1 => Ok(found.remove(0)),
        _ => {
            let names: Vec<String> = found.iter().filter_map(|model| Some(reference(&value(model).ok()?))).collect();
            Err(CommandError::usage(format!("several sources have a model `{}`", printable(text)))
                .hint(format!("name one of {}", names.join(", ")))
                .into())
        }
    }
}

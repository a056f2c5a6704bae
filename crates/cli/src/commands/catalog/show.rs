//! `catalog show`: shows a model with its artifacts.

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::TryStreamExt;
use model_registry_client::catalog::{CatalogModel, ModelOptions};
use serde_json::{Value, json};

use super::artifacts;
use super::list::{MODELS, non_empty, option, reference};
use crate::client_context::ClientContext;
use crate::entity::{quoted, value};
use crate::failure::CommandError;
use crate::output::{Format, printable};
use crate::print;

pub(super) fn command() -> Command {
    Command::new("show")
        .about("Show a model in the catalog of a server, with its artifacts and performance metrics")
        .after_help(
            "Examples:\n  \
             model-registry catalog show sample_models/northwind/breeze-2b-instruct\n  \
             model-registry catalog show northwind/breeze-2b-instruct --output yaml\n  \
             model-registry catalog show northwind/breeze-2b-instruct --readme",
        )
        .arg(
            non_empty("model")
                .value_name("MODEL")
                .required(true)
                .help("SOURCE/NAME, or only the name if it is unique among the sources"),
        )
        .arg(
            non_empty("source").long("source").value_name("SOURCE").help("Source of the model; MODEL is then its name"),
        )
        .arg(
            Arg::new("readme")
                .long("readme")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["output", "columns"])
                .help("Print only the model card"),
        )
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    let name = option(arguments, "model").unwrap_or_default();
    let model = match arguments.get_one::<String>("source") {
        Some(source) => context.client.catalog().model(source, &name).await?,
        None => find(context, &name).await?,
    };
    if arguments.get_flag("readme") {
        let lines = model.readme.iter().flat_map(|readme| readme.lines());
        return Ok(print::text(&lines.map(|line| printable(line) + "\n").collect::<String>())?);
    }
    let model_value = value(&model)?;
    let output = &context.output;
    match output.format {
        Format::Json | Format::Yaml => {
            let artifacts: Vec<Value> = artifacts::of(context, &model.source_id, &model.name).try_collect().await?;
            print::value(output, &json!({"model": model_value, "artifacts": artifacts}))
        }
        Format::Table if !output.has_columns() => {
            let mut shown = model_value;
            if let Some(fields) = shown.as_object_mut()
                && fields.remove("readme").is_some()
            {
                // A model card is pages long and would fill one cell.
                fields.insert("readme".to_owned(), "(use --readme)".into());
            }
            print::item(output, &MODELS, &shown).await?;
            print::text("\n")?;
            print::items(output, &artifacts::ARTIFACTS, artifacts::of(context, &model.source_id, &model.name)).await
        }
        Format::Table | Format::Name => print::item(output, &MODELS, &model_value).await,
    }
}

/// Finds a model by source and name, or by a unique name.
async fn find(context: &ClientContext, text: &str) -> anyhow::Result<CatalogModel> {
    let catalog = context.client.catalog();
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
        filter: Some(format!("name = {}", quoted(text))),
        page_size: Some(100),
        ..ModelOptions::default()
    };
    let found: Vec<CatalogModel> = catalog.models().list(options).try_collect().await?;
    match found.as_slice() {
        [] => Err(CommandError::not_found(format!("the catalog has no model named `{}`", printable(text)))
            .hint("list the models with `model-registry catalog list`, or find parts of names with `search`")
            .into()),
        // Only a single model has the counts of its artifacts.
        [one] => Ok(catalog.model(&one.source_id, &one.name).await?),
        _ => {
            let names: Vec<String> = found.iter().filter_map(|model| Some(reference(&value(model).ok()?))).collect();
            Err(CommandError::usage(format!("several sources have a model named `{}`", printable(text)))
                .hint(format!("use one of {}", names.join(", ")))
                .into())
        }
    }
}

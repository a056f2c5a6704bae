//! `catalog sources`: lists the sources with the result of their last load and their numbers of items.

use std::collections::HashMap;

use clap::{ArgMatches, Command};
use futures::{StreamExt, TryStreamExt, stream};
use model_registry_client::catalog::{AssetType, Catalog, SourceOptions};
use serde_json::Value;

use super::assets;
use crate::client_context::ClientContext;
use crate::entity::value;
use crate::output::{Format, Layout};
use crate::print;

const SOURCES: Layout = Layout {
    columns: &["id", "name", "asset", "status", "items", "labels", "error"],
    reference: |source| source.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
    kinds: &[],
};

/// Items per request.
const PAGE: Option<u32> = Some(1_000);

pub(super) fn command() -> Command {
    Command::new("sources")
        .about("List the sources in the catalog of a server, with the result of their last load and their numbers of items")
        .after_help(
            "Examples:\n  \
             model-registry catalog sources\n  \
             model-registry catalog sources --columns id,status,error",
        )
}

pub(super) async fn run(context: &ClientContext, _arguments: &ArgMatches) -> anyhow::Result<()> {
    let catalog = context.client.catalog();
    let mut sources = Vec::new();
    for asset_type in AssetType::ALL {
        let options = SourceOptions { asset_type: Some(asset_type), page_size: PAGE, ..SourceOptions::default() };
        let mut found = catalog.sources().list(options);
        while let Some(mut source) = found.try_next().await? {
            // Catalogs leave it out where it is the default.
            source.asset_type.get_or_insert_with(|| asset_type.into());
            sources.push(value(&source)?);
        }
    }
    let needs_counts = match context.output.format {
        Format::Table => context.output.columns_or(SOURCES.columns).iter().any(|column| column == "items"),
        Format::Json | Format::Yaml => true,
        Format::Name => false,
    };
    if needs_counts {
        let counts = counts(&catalog).await?;
        for source in &mut sources {
            let count = source["id"].as_str().and_then(|id| counts.get(id)).copied().unwrap_or_default();
            source["itemCount"] = count.into();
        }
    }
    print::items(&context.output, &SOURCES, stream::iter(sources.into_iter().map(Ok)).boxed()).await
}

/// The number of items of each source. The API does not return it, so this lists all items.
async fn counts(catalog: &Catalog) -> anyhow::Result<HashMap<String, u64>> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for asset_type in AssetType::ALL {
        let mut items = assets::items(catalog, asset_type, None, PAGE);
        loop {
            match items.try_next().await {
                Ok(Some(item)) => {
                    let source = item.get("source_id").and_then(serde_json::Value::as_str).unwrap_or_default();
                    *counts.entry(source.to_owned()).or_default() += 1;
                }
                Ok(None) => break,
                // An older server does not have every asset type.
                Err(error) if error.is_not_found() && asset_type != AssetType::default() => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(counts)
}

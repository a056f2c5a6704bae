//! `catalog search`: finds items of all asset types.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use futures::TryStreamExt;
use model_registry_client::catalog::AssetType;

use super::{assets, list};
use crate::client_context::ClientContext;
use crate::commands::search_results::{self, SearchResult};
use crate::output::Layout;

pub(super) fn command() -> Command {
    Command::new("search")
        .about("Search models, MCP servers, agents and skills in the catalog of a server")
        .after_help(
            "Examples:\n  \
             model-registry catalog search translation\n  \
             model-registry catalog search kubernetes --kind servers --output name",
        )
        .arg(list::non_empty("text").value_name("TEXT").required(true).help(
            "Part of the name, description or provider, of the library or a task of a model, or of the framework of an \
             agent, case-insensitive",
        ))
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .value_parser(PossibleValuesParser::new(
                    AssetType::ALL.map(|asset_type| asset_type.spec().command_name),
                ))
                .help("Only this kind"),
        )
        .arg(search_results::limit())
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    let (text, page_size) = (list::option(arguments, "text"), Some(list::page_size(arguments)));
    let selected = list::option(arguments, "kind");
    let catalog = context.client.catalog();
    let mut results: Vec<SearchResult> = Vec::new();
    for asset_type in AssetType::ALL {
        let kind = asset_type.spec().command_name;
        if selected.as_deref().is_some_and(|selected| selected != kind) {
            continue;
        }
        let items = assets::items(&catalog, asset_type, text.clone(), page_size);
        let items = list::limited(arguments, items);
        // Of several, those that the server has.
        let found = if selected.is_some() || asset_type == AssetType::default() {
            items.try_collect().await?
        } else {
            assets::collect_if_served(items).await?
        };
        results.extend(found.into_iter().map(|entity| SearchResult {
            kind,
            reference: assets::reference(asset_type, &entity),
            entity,
        }));
    }
    let known = AssetType::ALL.map(assets::layout).into_iter().flat_map(Layout::known_columns);
    search_results::write(context, &results, &["kind", "source", "name", "description"], known, cell)
}

fn cell(result: &SearchResult, column: &str) -> String {
    match column {
        "kind" => result.kind.to_owned(),
        "source" => result.field("source_id"),
        column => result.field(column),
    }
}

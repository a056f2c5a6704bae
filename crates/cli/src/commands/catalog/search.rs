//! `catalog search`: finds models and MCP servers.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use futures::{StreamExt, TryStreamExt};
use model_registry_client::Items;
use model_registry_client::catalog::{McpServerOptions, ModelOptions};
use serde_json::Value;

use super::{list, servers};
use crate::client_context::ClientContext;
use crate::commands::search_results::{self, SearchResult};
use crate::entity::values;
use crate::output::Layout;

const MODELS: &str = "models";
const SERVERS: &str = "servers";

pub(super) fn command() -> Command {
    Command::new("search")
        .about("Search models and MCP servers in the catalog of a server")
        .after_help(
            "Examples:\n  \
             model-registry catalog search translation\n  \
             model-registry catalog search kubernetes --kind servers --output name",
        )
        .arg(list::non_empty("text").value_name("TEXT").required(true).help(
            "Part of the name, description or provider, or of the library or a task of a model, case-insensitive",
        ))
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .value_parser(PossibleValuesParser::new([MODELS, SERVERS]))
                .help("Only this kind"),
        )
        .arg(search_results::limit())
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    let (text, page_size) = (list::option(arguments, "text"), Some(list::page_size(arguments)));
    let selected = list::option(arguments, "kind");
    let is_selected = |kind: &str| selected.as_deref().is_none_or(|selected| selected == kind);
    let catalog = context.client.catalog();
    let mut results: Vec<SearchResult> = Vec::new();
    let take = async |items: Items<Value>| list::limited(arguments, items).try_collect::<Vec<_>>().await;
    if is_selected(MODELS) {
        let options = ModelOptions { search: text.clone(), page_size, ..ModelOptions::default() };
        let models = take(values(catalog.models().list(options)).boxed()).await?;
        results.extend(models.into_iter().map(|model| result(MODELS, list::reference(&model), model)));
    }
    if is_selected(SERVERS) {
        let options = McpServerOptions { search: text, page_size, ..McpServerOptions::default() };
        let found = take(values(catalog.mcp_servers().list(options)).boxed()).await?;
        results.extend(found.into_iter().map(|server| result(SERVERS, servers::reference(&server), server)));
    }
    let known = [&list::MODELS, &servers::SERVERS].into_iter().flat_map(Layout::known_columns);
    search_results::write(context, &results, &["kind", "source", "name", "description"], known, cell)
}

fn result(kind: &'static str, reference: String, entity: Value) -> SearchResult {
    SearchResult { kind, reference, entity }
}

fn cell(result: &SearchResult, column: &str) -> String {
    match column {
        "kind" => result.kind.to_owned(),
        "source" => result.field("source_id"),
        column => result.field(column),
    }
}

//! `search`: finds entities of every kind by name.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use model_registry_client::{Client, ListOptions};
use model_registry_server::config::Schema;
use serde_json::Value;

use super::search_results::{self, SearchResult};
use crate::client_context::{self, ClientContext};
use crate::entity::print::known_columns;
use crate::entity::{KIND_COMMANDS, KindCommand, name_contains, parent_names};
use crate::output::printable;

pub(super) fn command(_schema: &Schema) -> Command {
    let command = Command::new("search")
        .about("Find entities of every kind by a part of their name")
        .after_help(
            "Example:\n  model-registry search fraud\n  model-registry search fraud --kind versions --output name",
        )
        .arg(
            Arg::new("text")
                .value_name("TEXT")
                .required(true)
                .value_parser(NonEmptyStringValueParser::new())
                .help("Part of the name, case-insensitive"),
        )
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(KIND_COMMANDS.iter().map(|kind| kind.name())))
                .help("Only these kinds"),
        )
        .arg(search_results::limit());
    client_context::with_options(command)
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let text = arguments.get_one::<String>("text").cloned().unwrap_or_default();
    let limit = arguments.get_one::<u32>("limit").copied().unwrap_or(20);
    let selected: Vec<&String> = arguments.get_many("kind").into_iter().flatten().collect();
    let is_selected = |kind: &KindCommand| selected.is_empty() || selected.iter().any(|name| *name == kind.name());
    let context = ClientContext::open(arguments)?;
    client_context::block_on(async {
        let client = &context.client;
        let kinds = KIND_COMMANDS.into_iter().filter(|kind| is_selected(kind));
        let results = try_join_all(kinds.map(|kind| search(client, kind, &text, limit))).await?;
        let results: Vec<SearchResult> = results.into_iter().flatten().collect();
        let known = KIND_COMMANDS.into_iter().flat_map(known_columns);
        search_results::write(&context, &results, &["kind", "id", "name", "description"], known, cell)
    })
}

async fn search(
    client: &Client,
    kind: &'static KindCommand,
    text: &str,
    limit: u32,
) -> anyhow::Result<Vec<SearchResult>> {
    let options = ListOptions { page_size: Some(limit), ..ListOptions::filtered(name_contains(text)) };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let entities: Vec<Value> = (kind.operations.list)(client, options).take(limit).try_collect().await?;
    let parents = parent_names::load(client, kind, &entities).await?;
    let result =
        |entity: Value| SearchResult { kind: kind.name(), reference: kind.reference(&entity, &parents), entity };
    Ok(entities.into_iter().map(result).collect())
}

fn cell(result: &SearchResult, column: &str) -> String {
    match column {
        "kind" => result.kind.to_owned(),
        // The reference of an artifact is its id.
        "name" if !result.reference.starts_with("id:") => printable(&result.reference),
        column => result.field(column),
    }
}

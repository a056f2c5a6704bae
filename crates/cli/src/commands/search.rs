//! `search`: finds entities of every kind by name, id, external id or label.

use std::collections::HashMap;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use model_registry_client::{Client, Kind, ListOptions, SearchOptions, SearchResult as Match};
use model_registry_server::config::Schema;
use serde_json::Value;

use super::search_results::{self, SearchResult};
use crate::client_context::{self, ClientContext};
use crate::entity::print::known_columns;
use crate::entity::{KIND_COMMANDS, KindCommand, name_contains, parent_names};
use crate::output::printable;

pub(super) fn command(_schema: &Schema) -> Command {
    let command =
        Command::new("search")
            .about("Find entities of every kind by name, id, external id or label")
            .after_help(
                "Example:\n  model-registry search fraud\n  model-registry search fraud-detector/v1\n  \
             model-registry search fraud --kind versions --output name",
            )
            .arg(
                Arg::new("text").value_name("TEXT").required(true).value_parser(NonEmptyStringValueParser::new()).help(
                    "Text in the name, or at the beginning of an external id or label, case-insensitive; or an id",
                ),
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
            .arg(
                Arg::new("limit")
                    .long("limit")
                    .value_name("NUMBER")
                    .value_parser(value_parser!(u32).range(1..=100))
                    .allow_negative_numbers(true)
                    .default_value("20")
                    .help("Maximum number of results, at most 100"),
            );
    client_context::with_options(command)
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let text = arguments.get_one::<String>("text").cloned().unwrap_or_default();
    let limit = arguments.get_one::<u32>("limit").copied().unwrap_or(20);
    let selected: Vec<&String> = arguments.get_many("kind").into_iter().flatten().collect();
    let is_selected = |kind: &KindCommand| selected.is_empty() || selected.iter().any(|name| *name == kind.name());
    let context = ClientContext::open(arguments)?;
    client_context::block_on(async {
        let kinds: Vec<&'static KindCommand> = KIND_COMMANDS.into_iter().filter(|kind| is_selected(kind)).collect();
        let results = search(&context, &kinds, &text, limit).await?;
        let known = KIND_COMMANDS.into_iter().flat_map(known_columns);
        search_results::write(&context, &results, &["kind", "id", "name", "description"], known, cell)
    })
}

async fn search(
    context: &ClientContext,
    kinds: &[&'static KindCommand],
    text: &str,
    limit: u32,
) -> anyhow::Result<Vec<SearchResult>> {
    let client = &context.client;
    let options = SearchOptions {
        kinds: kinds.iter().flat_map(|kind| kind.kinds).copied().collect(),
        page_size: Some(limit),
        ..SearchOptions::of(text)
    };
    match client.search(&options).await {
        Ok(page) => {
            if page.has_more {
                context.notes.print("more entities match: use a longer text, --kind or a higher --limit");
            }
            complete(client, kinds, page.items).await
        }
        // Another server of the API, which has no search.
        Err(error) if error.is_not_found() => {
            let results = try_join_all(kinds.iter().map(|kind| list(client, kind, text, limit))).await?;
            Ok(results.into_iter().flatten().collect())
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads the entities that were found, with one list for each kind, and keeps their order.
async fn complete(
    client: &Client,
    kinds: &[&'static KindCommand],
    matches: Vec<Match>,
) -> anyhow::Result<Vec<SearchResult>> {
    let command = |found: &Match| {
        let kind = Kind::from_name(&found.kind)?;
        kinds.iter().copied().find(|command| command.kinds.contains(&kind))
    };
    let lists = kinds.iter().copied().filter_map(|kind| {
        let of_kind = matches.iter().filter(|found| command(found).is_some_and(|other| other.name() == kind.name()));
        let ids: Vec<&str> = of_kind.map(|found| found.id.as_str()).collect();
        (!ids.is_empty()).then(|| read(client, kind, ids))
    });
    let mut read: HashMap<(&str, String), SearchResult> = HashMap::new();
    for result in try_join_all(lists).await?.into_iter().flatten() {
        read.insert((result.kind, result.field("id")), result);
    }
    // One that was deleted meanwhile is left out.
    let results = matches.iter().filter_map(|found| read.remove(&(command(found)?.name(), found.id.clone())));
    Ok(results.collect())
}

async fn read(client: &Client, kind: &'static KindCommand, ids: Vec<&str>) -> anyhow::Result<Vec<SearchResult>> {
    let options = ListOptions::filtered(format!("id IN ({})", ids.join(",")));
    let entities: Vec<Value> = (kind.operations.list)(client, options).try_collect().await?;
    results(client, kind, entities).await
}

/// The entities of a kind with a part of the name.
async fn list(
    client: &Client,
    kind: &'static KindCommand,
    text: &str,
    limit: u32,
) -> anyhow::Result<Vec<SearchResult>> {
    let options = ListOptions { page_size: Some(limit), ..ListOptions::filtered(name_contains(text)) };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let entities: Vec<Value> = (kind.operations.list)(client, options).take(limit).try_collect().await?;
    results(client, kind, entities).await
}

async fn results(
    client: &Client,
    kind: &'static KindCommand,
    entities: Vec<Value>,
) -> anyhow::Result<Vec<SearchResult>> {
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

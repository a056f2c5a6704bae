//! `search`: names of every kind.

use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use model_registry_client::{Client, ListOptions};
use model_registry_server::config::Schema;
use serde_json::{Value, json};

use crate::entity::{NOUNS, Noun, ilike, parents};
use crate::output::{Format, printable};
use crate::session::{self, Session};

pub(crate) fn command(_schema: &Schema) -> Command {
    let command = Command::new("search")
        .about("Find entities of every kind by a part of their name")
        .after_help(
            "Example:\n  model-registry search fraud\n  model-registry search fraud --kind versions --output name",
        )
        .arg(Arg::new("text").value_name("TEXT").required(true).help("Part of the name, in any case"))
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(NOUNS.iter().map(|noun| noun.command)))
                .help("Only these kinds"),
        )
        .arg(limit());
    session::with_options(command)
}

/// How much a search prints.
pub(super) fn limit() -> Arg {
    Arg::new("limit")
        .long("limit")
        .value_name("NUMBER")
        .value_parser(value_parser!(u32).range(1..))
        .default_value("20")
        .help("How many of each kind at most")
}

struct Found {
    noun: &'static Noun,
    entity: Value,
    reference: String,
}

pub(crate) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let text = arguments.get_one::<String>("text").cloned().unwrap_or_default();
    let limit = arguments.get_one::<u32>("limit").copied().unwrap_or(20);
    let kinds: Vec<&String> = arguments.get_many("kind").into_iter().flatten().collect();
    let nouns = NOUNS.into_iter().filter(|noun| kinds.is_empty() || kinds.iter().any(|kind| *kind == noun.command));
    let session = Session::open(arguments)?;
    session::block_on(async {
        let client = &session.client;
        let found = try_join_all(nouns.map(|noun| search(client, noun, &text, limit))).await?;
        write(&session, &found.into_iter().flatten().collect::<Vec<_>>())
    })
}

async fn search(client: &Client, noun: &'static Noun, text: &str, limit: u32) -> anyhow::Result<Vec<Found>> {
    let options = ListOptions { page_size: Some(limit), ..ListOptions::filtered(ilike(text)) };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let entities: Vec<Value> = (noun.operations.list)(client, options).take(limit).try_collect().await?;
    let parents = parents::names(client, noun, &entities).await?;
    let found = entities.into_iter().map(|entity| Found { noun, reference: noun.reference(&entity, &parents), entity });
    Ok(found.collect())
}

fn write(session: &Session, found: &[Found]) -> anyhow::Result<()> {
    let output = &session.output;
    match output.format {
        Format::Json | Format::Yaml => {
            let items = found
                .iter()
                .map(|found| json!({"kind": found.noun.command, "reference": found.reference, "entity": found.entity}));
            output.value(&items.collect())
        }
        Format::Name => {
            let mut out = std::io::stdout().lock();
            for found in found {
                writeln!(out, "{} {}", found.noun.command, printable(&found.reference))?;
            }
            Ok(())
        }
        Format::Table => {
            let columns = output.columns_or(&["kind", "id", "name", "description"]);
            let mut table = output.table(columns.iter().map(|column| column.to_uppercase()).collect());
            let cell = |found: &Found, column: &str| match column {
                "kind" => found.noun.command.to_owned(),
                // Artifacts have ids in place of names that would find them.
                "name" if !found.reference.starts_with("id:") => printable(&found.reference),
                column => printable(found.entity.get(column).and_then(Value::as_str).unwrap_or_default()),
            };
            table.write(found.iter().map(|one| columns.iter().map(|column| cell(one, column)).collect()).collect())?;
            Ok(table.finish()?)
        }
    }
}

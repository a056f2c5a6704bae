//! `catalog search`: models and MCP servers by a text.

use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use futures::{StreamExt, TryStreamExt};
use model_registry_client::Items;
use model_registry_client::catalog::{McpServerOptions, ModelOptions};
use serde_json::{Value, json};

use super::{list, servers};
use crate::entity::values;
use crate::output::{Format, printable};
use crate::session::Session;

pub(super) fn command() -> Command {
    Command::new("search")
        .about("Find models and MCP servers of a server's catalog by a text in them")
        .after_help(
            "Examples:\n  \
             model-registry catalog search translation\n  \
             model-registry catalog search kubernetes --kind servers --output name",
        )
        .arg(
            Arg::new("text").value_name("TEXT").required(true).help(
                "Part of the name, description or provider, of a model's library or one of its tasks, in any case",
            ),
        )
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .value_parser(PossibleValuesParser::new(["models", "servers"]))
                .help("Only this kind"),
        )
        .arg(crate::commands::search::limit())
}

pub(super) async fn run(session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let (text, page_size) = (list::text(arguments, "text"), Some(list::page_size(arguments)));
    let kind = list::text(arguments, "kind");
    let is_wanted = |this: &str| kind.as_deref().is_none_or(|kind| kind == this);
    let catalog = session.client.catalog();
    let mut found: Vec<(&str, String, Value)> = Vec::new();
    let take = async |items: Items<Value>| list::limited(arguments, items).try_collect::<Vec<_>>().await;
    if is_wanted("models") {
        let options = ModelOptions { search: text.clone(), page_size, ..ModelOptions::default() };
        let models = take(values(catalog.models().list(options)).boxed()).await?;
        found.extend(models.into_iter().map(|model| ("models", list::reference(&model), model)));
    }
    if is_wanted("servers") {
        let options = McpServerOptions { search: text, page_size, ..McpServerOptions::default() };
        let servers = take(values(catalog.mcp_servers().list(options)).boxed()).await?;
        found.extend(servers.into_iter().map(|server| ("servers", servers::reference(&server), server)));
    }
    write(session, &found)
}

fn write(session: &Session, found: &[(&str, String, Value)]) -> anyhow::Result<()> {
    let output = &session.output;
    match output.format {
        Format::Json | Format::Yaml => {
            let items = found
                .iter()
                .map(|(kind, reference, item)| json!({"kind": kind, "reference": reference, "entity": item}));
            output.value(&items.collect())
        }
        Format::Name => {
            let mut out = std::io::stdout().lock();
            for (kind, reference, _) in found {
                writeln!(out, "{kind} {}", printable(reference))?;
            }
            Ok(())
        }
        Format::Table => {
            let columns = output.columns_or(&["kind", "source", "name", "description"]);
            let mut table = output.table(columns.iter().map(|column| column.to_uppercase()).collect());
            let cell = |(kind, _, item): &(&str, String, Value), column: &str| match column {
                "kind" => (*kind).to_owned(),
                "source" => text_of(item, "source_id"),
                column => text_of(item, column),
            };
            table.write(found.iter().map(|one| columns.iter().map(|column| cell(one, column)).collect()).collect())?;
            Ok(table.finish()?)
        }
    }
}

fn text_of(item: &Value, field: &str) -> String {
    printable(item.get(field).and_then(Value::as_str).unwrap_or_default())
}

//! `catalog agents`: lists agents.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use model_registry_client::catalog::{AgentOptions, AssetType, CatalogKind};
use serde_json::Value;

use super::list;
use crate::client_context::ClientContext;
use crate::entity::values;
use crate::output::Layout;
use crate::print;

pub(super) const AGENTS: Layout = Layout {
    columns: &["source", "name", "displayName", "framework", "labels", "updated"],
    reference,
    kinds: &[CatalogKind::Agent],
};

/// The reference of an agent, `SOURCE/NAME`, which `agent` accepts.
pub(super) fn reference(agent: &Value) -> String {
    list::reference(agent)
}

pub(super) fn command() -> Command {
    let command = Command::new("agents")
        .about("List the agents in the catalog of a server")
        .after_help(
            "Examples:\n  \
             model-registry catalog agents --search invoices\n  \
             model-registry catalog agents --filter \"framework = 'langgraph' AND labels = 'finance'\" --output name",
        )
        .arg(list::list_of("source", "SOURCE", "Only agents of these sources"))
        .arg(list::source_label().conflicts_with("source"));
    list::add_selection(command).arg(
        Arg::new("order-by")
            .long("order-by")
            .value_name("KEY")
            .value_parser(PossibleValuesParser::new(["name", "id", "created", "updated"]))
            .default_value("name")
            .help("Order"),
    )
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    list::check_sources(context, AssetType::Agents, &list::options(arguments, "source")).await?;
    let options = AgentOptions {
        search: list::option(arguments, "search"),
        filter: list::option(arguments, "filter"),
        sources: list::options(arguments, "source"),
        source_labels: list::options(arguments, "source-label"),
        order_by: list::order_by(arguments),
        sort_order: list::sort_order(arguments),
        page_size: Some(list::page_size(arguments)),
        ..AgentOptions::default()
    };
    let agents = values(context.client.catalog().agents().list(options));
    print::items(&context.output, &AGENTS, list::limited(arguments, agents)).await
}

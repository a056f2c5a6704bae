//! `catalog servers`: lists MCP servers.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use model_registry_client::catalog::{CatalogKind, McpServerOptions};
use serde_json::Value;

use super::list;
use crate::client_context::ClientContext;
use crate::entity::values;
use crate::output::Layout;
use crate::print;

pub(super) const SERVERS: Layout = Layout {
    columns: &["source", "name", "version", "provider", "transports", "tools", "updated"],
    reference,
    kinds: &[CatalogKind::McpServer],
};

/// The reference of an MCP server, `NAME@VERSION`, which `tools` accepts.
pub(super) fn reference(server: &Value) -> String {
    let text = |key: &str| server.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("version") {
        "" => text("name").to_owned(),
        version => format!("{}@{version}", text("name")),
    }
}

pub(super) fn command() -> Command {
    let command = Command::new("servers")
        .about("List the MCP servers in the catalog of a server")
        .after_help(
            "Examples:\n  \
             model-registry catalog servers --search kubernetes\n  \
             model-registry catalog servers --named-query read-only-tools --columns name,tools",
        )
        .arg(list::source_label())
        .arg(
            list::non_empty("named-query")
                .long("named-query")
                .value_name("NAME")
                .help("Named query, defined in the sources file"),
        );
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
    let options = McpServerOptions {
        search: list::option(arguments, "search"),
        filter: list::option(arguments, "filter"),
        named_query: list::option(arguments, "named-query"),
        source_labels: list::options(arguments, "source-label"),
        order_by: list::order_by(arguments),
        sort_order: list::sort_order(arguments),
        page_size: Some(list::page_size(arguments)),
        ..McpServerOptions::default()
    };
    let servers = values(context.client.catalog().mcp_servers().list(options));
    print::items(&context.output, &SERVERS, list::limited(arguments, servers)).await
}

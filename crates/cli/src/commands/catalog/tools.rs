//! `catalog tools`: lists the tools of an MCP server.

use clap::{ArgMatches, Command};
use futures::TryStreamExt;
use model_registry_client::catalog::{CatalogKind, IncludedTools, McpServer, McpServerOptions, McpToolOptions};
use serde_json::Value;

use super::list;
use crate::client_context::ClientContext;
use crate::entity::{quoted, values};
use crate::failure::CommandError;
use crate::output::{Layout, printable};
use crate::print;

const TOOLS: Layout = Layout {
    columns: &["name", "access", "description"],
    reference: |tool| tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    kinds: &[CatalogKind::McpTool],
};

pub(super) fn command() -> Command {
    Command::new("tools")
        .about("List the tools of an MCP server in the catalog of a server")
        .after_help(
            "Examples:\n  \
             model-registry catalog tools harbour-kubernetes\n  \
             model-registry catalog tools harbour-kubernetes --filter \"accessType = 'read_only'\" --output json",
        )
        .arg(
            list::non_empty("mcp-server")
                .value_name("MCP_SERVER")
                .required(true)
                .help("NAME@VERSION, only the name if there is one version, or id:7"),
        )
        .arg(list::filter())
        .arg(list::limit())
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    let server = find(context, &list::option(arguments, "mcp-server").unwrap_or_default()).await?;
    let options = McpToolOptions {
        filter: list::option(arguments, "filter"),
        page_size: Some(list::page_size(arguments)),
        ..McpToolOptions::default()
    };
    let tools = values(context.client.catalog().tools_of(&server.id).list(options));
    print::items(&context.output, &TOOLS, list::limited(arguments, tools)).await
}

/// Finds an MCP server by its reference.
async fn find(context: &ClientContext, text: &str) -> anyhow::Result<McpServer> {
    let catalog = context.client.catalog();
    if let Some(id) = text.strip_prefix("id:") {
        return Ok(catalog.mcp_server(id, IncludedTools::None).await?);
    }
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let options = McpServerOptions {
        filter: Some(format!("name = {}", quoted(name))),
        page_size: Some(100),
        ..McpServerOptions::default()
    };
    let mut found: Vec<McpServer> = catalog.mcp_servers().list(options).try_collect().await?;
    found.retain(|server| version.is_none_or(|version| server.version.as_deref().unwrap_or_default() == version));
    match found.len() {
        0 => Err(CommandError::not_found(format!("the catalog has no MCP server named `{}`", printable(text)))
            .hint("list the MCP servers with `model-registry catalog servers`")
            .into()),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<String> = found
                .iter()
                .map(|server| format!("id:{} ({})", server.id, server.version.as_deref().unwrap_or("no version")))
                .collect();
            Err(CommandError::usage(format!("several versions of the MCP server `{}` exist", printable(text)))
                .hint(format!("use one of {}", ids.join(", ")))
                .into())
        }
    }
}

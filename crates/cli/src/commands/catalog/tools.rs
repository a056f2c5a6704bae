//! `catalog tools`: what an MCP server can do.

use clap::{Arg, ArgMatches, Command};
use futures::TryStreamExt;
use model_registry_client::catalog::{IncludedTools, McpServer, McpServerOptions, McpToolOptions};
use serde_json::Value;

use super::list;
use crate::entity::{literal, values};
use crate::failure::CommandError;
use crate::output::{Layout, printable};
use crate::session::Session;

const TOOLS: Layout = Layout {
    columns: &["name", "access", "description"],
    reference: |tool| tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
};

pub(super) fn command() -> Command {
    Command::new("tools")
        .about("List the tools of an MCP server of a server's catalog")
        .after_help(
            "Examples:\n  \
             model-registry catalog tools harbour-kubernetes\n  \
             model-registry catalog tools harbour-kubernetes --filter \"accessType = 'read_only'\" --output json",
        )
        .arg(
            Arg::new("mcp-server")
                .value_name("MCP_SERVER")
                .required(true)
                .help("NAME@VERSION, the name alone where there is one version, or id:7"),
        )
        .arg(list::filter())
        .arg(list::limit())
}

pub(super) async fn run(session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let server = find(session, &list::text(arguments, "mcp-server").unwrap_or_default()).await?;
    let options = McpToolOptions {
        filter: list::text(arguments, "filter"),
        page_size: Some(list::page_size(arguments)),
        ..McpToolOptions::default()
    };
    let tools = values(session.client.catalog().tools_of(&server.id).list(options));
    session.output.items(&TOOLS, list::limited(arguments, tools)).await
}

/// The server that is meant.
async fn find(session: &Session, text: &str) -> anyhow::Result<McpServer> {
    let catalog = session.client.catalog();
    if let Some(id) = text.strip_prefix("id:") {
        return Ok(catalog.mcp_server(id, IncludedTools::None).await?);
    }
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let options = McpServerOptions {
        filter: Some(format!("name = {}", literal(name))),
        page_size: Some(100),
        ..McpServerOptions::default()
    };
    let mut found: Vec<McpServer> = catalog.mcp_servers().list(options).try_collect().await?;
    found.retain(|server| version.is_none_or(|version| server.version.as_deref().unwrap_or_default() == version));
    match found.len() {
        0 => Err(CommandError::not_found(format!("the catalog has no MCP server `{}`", printable(text)))
            .hint("`model-registry catalog servers` shows what there is")
            .into()),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<String> = found
                .iter()
                .map(|server| format!("id:{} ({})", server.id, server.version.as_deref().unwrap_or("no version")))
                .collect();
            Err(CommandError::usage(format!("there are several MCP servers `{}`", printable(text)))
                .hint(format!("name one of {}", ids.join(", ")))
                .into())
        }
    }
}

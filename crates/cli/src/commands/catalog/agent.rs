//! `catalog agent`: shows an agent with its templates, or writes the text of a template.

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::{StreamExt, TryStreamExt, stream};
use model_registry_client::catalog::{
    Agent, AgentArtifact, AgentArtifactOptions, AgentOptions, AgentTemplateArtifact, CatalogKind,
};
use serde_json::{Value, json};

use super::agents::{AGENTS, reference};
use super::list::{self, option};
use crate::client_context::ClientContext;
use crate::entity::{quoted, value, values};
use crate::failure::CommandError;
use crate::output::{Format, Layout, printable};
use crate::print;

const TEMPLATES: Layout = Layout {
    columns: &["name", "lines", "updated"],
    reference: |template| template.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    kinds: &[CatalogKind::AgentTemplate],
};

pub(super) fn command() -> Command {
    Command::new("agent")
        .about("Show an agent in the catalog of a server with its templates, or write the text of a template")
        .after_help(
            "Examples:\n  \
             model-registry catalog agent ledger-clerk\n  \
             model-registry catalog agent sample_agents/ledger-clerk --output yaml\n  \
             model-registry catalog agent ledger-clerk --template agent.yaml > agent.yaml",
        )
        .arg(
            list::non_empty("agent")
                .value_name("AGENT")
                .required(true)
                .help("SOURCE/NAME, only the name if it is unique among the sources, or id:7"),
        )
        .arg(
            list::non_empty("template")
                .long("template")
                .value_name("NAME")
                .conflicts_with_all(["output", "columns", "readme"])
                .help("Write only the text of this template, unchanged"),
        )
        .arg(
            Arg::new("readme")
                .long("readme")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["output", "columns"])
                .help("Print only the description of its author (Markdown)"),
        )
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    let agent = find(context, &option(arguments, "agent").unwrap_or_default()).await?;
    if arguments.get_flag("readme") {
        let lines = agent.readme.iter().flat_map(|readme| readme.lines());
        return Ok(print::text(&lines.map(|line| printable(line) + "\n").collect::<String>())?);
    }
    let artifacts = context.client.catalog().agent_artifacts_of(&agent.id).list(AgentArtifactOptions::default());
    if let Some(name) = arguments.get_one::<String>("template") {
        return Ok(print::text(&template(artifacts.try_collect().await?, name)?.content)?);
    }
    let agent_value = value(&agent)?;
    let artifacts: Vec<Value> = values(artifacts).try_collect().await?;
    let output = &context.output;
    match output.format {
        Format::Json | Format::Yaml => print::value(output, &json!({"agent": agent_value, "artifacts": artifacts})),
        Format::Table if !output.has_columns() => {
            let mut shown = agent_value;
            if let Some(fields) = shown.as_object_mut()
                && fields.remove("readme").is_some()
            {
                // It is pages long and would fill one cell.
                fields.insert("readme".to_owned(), "(use --readme)".into());
            }
            print::item(output, &AGENTS, &shown).await?;
            print::text("\n")?;
            let templates = artifacts.into_iter().map(|mut artifact| {
                let lines = artifact.get("content").and_then(Value::as_str).unwrap_or_default().lines().count();
                artifact["lines"] = lines.into();
                Ok(artifact)
            });
            print::items(output, &TEMPLATES, stream::iter(templates.collect::<Vec<_>>()).boxed()).await
        }
        Format::Table | Format::Name => print::item(output, &AGENTS, &agent_value).await,
    }
}

/// The template with a name.
fn template(artifacts: Vec<AgentArtifact>, name: &str) -> Result<AgentTemplateArtifact, CommandError> {
    let templates: Vec<AgentTemplateArtifact> = artifacts
        .into_iter()
        .filter_map(|artifact| match artifact {
            AgentArtifact::Template(template) => Some(*template),
            AgentArtifact::Other(_) => None,
        })
        .collect();
    let names: Vec<&str> = templates.iter().filter_map(|template| template.name.as_deref()).collect();
    let hint = match names.as_slice() {
        [] => "the agent has no templates".to_owned(),
        names => format!("its templates are {}", printable(&names.join(", "))),
    };
    let missing = || CommandError::not_found(format!("no template named `{}`", printable(name))).hint(hint);
    let place = templates.iter().position(|template| template.name.as_deref() == Some(name));
    place.and_then(|place| templates.into_iter().nth(place)).ok_or_else(missing)
}

/// Finds an agent by source and name, by a unique name, or by id.
async fn find(context: &ClientContext, text: &str) -> anyhow::Result<Agent> {
    let catalog = context.client.catalog();
    if let Some(id) = text.strip_prefix("id:") {
        return Ok(catalog.agent(id).await?);
    }
    let matching = async |filter: String| {
        let options = AgentOptions { filter: Some(filter), page_size: Some(100), ..AgentOptions::default() };
        catalog.agents().list(options).try_collect::<Vec<Agent>>().await
    };
    let mut found = Vec::new();
    if let Some((source, name)) = text.split_once('/')
        && !source.is_empty()
        && !name.is_empty()
    {
        found = matching(format!("name = {} AND source_id = {}", quoted(name), quoted(source))).await?;
    }
    if found.is_empty() {
        found = matching(format!("name = {}", quoted(text))).await?;
    }
    match found.len() {
        0 => Err(CommandError::not_found(format!("the catalog has no agent named `{}`", printable(text)))
            .hint("list the agents with `model-registry catalog agents`")
            .into()),
        1 => Ok(found.remove(0)),
        _ => {
            let names: Vec<String> = found.iter().filter_map(|agent| Some(reference(&value(agent).ok()?))).collect();
            Err(CommandError::usage(format!("several sources have an agent named `{}`", printable(text)))
                .hint(format!("use one of {}", names.join(", ")))
                .into())
        }
    }
}

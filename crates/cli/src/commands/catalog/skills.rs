//! `catalog skills`: lists, searches and shows skills of agents.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::TryStreamExt;
use model_registry_client::catalog::{CatalogKind, Skill, SkillOptions};
use serde_json::Value;

use super::list::{self, option};
use crate::client_context::ClientContext;
use crate::entity::{quoted, value, values};
use crate::failure::CommandError;
use crate::output::{Format, Layout, printable};
use crate::print;

pub(super) const SKILLS: Layout = Layout {
    columns: &["source", "name", "version", "provider", "category", "labels", "updated"],
    reference,
    kinds: &[CatalogKind::Skill],
};

/// The reference of a skill, `SOURCE/NAME@VERSION`, which `show` accepts.
pub(super) fn reference(skill: &Value) -> String {
    let text = |key: &str| skill.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = format!("{}/{}", text("source_id"), text("name"));
    match text("version") {
        "" => name,
        version => format!("{name}@{version}"),
    }
}

pub(super) fn command() -> Command {
    Command::new("skills")
        .about("List, search or show the skills in the catalog of a server")
        .after_help(
            "Examples:\n  \
             model-registry catalog skills list --filter \"trustTier = 'platformProvided'\"\n  \
             model-registry catalog skills search rollback\n  \
             model-registry catalog skills show sample_skills/summarize-model-card --readme",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list_command())
        .subcommand(search_command())
        .subcommand(show_command())
}

fn list_command() -> Command {
    let command = Command::new("list")
        .about("List skills")
        .after_help(
            "Examples:\n  \
             model-registry catalog skills list --source-label Operations\n  \
             model-registry catalog skills list --filter \"labels = 'sre'\" --columns name,version,repository",
        )
        .arg(list::list_of("source", "SOURCE", "Only skills of these sources"))
        .arg(list::source_label().conflicts_with("source"));
    list::add_selection(command).arg(order_by())
}

fn search_command() -> Command {
    Command::new("search")
        .about("Search skills by name, description, provider, category and labels")
        .after_help("Example:\n  model-registry catalog skills search rollback --limit 5")
        .arg(Arg::new("search").value_name("TEXT").required(true).help("Part of one of them, case-insensitive"))
        .arg(list::filter())
        .arg(list::limit())
        .arg(Arg::new("descending").long("descending").action(ArgAction::SetTrue).help("Reverse the order"))
        .arg(order_by())
}

fn show_command() -> Command {
    Command::new("show")
        .about("Show a skill")
        .after_help(
            "Examples:\n  \
             model-registry catalog skills show sample_skills/summarize-model-card\n  \
             model-registry catalog skills show summarize-model-card --output yaml\n  \
             model-registry catalog skills show summarize-model-card --readme",
        )
        .arg(
            Arg::new("skill")
                .value_name("SKILL")
                .required(true)
                .help("SOURCE/NAME@VERSION, or without source or version if it is unique, or id:7"),
        )
        .arg(
            Arg::new("readme")
                .long("readme")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["output", "columns"])
                .help("Print only the text of its SKILL.md"),
        )
}

fn order_by() -> Arg {
    Arg::new("order-by")
        .long("order-by")
        .value_name("KEY")
        .value_parser(PossibleValuesParser::new(["name", "id", "created", "updated"]))
        .default_value("name")
        .help("Order")
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    match arguments.subcommand() {
        Some(("show", arguments)) => show(context, arguments).await,
        Some((name, arguments)) => {
            let is_list = name == "list";
            let options = SkillOptions {
                search: option(arguments, "search"),
                filter: option(arguments, "filter"),
                sources: if is_list { list::options(arguments, "source") } else { Vec::new() },
                source_labels: if is_list { list::options(arguments, "source-label") } else { Vec::new() },
                order_by: list::order_by(arguments),
                sort_order: list::sort_order(arguments),
                page_size: Some(list::page_size(arguments)),
                ..SkillOptions::default()
            };
            let skills = values(context.client.catalog().skills().list(options));
            print::items(&context.output, &SKILLS, list::limited(arguments, skills)).await
        }
        None => Ok(()),
    }
}

async fn show(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    let skill = find(context, &option(arguments, "skill").unwrap_or_default()).await?;
    if arguments.get_flag("readme") {
        let lines = skill.readme.iter().flat_map(|readme| readme.lines());
        return Ok(print::text(&lines.map(|line| printable(line) + "\n").collect::<String>())?);
    }
    let mut shown = value(&skill)?;
    let output = &context.output;
    if output.format == Format::Table
        && !output.has_columns()
        && let Some(fields) = shown.as_object_mut()
        && fields.remove("readme").is_some()
    {
        // It is pages long and would fill one cell.
        fields.insert("readme".to_owned(), "(use --readme)".into());
    }
    print::item(output, &SKILLS, &shown).await
}

/// Finds a skill by its reference, or a unique part of it.
async fn find(context: &ClientContext, text: &str) -> anyhow::Result<Skill> {
    let catalog = context.client.catalog();
    if let Some(id) = text.strip_prefix("id:") {
        return Ok(catalog.skill(id).await?);
    }
    let (source, rest) = match text.split_once('/') {
        Some((source, rest)) if !source.is_empty() => (Some(source), rest),
        _ => (None, text),
    };
    let (name, version) = match rest.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (rest, None),
    };
    let options = SkillOptions {
        filter: Some(format!("name = {}", quoted(name))),
        sources: source.map(str::to_owned).into_iter().collect(),
        page_size: Some(100),
        ..SkillOptions::default()
    };
    let mut found: Vec<Skill> = catalog.skills().list(options).try_collect().await?;
    found.retain(|skill| version.is_none_or(|version| skill.version.as_deref().unwrap_or_default() == version));
    match found.len() {
        0 => Err(CommandError::not_found(format!("the catalog has no skill `{}`", printable(text)))
            .hint("list the skills with `model-registry catalog skills list`")
            .into()),
        1 => Ok(found.remove(0)),
        _ => {
            let known = found.iter().map(|skill| {
                let reference = value(skill).map(|skill| reference(&skill)).unwrap_or_default();
                format!("id:{} ({})", skill.id, printable(&reference))
            });
            let known: Vec<String> = known.collect();
            Err(CommandError::usage(format!("several skills are named `{}`", printable(text)))
                .hint(format!("use one of {}", known.join(", ")))
                .into())
        }
    }
}

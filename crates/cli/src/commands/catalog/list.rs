//! `catalog list`: lists models of all pages as one table or document. Also the options that catalog commands share.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures::StreamExt;
use model_registry_client::catalog::ModelOptions;
use model_registry_client::{Items, SortOrder};
use serde_json::Value;

use crate::client_context::ClientContext;
use crate::entity::values;
use crate::output::Layout;
use crate::print;

/// Items per request.
const PAGE: u32 = 1_000;

pub(super) const MODELS: Layout =
    Layout { columns: &["source", "name", "provider", "license", "tasks", "updated"], reference };

/// The reference of a model, `SOURCE/NAME`, which `show` accepts.
pub(super) fn reference(model: &Value) -> String {
    let text = |key: &str| model.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", text("source_id"), text("name"))
}

pub(super) fn command() -> Command {
    let command = Command::new("list")
        .about("List the models in the catalog of a server")
        .after_help(
            "Examples:\n  \
             model-registry catalog list --search chat --source-label Validated\n  \
             model-registry catalog list --filter 'artifacts.ttft_p90 < 100' --order-by accuracy --descending\n  \
             model-registry catalog list --columns name,size,license --limit 5",
        )
        .arg(list_of("source", "SOURCE", "Only models of these sources"))
        .arg(source_label().conflicts_with("source"));
    add_selection(command).arg(Arg::new("order-by").long("order-by").value_name("KEY").default_value("name").help(
        "Order: name, id, created, updated, accuracy, or a property with its type: artifacts.ttft_p90.double_value",
    ))
}

/// Adds `--search`, `--filter`, `--limit` and `--descending` to a command.
pub(super) fn add_selection(command: Command) -> Command {
    let text =
        |id: &'static str, value: &'static str, help: &'static str| Arg::new(id).long(id).value_name(value).help(help);
    command
        .arg(text("search", "TEXT", "Only items with this text in their name or description, case-insensitive"))
        .arg(filter())
        .arg(limit())
        .arg(Arg::new("descending").long("descending").action(ArgAction::SetTrue).help("Reverse the order"))
}

pub(super) fn filter() -> Arg {
    let help = "Filter, for example \"provider = 'Northwind' AND license ILIKE 'apache%'\"";
    Arg::new("filter").long("filter").value_name("FILTER").help(help)
}

pub(super) fn limit() -> Arg {
    let limit = Arg::new("limit").long("limit").value_name("NUMBER").value_parser(value_parser!(u32).range(1..));
    limit.help("Maximum number of items [default: all]")
}

pub(super) fn source_label() -> Arg {
    list_of(
        "source-label",
        "LABEL",
        "Only items of sources with one of these labels; `null` for sources without labels",
    )
}

fn list_of(id: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).value_name(value).value_delimiter(',').action(ArgAction::Append).help(help)
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    let options = ModelOptions {
        search: option(arguments, "search"),
        filter: option(arguments, "filter"),
        sources: options(arguments, "source"),
        source_labels: options(arguments, "source-label"),
        order_by: order_by(arguments),
        sort_order: sort_order(arguments),
        page_size: Some(page_size(arguments)),
        ..ModelOptions::default()
    };
    let models = values(context.client.catalog().models().list(options));
    print::items(&context.output, &MODELS, limited(arguments, models)).await
}

/// The value of an option or argument.
pub(super) fn option(arguments: &ArgMatches, id: &str) -> Option<String> {
    arguments.get_one::<String>(id).cloned()
}

/// The values of an option.
pub(super) fn options(arguments: &ArgMatches, id: &str) -> Vec<String> {
    arguments.get_many::<String>(id).into_iter().flatten().cloned().collect()
}

/// The order of the API; other keys are passed unchanged.
pub(super) fn order_by(arguments: &ArgMatches) -> Option<String> {
    let key = option(arguments, "order-by")?;
    let known = match key.as_str() {
        "id" => "ID",
        "name" => "NAME",
        "created" => "CREATE_TIME",
        "updated" => "LAST_UPDATE_TIME",
        "accuracy" => "ACCURACY",
        _ => return Some(key),
    };
    Some(known.to_owned())
}

pub(super) fn sort_order(arguments: &ArgMatches) -> SortOrder {
    if arguments.get_flag("descending") { SortOrder::Descending } else { SortOrder::Ascending }
}

pub(super) fn page_size(arguments: &ArgMatches) -> u32 {
    arguments.get_one::<u32>("limit").copied().unwrap_or(PAGE).min(PAGE)
}

pub(super) fn limited(arguments: &ArgMatches, items: Items<Value>) -> Items<Value> {
    match arguments.get_one::<u32>("limit") {
        Some(limit) => items.take(usize::try_from(*limit).unwrap_or(usize::MAX)).boxed(),
        None => items,
    }
}

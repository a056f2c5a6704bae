//! `catalog list`: lists models of all pages as one table or document. Also the options that catalog commands share.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures::{StreamExt, TryStreamExt};
use model_registry_base::nearest_name;
use model_registry_client::catalog::{AssetType, CatalogKind, ModelOptions, RECOMMENDED, SourceOptions};
use model_registry_client::{Items, SortOrder};
use serde_json::Value;

use crate::client_context::ClientContext;
use crate::entity::values;
use crate::failure::CommandError;
use crate::output::Layout;
use crate::print;

/// Items per request.
const PAGE: u32 = 1_000;

pub(super) const MODELS: Layout = Layout {
    columns: &["source", "name", "provider", "license", "tasks", "updated"],
    reference,
    kinds: &[CatalogKind::Model],
};

/// The orders of the API with their names here.
const ORDERS: [(&str, &str); 6] = [
    ("name", "NAME"),
    ("id", "ID"),
    ("created", "CREATE_TIME"),
    ("updated", "LAST_UPDATE_TIME"),
    ("accuracy", "ACCURACY"),
    ("recommended", RECOMMENDED),
];

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
             model-registry catalog list --order-by recommended --target-rps 20 --limit 3\n  \
             model-registry catalog list --columns name,size,license --limit 5",
        )
        .arg(list_of("source", "SOURCE", "Only models of these sources"))
        .arg(source_label().conflicts_with("source"))
        .arg(
            Arg::new("target-rps")
                .long("target-rps")
                .value_name("NUMBER")
                .value_parser(value_parser!(i32).range(1..))
                .help("Load for --order-by recommended, in requests per second [default: 1]"),
        );
    add_selection(command)
        .arg(Arg::new("order-by").long("order-by").value_name("KEY").default_value("name").value_parser(order_key).help(
        "Order: name, id, created, updated, accuracy, recommended (least latency first), or a property with its type: \
             artifacts.ttft_p90.double_value",
    ))
}

/// Adds `--search`, `--filter`, `--limit` and `--descending` to a command.
pub(super) fn add_selection(command: Command) -> Command {
    let text =
        |id: &'static str, value: &'static str, help: &'static str| non_empty(id).long(id).value_name(value).help(help);
    command
        .arg(text("search", "TEXT", "Only items with this text in their name or description, case-insensitive"))
        .arg(filter())
        .arg(limit())
        .arg(Arg::new("descending").long("descending").action(ArgAction::SetTrue).help("Reverse the order"))
}

pub(super) fn filter() -> Arg {
    let help = "Filter, for example \"provider = 'Northwind' AND license ILIKE 'apache%'\"";
    non_empty("filter").long("filter").value_name("FILTER").help(help)
}

pub(super) fn limit() -> Arg {
    let limit = Arg::new("limit")
        .long("limit")
        .value_name("NUMBER")
        .value_parser(value_parser!(u32).range(1..))
        .allow_negative_numbers(true);
    limit.help("Maximum number of items [default: all]")
}

pub(super) fn source_label() -> Arg {
    list_of(
        "source-label",
        "LABEL",
        "Only items of sources with one of these labels; `null` for sources without labels",
    )
}

pub(super) fn list_of(id: &'static str, value: &'static str, help: &'static str) -> Arg {
    non_empty(id).long(id).value_name(value).value_delimiter(',').action(ArgAction::Append).help(help)
}

/// An argument whose value must not be empty, as of an unset variable of a script.
pub(super) fn non_empty(id: &'static str) -> Arg {
    Arg::new(id).value_parser(NonEmptyStringValueParser::new())
}

/// Checks a key of `--order-by`: servers ignore an unknown one.
fn order_key(text: &str) -> Result<String, String> {
    let is_order = ORDERS.iter().any(|(name, api)| [*name, *api].contains(&text));
    let has_type = ["string_value", "int_value", "double_value"].iter().any(|end| text.ends_with(&format!(".{end}")));
    if is_order || has_type {
        return Ok(text.to_owned());
    }
    let known = ORDERS.map(|(name, _)| name);
    Err(match nearest_name(text, known) {
        Some(nearest) => format!("unknown order: did you mean `{nearest}`?"),
        None => format!(
            "unknown order: use {}, or a property with its type, such as `{text}.double_value`",
            known.join(", ")
        ),
    })
}

/// Fails for a source that the catalog does not have: the list of an unknown source is empty.
pub(super) async fn check_sources(
    context: &ClientContext,
    asset_type: AssetType,
    sources: &[String],
) -> anyhow::Result<()> {
    if sources.is_empty() {
        return Ok(());
    }
    let options = SourceOptions { asset_type: Some(asset_type), ..SourceOptions::default() };
    let known = context.client.catalog().sources().list(options);
    let known: Vec<String> = known.map_ok(|source| source.id).try_collect().await?;
    let Some(unknown) = sources.iter().find(|source| !known.contains(source)) else { return Ok(()) };
    let items = asset_type.spec().label_plural;
    let error = CommandError::not_found(format!("the catalog has no source of {items} with the id `{unknown}`"));
    Err(match nearest_name(unknown, known.iter().map(String::as_str)) {
        Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
        None => error.hint("list the sources with `model-registry catalog sources`"),
    }
    .into())
}

pub(super) async fn run(context: &ClientContext, arguments: &ArgMatches) -> anyhow::Result<()> {
    check_sources(context, AssetType::Models, &options(arguments, "source")).await?;
    let options = ModelOptions {
        search: option(arguments, "search"),
        filter: option(arguments, "filter"),
        sources: options(arguments, "source"),
        source_labels: options(arguments, "source-label"),
        order_by: order_by(arguments),
        sort_order: sort_order(arguments),
        target_rps: arguments.get_one("target-rps").copied(),
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
    let known = ORDERS.iter().find(|(name, _)| *name == key);
    Some(known.map_or(key, |(_, api)| (*api).to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_order_is_an_error() {
        for key in ["name", "ACCURACY", "artifacts.ttft_p90.double_value"] {
            assert_eq!(order_key(key).as_deref(), Ok(key));
        }
        assert_eq!(order_key("nme"), Err("unknown order: did you mean `name`?".to_owned()));
        assert!(order_key("ttft_p90").unwrap_err().contains("`ttft_p90.double_value`"));
    }
}

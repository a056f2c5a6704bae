//! `list`: lists entities of all pages as one table or document.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures::StreamExt;
use model_registry_api::Shape;
use model_registry_client::{Kind, ListOptions, Place, SortOrder};

use super::kind_command::{KindCommand, VERSIONS};
use super::reference::{Target, add_parents, parent, resolve_existing};
use super::reference_fields::{add_reference_filters, read_reference_filters};
use super::{explain, fields, list_order, print, total, values};
use crate::client_context::ClientContext;

/// Entities per request.
const PAGE: u32 = 1_000;

pub(super) fn command(kind: &KindCommand) -> Command {
    let command = Command::new("list")
        .about(format!("List {}", kind.name()))
        .after_help(format!(
            "Example:\n  model-registry {0} list --order-by updated --descending --limit 10\n  \
             model-registry {0} list --filter \"name ILIKE '%fraud%'\" --output json",
            kind.name()
        ))
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("FILTER")
                .value_parser(NonEmptyStringValueParser::new())
                .help("Filter, for example \"name ILIKE 'fraud%' AND accuracy > 0.9\""),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..))
                .allow_negative_numbers(true)
                .help("Maximum number of entities [default: all]"),
        )
        .arg(
            Arg::new("order-by")
                .long("order-by")
                .value_name("KEY")
                .value_parser(NonEmptyStringValueParser::new())
                .default_value("id")
                .help(
                    "Order: id, created, updated, or a field or property such as `name` or `accuracy.double_value`; entities \
                     without a value come last",
                ),
        )
        .arg(Arg::new("descending").long("descending").action(ArgAction::SetTrue).help("Reverse the order"))
        .arg(
            Arg::new("explain")
                .long("explain")
                .action(ArgAction::SetTrue)
                .help("Show how the server reads the first page, instead of the list; for administrators"),
        )
        .arg(total::argument());
    let command = match state(kind) {
        Some((field, members)) => command.arg(
            Arg::new("state")
                .long("state")
                .value_name("STATE")
                .value_parser(PossibleValuesParser::new(members))
                .ignore_case(true)
                .help(format!("Only entities with this {field}")),
        ),
        None => command,
    };
    let command =
        if kind.is_artifact() { command.arg(type_argument().help("Only artifacts of this type")) } else { command };
    add_reference_filters(kind, add_parents(kind, command))
}

/// The field with the state, and its values.
fn state(kind: &KindCommand) -> Option<(&'static str, &'static [&'static str])> {
    let field = kind.archived.as_ref()?.field;
    match kind.kinds[0].spec().field(field)?.shape {
        Shape::Enumeration(enumeration) => Some((field, enumeration.members)),
        _ => None,
    }
}

/// `--type`, the artifact type.
pub(super) fn type_argument() -> Arg {
    Arg::new("type").long("type").value_name("TYPE").value_parser(PossibleValuesParser::new(
        Kind::ARTIFACTS.map(|kind| kind.spec().artifact_type.unwrap_or_default()),
    ))
}

/// The kind of `--type`.
pub(super) fn artifact_kind(arguments: &ArgMatches) -> Option<Kind> {
    Kind::from_artifact_type(arguments.try_get_one::<String>("type").ok().flatten()?)
}

pub(super) async fn run(
    kind: &'static KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
) -> anyhow::Result<()> {
    let limit = arguments.get_one::<u32>("limit").copied();
    let option = |id: &str| arguments.try_get_one::<String>(id).ok().flatten().cloned();
    let mut filters: Vec<String> = option("filter").into_iter().collect();
    if let (Some(state), Some((field, _))) = (option("state"), state(kind)) {
        filters.push(format!("{field} = '{}'", state.to_uppercase()));
    }
    let owner = match parent(kind, arguments) {
        Some((owner, reference)) => {
            let target = Target { parent: None, reference };
            // The list of an unknown parent is empty: a mistake would not be noticed.
            Some((owner, resolve_existing(&context.client, owner, &target).await?))
        }
        None => None,
    };
    if let (Some((_, id)), Some((_, field))) = (&owner, kind.parent()) {
        filters.push(format!("{field} = {}", fields::quoted(id)));
    }
    for (field, id) in read_reference_filters(kind, context, arguments).await? {
        filters.push(format!("{field} = {}", fields::quoted(&id)));
    }
    let options = ListOptions {
        filter: all_of(&filters),
        order_by: list_order::order_by(&context.client, kind, option("order-by").unwrap_or_default()).await?,
        sort_order: if arguments.get_flag("descending") { SortOrder::Descending } else { SortOrder::Ascending },
        page_size: Some(limit.unwrap_or(PAGE).min(PAGE)),
        artifact_type: artifact_kind(arguments),
        ..ListOptions::default()
    };
    if arguments.get_flag("explain") {
        let of = kind.kinds[0];
        let place = match &owner {
            Some((parent, id)) if kind.is_artifact() => {
                Place::Below { kind: of, parent: parent.kinds[0], parent_id: id.clone() }
            }
            _ => Place::All(of),
        };
        return explain::run(context, &place, &options).await;
    }
    let client = &context.client;
    let counted = arguments.get_flag("total").then(|| options.clone());
    let items = match &owner {
        Some((owner, id)) if kind.is_artifact() && owner.name() == VERSIONS.name() => {
            values(client.artifacts_of_version(id).list(options))
        }
        Some((_, id)) if kind.is_artifact() => values(client.artifacts_of_run(id).list(options)),
        _ => (kind.operations.list)(client, options),
    };
    let items = match limit {
        Some(limit) => items.take(usize::try_from(limit).unwrap_or(usize::MAX)).boxed(),
        None => items,
    };
    print::list(context, kind, items).await?;
    if let Some(options) = counted {
        let owner = owner.as_ref().map(|(owner, id)| (owner.kinds[0], id.as_str()));
        total::report(context, kind, owner, options).await?;
    }
    Ok(())
}

/// The conjunction of filters.
pub(super) fn all_of(filters: &[String]) -> Option<String> {
    match filters {
        [] => None,
        [only] => Some(only.clone()),
        // A line break, since a filter may end with a comment, which would include the bracket.
        several => Some(several.iter().map(|filter| format!("({filter}\n)")).collect::<Vec<_>>().join(" AND ")),
    }
}

/// A filter for names that contain `text`, ignoring case.
pub(crate) fn name_contains(text: &str) -> String {
    format!("name ILIKE '%{}%'", escaped(text))
}

/// A filter for names that start with `text`.
pub(crate) fn name_starts_with(text: &str) -> String {
    format!("name LIKE '{}%'", escaped(text))
}

/// A text as a part of a pattern in a string literal.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        // Wildcards are escaped in the pattern; backslashes and quotes are escaped in the string literal as well.
        match character {
            '%' | '_' => pattern.push_str("\\\\"),
            '\\' => pattern.push_str("\\\\\\"),
            '\'' => pattern.push('\''),
            _ => {}
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(name_contains("fraud"), "name ILIKE '%fraud%'");
        assert_eq!(name_starts_with("a_"), r"name LIKE 'a\\_%'");
        assert_eq!(name_contains("50%_o'x\\"), r"name ILIKE '%50\\%\\_o''x\\\\%'");
    }

    #[test]
    fn several_filters_are_a_conjunction() {
        assert_eq!(all_of(&[]), None);
        assert_eq!(all_of(&["a = 1".to_owned()]).unwrap(), "a = 1");
        assert_eq!(
            all_of(&["a = 1 OR b = 2 -- c".to_owned(), "d = 3".to_owned()]).unwrap(),
            "(a = 1 OR b = 2 -- c\n) AND (d = 3\n)"
        );
    }
}

//! `list`: all pages, as one table or document.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures::StreamExt;
use model_registry_api::Shape;
use model_registry_client::{Kind, ListOptions, OrderBy, SortOrder};

use super::noun::{Noun, VERSIONS};
use super::reference::{Target, add_parents, parent, resolve};
use super::{fields, values};
use crate::session::Session;

/// Entities that one request asks for.
const PAGE: u32 = 1_000;

pub(super) fn command(noun: &Noun) -> Command {
    let command = Command::new("list")
        .about(format!("List {}", noun.command))
        .after_help(format!(
            "Example:\n  model-registry {0} list --order-by updated --descending --limit 10\n  \
             model-registry {0} list --filter \"name ILIKE '%fraud%'\" --output json",
            noun.command
        ))
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("FILTER")
                .help("What to list, such as \"name ILIKE 'fraud%' AND accuracy > 0.9\""),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..))
                .help("How many to list at most; all without it"),
        )
        .arg(
            Arg::new("order-by")
                .long("order-by")
                .value_name("KEY")
                .value_parser(["id", "created", "updated"])
                .default_value("id")
                .help("What to order by"),
        )
        .arg(Arg::new("descending").long("descending").action(ArgAction::SetTrue).help("Begin with the last"));
    let command = match state(noun) {
        Some((field, members)) => command.arg(
            Arg::new("state")
                .long("state")
                .value_name("STATE")
                .value_parser(PossibleValuesParser::new(members))
                .ignore_case(true)
                .help(format!("Only those whose {field} is this one")),
        ),
        None => command,
    };
    let command =
        if noun.is_artifact() { command.arg(type_argument().help("Only those of this type")) } else { command };
    add_parents(noun, command)
}

/// The field that says whether one is in use, and its values.
fn state(noun: &Noun) -> Option<(&'static str, &'static [&'static str])> {
    let field = noun.archived.as_ref()?.field;
    match noun.kinds[0].spec().field(field)?.shape {
        Shape::Enumeration(enumeration) => Some((field, enumeration.members)),
        _ => None,
    }
}

/// `--type`, an artifact's.
pub(super) fn type_argument() -> Arg {
    Arg::new("type").long("type").value_name("TYPE").value_parser(PossibleValuesParser::new(
        Kind::ARTIFACTS.map(|kind| kind.spec().artifact_type.unwrap_or_default()),
    ))
}

/// The kind that `--type` names.
pub(super) fn artifact_kind(arguments: &ArgMatches) -> Option<Kind> {
    Kind::from_artifact_type(arguments.try_get_one::<String>("type").ok().flatten()?)
}

pub(super) async fn run(noun: &'static Noun, session: &Session, arguments: &ArgMatches) -> anyhow::Result<()> {
    let limit = arguments.get_one::<u32>("limit").copied();
    let text = |id: &str| arguments.try_get_one::<String>(id).ok().flatten().cloned();
    let mut filters: Vec<String> = text("filter").into_iter().filter(|filter| !filter.trim().is_empty()).collect();
    if let (Some(state), Some((field, _))) = (text("state"), state(noun)) {
        filters.push(format!("{field} = '{}'", state.to_uppercase()));
    }
    let owner = match parent(noun, arguments) {
        Some((owner, reference)) => {
            let target = Target { parent: None, reference };
            Some((owner, resolve(&session.client, owner, &target).await?))
        }
        None => None,
    };
    if let (Some((_, id)), Some((_, field))) = (&owner, noun.parent) {
        filters.push(format!("{field} = {}", fields::literal(id)));
    }
    let options = ListOptions {
        filter: both(&filters),
        order_by: match text("order-by").as_deref() {
            Some("created") => OrderBy::CreateTime,
            Some("updated") => OrderBy::LastUpdateTime,
            _ => OrderBy::Id,
        },
        sort_order: if arguments.get_flag("descending") { SortOrder::Descending } else { SortOrder::Ascending },
        page_size: Some(limit.unwrap_or(PAGE).min(PAGE)),
        artifact_type: artifact_kind(arguments),
        ..ListOptions::default()
    };
    let client = &session.client;
    let items = match &owner {
        Some((owner, id)) if noun.is_artifact() && owner.command == VERSIONS.command => {
            values(client.artifacts_of_version(id).list(options))
        }
        Some((_, id)) if noun.is_artifact() => values(client.artifacts_of_run(id).list(options)),
        _ => (noun.operations.list)(client, options),
    };
    let items = match limit {
        Some(limit) => items.take(usize::try_from(limit).unwrap_or(usize::MAX)).boxed(),
        None => items,
    };
    session.output.list(client, noun, items).await
}

/// Filters that have to hold together.
fn both(filters: &[String]) -> Option<String> {
    match filters {
        [] => None,
        [only] => Some(only.clone()),
        // A comment at the end of one would take the bracket with it.
        several => Some(several.iter().map(|filter| format!("({filter}\n)")).collect::<Vec<_>>().join(" AND ")),
    }
}

/// A condition that finds names with a text in them, whatever its case.
pub(crate) fn ilike(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        // Signs of the pattern stand for themselves; then the pattern is written as a text, where backslash and quote do.
        match character {
            '%' | '_' => pattern.push_str("\\\\"),
            '\\' => pattern.push_str("\\\\\\"),
            '\'' => pattern.push('\''),
            _ => {}
        }
        pattern.push(character);
    }
    format!("name ILIKE '%{pattern}%'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_patterns_are_searched_as_they_are() {
        assert_eq!(ilike("fraud"), "name ILIKE '%fraud%'");
        assert_eq!(ilike("50%_o'x\\"), r"name ILIKE '%50\\%\\_o''x\\\\%'");
    }

    #[test]
    fn several_filters_hold_together() {
        assert_eq!(both(&[]), None);
        assert_eq!(both(&["a = 1".to_owned()]).unwrap(), "a = 1");
        assert_eq!(
            both(&["a = 1 OR b = 2 -- c".to_owned(), "d = 3".to_owned()]).unwrap(),
            "(a = 1 OR b = 2 -- c\n) AND (d = 3\n)"
        );
    }
}

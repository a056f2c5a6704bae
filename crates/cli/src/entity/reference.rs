//! Resolves references such as `7`, `name:7` or `fraud-detector/v1` to ids.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command};
use futures::future::{BoxFuture, FutureExt};
use model_registry_client::{Client, FindBy};

use super::kind_command::{ARTIFACTS, KindCommand, is_digits};
use crate::failure::CommandError;

/// A parsed reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reference<'a> {
    Id(&'a str),
    Name(&'a str),
    /// A name, possibly after the reference of the parent: `fraud-detector/v1`.
    Path(&'a str),
}

fn parse(text: &str) -> Reference<'_> {
    if let Some(name) = text.strip_prefix("name:") {
        return Reference::Name(name);
    }
    match text.strip_prefix("id:") {
        Some(id) => Reference::Id(id),
        None if is_digits(text) => Reference::Id(text),
        None => Reference::Path(text),
    }
}

/// The kind and the reference of a parent.
pub(crate) type Parent = (&'static KindCommand, String);

/// An entity to which the arguments refer.
pub(crate) struct Target {
    /// The parent, if an option sets it.
    pub(crate) parent: Option<Parent>,
    pub(crate) reference: String,
}

/// The kind of the parent in a path: that of `fraud-detector/v1/weights` is a version.
fn parent_in_path(kind: &KindCommand) -> Option<&'static KindCommand> {
    kind.parent_kinds().into_iter().next()
}

/// Adds the options for the parent to a command.
pub(super) fn add_parents(kind: &KindCommand, command: Command) -> Command {
    let parents = kind.parent_kinds();
    let is_list = command.get_name() == "list";
    parents.iter().fold(command, |command, parent| {
        let help = if is_list {
            format!("Only {} of this {}", kind.name(), parent.singular)
        } else {
            format!("The {} of the {}", parent.singular, kind.singular)
        };
        let others = parents.iter().filter(|other| other.name() != parent.name()).map(|other| parent_option(other));
        command.arg(
            Arg::new(parent_option(parent))
                .long(parent.singular)
                .value_name(parent.placeholder)
                .value_parser(NonEmptyStringValueParser::new())
                .help(help)
                .conflicts_with_all(others.collect::<Vec<_>>()),
        )
    })
}

/// The id of the option for a parent.
pub(crate) fn parent_option(parent: &KindCommand) -> String {
    format!("parent.{}", parent.singular)
}

/// The parent that an option sets.
pub(super) fn parent(kind: &KindCommand, arguments: &ArgMatches) -> Option<Parent> {
    kind.parent_kinds().into_iter().find_map(|parent| {
        let reference = arguments.try_get_one::<String>(&parent_option(parent)).ok().flatten()?;
        Some((parent, reference.clone()))
    })
}

/// The parent and the name of a new entity.
pub(crate) fn new_name(
    kind: &KindCommand,
    reference: Option<&str>,
    parent: Option<Parent>,
) -> Result<(Option<Parent>, Option<String>), CommandError> {
    let Some(text) = reference else { return Ok((parent, None)) };
    let text = match parse(text) {
        Reference::Name(name) => return Ok((parent, Some(name.to_owned()))),
        Reference::Id(_) if text.starts_with("id:") => {
            return Err(CommandError::usage(format!("`{text}` is an id: a new {} requires a name", kind.singular)));
        }
        Reference::Id(text) | Reference::Path(text) => text,
    };
    if kind.parent_kinds().is_empty() && is_digits(text) {
        return Err(digits_are_an_id(kind, text));
    }
    match (parent_in_path(kind), text.rsplit_once('/')) {
        (Some(parent_kind), Some((path, name))) if parent.is_none() => {
            Ok((Some((parent_kind, path.to_owned())), Some(name.to_owned())))
        }
        _ => Ok((parent, Some(text.to_owned()))),
    }
}

/// The error for digits as the name of a new entity: commands would take them for an id.
fn digits_are_an_id(kind: &KindCommand, text: &str) -> CommandError {
    CommandError::usage(format!("`{text}` is an id: a new {} requires a name", kind.singular))
        .hint(format!("write name:{text} if the name consists of digits"))
}

/// Resolves a reference to the id of an existing entity: an id is checked with a further request.
pub(crate) async fn resolve_existing(
    client: &Client,
    kind: &'static KindCommand,
    target: &Target,
) -> anyhow::Result<String> {
    let id = resolve(client, kind, target).await?;
    if matches!(parse(&target.reference), Reference::Id(_)) {
        (kind.operations.get)(client, &id).await?;
    }
    Ok(id)
}

/// Resolves a reference to an id, with a request for each name. Errors: `NotFound`, or a usage error for a name without
/// a required parent.
pub(crate) fn resolve<'a>(
    client: &'a Client,
    kind: &'static KindCommand,
    target: &'a Target,
) -> BoxFuture<'a, anyhow::Result<String>> {
    async move {
        let text = target.reference.as_str();
        let (parent, name) = match (parse(text), &target.parent) {
            (Reference::Id(id), None) => return Ok(id.to_owned()),
            // Ids are unique without a parent: a mistake in one of them would not be noticed.
            (Reference::Id(_), Some((parent_kind, _))) if text.starts_with("id:") => {
                return Err(CommandError::usage(format!("`{text}` and --{} exclude each other", parent_kind.singular))
                    .hint(format!("an id identifies a {} without its {}", kind.singular, parent_kind.singular))
                    .into());
            }
            (Reference::Id(name), Some((parent_kind, reference))) => (Some((*parent_kind, reference.clone())), name),
            (Reference::Name(name) | Reference::Path(name), Some((parent_kind, reference))) => {
                (Some((*parent_kind, reference.clone())), name)
            }
            (Reference::Path(path), None) => split(kind, path)?,
            (Reference::Name(name), None) if kind.parent_kinds().is_empty() => (None, name),
            (Reference::Name(_), None) => return Err(parent_required(kind, text).into()),
        };
        let parent_id = match &parent {
            Some((parent_kind, reference)) => {
                let target = Target { parent: None, reference: reference.clone() };
                Some(resolve(client, parent_kind, &target).await?)
            }
            None => None,
        };
        let by = match &parent_id {
            Some(parent_id) => FindBy::NameIn { name, parent_id },
            None => FindBy::Name(name),
        };
        let found = (kind.operations.find)(client, by).await?;
        let id = found.as_ref().and_then(|entity| entity.get("id")).and_then(serde_json::Value::as_str);
        Ok(id.ok_or_else(|| not_found(kind, name, parent.as_ref()))?.to_owned())
    }
    .boxed()
}

type Split<'a> = (Option<Parent>, &'a str);

/// Splits a path at its last slash: names of models often contain slashes, names of versions rarely.
fn split<'a>(kind: &KindCommand, path: &'a str) -> Result<Split<'a>, CommandError> {
    match (parent_in_path(kind), path.rsplit_once('/')) {
        (None, _) => Ok((None, path)),
        (Some(parent_kind), Some((parent, name))) => Ok((Some((parent_kind, parent.to_owned())), name)),
        (Some(_), None) => Err(parent_required(kind, path)),
    }
}

fn parent_required(kind: &KindCommand, text: &str) -> CommandError {
    let parents = kind.parent_kinds();
    let names = parents.iter().map(|parent| parent.singular).collect::<Vec<_>>().join(" or ");
    let options = parents.iter().map(|parent| format!("--{}", parent.singular)).collect::<Vec<_>>().join(" or ");
    let form = if kind.name() == ARTIFACTS.name() { "MODEL/VERSION/ARTIFACT" } else { kind.placeholder };
    let kind = format!("{} {}", kind.article(), kind.singular);
    CommandError::usage(format!("`{text}` is not a complete reference of {kind}: its {names} is missing"))
        .hint(format!("write {form}, add {options}, or use the id"))
}

fn not_found(kind: &KindCommand, name: &str, parent: Option<&Parent>) -> CommandError {
    let place = parent.map_or_else(String::new, |(parent, reference)| format!(" in {} `{reference}`", parent.singular));
    let option = parent.map_or_else(String::new, |(parent, reference)| format!(" --{} {reference}", parent.singular));
    let hint = format!("list existing ones with `model-registry {} list{option}`", kind.name());
    let hint = if is_digits(name) { format!("{hint}; for the id {name}, write only id:{name}") } else { hint };
    CommandError::not_found(format!("no {} named `{name}`{place}", kind.singular)).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::super::kind_command::{MODELS, SERVICES, VERSIONS};
    use super::*;

    #[test]
    fn digits_are_an_id_without_a_prefix() {
        assert_eq!(parse("7"), Reference::Id("7"));
        assert_eq!(parse("id:7"), Reference::Id("7"));
        assert_eq!(parse("name:7"), Reference::Name("7"));
        assert_eq!(parse("7a/b"), Reference::Path("7a/b"));
    }

    #[test]
    fn a_path_is_split_at_the_last_slash() {
        let (parent, name) = split(&VERSIONS, "org/model/v1").unwrap();
        assert_eq!((parent.unwrap().1.as_str(), name), ("org/model", "v1"));
        assert_eq!(split(&MODELS, "org/model").unwrap().1, "org/model");
        let (parent, name) = split(&ARTIFACTS, "m/v1/weights").unwrap();
        let (parent_kind, reference) = parent.unwrap();
        assert_eq!((parent_kind.singular, reference.as_str(), name), ("version", "m/v1", "weights"));
        assert!(split(&SERVICES, "fraud").is_err());
    }
}

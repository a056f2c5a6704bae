//! From what people call an entity to the entity.

use clap::{Arg, ArgMatches, Command};
use futures::future::{BoxFuture, FutureExt};
use model_registry_client::{Client, FindBy};

use super::noun::{ARTIFACTS, Noun, RUNS, VERSIONS, is_digits};
use crate::failure::CommandError;

/// What a reference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said<'a> {
    Id(&'a str),
    Name(&'a str),
    /// Whether it may hold a parent as well.
    Path(&'a str),
}

fn read(text: &str) -> Said<'_> {
    if let Some(name) = text.strip_prefix("name:") {
        return Said::Name(name);
    }
    match text.strip_prefix("id:") {
        Some(id) => Said::Id(id),
        None if is_digits(text) => Said::Id(text),
        None => Said::Path(text),
    }
}

/// The kind and reference of what an entity belongs to.
pub(crate) type Parent = (&'static Noun, String);

/// An entity that the command line names.
pub(crate) struct Target {
    /// What it belongs to, where an option says it.
    pub(crate) parent: Option<Parent>,
    pub(crate) reference: String,
}

/// The kinds that a kind can be below of.
fn owners(noun: &Noun) -> Vec<&'static Noun> {
    if noun.is_artifact() { vec![&VERSIONS, &RUNS] } else { noun.parent.iter().map(|(parent, _)| *parent).collect() }
}

/// Gives a command the options that name what the entities belong to.
pub(super) fn add_parents(noun: &Noun, command: Command) -> Command {
    let owners = owners(noun);
    let is_list = command.get_name() == "list";
    owners.iter().fold(command, |command, owner| {
        let help = if is_list { "Only those of this" } else { "The" };
        let end = if is_list { "" } else { " it belongs to" };
        let others = owners.iter().filter(|other| other.command != owner.command).map(|other| parent_id(other));
        command.arg(
            Arg::new(parent_id(owner))
                .long(owner.singular)
                .value_name(owner.placeholder)
                .help(format!("{help} {}{end}", owner.singular))
                .conflicts_with_all(others.collect::<Vec<_>>()),
        )
    })
}

fn parent_id(owner: &Noun) -> String {
    format!("parent.{}", owner.singular)
}

/// The parent that an option names.
pub(super) fn parent(noun: &Noun, arguments: &ArgMatches) -> Option<Parent> {
    owners(noun).into_iter().find_map(|owner| {
        let reference = arguments.try_get_one::<String>(&parent_id(owner)).ok().flatten()?;
        Some((owner, reference.clone()))
    })
}

/// The parent and name of an entity that is to be made.
pub(super) fn new_name(
    noun: &Noun,
    reference: Option<&str>,
    parent: Option<Parent>,
) -> Result<(Option<Parent>, Option<String>), CommandError> {
    let owner = if noun.is_artifact() { Some(&VERSIONS) } else { noun.parent.map(|(parent, _)| parent) };
    let Some(text) = reference else { return Ok((parent, None)) };
    let text = match read(text) {
        Said::Name(name) => return Ok((parent, Some(name.to_owned()))),
        Said::Id(_) if text.starts_with("id:") => {
            return Err(CommandError::usage(format!("`{text}` is an id: a new {} is given a name", noun.singular)));
        }
        Said::Id(text) | Said::Path(text) => text,
    };
    match (owner, text.rsplit_once('/')) {
        (Some(owner), Some((before, name))) if parent.is_none() => {
            Ok((Some((owner, before.to_owned())), Some(name.to_owned())))
        }
        _ => Ok((parent, Some(text.to_owned()))),
    }
}

/// Finds the id of an entity.
pub(crate) fn resolve<'a>(
    client: &'a Client,
    noun: &'static Noun,
    target: &'a Target,
) -> BoxFuture<'a, anyhow::Result<String>> {
    async move {
        let text = target.reference.as_str();
        let (parent, name) = match (read(text), &target.parent) {
            (Said::Id(id), _) => return Ok(id.to_owned()),
            (Said::Name(name) | Said::Path(name), Some((owner, reference))) => {
                (Some((*owner, reference.clone())), name)
            }
            (Said::Path(path), None) => split(noun, path)?,
            (Said::Name(name), None) if owners(noun).is_empty() => (None, name),
            (Said::Name(_), None) => return Err(needs_parent(noun, text).into()),
        };
        let parent_id = match &parent {
            Some((owner, reference)) => {
                let target = Target { parent: None, reference: reference.clone() };
                Some(resolve(client, owner, &target).await?)
            }
            None => None,
        };
        let by = match &parent_id {
            Some(parent_id) => FindBy::NameIn { name, parent_id },
            None => FindBy::Name(name),
        };
        let found = (noun.operations.find)(client, by).await?;
        let id = found.as_ref().and_then(|entity| entity.get("id")).and_then(serde_json::Value::as_str);
        Ok(id.ok_or_else(|| missing(noun, name, parent.as_ref()))?.to_owned())
    }
    .boxed()
}

type Split<'a> = (Option<Parent>, &'a str);

/// A model may have a slash in its name, a version rarely: the last one parts them.
fn split<'a>(noun: &Noun, path: &'a str) -> Result<Split<'a>, CommandError> {
    let owner = if noun.is_artifact() { Some(&VERSIONS) } else { noun.parent.map(|(parent, _)| parent) };
    match (owner, path.rsplit_once('/')) {
        (None, _) => Ok((None, path)),
        (Some(owner), Some((parent, name))) => Ok((Some((owner, parent.to_owned())), name)),
        (Some(_), None) => Err(needs_parent(noun, path)),
    }
}

fn needs_parent(noun: &Noun, text: &str) -> CommandError {
    let owners = owners(noun);
    let named = owners.iter().map(|owner| owner.singular).collect::<Vec<_>>().join(" or ");
    let options = owners.iter().map(|owner| format!("--{}", owner.singular)).collect::<Vec<_>>().join(" or ");
    let form = if noun.command == ARTIFACTS.command { "MODEL/VERSION/ARTIFACT" } else { noun.placeholder };
    CommandError::usage(format!("`{text}` names no {}: write its {named} too, or its id", noun.singular))
        .hint(format!("write {form}, or add {options}"))
}

fn missing(noun: &Noun, name: &str, parent: Option<&Parent>) -> CommandError {
    let place = parent.map_or_else(String::new, |(owner, reference)| format!(" in {} `{reference}`", owner.singular));
    let option = parent.map_or_else(String::new, |(owner, reference)| format!(" --{} {reference}", owner.singular));
    CommandError::not_found(format!("there is no {} named `{name}`{place}", noun.singular))
        .hint(format!("`model-registry {} list{option}` shows what there is", noun.command))
}

#[cfg(test)]
mod tests {
    use super::super::noun::{MODELS, SERVICES};
    use super::*;

    #[test]
    fn digits_are_an_id_unless_said_otherwise() {
        assert_eq!(read("7"), Said::Id("7"));
        assert_eq!(read("id:7"), Said::Id("7"));
        assert_eq!(read("name:7"), Said::Name("7"));
        assert_eq!(read("7a/b"), Said::Path("7a/b"));
    }

    #[test]
    fn the_last_slash_parts_parent_and_name() {
        let (parent, name) = split(&VERSIONS, "org/model/v1").unwrap();
        assert_eq!((parent.unwrap().1.as_str(), name), ("org/model", "v1"));
        assert_eq!(split(&MODELS, "org/model").unwrap().1, "org/model");
        let (parent, name) = split(&ARTIFACTS, "m/v1/weights").unwrap();
        let (owner, reference) = parent.unwrap();
        assert_eq!((owner.singular, reference.as_str(), name), ("version", "m/v1", "weights"));
        assert!(split(&SERVICES, "fraud").is_err());
    }
}

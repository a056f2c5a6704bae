//! The commands that every kind of entity has: list, get, create, update, archive.
//!
//! Kinds differ in their [`Noun`] and in their declared fields; there is no code per kind.

mod archive;
mod create;
mod fields;
mod get;
mod list;
mod noun;
mod operations;
pub(crate) mod parents;
mod properties;
mod reference;
mod update;

use clap::{ArgMatches, Command};

pub(crate) use fields::{add_fields, literal, read_fields};
pub(crate) use list::ilike;
pub(crate) use noun::{ARTIFACTS, ENVIRONMENTS, EXPERIMENTS, MODELS, NOUNS, Noun, RUNS, SERVICES, VERSIONS};
pub(crate) use operations::{value, values};
pub(crate) use properties::{add_properties, read_properties};
pub(crate) use reference::{Target, resolve};

use crate::session::{self, Session};

/// How entities are named on the command line; part of the help of each kind.
const REFERENCES: &str = "\
An entity is named by its id (`7` or `id:7`) or by its name; `name:7` is the one whose name is 7.";

/// The command of a kind, with its subcommands.
pub(crate) fn command(noun: &'static Noun) -> Command {
    let command = Command::new(noun.command)
        .about(noun.about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list::command(noun))
        .subcommand(get::command(noun))
        .subcommand(create::command(noun))
        .subcommand(update::command(noun))
        .after_help(format!("{REFERENCES}{}\n\n{}", noun.reference_help, noun.examples));
    let command = if noun.archived.is_some() { command.subcommand(archive::command(noun)) } else { command };
    session::with_options(command)
}

pub(crate) fn run(noun: &'static Noun, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some((name, arguments)) = arguments.subcommand() else { return Ok(()) };
    let session = Session::open(arguments)?;
    session::block_on(async {
        match name {
            "list" => list::run(noun, &session, arguments).await,
            "get" => get::run(noun, &session, arguments).await,
            "create" => create::run(noun, &session, arguments).await,
            "update" => update::run(noun, &session, arguments).await,
            _ => archive::run(noun, &session, arguments).await,
        }
    })
}

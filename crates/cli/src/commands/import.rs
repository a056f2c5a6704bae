//! `import`: imports a file of `export` into a database, or into a server through its API.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use model_registry_server::config::{Environment, Group, Schema};
use model_registry_store::{BackupError, ImportOptions};

use crate::api_copy::{self, ApiImportOptions};
use crate::backup::{self, ProgressLine};
use crate::client_context::{self, ClientContext, block_on};
use crate::client_settings::ClientSettings;
use crate::failure::CommandError;
use crate::output::printable;
use crate::settings;

const GROUPS: &[Group] = &[Group::Database, Group::Compatibility];

pub(super) fn command(schema: &Schema) -> Command {
    let command = Command::new("import")
        .about("Import a file of `export` into a database, or into a server")
        .long_about(
            "Import a file of `export` into a database. The whole file is validated before anything is written. \
             Entities keep their ids and times, which requires an empty database, unless --remap-ids assigns new ids. \
             An interrupted import resumes when it is run again.\n\n\
             With --server or --profile, entities are created through the API of a server, with the rights of the \
             caller. They get new ids and times; FILE.progress has the new ids, and an interrupted import resumes \
             from it. A line that the server rejects is reported, and the others are imported.",
        )
        .after_help(
            "Examples:\n  model-registry import models.jsonl --database postgres://user@host/models\n  \
             model-registry import models.jsonl --database sqlite:all.db --remap-ids\n  \
             model-registry import models.jsonl --server https://models.example.com",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("File to import; it is read several times, so it cannot be a pipe"),
        )
        .arg(
            Arg::new("remap-ids")
                .long("remap-ids")
                .action(ArgAction::SetTrue)
                .help("Assign new ids, so that the database need not be empty"),
        )
        .arg(
            Arg::new("keep-existing")
                .long("keep-existing")
                .action(ArgAction::SetTrue)
                .conflicts_with("remap-ids")
                .help("With --server: keep entities whose names exist, and import what belongs to them"),
        );
    client_context::with_connection(schema.attach(command, GROUPS))
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    if backup::uses_api(arguments)? {
        return through_api(arguments);
    }
    if arguments.get_flag("keep-existing") {
        return Err(CommandError::usage("--keep-existing requires --server or --profile").into());
    }
    let settings = settings(schema, arguments)?;
    let path: &PathBuf = arguments.get_one("file").context("FILE is required")?;
    let options = ImportOptions { remap_ids: arguments.get_flag("remap-ids") };
    let mut file = backup::open(path)?;
    let report = backup::with_store(&settings, async |store| {
        let line = ProgressLine::new();
        let result = store.import(&mut file, options, &|progress| line.show(progress)).await;
        line.clear();
        match result {
            Err(error @ BackupError::Line { .. }) => {
                Err(error).with_context(|| format!("{} is invalid, nothing was imported", path.display()))
            }
            result => Ok(result?),
        }
    })?;
    if report.was_complete {
        eprintln!("this file was already imported: nothing to do");
        return Ok(());
    }
    if let Some(line) = report.resumed_after {
        eprintln!("resumed after line {line}, where the previous import of this file was interrupted");
    }
    eprintln!("imported {}; counts and checksum match the file", backup::listed(&report.counts));
    Ok(())
}

fn through_api(arguments: &ArgMatches) -> anyhow::Result<()> {
    if arguments.get_flag("remap-ids") {
        return Err(CommandError::usage("--remap-ids is for databases: a server always assigns new ids").into());
    }
    let path: &PathBuf = arguments.get_one("file").context("FILE is required")?;
    let context = ClientContext::open(arguments)?;
    let server = ClientSettings::load(arguments, &Environment::of_process())?.server.value;
    let options = ApiImportOptions { keep_existing: arguments.get_flag("keep-existing") };
    let line = ProgressLine::new();
    let on_error = |text: &str| {
        line.clear();
        eprintln!("{}", printable(text));
    };
    let on_progress = |progress| line.show(progress);
    let result = block_on(api_copy::import(&context.client, &server, path, options, &on_progress, &on_error));
    line.clear();
    let report = result?;
    let done = report.imported.values().sum::<u64>();
    if done == 0 && report.failed + report.skipped == 0 && report.resumed == report.lines && report.lines > 0 {
        eprintln!("this file was already imported: nothing to do");
        return Ok(());
    }
    if report.resumed > 0 {
        eprintln!("{} lines were imported by a previous run", report.resumed);
    }
    let kept = if report.kept > 0 { format!(", {} of them existed", report.kept) } else { String::new() };
    eprintln!("imported {}{kept}", backup::listed(&report.imported));
    context.notes.print(&format!("ids and times are new; {} has the new ids", report.journal.display()));
    if report.failed + report.skipped > 0 {
        return Err(CommandError::failed(format!(
            "lines not imported: {}; lines skipped because they refer to these: {}",
            report.failed, report.skipped
        ))
        .hint("correct the causes and run the command again: it repeats only these lines")
        .into());
    }
    Ok(())
}

//! `import`: imports a file of `export` into a database.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use model_registry_server::config::{Group, Schema};
use model_registry_store::{BackupError, ImportOptions};

use crate::backup::{self, ProgressLine};
use crate::settings;

const GROUPS: &[Group] = &[Group::Database, Group::Compatibility];

pub(super) fn command(schema: &Schema) -> Command {
    let command = Command::new("import")
        .about("Import a file of `export` into a database")
        .long_about(
            "Import a file of `export` into a database. The whole file is validated before anything is written. \
             Entities keep their ids and times, which requires an empty database, unless --remap-ids assigns new ids. \
             An interrupted import resumes when it is run again.",
        )
        .after_help(
            "Examples:\n  model-registry import models.jsonl --database postgres://user@host/models\n  \
             model-registry import models.jsonl --database sqlite:all.db --remap-ids",
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
        );
    schema.attach(command, GROUPS)
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings(schema, arguments)?;
    let path: &PathBuf = arguments.get_one("file").context("FILE is required")?;
    let options = ImportOptions { remap_ids: arguments.get_flag("remap-ids") };
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        bail!("{} is not a regular file: the import reads it several times", path.display());
    }
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

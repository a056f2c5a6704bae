//! `export`: writes the content of a database to a file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use model_registry_server::config::{Group, Schema};
use model_registry_store::{DatabaseUrl, ExportReport, Store};

use crate::backup::{self, ProgressLine};
use crate::{database, settings};

const GROUPS: &[Group] = &[Group::Database, Group::Compatibility];

pub(super) fn command(schema: &Schema) -> Command {
    let command = Command::new("export")
        .about("Export the content of a database to a file")
        .long_about(
            "Export the content of a database to a file, as a consistent snapshot; servers can keep running. \
             `import` imports the file into any other database.",
        )
        .after_help(
            "Examples:\n  model-registry export models.jsonl --database sqlite:models.db\n  \
             model-registry export - --database postgres://user@host/models | gzip > models.jsonl.gz",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("File to write; `-` is standard output"),
        )
        .arg(Arg::new("force").long("force").action(ArgAction::SetTrue).help("Replace an existing file"));
    schema.attach(command, GROUPS)
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings(schema, arguments)?;
    let path: &PathBuf = arguments.get_one("file").context("FILE is required")?;
    if let DatabaseUrl::Sqlite { path: Some(database) } = database::url(&settings)?
        && !database.exists()
    {
        // Connecting would create an empty database and export that.
        bail!("the database {} does not exist", database.display());
    }
    if path.as_os_str() == "-" {
        let report = backup::with_store(&settings, async |store| write(&store, BufWriter::new(stdout())).await)?;
        eprintln!("exported {}", backup::listed(&report.counts));
        return Ok(());
    }
    if path.exists() && !arguments.get_flag("force") {
        bail!("{} already exists: choose another file, or replace it with --force", path.display());
    }
    let report = backup::with_store(&settings, async |store| write_file(&store, path).await)?;
    eprintln!("exported {} to {} (sha256 {})", backup::listed(&report.counts), path.display(), report.digest);
    Ok(())
}

/// Writes to a temporary name and renames the complete file, so that a partial export is never mistaken for a backup.
async fn write_file(store: &Store, path: &Path) -> anyhow::Result<ExportReport> {
    let partial = partial(path);
    let cannot_write = || format!("cannot write {}", partial.display());
    let file = create(&partial).with_context(cannot_write)?;
    let result = write(store, BufWriter::with_capacity(1 << 16, &file)).await;
    let finished = result.and_then(|report| {
        file.sync_all().with_context(cannot_write)?;
        fs::rename(&partial, path)
            .with_context(|| format!("cannot rename {} to {}", partial.display(), path.display()))?;
        Ok(report)
    });
    if finished.is_err() {
        let _ = fs::remove_file(&partial);
    }
    finished
}

/// Creates a file that only its owner can read: it contains data that a server protects.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn write(store: &Store, out: impl Write) -> anyhow::Result<ExportReport> {
    let line = ProgressLine::new();
    let result = store.export(out, &|progress| line.show(progress)).await;
    line.clear();
    Ok(result?)
}

fn partial(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    name.into()
}

//! `export`: writes the content of a database, or of a server through its API, to a file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use model_registry_server::config::{Group, Schema};
use model_registry_store::{Counts, DatabaseUrl};

use crate::backup::{self, ProgressLine};
use crate::client_context::{self, ClientContext, block_on};
use crate::{api_copy, database, settings};

const GROUPS: &[Group] = &[Group::Database, Group::Compatibility];

pub(super) fn command(schema: &Schema) -> Command {
    let command = Command::new("export")
        .about("Export the content of a database, or of a server, to a file")
        .long_about(
            "Export the content of a database to a file, as a consistent snapshot; servers can keep running. \
             `import` imports the file into any other database.\n\n\
             With --server or --profile, the content is read through the API of a server, with the rights of the \
             caller. That is not a snapshot, and revisions are not preserved.",
        )
        .after_help(
            "Examples:\n  model-registry export models.jsonl --database sqlite:models.db\n  \
             model-registry export - --database postgres://user@host/models | gzip > models.jsonl.gz\n  \
             model-registry export models.jsonl --server https://models.example.com",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("File to write; `-` is standard output"),
        )
        .arg(Arg::new("force").long("force").action(ArgAction::SetTrue).help("Replace an existing file"));
    client_context::with_connection(schema.attach(command, GROUPS))
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let path: &PathBuf = arguments.get_one("file").context("FILE is required")?;
    let is_stdout = path.as_os_str() == "-";
    if !is_stdout && path.exists() && !arguments.get_flag("force") {
        bail!("{} already exists: choose another file, or replace it with --force", path.display());
    }
    let line = ProgressLine::new();
    let exported = if backup::uses_api(arguments)? {
        let context = ClientContext::open(arguments)?;
        let work = async |out: &mut dyn Write| {
            let result = api_copy::export(&context.client, out, &|progress| line.show(progress)).await;
            line.clear();
            let report = result?;
            match report.has_changed {
                Some(false) => {}
                Some(true) => context.notes.print("the registry changed meanwhile: the file is not a snapshot"),
                None => context.notes.print("the server does not show its changes: the file may not be a snapshot"),
            }
            Ok(Exported { counts: report.end.counts, digest: report.end.sha256 })
        };
        block_on(write(path, is_stdout, work))?
    } else {
        from_database(schema, arguments, path, is_stdout, &line)?
    };
    let to = if is_stdout { String::new() } else { format!(" to {} (sha256 {})", path.display(), exported.digest) };
    eprintln!("exported {}{to}", backup::listed(&exported.counts));
    Ok(())
}

struct Exported {
    counts: Counts,
    digest: String,
}

fn from_database(
    schema: &Schema,
    arguments: &ArgMatches,
    path: &Path,
    is_stdout: bool,
    line: &ProgressLine,
) -> anyhow::Result<Exported> {
    let settings = settings(schema, arguments)?;
    if let DatabaseUrl::Sqlite { path: Some(database) } = database::url(&settings)?
        && !database.exists()
    {
        // Connecting would create an empty database and export that.
        bail!("the database {} does not exist", database.display());
    }
    backup::with_store(&settings, async |store| {
        let work = async |out: &mut dyn Write| {
            let result = store.export(out, &|progress| line.show(progress)).await;
            line.clear();
            let report = result?;
            Ok(Exported { counts: report.counts, digest: report.digest })
        };
        write(path, is_stdout, work).await
    })
}

/// Writes to standard output, or to a temporary name and renames the complete file, so that a partial export is never mistaken
/// for a backup.
async fn write(
    path: &Path,
    is_stdout: bool,
    work: impl AsyncFnOnce(&mut dyn Write) -> anyhow::Result<Exported>,
) -> anyhow::Result<Exported> {
    if is_stdout {
        return work(&mut BufWriter::new(stdout())).await;
    }
    let partial = partial(path);
    let cannot_write = || format!("cannot write {}", partial.display());
    let file = create(&partial).with_context(cannot_write)?;
    let result = work(&mut BufWriter::with_capacity(1 << 16, &file)).await;
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

fn partial(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    name.into()
}

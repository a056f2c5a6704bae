//! Import: checks the whole file, writes it in batches, and compares the result with the file.
//!
//! Each batch is a transaction that also stores its last line in `import_run`. An interrupted import continues after that line
//! when it is run again with the same file (a resumable import), and a finished one is not repeated.

use std::fs::File;
use std::io::{BufReader, Seek, sink};

use super::batch::{Batch, WriteError};
use super::conflicts;
use super::import_run::ImportRun;
use super::line::{Line, LineReader};
use super::pages::Range;
use super::verify::{self, Contents};
use super::{BackupError, ImportReport, OnProgress, Progress, REPORT_EVERY};
use crate::db::Transaction;
use crate::error::StoreError;
use crate::store::Store;
use crate::unit_of_work::{Outcome, UnitOfWork};

/// Options of an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Gives the entities new ids, above those in the database, which then need not be empty.
    pub remap_ids: bool,
}

impl Store {
    /// Imports a file written by an export. A damaged or incomplete file is rejected before anything is written.
    pub async fn import(
        &self,
        file: &mut File,
        options: ImportOptions,
        on_progress: OnProgress<'_>,
    ) -> Result<ImportReport, BackupError> {
        let contents = verify::verify(rewound(file)?, &|lines| on_progress(Progress::Checking { lines }))?;
        let (run, is_new) = self.start_run(file, &contents, options).await?;
        let report =
            |resumed_after, was_complete| ImportReport { counts: contents.counts.clone(), resumed_after, was_complete };
        if run.is_finished {
            return Ok(report(None, true));
        }
        let mut tx = self.database()?.begin().await?;
        tx.reserve_ids(run.offsets, contents.last).await?;
        tx.commit().await?;
        self.write_lines(file, &contents, run, on_progress).await?;
        self.compare(&contents, run, on_progress).await?;
        let mut tx = self.database()?.begin().await?;
        tx.finish_run(&contents.digest, self.clock().now()).await?;
        tx.commit().await?;
        Ok(report((!is_new).then_some(run.line.cast_unsigned()), false))
    }

    /// Finds the run of this file or starts one; true if it is new.
    async fn start_run(
        &self,
        file: &mut File,
        contents: &Contents,
        options: ImportOptions,
    ) -> Result<(ImportRun, bool), BackupError> {
        // A read-only transaction, because on SQLite one that may write would block the writes of servers.
        let mut snapshot = self.database()?.begin_long_snapshot().await?;
        if let Some(run) = snapshot.find_run(&contents.digest).await? {
            return Ok((run, false));
        }
        if options.remap_ids {
            conflicts::check(&mut snapshot, rewound(file)?).await?;
        }
        drop(snapshot);
        let mut tx = self.database()?.begin().await?;
        let run = tx.begin_run(contents, options.remap_ids, self.clock().now()).await?;
        tx.commit().await?;
        Ok((run, true))
    }

    async fn write_lines(
        &self,
        file: &mut File,
        contents: &Contents,
        run: ImportRun,
        on_progress: OnProgress<'_>,
    ) -> Result<(), BackupError> {
        let mut reader = LineReader::start(rewound(file)?)?;
        let mut work = WriteBatch {
            batch: Batch::default(),
            digest: &contents.digest,
            run,
            to: run.line,
            now: self.clock().now(),
        };
        let mut reported = 0;
        loop {
            let line = reader.read()?;
            let number = reader.line().cast_signed();
            let is_end = matches!(line, Line::End(_));
            if let Line::Item(item) = line
                && number > run.line
            {
                work.batch.add(item);
                work.to = number;
            }
            if work.batch.is_full() || (is_end && !work.batch.is_empty()) {
                self.write_silently(&work).await.map_err(|error| work.explain(error))?;
                work.batch = Batch::default();
                work.run.line = work.to;
                if reader.line() >= reported + REPORT_EVERY {
                    reported = reader.line();
                    on_progress(Progress::Importing { lines: reported, of: contents.lines });
                }
            }
            if is_end {
                self.change_feed.notify_write();
                return Ok(());
            }
        }
    }

    /// Exports the imported entities again and compares the digest with that of the file.
    async fn compare(
        &self,
        contents: &Contents,
        run: ImportRun,
        on_progress: OnProgress<'_>,
    ) -> Result<(), BackupError> {
        let report = |lines| on_progress(Progress::Verifying { lines, of: contents.lines });
        let range = Range { offsets: run.offsets, last: contents.last };
        let end = self.export_range(sink(), &range, &report).await?;
        if end.counts != contents.counts {
            return Err(BackupError::Refused(format!(
                "after the import, the numbers of entities in the database differ from those in the file: {:?} instead of {:?}",
                end.counts, contents.counts
            )));
        }
        if end.sha256 != contents.digest {
            return Err(BackupError::Refused(
                "everything was imported, but the content differs from the file: did a server on the same database change it \
                 meanwhile, or was the file not written by an export?"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// The file from its start.
fn rewound(file: &mut File) -> std::io::Result<BufReader<&mut File>> {
    file.rewind()?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

struct WriteBatch<'a> {
    batch: Batch,
    digest: &'a str,
    run: ImportRun,
    to: i64,
    now: i64,
}

impl WriteBatch<'_> {
    fn explain(&self, error: WriteError) -> BackupError {
        let lines = format!("lines {} to {}", self.run.line + 1, self.to);
        match error {
            WriteError::Store(StoreError::Conflict(field)) => BackupError::Refused(format!(
                "the {field:?} of an entity in {lines} was taken while the import was running: rename the other \
                 entity and run the import again; it continues there"
            )),
            WriteError::Store(StoreError::Retry(_)) => {
                BackupError::Refused(format!("{lines} cannot be written: another import of this file is running"))
            }
            WriteError::Store(error) => BackupError::Store(error),
            WriteError::Document(error) => BackupError::Refused(format!("{lines}: {error}")),
        }
    }
}

impl UnitOfWork for WriteBatch<'_> {
    type Output = ();
    type Error = WriteError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<()>, WriteError> {
        tx.advance_run(self.digest, self.run.line, self.to).await?;
        self.batch.write(tx, self.run.offsets, self.now).await?;
        Ok(Outcome::Done(()))
    }

    fn may_retry(&self, error: &WriteError) -> bool {
        matches!(error, WriteError::Store(StoreError::Retry(_)))
    }
}

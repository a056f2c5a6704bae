//! Reads a file into a database: first all of it to see that it is whole, then in batches, then once more to compare.
//!
//! Each batch is a transaction that also notes the last line in `import_run`. An import that was cut off goes on behind
//! it when it is run again with the same file, and a finished one is not repeated.

use std::fs::File;
use std::io::{BufReader, Seek, sink};

use super::batch::{Batch, WriteError};
use super::conflicts;
use super::line::{Line, LineReader};
use super::rows::Range;
use super::run::Run;
use super::verify::{self, Contents};
use super::{BackupError, ImportReport, OnProgress, Progress, REPORT_EVERY};
use crate::db::Transaction;
use crate::error::StoreError;
use crate::store::{Operation, Outcome, Store};

/// What can be chosen about an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Gives the entities new ids, behind those of the database, which then need not be empty.
    pub remap_ids: bool,
}

impl Store {
    /// Imports a file that an export has written. A file that is not whole is refused before anything is written.
    pub async fn import(
        &self,
        file: &mut File,
        options: ImportOptions,
        on_progress: OnProgress<'_>,
    ) -> Result<ImportReport, BackupError> {
        let contents = verify::verify(again(file)?, &|lines| on_progress(Progress::Checking { lines }))?;
        let (run, is_new) = self.start_run(file, &contents, options).await?;
        let report =
            |resumed_after, was_complete| ImportReport { counts: contents.counts.clone(), resumed_after, was_complete };
        if run.is_finished {
            return Ok(report(None, true));
        }
        let mut tx = self.database()?.begin().await?;
        tx.reserve_ids(run.shift, contents.last).await?;
        tx.commit().await?;
        self.write_lines(file, &contents, run, on_progress).await?;
        self.compare(&contents, run, on_progress).await?;
        let mut tx = self.database()?.begin().await?;
        tx.finish_run(&contents.digest, self.clock().now()).await?;
        tx.commit().await?;
        Ok(report((!is_new).then_some(run.line.cast_unsigned()), false))
    }

    /// Finds the run of this file, or begins one.
    async fn start_run(
        &self,
        file: &mut File,
        contents: &Contents,
        options: ImportOptions,
    ) -> Result<(Run, bool), BackupError> {
        // Reading only: on SQLite, a transaction that may write would keep the servers from writing.
        let mut snapshot = self.database()?.begin_long_snapshot().await?;
        if let Some(run) = snapshot.find_run(&contents.digest).await? {
            return Ok((run, false));
        }
        if options.remap_ids {
            conflicts::check(&mut snapshot, again(file)?).await?;
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
        run: Run,
        on_progress: OnProgress<'_>,
    ) -> Result<(), BackupError> {
        let mut reader = LineReader::start(again(file)?)?;
        let mut operation = WriteBatch {
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
                operation.batch.add(item);
                operation.to = number;
            }
            if operation.batch.is_full() || (is_end && !operation.batch.is_empty()) {
                self.write_silently(&operation).await.map_err(|error| operation.explain(error))?;
                operation.batch = Batch::default();
                operation.run.line = operation.to;
                if reader.line() >= reported + REPORT_EVERY {
                    reported = reader.line();
                    on_progress(Progress::Importing { lines: reported, of: contents.lines });
                }
            }
            if is_end {
                self.feed.written();
                return Ok(());
            }
        }
    }

    /// Reads everything back and compares it with the file, by the digest.
    async fn compare(&self, contents: &Contents, run: Run, on_progress: OnProgress<'_>) -> Result<(), BackupError> {
        let report = |lines| on_progress(Progress::Verifying { lines, of: contents.lines });
        let range = Range { shift: run.shift, last: contents.last };
        let end = self.export_range(sink(), &range, &report).await?;
        if end.counts != contents.counts {
            return Err(BackupError::Refused(format!(
                "the database has other entities than the file after the import: {:?} instead of {:?}",
                end.counts, contents.counts
            )));
        }
        if end.sha256 != contents.digest {
            return Err(BackupError::Refused(
                "everything was imported, but some of it is not as in the file: was it changed meanwhile by a server \
                 on the same database, or is the file not written by an export?"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// The file from its beginning.
fn again(file: &mut File) -> std::io::Result<BufReader<&mut File>> {
    file.rewind()?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

struct WriteBatch<'a> {
    batch: Batch,
    digest: &'a str,
    run: Run,
    to: i64,
    now: i64,
}

impl WriteBatch<'_> {
    fn explain(&self, error: WriteError) -> BackupError {
        let lines = format!("lines {} to {}", self.run.line + 1, self.to);
        match error {
            WriteError::Store(StoreError::Conflict(field)) => BackupError::Refused(format!(
                "the {field:?} of an entity in {lines} was taken while the import was running: rename the other \
                 entity and run the import again, it goes on there"
            )),
            WriteError::Store(StoreError::Retry(_)) => {
                BackupError::Refused(format!("{lines} cannot be written: another import of this file is running"))
            }
            WriteError::Store(error) => BackupError::Store(error),
            WriteError::Document(error) => BackupError::Refused(format!("{lines}: {error}")),
        }
    }
}

impl Operation for WriteBatch<'_> {
    type Output = ();
    type Error = WriteError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<()>, WriteError> {
        tx.advance_run(self.digest, self.run.line, self.to).await?;
        self.batch.write(tx, self.run.shift, self.now).await?;
        Ok(Outcome::Done(()))
    }

    fn may_retry(&self, error: &WriteError) -> bool {
        matches!(error, WriteError::Store(StoreError::Retry(_)))
    }
}

//! Writes the file: one read transaction over everything, page by page.

use std::io::Write;

use super::line::{End, LineWriter, Section};
use super::rows::Range;
use super::{BackupError, ExportReport, OnProgress, Progress, REPORT_EVERY};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Writes everything as it is at one moment, while others go on writing.
    pub async fn export(&self, out: impl Write, on_progress: OnProgress<'_>) -> Result<ExportReport, BackupError> {
        let report = |lines| on_progress(Progress::Exporting { lines });
        let end = self.export_range(out, &Range::EVERYTHING, &report).await?;
        Ok(ExportReport { counts: end.counts, digest: end.sha256 })
    }

    /// Writes what is in a range of ids, under the ids it had before it was moved there.
    pub(super) async fn export_range(
        &self,
        out: impl Write,
        range: &Range,
        report: &(dyn Fn(u64) + Sync),
    ) -> Result<End, BackupError> {
        let mut snapshot = self.database()?.begin_long_snapshot().await?;
        let mut writer = LineWriter::start(out)?;
        let back = range.shift.back();
        for section in Section::ALL {
            let mut position = None;
            loop {
                let items = snapshot.page(section, range, position).await?;
                let Some(last) = items.last() else { break };
                position = Some(last.key());
                for mut item in items {
                    let id = item.key().0;
                    back.move_item(&mut item).map_err(|error| StoreError::Corrupt {
                        table: section.name(),
                        id,
                        reason: error.to_string(),
                    })?;
                    writer.item(&item)?;
                    if writer.lines().is_multiple_of(REPORT_EVERY) {
                        report(writer.lines());
                    }
                }
            }
        }
        Ok(writer.end()?)
    }
}

//! Export: writes the file from one snapshot of the database, page by page.

use std::io::Write;

use super::line::{End, LineWriter, Section};
use super::pages::Range;
use super::{BackupError, ExportReport, OnProgress, Progress, REPORT_EVERY};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Exports a consistent snapshot of all entities; concurrent writes are not blocked.
    pub async fn export(&self, out: impl Write, on_progress: OnProgress<'_>) -> Result<ExportReport, BackupError> {
        let report = |lines| on_progress(Progress::Exporting { lines });
        let end = self.export_range(out, &Range::EVERYTHING, &report).await?;
        Ok(ExportReport { counts: end.counts, digest: end.sha256 })
    }

    /// Exports the entities of a range of ids, under the ids that they had before an import moved them there.
    pub(super) async fn export_range(
        &self,
        out: impl Write,
        range: &Range,
        report: &(dyn Fn(u64) + Sync),
    ) -> Result<End, BackupError> {
        let mut snapshot = self.database()?.begin_long_snapshot().await?;
        let mut writer = LineWriter::start(out)?;
        let original = range.offsets.inverse();
        for section in Section::all() {
            let mut position = None;
            loop {
                let items = snapshot.page(section, range, position).await?;
                let Some(last) = items.last() else { break };
                position = Some(last.key());
                for mut item in items {
                    let id = item.key().0;
                    original.shift_item(&mut item).map_err(|error| StoreError::Corrupt {
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

//! The state of imports in the database (`import_run`), with which an interrupted import resumes.

use model_registry_api::EntityTable;
use sea_query::{Expr, ExprTrait, Query};

use super::BackupError;
use super::id_offsets::IdOffsets;
use super::verify::Contents;
use crate::db::Transaction;
use crate::dialect::Dialect;
use crate::error::{Result, StoreError};
use crate::from_row;
use crate::tables::FIRST_POINT_ID;

/// Ids left free below the new range, for entities that are being created while it is chosen.
const GAP: i64 = 1_000;

const TABLES: [(EntityTable, &str); 3] = [
    (EntityTable::Resource, "resource"),
    (EntityTable::Artifact, "artifact"),
    (EntityTable::MetricPoint, "metric_point"),
];

/// An import, finished or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImportRun {
    pub(super) offsets: IdOffsets,
    /// The last line whose entity is in the database.
    pub(super) line: i64,
    pub(super) is_finished: bool,
}

struct RunRow {
    resource_offset: i64,
    artifact_offset: i64,
    point_offset: i64,
    line: i64,
    finish_time: Option<i64>,
}

from_row!(RunRow { resource_offset, artifact_offset, point_offset, line, finish_time });

impl Transaction {
    pub(super) async fn find_run(&mut self, digest: &str) -> Result<Option<ImportRun>> {
        let mut select = Query::select();
        select
            .columns(["resource_offset", "artifact_offset", "point_offset", "line", "finish_time"])
            .from("import_run")
            .and_where(Expr::col("digest").eq(digest));
        let row = self.fetch_optional::<RunRow>(&select).await?;
        Ok(row.map(|row| ImportRun {
            offsets: IdOffsets {
                resource: row.resource_offset,
                artifact: row.artifact_offset,
                point: row.point_offset,
            },
            line: row.line,
            is_finished: row.finish_time.is_some(),
        }))
    }

    /// Chooses the ids of the entities and stores the run. Without `remap_ids` entities keep their ids, which requires an empty
    /// database.
    pub(super) async fn begin_run(
        &mut self,
        contents: &Contents,
        remap_ids: bool,
        now: i64,
    ) -> Result<ImportRun, BackupError> {
        let mut highest = [0; 3];
        for (highest, (table, _)) in highest.iter_mut().zip(TABLES) {
            *highest = self.highest_id(table).await?;
        }
        if !remap_ids && highest != [0; 3] {
            return Err(BackupError::Refused(
                "the database is not empty: choose an empty one, or give the imported entities new ids with --remap-ids"
                    .to_owned(),
            ));
        }
        let offset = |highest: i64| if remap_ids && highest > 0 { highest + GAP } else { 0 };
        let [resource, artifact, point] = highest.map(offset);
        let offsets = IdOffsets { resource, artifact, point };
        if TABLES.iter().any(|(table, _)| offsets.of(*table).checked_add(contents.last.of(*table)).is_none()) {
            return Err(BackupError::Refused("the ids of the file are too high for an offset".to_owned()));
        }
        let mut insert = Query::insert();
        insert
            .into_table("import_run")
            .columns(["digest", "resource_offset", "artifact_offset", "point_offset", "line", "start_time"])
            .values_panic([
                contents.digest.as_str().into(),
                resource.into(),
                artifact.into(),
                point.into(),
                1_i64.into(),
                now.into(),
            ]);
        self.execute(&insert).await?;
        Ok(ImportRun { offsets, line: 1, is_finished: false })
    }

    /// Makes the database generate ids above the imported ones from now on. May be repeated.
    pub(super) async fn reserve_ids(&mut self, offsets: IdOffsets, last: IdOffsets) -> Result<()> {
        let dialect = self.dialect();
        for (table, name) in TABLES {
            if last.of(table) == 0 {
                continue;
            }
            let mut last = offsets.of(table) + last.of(table);
            if table == EntityTable::MetricPoint {
                last = Ord::max(last, FIRST_POINT_ID - 1);
            }
            let sql = match dialect {
                Dialect::Sqlite => format!(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', 0 \
                     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '{name}'); \
                     UPDATE sqlite_sequence SET seq = MAX(seq, {last}) WHERE name = '{name}'"
                ),
                Dialect::Postgres => {
                    let sequence = format!("pg_get_serial_sequence('{name}', 'id')");
                    format!("SELECT setval({sequence}, GREATEST({last}, nextval({sequence})))")
                }
                // MySQL ignores a value below the highest id.
                Dialect::MySql => format!("ALTER TABLE {name} AUTO_INCREMENT = {}", last.saturating_add(1)),
            };
            self.execute_text(sql).await?;
        }
        Ok(())
    }

    /// Stores the progress of the run, in the transaction that writes the entities.
    pub(super) async fn advance_run(&mut self, digest: &str, from: i64, to: i64) -> Result<()> {
        let mut update = Query::update();
        update
            .table("import_run")
            .value("line", to)
            .and_where(Expr::col("digest").eq(digest))
            .and_where(Expr::col("line").eq(from));
        if self.execute(&update).await? == 0 {
            return Err(StoreError::Retry(sqlx::Error::RowNotFound));
        }
        Ok(())
    }

    pub(super) async fn finish_run(&mut self, digest: &str, now: i64) -> Result<()> {
        let mut update = Query::update();
        update.table("import_run").value("finish_time", now).and_where(Expr::col("digest").eq(digest));
        self.execute(&update).await?;
        Ok(())
    }
}

//! Rows of the entity tables.

use model_registry_api::{EntityTable, Kind};
use sea_query::{Expr, ExprTrait, InsertStatement, Query};
use serde_json::Value;

use super::Author;
use crate::db::Transaction;
use crate::document::Document;
use crate::error::Result;
use crate::property::{self, Columns};
use crate::record::Record;
use crate::tables::{NOT_FINITE, WORKSPACE, external_id_scope, folded, stored_double, table};

impl Transaction {
    pub(super) async fn insert_row(
        &mut self,
        kind: Kind,
        parent_id: Option<i64>,
        document: &Document,
        time: i64,
    ) -> Result<Record> {
        let spec = kind.spec();
        let columns = property::columns(spec, document);
        let json = document.to_json();
        let name = document.name();
        let mut row: Vec<(&'static str, Expr)> = vec![
            ("workspace_id", WORKSPACE.into()),
            ("kind", kind.code().into()),
            ("name", name.into()),
            ("name_folded", folded(name).into()),
            ("create_time", time.into()),
            ("update_time", time.into()),
            ("revision", 1_i64.into()),
            ("document", json.as_str().into()),
        ];
        match spec.table {
            EntityTable::Resource => {
                row.push(("family", external_id_scope(kind).into()));
                row.push(("parent_id", parent_id.unwrap_or(0).into()));
            }
            _ => row.push(("parent_id", parent_id.into())),
        }
        row.extend(column_values(spec.table, columns));
        let id = self.insert(&mut insert_one(table(kind), row)).await?;
        Ok(Record { kind, id, revision: 1, document: json, _memory: None })
    }

    /// Updates a row if it still has the revision of `old` (compare-and-set); `None` if it does not.
    pub(super) async fn update_row(
        &mut self,
        old: &Record,
        document: &mut Document,
        author: &Author,
    ) -> Result<Option<Record>> {
        let spec = old.kind.spec();
        document.set("lastUpdateTimeSinceEpoch", author.time.to_string());
        let json = document.to_json();
        let revision = old.revision + 1;
        let mut update = Query::update();
        update
            .table(table(old.kind))
            .values([
                ("update_time", author.time.into()),
                ("revision", revision.into()),
                ("document", json.as_str().into()),
            ])
            .values(column_values(spec.table, property::columns(spec, document)))
            .and_where(Expr::col("id").eq(old.id))
            .and_where(Expr::col("revision").eq(old.revision));
        if self.execute(&update).await? == 0 {
            return Ok(None);
        }
        Ok(Some(Record { kind: old.kind, id: old.id, revision, document: json, _memory: None }))
    }

    pub(super) async fn insert_point(
        &mut self,
        run_id: i64,
        experiment_id: i64,
        point: &Document,
        time: i64,
    ) -> Result<i64> {
        let columns = property::columns(Kind::MetricPoint.spec(), point);
        let (value, not_finite) = stored_value(columns.value);
        let name = point.name();
        let mut insert = insert_one(
            "metric_point",
            vec![
                ("workspace_id", WORKSPACE.into()),
                ("experiment_id", experiment_id.into()),
                ("experiment_run_id", run_id.into()),
                ("name", name.into()),
                ("name_folded", folded(name).into()),
                ("state", columns.state.into()),
                ("value", value.unwrap_or_default().into()),
                (NOT_FINITE, not_finite.into()),
                ("step", columns.step.into()),
                ("timestamp", columns.timestamp.into()),
                ("create_time", time.into()),
                ("update_time", time.into()),
                ("document", point.to_json().into()),
            ],
        );
        self.insert(&mut insert).await
    }
}

/// Sets the times of a new entity.
pub(super) fn set_create_time(document: &mut Document, time: i64) {
    let time = Value::String(time.to_string());
    document.set("createTimeSinceEpoch", time.clone());
    document.set("lastUpdateTimeSinceEpoch", time);
}

/// The columns that are derived from the document.
pub(crate) fn column_values(table: EntityTable, columns: Columns) -> Vec<(&'static str, Expr)> {
    let mut values = vec![("external_id", columns.external_id.into()), ("state", columns.state.into())];
    if table == EntityTable::Artifact {
        let (value, not_finite) = stored_value(columns.value);
        values.extend([
            ("experiment_id", columns.experiment_id.into()),
            ("experiment_run_id", columns.experiment_run_id.into()),
            ("value", value.into()),
            (NOT_FINITE, not_finite.into()),
            ("step", columns.step.into()),
            ("timestamp", columns.timestamp.into()),
        ]);
    }
    values
}

/// The values of the columns `value` and [`NOT_FINITE`] of a metric or a point. That of NaN is 0, because the column of points
/// does not allow NULL.
pub(crate) fn stored_value(value: Option<f64>) -> (Option<f64>, Option<i16>) {
    let Some(value) = value else { return (None, None) };
    let (stored, not_finite) = stored_double(value);
    (Some(stored.unwrap_or_default()), not_finite)
}

fn insert_one(table: &'static str, row: Vec<(&'static str, Expr)>) -> InsertStatement {
    let (columns, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
    let mut insert = Query::insert();
    insert.into_table(table).columns(columns).values_panic(values);
    insert
}

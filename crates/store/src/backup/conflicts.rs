//! Finds conflicts of a file with the data of a database before anything is written.
//!
//! An entity below a parent gets a new parent, so that only external ids and names of entities without a parent can conflict.

use std::collections::BTreeMap;
use std::io::BufRead;

use model_registry_api::{EntityTable, Kind};
use sea_query::{Expr, ExprTrait, Query};

use super::BackupError;
use super::line::{Item, Line, LineReader};
use crate::db::Transaction;
use crate::document::Document;
use crate::error::Result;
use crate::tables::{WORKSPACE, external_id_scope, table};

/// Values that one round of queries looks up.
const BATCH: usize = 500;
/// Conflicts that the error message lists at most.
const MAX_LISTED: usize = 20;

/// Values of the file with their lines, by the scope in which they must be unique.
#[derive(Default)]
struct Values {
    by_scope: BTreeMap<Scope, BTreeMap<String, u64>>,
    count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Names of a kind without a parent.
    Name(Kind),
    /// External ids of a scope of resources (see `external_id_scope`), or of artifacts if there is none.
    ExternalId(Option<i16>),
}

/// Fails if names or external ids of the file exist in the database.
pub(super) async fn check(tx: &mut Transaction, input: impl BufRead) -> Result<(), BackupError> {
    let mut reader = LineReader::start(input)?;
    let mut found = Vec::new();
    let mut values = Values::default();
    while let Line::Item(item) = reader.read()? {
        values.add(&item, reader.line()).map_err(|error| reader.error(error.to_string()))?;
        if values.count >= BATCH {
            std::mem::take(&mut values).find_conflicts(tx, &mut found).await?;
            if found.len() >= MAX_LISTED {
                break;
            }
        }
    }
    values.find_conflicts(tx, &mut found).await?;
    if found.is_empty() {
        return Ok(());
    }
    found.truncate(MAX_LISTED);
    Err(BackupError::Refused(format!(
        "nothing was imported, because the database has entities with the same name or external id:\n  {}",
        found.join("\n  ")
    )))
}

impl Values {
    fn add(&mut self, item: &Item, line: u64) -> Result<(), serde_json::Error> {
        let Item::Entity(entity) = item else { return Ok(()) };
        let spec = entity.kind.spec();
        if spec.table == EntityTable::MetricPoint {
            return Ok(());
        }
        let document = Document::from_json(&entity.document)?;
        if spec.table == EntityTable::Resource && entity.parent_id.is_none() {
            self.put(Scope::Name(entity.kind), document.name(), line);
        }
        if let Some(external_id) = document.text("externalId").filter(|id| !id.is_empty()) {
            let scope = (spec.table == EntityTable::Resource).then(|| external_id_scope(entity.kind));
            self.put(Scope::ExternalId(scope), external_id, line);
        }
        Ok(())
    }

    fn put(&mut self, scope: Scope, value: &str, line: u64) {
        self.by_scope.entry(scope).or_default().insert(value.to_owned(), line);
        self.count += 1;
    }

    async fn find_conflicts(self, tx: &mut Transaction, found: &mut Vec<String>) -> Result<()> {
        for (scope, lines) in self.by_scope {
            let (table, column, condition) = match scope {
                Scope::Name(kind) => {
                    (table(kind), "name", Expr::col("kind").eq(kind.code()).and(Expr::col("parent_id").eq(0_i64)))
                }
                Scope::ExternalId(Some(scope)) => ("resource", "external_id", Expr::col("family").eq(scope)),
                Scope::ExternalId(None) => ("artifact", "external_id", Expr::col("external_id").is_not_null()),
            };
            let mut select = Query::select();
            select
                .column(column)
                .from(table)
                .and_where(Expr::col("workspace_id").eq(WORKSPACE))
                .and_where(condition)
                .and_where(Expr::col(column).is_in(lines.keys().map(String::as_str)));
            for (value,) in tx.fetch_all::<(String,)>(&select).await? {
                let line = lines.get(&value).copied().unwrap_or_default();
                found.push(match scope {
                    Scope::Name(kind) => format!("line {line}: the {} `{value}`", kind.spec().label),
                    Scope::ExternalId(_) => format!("line {line}: the external id `{value}`"),
                });
            }
        }
        Ok(())
    }
}

//! Finds what of a file cannot be added to a database that has data already, before anything is written.
//!
//! An entity below a parent gets a new parent, so only names without one and external ids can be taken.

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

const AT_ONCE: usize = 500;
/// So many are named; the rest is counted in vain.
const MOST_NAMED: usize = 20;

/// Values of the file by where they have to be unique, with their lines.
#[derive(Default)]
struct Values {
    by_scope: BTreeMap<Scope, BTreeMap<String, u64>>,
    count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Names of a kind without a parent.
    Name(Kind),
    /// External ids of a family of kinds in a table: the artifacts' if none.
    ExternalId(Option<i16>),
}

/// Refuses a file whose names or external ids are taken.
pub(super) async fn check(tx: &mut Transaction, input: impl BufRead) -> Result<(), BackupError> {
    let mut reader = LineReader::start(input)?;
    let mut found = Vec::new();
    let mut values = Values::default();
    while let Line::Item(item) = reader.read()? {
        values.add(&item, reader.line()).map_err(|error| reader.wrong(error.to_string()))?;
        if values.count >= AT_ONCE {
            std::mem::take(&mut values).find_taken(tx, &mut found).await?;
            if found.len() >= MOST_NAMED {
                break;
            }
        }
    }
    values.find_taken(tx, &mut found).await?;
    if found.is_empty() {
        return Ok(());
    }
    found.truncate(MOST_NAMED);
    Err(BackupError::Refused(format!(
        "nothing was imported, because the database has entities of the same name or external id:\n  {}",
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
        let document = Document::from_text(&entity.document)?;
        if spec.table == EntityTable::Resource && entity.parent_id.is_none() {
            self.put(Scope::Name(entity.kind), document.name(), line);
        }
        if let Some(external_id) = document.text("externalId").filter(|id| !id.is_empty()) {
            let family = (spec.table == EntityTable::Resource).then(|| external_id_scope(entity.kind));
            self.put(Scope::ExternalId(family), external_id, line);
        }
        Ok(())
    }

    fn put(&mut self, scope: Scope, value: &str, line: u64) {
        self.by_scope.entry(scope).or_default().insert(value.to_owned(), line);
        self.count += 1;
    }

    async fn find_taken(self, tx: &mut Transaction, found: &mut Vec<String>) -> Result<()> {
        for (scope, lines) in self.by_scope {
            let (table, column, condition) = match scope {
                Scope::Name(kind) => {
                    (table(kind), "name", Expr::col("kind").eq(kind.code()).and(Expr::col("parent_id").eq(0_i64)))
                }
                Scope::ExternalId(Some(family)) => ("resource", "external_id", Expr::col("family").eq(family)),
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

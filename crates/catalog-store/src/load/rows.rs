//! The rows of a load: items → the statements that insert them, with their children and properties.
//!
//! It blocks: items are unpacked and texts of statements made. It never asks the database.

use std::collections::HashMap;

use model_registry_store::Result;
use model_registry_store::dialect::Dialect;
use model_registry_store::sql::{
    Insertion, PROPERTY_COLUMNS, PropertyRow, WORKSPACE, folded, insertions, rows_of_statement,
};
use sea_query::Expr;
use serde_json::Value;

use crate::item::{CatalogItem, sort_name, unpack};
use crate::{CatalogKind, vocabulary};

/// Id and creation time of children that are about to be written again, by parent, kind and key.
pub(super) type Children = HashMap<(i64, i16, String), (i64, i64)>;

/// An item that is new or differs from what is stored.
pub(super) struct Changed {
    pub(super) packed: Box<[u8]>,
    pub(super) digest: String,
    /// Id and creation time of what it replaces.
    pub(super) old: Option<(i64, i64)>,
}

/// The rows of one source that have been made and not yet been put into a statement.
pub(super) struct LoadRows {
    dialect: Dialect,
    source_id: String,
    now: i64,
    next_id: i64,
    items: Vec<Vec<Expr>>,
    artifacts: Vec<Vec<Expr>>,
    properties: Vec<PropertyRow>,
}

impl LoadRows {
    pub(super) fn new(dialect: Dialect, source_id: &str, now: i64, next_id: i64) -> Self {
        let source_id = source_id.to_owned();
        Self { dialect, source_id, now, next_id, items: vec![], artifacts: vec![], properties: vec![] }
    }

    /// The first id that no row has.
    pub(super) fn next_id(&self) -> i64 {
        self.next_id
    }

    /// Statements for these items, as far as they are full: those of one length are one statement to the database.
    pub(super) fn make(mut self, changed: Vec<Changed>, children: &Children) -> Result<(Self, Vec<Insertion>)> {
        let mut insertions = Vec::new();
        for Changed { packed, digest, old } in changed {
            let mut item = unpack(&packed)?;
            let (id, create_time) = self.identity(old);
            for child in std::mem::take(&mut item.children) {
                let old = children.get(&(id, child.kind.code(), child.key.clone())).copied();
                let (child_id, create_time) = self.identity(old);
                self.add(child, child_id, id, create_time, "");
            }
            self.add(item, id, 0, create_time, &digest);
            self.take(rows_of_statement, &mut insertions);
        }
        Ok((self, insertions))
    }

    /// Statements for what is left.
    pub(super) fn finish(mut self) -> Vec<Insertion> {
        let mut insertions = Vec::new();
        self.take(|_| 1, &mut insertions);
        insertions
    }

    fn identity(&mut self, old: Option<(i64, i64)>) -> (i64, i64) {
        old.unwrap_or_else(|| {
            self.next_id += 1;
            (self.next_id - 1, self.now)
        })
    }

    fn add(&mut self, item: CatalogItem, id: i64, parent_id: i64, created: i64, digest: &str) {
        let create_time = item.create_time.unwrap_or(created);
        let update_time = item.update_time.unwrap_or(self.now);
        let sort_name = sort_name(&item);
        let name_folded = item.name.as_deref().and_then(folded);
        let CatalogItem { kind, key, name, mut document, .. } = item;
        document.set("createTimeSinceEpoch", Value::String(create_time.to_string()));
        document.set("lastUpdateTimeSinceEpoch", Value::String(update_time.to_string()));
        let code = kind.code();
        let properties = vocabulary::properties(kind, &document.0);
        let rows = properties.into_iter().map(|(key, value)| PropertyRow { kind: code, owner_id: id, key, value });
        self.properties.extend(rows);
        let mut row: Vec<Expr> = vec![
            id.into(),
            WORKSPACE.into(),
            code.into(),
            self.source_id.as_str().into(),
            parent_id.into(),
            key.into(),
            name.into(),
            name_folded.into(),
            sort_name.into(),
            document.text("externalId").map(str::to_owned).into(),
            create_time.into(),
            update_time.into(),
            document.to_json().into(),
        ];
        if kind.table() == CatalogKind::Model.table() {
            row.extend([digest.into(), vocabulary::search_text(kind, &document.0).into()]);
            self.items.push(row);
        } else {
            self.artifacts.push(row);
        }
    }

    /// Takes rows into statements as long as there are as many as `least` says for a number of columns.
    fn take(&mut self, least: impl Fn(usize) -> usize, taken: &mut Vec<Insertion>) {
        let (of_both, _) = ITEM_COLUMNS.split_at(ITEM_COLUMNS.len() - OF_ITEMS_ONLY);
        while self.items.len() >= least(ITEM_COLUMNS.len()) {
            let rows = first(&mut self.items, ITEM_COLUMNS.len());
            taken.extend(insertions(self.dialect, "catalog_item", &ITEM_COLUMNS, rows));
        }
        while self.artifacts.len() >= least(of_both.len()) {
            let rows = first(&mut self.artifacts, of_both.len());
            taken.extend(insertions(self.dialect, "catalog_artifact", of_both, rows));
        }
        while self.properties.len() >= least(PROPERTY_COLUMNS.len()) {
            let rows = first(&mut self.properties, PROPERTY_COLUMNS.len()).map(PropertyRow::values);
            taken.extend(insertions(self.dialect, "catalog_property", &PROPERTY_COLUMNS, rows));
        }
    }
}

/// The rows of one statement.
fn first<T>(rows: &mut Vec<T>, columns: usize) -> impl Iterator<Item = T> {
    let count = rows_of_statement(columns).min(rows.len());
    rows.drain(..count)
}

/// Both tables have these, in this order.
const ITEM_COLUMNS: [&str; 15] = [
    "id",
    "workspace_id",
    "kind",
    "source_id",
    "parent_id",
    "item_key",
    "name",
    "name_folded",
    "sort_name",
    "external_id",
    "create_time",
    "update_time",
    "document",
    "digest",
    "search_text",
];
/// So many of them, the last ones, are not those of artifacts.
const OF_ITEMS_ONLY: usize = 2;

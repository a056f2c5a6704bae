//! The rows of a load: packed items become the statements that insert them, with their children and properties.
//!
//! It blocks its thread, and runs no statement.

use std::collections::HashMap;

use model_registry_api::catalog::CatalogTable;
use model_registry_filter::fold;
use model_registry_store::dialect::Dialect;
use model_registry_store::sql::{
    Insertion, PROPERTY_COLUMNS, PropertyRow, WORKSPACE, folded, insertions, rows_of_statement,
};
use model_registry_store::{Result, StoreError};
use sea_query::Expr;

use crate::kind::table;
use crate::packed_properties;
use crate::packing::{PackedItem, unpack};

/// Columns of both tables, and at the end those that only `catalog_item` has.
const ITEM_COLUMNS: [&str; 16] = [
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
    "packed_properties",
    "digest",
    "search_text",
];
/// Columns that `catalog_artifact` has too.
const ARTIFACT_COLUMNS: usize = ITEM_COLUMNS.len() - 2;

/// Id and creation time of children that are about to be written again, by parent, kind and key.
pub(super) type Children = HashMap<(i64, i16, String), (i64, i64)>;

/// An item that is new or differs from the stored one.
pub(super) struct Changed {
    pub(super) packed: Box<[u8]>,
    pub(super) digest: String,
    /// Id and creation time of the item that it replaces.
    pub(super) old: Option<(i64, i64)>,
}

/// Rows of one source that are not part of a statement yet.
pub(super) struct LoadRows {
    dialect: Dialect,
    source_id: String,
    now: i64,
    next_id: i64,
    items: Vec<Vec<Expr>>,
    artifacts: Vec<Vec<Expr>>,
    properties: Vec<PropertyRow>,
}

/// The columns of a row that the load decides.
#[derive(Clone, Copy)]
struct Identity {
    id: i64,
    parent_id: i64,
    /// Unless the item states one.
    create_time: i64,
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

    /// Adds these items and returns the statements that are full: statements with equal numbers of rows are one prepared
    /// statement.
    pub(super) fn make(mut self, changed: Vec<Changed>, children: &Children) -> Result<(Self, Vec<Insertion>)> {
        let mut insertions = Vec::new();
        for Changed { packed, digest, old } in changed {
            let item = unpack(&packed)?;
            let identity = self.identity(old, 0);
            for child in &item.children {
                let old = children.get(&(identity.id, child.kind.code(), child.key.to_owned())).copied();
                let identity = self.identity(old, identity.id);
                self.add(child, identity, "")?;
            }
            self.add(&item, identity, &digest)?;
            self.take_statements(rows_of_statement, &mut insertions);
        }
        Ok((self, insertions))
    }

    /// Statements for the remaining rows.
    pub(super) fn finish(mut self) -> Vec<Insertion> {
        let mut insertions = Vec::new();
        self.take_statements(|_| 1, &mut insertions);
        insertions
    }

    fn identity(&mut self, old: Option<(i64, i64)>, parent_id: i64) -> Identity {
        let (id, create_time) = old.unwrap_or_else(|| {
            self.next_id += 1;
            (self.next_id - 1, self.now)
        });
        Identity { id, parent_id, create_time }
    }

    fn add(&mut self, item: &PackedItem<'_>, identity: Identity, digest: &str) -> Result<()> {
        let Identity { id, parent_id, create_time } = identity;
        let create_time = item.create_time.unwrap_or(create_time);
        let update_time = item.update_time.unwrap_or(self.now);
        let kind = item.kind.code();
        for property in packed_properties::unpack(item.properties).ok_or_else(|| corrupt(item))? {
            let (key, value) = property.to_row(item.document).ok_or_else(|| corrupt(item))?;
            self.properties.push(PropertyRow { kind, owner_id: id, key, value });
        }
        let mut row: Vec<Expr> = vec![
            id.into(),
            WORKSPACE.into(),
            kind.into(),
            self.source_id.as_str().into(),
            parent_id.into(),
            item.key.into(),
            item.name.map(str::to_owned).into(),
            item.name.and_then(folded).into(),
            sort_name(item).into(),
            item.external_id.map(str::to_owned).into(),
            create_time.into(),
            update_time.into(),
            item.document_with_times(create_time, update_time).into(),
            item.properties.to_vec().into(),
        ];
        match item.kind.spec().table {
            CatalogTable::Item => {
                row.extend([digest.into(), item.search_string.into()]);
                self.items.push(row);
            }
            CatalogTable::Artifact => self.artifacts.push(row),
        }
        Ok(())
    }

    /// Takes statements while there are at least `rows_for(columns)` rows for one.
    fn take_statements(&mut self, rows_for: impl Fn(usize) -> usize, statements: &mut Vec<Insertion>) {
        let (artifact_columns, _) = ITEM_COLUMNS.split_at(ARTIFACT_COLUMNS);
        while self.items.len() >= rows_for(ITEM_COLUMNS.len()) {
            let rows = first(&mut self.items, ITEM_COLUMNS.len());
            statements.extend(insertions(self.dialect, "catalog_item", &ITEM_COLUMNS, rows));
        }
        while self.artifacts.len() >= rows_for(ARTIFACT_COLUMNS) {
            let rows = first(&mut self.artifacts, ARTIFACT_COLUMNS);
            statements.extend(insertions(self.dialect, "catalog_artifact", artifact_columns, rows));
        }
        while self.properties.len() >= rows_for(PROPERTY_COLUMNS.len()) {
            let rows = first(&mut self.properties, PROPERTY_COLUMNS.len()).map(PropertyRow::values);
            statements.extend(insertions(self.dialect, "catalog_property", &PROPERTY_COLUMNS, rows));
        }
    }
}

/// The rows of one statement.
fn first<T>(rows: &mut Vec<T>, columns: usize) -> impl Iterator<Item = T> {
    let count = rows_of_statement(columns).min(rows.len());
    rows.drain(..count)
}

/// What an item is ordered by: its name folded, then as written, so that names which differ in case only have an order too.
fn sort_name(item: &PackedItem<'_>) -> String {
    // The key of an artifact is not a name.
    let name = if item.kind.spec().versioned { Some(item.key) } else { item.name };
    name.map_or_else(String::new, |name| format!("{}\u{1}{name}", fold(name)))
}

fn corrupt(item: &PackedItem<'_>) -> StoreError {
    let reason = format!("the packed properties of {:?} cannot be read", item.key);
    StoreError::Corrupt { table: table(item.kind), id: 0, reason }
}

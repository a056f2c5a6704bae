//! Writes within a transaction: entity, properties and change log together, in a constant number of statements.

use crate::from_row;
use model_registry_api::{EntityTable, Kind};
use sea_query::{Alias, Expr, ExprTrait, Func, InsertStatement, OnConflict, Order, Query, SelectStatement};
use serde_json::Value;

use crate::db::{Insertion, Transaction, insertions_of, together};
use crate::document::Document;
use crate::error::Result;
use crate::property::{self, Columns, Properties, PropertyChanges, PropertyKey, PropertyValue};
use crate::record::{Record, RecordRow};
use crate::signature;
use crate::tables::{WORKSPACE, external_id_scope, folded, table};

/// Who changes something, and when.
#[derive(Clone, Debug)]
pub struct Author {
    /// The caller's name, where callers are known.
    pub actor: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub time: i64,
}

/// What the change log says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Import,
}

impl Verb {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Import => "import",
        }
    }
}

/// What is still to be written of entities whose rows are there.
#[derive(Default)]
#[must_use = "entities without their properties and changes are half written"]
pub struct CreationRest {
    properties: Vec<SignedRow>,
    created: Vec<Changed>,
}

/// Kind, id and revision of an entity that something happened to.
type Changed = (Kind, i64, i64);

const CHANGE_COLUMNS: [&str; 7] = ["workspace_id", "time", "actor", "kind", "entity_id", "verb", "revision"];

fn changed(record: &Record) -> Changed {
    (record.kind, record.id, record.revision)
}

/// What becomes of a property that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conflict {
    /// The owner is new.
    Impossible,
    Replace,
}

impl Transaction {
    /// Creates an entity: its row, its properties, the change. The times are set in the document.
    pub async fn create(
        &mut self,
        kind: Kind,
        parent_id: Option<i64>,
        document: Document,
        author: &Author,
    ) -> Result<Record> {
        let mut rest = CreationRest::default();
        let record = self.create_row(kind, parent_id, document, author, &mut rest).await?;
        self.create_rest(rest, author).await?;
        Ok(record)
    }

    /// Begins the creation of an entity with its row. What belongs to it is added to `rest`, which has to be written by
    /// [`Self::create_rest`] in the same transaction.
    pub async fn create_row(
        &mut self,
        kind: Kind,
        parent_id: Option<i64>,
        mut document: Document,
        author: &Author,
        rest: &mut CreationRest,
    ) -> Result<Record> {
        stamp_created(&mut document, author.time);
        let record = self.insert_row(kind, parent_id, &document, author.time).await?;
        rest.properties.extend(signed(kind, record.id, property::properties(kind.spec(), &document)));
        rest.created.push(changed(&record));
        Ok(record)
    }

    /// Ends the creation of entities with their properties and the changes.
    pub async fn create_rest(&mut self, rest: CreationRest, author: &Author) -> Result<()> {
        self.write_rest(rest.properties, Conflict::Impossible, &rest.created, Verb::Create, author).await
    }

    /// Replaces an entity's document if nobody else changed the entity since `old` was read; `None` if somebody did.
    pub async fn update(&mut self, old: &Record, mut document: Document, author: &Author) -> Result<Option<Record>> {
        let before = old.document()?;
        let Some(record) = self.update_row(old, &mut document, author).await? else { return Ok(None) };
        let spec = old.kind.spec();
        let changes =
            PropertyChanges::between(&property::properties(spec, &before), &property::properties(spec, &document));
        self.remove_properties(old.kind, old.id, &changes.remove).await?;
        let rows = with_signature(old.kind, old.id, changes.write, changes.signature);
        self.write_rest(rows, Conflict::Replace, &[changed(&record)], Verb::Update, author).await?;
        Ok(Some(record))
    }

    /// Attaches an existing artifact to a further version or run; attaching twice changes nothing.
    pub async fn link_artifact(&mut self, resource_id: i64, artifact_id: i64) -> Result<()> {
        let mut insert = Query::insert();
        insert
            .into_table("artifact_link")
            .columns(["resource_id", "artifact_id", "workspace_id"])
            .values_panic([resource_id.into(), artifact_id.into(), WORKSPACE.into()])
            .on_conflict(OnConflict::columns(["resource_id", "artifact_id"]).update_column("workspace_id").to_owned());
        self.execute(&insert).await?;
        Ok(())
    }

    /// Logs a value of a metric under a run: creates or replaces the metric, and adds the point to its history.
    ///
    /// `existing` is the run's metric of that name; the answer is `None` if somebody else changed it meanwhile.
    pub async fn log_metric(
        &mut self,
        run_id: i64,
        experiment_id: i64,
        existing: Option<&Record>,
        mut document: Document,
        author: &Author,
    ) -> Result<Option<Record>> {
        let metric = if let Some(old) = existing {
            let Some(record) = self.update_row(old, &mut document, author).await? else { return Ok(None) };
            record
        } else {
            stamp_created(&mut document, author.time);
            self.insert_row(Kind::Metric, Some(run_id), &document, author.time).await?
        };
        let spec = Kind::Metric.spec();
        let properties = property::properties(spec, &document);
        let mut point = document;
        // A history record has no external id of its own, and was created when it was logged.
        point.0.remove("externalId");
        point.set("createTimeSinceEpoch", author.time.to_string());
        let point_id = self.insert_point(run_id, experiment_id, &point, author.time).await?;
        let before = match existing {
            Some(old) => property::properties(spec, &old.document()?),
            None => Properties::new(),
        };
        let point_properties = property::properties(spec, &point);
        let PropertyChanges { mut write, remove, signature } = PropertyChanges::between(&before, &properties);
        write.extend(remove.into_iter().map(|key| (key, PropertyValue::Erased)));
        let mut rows = with_signature(Kind::Metric, metric.id, write, signature);
        rows.extend(signed(Kind::MetricPoint, point_id, point_properties));
        let verb = if existing.is_some() { Verb::Update } else { Verb::Create };
        self.write_rest(rows, Conflict::Replace, &[changed(&metric)], verb, author).await?;
        Ok(Some(metric))
    }

    async fn insert_row(
        &mut self,
        kind: Kind,
        parent_id: Option<i64>,
        document: &Document,
        time: i64,
    ) -> Result<Record> {
        let spec = kind.spec();
        let columns = property::columns(spec, document);
        let text = document.to_text();
        let name = document.name();
        let mut row: Vec<(&'static str, Expr)> = vec![
            ("workspace_id", WORKSPACE.into()),
            ("kind", kind.code().into()),
            ("name", name.into()),
            ("name_folded", folded(name).into()),
            ("create_time", time.into()),
            ("update_time", time.into()),
            ("revision", 1_i64.into()),
            ("document", text.as_str().into()),
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
        Ok(Record { kind, id, revision: 1, document: text })
    }

    async fn update_row(&mut self, old: &Record, document: &mut Document, author: &Author) -> Result<Option<Record>> {
        let spec = old.kind.spec();
        document.set("lastUpdateTimeSinceEpoch", author.time.to_string());
        let text = document.to_text();
        let revision = old.revision + 1;
        let mut update = Query::update();
        update
            .table(table(old.kind))
            .values([
                ("update_time", author.time.into()),
                ("revision", revision.into()),
                ("document", text.as_str().into()),
            ])
            .values(column_values(spec.table, property::columns(spec, document)))
            .and_where(Expr::col("id").eq(old.id))
            .and_where(Expr::col("revision").eq(old.revision));
        if self.execute(&update).await? == 0 {
            return Ok(None);
        }
        Ok(Some(Record { kind: old.kind, id: old.id, revision, document: text }))
    }

    async fn insert_point(&mut self, run_id: i64, experiment_id: i64, point: &Document, time: i64) -> Result<i64> {
        let columns = property::columns(Kind::MetricPoint.spec(), point);
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
                ("value", columns.value.unwrap_or_default().into()),
                ("step", columns.step.into()),
                ("timestamp", columns.timestamp.into()),
                ("create_time", time.into()),
                ("update_time", time.into()),
                ("document", point.to_text().into()),
            ],
        );
        self.insert(&mut insert).await
    }

    async fn remove_properties(&mut self, kind: Kind, owner_id: i64, removed: &[PropertyKey]) -> Result<()> {
        if removed.is_empty() {
            return Ok(());
        }
        let mut delete = Query::delete();
        let keys = removed.iter().fold(sea_query::Cond::any(), |any, (name, custom, ordinal)| {
            any.add(
                Expr::col("name")
                    .eq(name.as_str())
                    .and(Expr::col("custom").eq(*custom))
                    .and(Expr::col("ordinal").eq(*ordinal)),
            )
        });
        delete
            .from_table("property")
            .and_where(Expr::col("kind").eq(kind.code()))
            .and_where(Expr::col("owner_id").eq(owner_id))
            .cond_where(keys);
        self.execute(&delete).await?;
        Ok(())
    }

    /// Writes properties, and logs what happened to entities: two statements, one on PostgreSQL, but for thousands of
    /// properties.
    async fn write_rest(
        &mut self,
        properties: Vec<SignedRow>,
        conflict: Conflict,
        changed: &[Changed],
        verb: Verb,
        author: &Author,
    ) -> Result<()> {
        let dialect = self.dialect();
        let rows = properties.into_iter().map(SignedRow::values);
        let mut insertions = insertions_of(PROPERTY_ROWS_LIMIT, dialect, "property", &SIGNED_COLUMNS, rows);
        if conflict == Conflict::Replace {
            let replacing = |insertion: Insertion| {
                insertion.replacing(
                    dialect,
                    &["kind", "owner_id", "name", "custom", "ordinal"],
                    &["string_value", "string_folded", "int_value", "double_value", "bool_value", "signature"],
                )
            };
            insertions = insertions.into_iter().map(replacing).collect();
        }
        let changes = changed.iter().map(|(kind, id, revision)| -> [Expr; 7] {
            [
                WORKSPACE.into(),
                author.time.into(),
                author.actor.as_deref().into(),
                kind.code().into(),
                (*id).into(),
                verb.as_str().into(),
                (*revision).into(),
            ]
        });
        let last = insertions.pop();
        insertions.extend(together(last, dialect, "change_log", &CHANGE_COLUMNS, changes));
        for insertion in insertions {
            self.run_insertion(insertion).await?;
        }
        Ok(())
    }

    /// Reads entities to change them; those that do not exist are absent from the answer.
    pub async fn load(&mut self, kinds: &[Kind], ids: &[i64]) -> Result<Vec<Record>> {
        let Some(first) = kinds.first() else { return Ok(Vec::new()) };
        let mut select = Query::select();
        select
            .columns(RecordRow::COLUMNS)
            .from(table(*first))
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").is_in(kinds.iter().map(|kind| kind.code())))
            .and_where(Expr::col("id").is_in(ids.iter().copied()));
        self.fetch_all::<RecordRow>(&select).await?.into_iter().map(Record::try_from).collect()
    }

    /// Reads the entity of a name among those without a parent.
    pub async fn find_by_name(&mut self, kind: Kind, name: &str) -> Result<Option<Record>> {
        let mut select = Query::select();
        select
            .columns(RecordRow::COLUMNS)
            .from(table(kind))
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").eq(kind.code()))
            .and_where(Expr::col("parent_id").eq(0))
            .and_where(Expr::col("name").eq(name));
        self.fetch_optional::<RecordRow>(&select).await?.map(Record::try_from).transpose()
    }

    /// Reads a version or run and, in the same statement, an artifact below it: by id, or by kind and name.
    pub async fn load_with_artifact(
        &mut self,
        parent_kind: Kind,
        parent_id: i64,
        artifact: ArtifactKey<'_>,
    ) -> Result<Option<(Record, Option<Record>)>> {
        let (parent, child) = (Alias::new("parent"), Alias::new("child"));
        let column = |table: &Alias, name: &'static str| Expr::col((table.clone(), Alias::new(name)));
        let on = match artifact {
            ArtifactKey::Id(id) => column(&child, "id").eq(id),
            // One of the parent's own comes before one that is attached to it.
            ArtifactKey::Name(kind, name) => {
                let mut own = ids_of_artifacts(kind, name);
                own.and_where(Expr::col(("artifact", "parent_id")).eq(parent_id));
                let mut attached = ids_of_artifacts(kind, name);
                attached
                    .inner_join("artifact_link", Expr::col(("artifact", "id")).equals(("artifact_link", "artifact_id")))
                    .and_where(Expr::col(("artifact_link", "resource_id")).eq(parent_id))
                    .order_by(("artifact", "id"), Order::Asc)
                    .limit(1);
                column(&child, "id")
                    .eq(Func::coalesce([own, attached].map(|ids| Expr::SubQuery(None, Box::new(ids.into())))))
            }
        };
        let mut select = Query::select();
        for name in RecordRow::COLUMNS {
            select.expr_as(column(&parent, name), Alias::new(name));
            select.expr_as(column(&child, name), Alias::new(format!("child_{name}")));
        }
        select
            .from_as("resource", parent.clone())
            .join_as(sea_query::JoinType::LeftJoin, "artifact", child.clone(), on)
            .and_where(column(&parent, "id").eq(parent_id))
            .and_where(column(&parent, "kind").eq(parent_kind.code()))
            .and_where(column(&parent, "workspace_id").eq(WORKSPACE));
        let Some(row) = self.fetch_optional::<PairRow>(&select).await? else { return Ok(None) };
        let child = match (row.child_kind, row.child_id, row.child_revision, row.child_document) {
            (Some(kind), Some(id), Some(revision), Some(document)) => {
                Some(Record::try_from(RecordRow { kind, id, revision, document })?)
            }
            _ => None,
        };
        let parent = RecordRow { kind: row.kind, id: row.id, revision: row.revision, document: row.document };
        Ok(Some((parent.try_into()?, child)))
    }
}

fn ids_of_artifacts(kind: Kind, name: &str) -> SelectStatement {
    let column = |name: &'static str| Expr::col(("artifact", name));
    Query::select()
        .column(("artifact", "id"))
        .from("artifact")
        .and_where(column("workspace_id").eq(WORKSPACE))
        .and_where(column("kind").eq(kind.code()))
        .and_where(column("name").eq(name))
        .take()
}

/// How an artifact below a parent is looked up.
#[derive(Clone, Copy, Debug)]
pub enum ArtifactKey<'a> {
    Id(i64),
    Name(Kind, &'a str),
}

struct PairRow {
    kind: i16,
    id: i64,
    revision: i64,
    document: String,
    child_kind: Option<i16>,
    child_id: Option<i64>,
    child_revision: Option<i64>,
    child_document: Option<String>,
}

from_row!(PairRow { kind, id, revision, document, child_kind, child_id, child_revision, child_document });

/// A row of `property`, or of the catalog's table of the same shape.
pub struct PropertyRow {
    /// The code of the owner's kind.
    pub kind: i16,
    pub owner_id: i64,
    pub key: PropertyKey,
    pub value: PropertyValue,
}

/// Rows of one statement at most: SQLite binds 32,766 values, PostgreSQL 65,535.
const PROPERTY_ROWS_LIMIT: usize = 2_500;

pub const PROPERTY_COLUMNS: [&str; 11] = [
    "workspace_id",
    "kind",
    "owner_id",
    "name",
    "custom",
    "ordinal",
    "string_value",
    "string_folded",
    "int_value",
    "double_value",
    "bool_value",
];

impl PropertyRow {
    /// In the order of [`PROPERTY_COLUMNS`].
    pub fn values(self) -> [Expr; 11] {
        let (name, custom, ordinal) = self.key;
        let (mut text, mut int, mut double, mut bool) = (None, None, None, None);
        match self.value {
            PropertyValue::String(value) => text = Some(value),
            PropertyValue::Int(value) => int = Some(value),
            PropertyValue::Double(value) => double = Some(value),
            PropertyValue::Bool(value) => bool = Some(value),
            PropertyValue::Erased => {}
        }
        let text_folded = text.as_deref().and_then(folded);
        [
            WORKSPACE.into(),
            self.kind.into(),
            self.owner_id.into(),
            name.into(),
            custom.into(),
            ordinal.into(),
            text.into(),
            text_folded.into(),
            int.into(),
            double.into(),
            bool.into(),
        ]
    }
}

/// A row of the registry's `property`: it tells what texts all rows of its owner have.
pub(crate) struct SignedRow {
    row: PropertyRow,
    signature: i64,
}

pub(crate) const SIGNED_COLUMNS: [&str; 12] = {
    let mut columns = ["signature"; 12];
    let (first, _) = columns.split_at_mut(PROPERTY_COLUMNS.len());
    first.copy_from_slice(&PROPERTY_COLUMNS);
    columns
};

impl SignedRow {
    /// In the order of [`SIGNED_COLUMNS`].
    pub(crate) fn values(self) -> Vec<Expr> {
        let mut values = Vec::with_capacity(SIGNED_COLUMNS.len());
        values.extend(self.row.values());
        values.push(self.signature.into());
        values
    }
}

/// The rows of an owner who has these properties and no others.
pub(crate) fn signed(kind: Kind, owner_id: i64, properties: Properties) -> Vec<SignedRow> {
    let signature = signature::of(&properties);
    with_signature(kind, owner_id, properties, signature)
}

fn with_signature(
    kind: Kind,
    owner_id: i64,
    properties: impl IntoIterator<Item = (PropertyKey, PropertyValue)>,
    signature: i64,
) -> Vec<SignedRow> {
    let row = |(key, value)| PropertyRow { kind: kind.code(), owner_id, key, value };
    properties.into_iter().map(|property| SignedRow { row: row(property), signature }).collect()
}

fn stamp_created(document: &mut Document, time: i64) {
    let time = Value::String(time.to_string());
    document.set("createTimeSinceEpoch", time.clone());
    document.set("lastUpdateTimeSinceEpoch", time);
}

pub(crate) fn column_values(table: EntityTable, columns: Columns) -> Vec<(&'static str, Expr)> {
    let mut values = vec![("external_id", columns.external_id.into()), ("state", columns.state.into())];
    if table == EntityTable::Artifact {
        values.extend([
            ("experiment_id", columns.experiment_id.into()),
            ("experiment_run_id", columns.experiment_run_id.into()),
            ("value", columns.value.into()),
            ("step", columns.step.into()),
            ("timestamp", columns.timestamp.into()),
        ]);
    }
    values
}

fn insert_one(table: &'static str, row: Vec<(&'static str, Expr)>) -> InsertStatement {
    let (columns, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
    let mut insert = Query::insert();
    insert.into_table(table).columns(columns).values_panic(values);
    insert
}

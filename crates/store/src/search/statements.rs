//! The statements of a search: each part reads a bounded number of entries of one index.

use model_registry_api::{EntityTable, Kind};
use sea_query::{
    CommonTableExpression, Expr, ExprTrait, Func, JoinType, LikeExpr, Order, Query, SelectStatement, UnionType,
    WithClause,
};

use super::rank::Text;
use super::{NAMES, NEWEST, ParentName};
use crate::dialect::Dialect;
use crate::filter_sql::after_prefix;
use crate::from_row;
use crate::list::string_key;
use crate::read::padded;
use crate::tables::{WORKSPACE, constant, external_id_scope, table};

/// What was found: the values of the column `field`.
pub(super) const ID: i16 = 0;
pub(super) const NAME: i16 = 1;
pub(super) const NAME_IN_PARENT: i16 = 2;
pub(super) const EXTERNAL_ID: i16 = 3;
pub(super) const LABEL: i16 = 4;

/// Names of properties that may be labels, at most.
const MAX_PROPERTY_NAMES: u64 = 200;

/// The indexes in which a search begins; `resource` has one on parents and names, which all names below a parent follow.
const TABLES: [EntityTable; 2] = [EntityTable::Resource, EntityTable::Artifact];

/// An entity that may match.
pub(super) struct FoundRow {
    pub(super) kind: i16,
    pub(super) id: i64,
    /// The text that may match.
    pub(super) found: String,
    pub(super) field: i16,
}

from_row!(FoundRow { kind, id, found, field });

/// A name of a property of a kind; the last one of a kind is absent.
pub(super) struct LabelRow {
    pub(super) kind: i16,
    pub(super) name: Option<String>,
}

from_row!(LabelRow { kind, name });

/// An entity and what is above it.
pub(super) struct DetailRow {
    pub(super) kind: i16,
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) external_id: Option<String>,
    pub(super) state: Option<String>,
    parent_kind: Option<i16>,
    parent_id: Option<i64>,
    parent_name: Option<String>,
    grandparent_kind: Option<i16>,
    grandparent_id: Option<i64>,
    grandparent_name: Option<String>,
}

from_row!(DetailRow {
    kind,
    id,
    name,
    external_id,
    state,
    parent_kind,
    parent_id,
    parent_name,
    grandparent_kind,
    grandparent_id,
    grandparent_name
});

impl DetailRow {
    pub(super) fn parents(&self) -> Vec<ParentName> {
        let of = |kind: Option<i16>, id: Option<i64>, name: &Option<String>| {
            Some(ParentName { kind: Kind::from_code(kind?)?, id: id?, name: name.clone()? })
        };
        let grandparent = of(self.grandparent_kind, self.grandparent_id, &self.grandparent_name);
        let parent = of(self.parent_kind, self.parent_id, &self.parent_name);
        grandparent.into_iter().chain(parent).collect()
    }
}

/// Ids, names and external ids that are the text or begin with it.
pub(super) fn indexed(text: &Text, kinds: &[Kind], most: u64, dialect: Dialect) -> SelectStatement {
    let mut parts = Vec::new();
    for entity_table in TABLES {
        let of_table: Vec<Kind> = kinds.iter().copied().filter(|kind| kind.spec().table == entity_table).collect();
        if of_table.is_empty() {
            continue;
        }
        if let Some(id) = text.id() {
            parts.push(found(&of_table, "name", ID, dialect).and_where(Expr::col("id").eq(id)).limit(most).take());
        }
        parts.extend(by_external_id(text, &of_table, most, dialect));
    }
    for kind in kinds {
        for spelling in text.spellings() {
            let mut part = found(std::slice::from_ref(kind), "name", NAME, dialect);
            begins_with(&mut part, Expr::col("name"), &spelling);
            parts.push(part.order_by("name", Order::Asc).order_by("id", Order::Asc).limit(most).take());
        }
        if let (Some((parent_name, name)), Some(parent)) = (&text.below_parent, kind.spec().parent) {
            parts.push(below_parent(*kind, (parent.kind, parent_name), name, most, dialect));
        }
    }
    all_of(parts)
}

/// Entities of kinds of one table, with a column whose value may match.
fn found(kinds: &[Kind], column: &'static str, field: i16, dialect: Dialect) -> SelectStatement {
    let mut select = Query::select();
    select.column("kind").column("id").expr_as(Expr::col(column), "found").expr_as(field_code(field, dialect), "field");
    if let Some(first) = kinds.first() {
        select.from(table(*first)).and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)));
        select.and_where(match kinds {
            [only] => Expr::col("kind").eq(constant(only.code())),
            several => Expr::col("kind").is_in(several.iter().map(|kind| constant(kind.code()))),
        });
    }
    select
}

/// A number of 16 bits, which a bare literal is not on PostgreSQL.
fn field_code(field: i16, dialect: Dialect) -> Expr {
    match dialect {
        Dialect::Postgres => Expr::cust(format!("{field}::smallint")),
        Dialect::Sqlite | Dialect::MySql => Expr::cust(field.to_string()),
    }
}

fn begins_with(select: &mut SelectStatement, column: Expr, prefix: &str) {
    select.and_where(column.clone().gte(prefix));
    if let Some(after) = after_prefix(prefix) {
        select.and_where(column.lt(after));
    }
}

fn by_external_id(text: &Text, kinds: &[Kind], most: u64, dialect: Dialect) -> Vec<SelectStatement> {
    let mut scopes: Vec<Option<i16>> = kinds
        .iter()
        .map(|kind| (kind.spec().table == EntityTable::Resource).then(|| external_id_scope(*kind)))
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    let parts = scopes.into_iter().map(|scope| {
        let mut part = found(kinds, "external_id", EXTERNAL_ID, dialect);
        if let Some(scope) = scope {
            part.and_where(Expr::col("family").eq(constant(scope)));
        }
        begins_with(&mut part, Expr::col("external_id"), &text.typed);
        part.order_by("external_id", Order::Asc).limit(most).take()
    });
    parts.collect()
}

/// The children whose names begin with a text, of parents with a name.
fn below_parent(
    kind: Kind,
    (parent, parent_name): (Kind, &str),
    name: &str,
    most: u64,
    dialect: Dialect,
) -> SelectStatement {
    let above = |column: &'static str| Expr::col(("above", column));
    let below = |column: &'static str| Expr::col(("below", column));
    let mut select = Query::select();
    select
        .expr_as(below("kind"), "kind")
        .expr_as(below("id"), "id")
        .expr_as(below("name"), "found")
        .expr_as(field_code(NAME_IN_PARENT, dialect), "field")
        .from_as("resource", "above")
        .join_as(JoinType::InnerJoin, "resource", "below", below("parent_id").equals(("above", "id")))
        .and_where(above("workspace_id").eq(constant(WORKSPACE)))
        .and_where(above("kind").eq(constant(parent.code())))
        .and_where(above("name").eq(parent_name))
        .and_where(below("workspace_id").eq(constant(WORKSPACE)))
        .and_where(below("kind").eq(constant(kind.code())));
    begins_with(&mut select, below("name"), name);
    select.order_by(("below", "name"), Order::Asc).limit(most).take()
}

/// The names of properties that begin with the text, of each kind.
pub(super) fn property_names(text: &Text, kinds: &[Kind], dialect: Dialect) -> SelectStatement {
    let spellings = text.spellings();
    let mut parts = Vec::new();
    for kind in kinds {
        for spelling in &spellings {
            let mut names = Query::select();
            names
                .from("property")
                .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
                .and_where(Expr::col("kind").eq(constant(kind.code())));
            begins_with(&mut names, Expr::col("name"), spelling);
            parts.push((*kind, spelling, names));
        }
    }
    if dialect == Dialect::MySql {
        // MySQL and MariaDB skip from name to name by themselves.
        let distinct = parts
            .into_iter()
            .map(|(_, _, mut names)| names.distinct().columns(["kind", "name"]).limit(MAX_PROPERTY_NAMES).take());
        return all_of(distinct.collect());
    }
    // The upper end of the range goes along, since it differs between the spellings.
    let mut all: Option<SelectStatement> = None;
    let mut add = |part: SelectStatement| match &mut all {
        Some(all) => {
            all.union(UnionType::All, part);
        }
        None => all = Some(part),
    };
    let literal = |value: String| match dialect {
        // Columns of different collations cannot be compared.
        Dialect::Postgres => Expr::cust_with_values("$1::text COLLATE \"C\"", [value]),
        Dialect::Sqlite | Dialect::MySql => Expr::val(value),
    };
    for (kind, spelling, mut names) in parts {
        let first = names.column("name").order_by("name", Order::Asc).limit(1).take();
        add(Query::select()
            .expr_as(field_code(kind.code(), dialect), "kind")
            .expr_as(Expr::SubQuery(None, Box::new(first.into())), "name")
            .expr_as(literal(after_prefix(spelling).unwrap_or_default()), "until")
            .take());
    }
    let known = |column: &'static str| Expr::col(("names", column));
    let next = Query::select()
        .column("name")
        .from("property")
        .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
        .and_where(Expr::col(("property", "kind")).eq(known("kind")))
        .and_where(Expr::col(("property", "name")).gt(known("name")))
        .and_where(Expr::col(("property", "name")).lt(known("until")))
        .order_by(("property", "name"), Order::Asc)
        .limit(1)
        .take();
    let following = Query::select()
        .expr_as(known("kind"), "kind")
        .expr_as(Expr::SubQuery(None, Box::new(next.into())), "name")
        .expr_as(known("until"), "until")
        .from("names")
        .and_where(known("name").is_not_null())
        .take();
    add(following);
    let names = CommonTableExpression::new()
        .table_name("names")
        .columns(["kind", "name", "until"])
        .query(all.unwrap_or_default())
        .to_owned();
    Query::select()
        .with_cte(WithClause::new().recursive(true).cte(names).to_owned())
        .columns(["kind", "name"])
        .from("names")
        .limit(MAX_PROPERTY_NAMES)
        .take()
}

/// The entities that have these names as labels: with an empty string as the value.
pub(super) fn labelled(labels: &[LabelRow], most: u64, dialect: Dialect) -> SelectStatement {
    let parts = labels.iter().map(|label| {
        Query::select()
            .column("kind")
            .expr_as(Expr::col("owner_id"), "id")
            .expr_as(Expr::col("name"), "found")
            .expr_as(field_code(LABEL, dialect), "field")
            .from("property")
            .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
            .and_where(Expr::col("kind").eq(constant(label.kind)))
            .and_where(Expr::col("name").eq(label.name.as_deref().unwrap_or_default()))
            .and_where(Expr::col(string_key(dialect)).eq(""))
            .and_where(Expr::col("custom").eq(true))
            .order_by("owner_id", Order::Asc)
            .limit(most)
            .take()
    });
    all_of(parts.collect())
}

/// Entities whose names contain the text, among a bounded number of names.
pub(super) fn within_names(text: &Text, kinds: &[Kind], most: u64, dialect: Dialect) -> SelectStatement {
    let parts = kinds.iter().map(|kind| {
        let mut names = Query::select();
        names
            .columns(["kind", "id", "name"])
            .from(table(*kind))
            .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
            .and_where(Expr::col("kind").eq(constant(kind.code())));
        let is_root = kind.spec().table == EntityTable::Resource && kind.spec().parent.is_none();
        if is_root {
            // Along the index on names, which has all that is needed.
            names.order_by("name", Order::Asc).limit(NAMES);
        } else {
            names.order_by("id", Order::Desc).limit(NEWEST);
        }
        let like = LikeExpr::new(text.pattern()).escape('!');
        Query::select()
            .columns(["kind", "id"])
            .expr_as(Expr::col("name"), "found")
            .expr_as(field_code(NAME, dialect), "field")
            .from_subquery(names, "names")
            .and_where(Expr::from(Func::lower(Expr::col("name"))).like(like))
            .limit(most)
            .take()
    });
    all_of(parts.collect())
}

/// The details of resources and artifacts with these ids.
pub(super) fn details(resources: &[i64], artifacts: &[i64]) -> SelectStatement {
    let parts = [("resource", resources), ("artifact", artifacts)].into_iter().filter(|(_, ids)| !ids.is_empty());
    let parts = parts.map(|(table, ids)| {
        let own = |column: &'static str| Expr::col((table, column));
        let mut select = Query::select();
        for column in ["kind", "id", "name", "external_id", "state"] {
            select.expr_as(own(column), column);
        }
        for (alias, names) in [
            ("parent", ["parent_kind", "parent_id", "parent_name"]),
            ("grandparent", ["grandparent_kind", "grandparent_id", "grandparent_name"]),
        ] {
            for (column, name) in ["kind", "id", "name"].into_iter().zip(names) {
                select.expr_as(Expr::col((alias, column)), name);
            }
        }
        select
            .from(table)
            .join_as(JoinType::LeftJoin, "resource", "parent", Expr::col(("parent", "id")).equals((table, "parent_id")))
            .join_as(
                JoinType::LeftJoin,
                "resource",
                "grandparent",
                Expr::col(("grandparent", "id")).equals(("parent", "parent_id")),
            )
            .and_where(own("id").is_in(padded(ids)))
            .take()
    });
    all_of(parts.collect())
}

/// All parts as one statement. A part with an order or a limit is a subquery, which SQLite requires.
fn all_of(parts: Vec<SelectStatement>) -> SelectStatement {
    let mut parts =
        parts.into_iter().map(|part| Query::select().column(sea_query::Asterisk).from_subquery(part, "part").take());
    let mut all = parts.next().unwrap_or_default();
    for part in parts {
        all.union(UnionType::All, part);
    }
    all
}

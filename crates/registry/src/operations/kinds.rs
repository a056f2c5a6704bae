//! The operations that follow from the declaration of a kind: on its collection, below its parent, and on the artifacts
//! below it.

use axum::routing::{MethodRouter, get, patch, post};
use model_registry_api::{EntityTable, Kind, KindSpec, Parent};

use super::{ARTIFACT, Action, BY_NAME, BY_NAME_AND_PARENT, FILTER_OPTIONS, Operation, operation, with_article};
use crate::routes::{Context, artifacts, entity, filter_options};

pub(super) fn operations(kind: Kind) -> Vec<Operation> {
    let spec = kind.spec();
    let mut operations = Vec::new();
    if let Some(collection) = spec.collection {
        operations.extend(on_collection(spec, collection));
        if spec.has_artifacts {
            operations.extend(on_artifacts(spec, collection));
        }
    }
    if let Some(parent) = spec.parent {
        operations.extend(below_parent(spec, parent));
    }
    operations
}

fn on_collection(spec: &'static KindSpec, collection: &str) -> [Operation; 6] {
    let KindSpec { kind, schema, name, label, label_plural, .. } = *spec;
    let one = with_article(label);
    let is_artifact = spec.table == EntityTable::Artifact;
    let parent = if is_artifact { Some("version or run") } else { spec.parent.map(|parent| parent.kind.spec().label) };
    let (find_by, by) = match parent {
        Some(parent) => (BY_NAME_AND_PARENT, format!("name and {parent}, or by external id")),
        None => (BY_NAME, "name or external id".to_owned()),
    };
    let without_parent = if is_artifact { " without a parent" } else { "" };
    let handlers = Handlers::of(spec);
    let subject = spec.into();
    [
        operation(Action::List, format!("/{collection}"), format!("get{schema}s"), subject)
            .summary(format!("Lists {label_plural}."))
            .handler(handlers.list),
        operation(
            Action::FilterOptions,
            format!("/{collection}/filter_options"),
            format!("get{schema}FilterOptions"),
            FILTER_OPTIONS,
        )
        .summary(format!(
            "Gets what filters on {label_plural} can use: names, types, frequent values, ranges of numbers."
        ))
        .handler(get(move |request| filter_options::of_kind(kind, request))),
        operation(Action::Create, format!("/{collection}"), format!("create{schema}"), subject)
            .summary(format!("Creates {one}{without_parent}."))
            .handler(handlers.create),
        operation(Action::Get, format!("/{collection}/{{id}}"), format!("get{schema}"), subject)
            .summary(format!("Gets {one}."))
            .handler(handlers.get),
        operation(Action::Update, format!("/{collection}/{{id}}"), format!("update{schema}"), subject)
            .summary(format!("Updates {one}."))
            .handler(handlers.update),
        operation(Action::Find, format!("/{name}"), format!("find{schema}"), subject)
            .summary(format!("Finds {one} by {by}."))
            .query(find_by)
            .handler(handlers.find),
    ]
}

struct Handlers {
    list: MethodRouter<Context>,
    create: MethodRouter<Context>,
    get: MethodRouter<Context>,
    update: MethodRouter<Context>,
    find: MethodRouter<Context>,
}

impl Handlers {
    fn of(spec: &KindSpec) -> Self {
        let kind = spec.kind;
        match spec.table {
            EntityTable::Artifact => Self {
                list: get(move |request| artifacts::list_kind(kind, request)),
                create: post(move |request, body| artifacts::create_kind(kind, request, body)),
                get: get(move |request, id| artifacts::get_kind(kind, request, id)),
                update: patch(move |request, id, body| artifacts::update_kind(kind, request, id, body)),
                find: get(move |request| artifacts::find_kind(kind, request)),
            },
            EntityTable::Resource | EntityTable::MetricPoint => Self {
                list: get(move |request| entity::list(kind, request)),
                create: post(move |request, body| entity::create(kind, request, body)),
                get: get(move |request, id| entity::get_one(kind, request, id)),
                update: patch(move |request, id, body| entity::update(kind, request, id, body)),
                find: get(move |request| entity::find(kind, request)),
            },
        }
    }
}

fn below_parent(spec: &'static KindSpec, parent: Parent) -> Vec<Operation> {
    let kind = spec.kind;
    let of = parent.kind.spec();
    let Some(collection) = of.collection else { return Vec::new() };
    let path = format!("/{collection}/{{id}}/{}", parent.segment);
    let one = with_article(spec.label);
    let of_one = with_article(of.label);
    let (action, or_update) = if parent.upsert {
        (Action::Upsert, ", or updates the child whose id the body carries")
    } else {
        (Action::Create, "")
    };
    vec![
        operation(Action::List, path.clone(), format!("get{}s", parent.operation), spec.into())
            .summary(format!("Lists the {} of {of_one}.", spec.label_plural))
            .query(BY_NAME)
            .handler(get(move |request, parent| entity::list_children(kind, request, parent))),
        operation(action, path, format!("create{}", parent.operation), spec.into())
            .summary(format!("Creates {one} of {of_one}{or_update}."))
            .handler(post(move |request, parent, body| entity::create_child(kind, request, parent, body))),
    ]
}

fn on_artifacts(parent: &'static KindSpec, collection: &str) -> [Operation; 2] {
    let kind = parent.kind;
    let path = format!("/{collection}/{{id}}/artifacts");
    let of_one = with_article(parent.label);
    [
        operation(Action::List, path.clone(), format!("get{}Artifacts", parent.schema), ARTIFACT)
            .summary(format!("Lists the artifacts of {of_one}."))
            .query(&["name", "externalId", "artifactType"])
            .handler(get(move |request, id| artifacts::list_of(kind, request, id))),
        operation(Action::Upsert, path, format!("upsert{}Artifact", parent.schema), ARTIFACT)
            .summary(format!(
                "Creates an artifact of {of_one}, or updates or attaches the one that the body identifies."
            ))
            .handler(post(move |request, id, body| artifacts::upsert(kind, request, id, body))),
    ]
}

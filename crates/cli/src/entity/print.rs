//! Writes entities of the registry to standard output, with the names of their parents.

use model_registry_client::{Client, Items};
use serde_json::Value;

use super::kind_command::KindCommand;
use super::parent_names::{self, ParentNames};
use super::reference_fields::reference_fields;
use super::reference_names::{self, ReferenceNames};
use crate::client_context::ClientContext;
use crate::output::{self, ColumnCheck, Format, printable};
use crate::print;

/// The column with the parent.
const PARENT: &str = "parent";

/// Writes a list of a kind as it arrives, with the default columns of the kind.
pub(crate) async fn list(context: &ClientContext, kind: &KindCommand, items: Items<Value>) -> anyhow::Result<()> {
    list_with_columns(context, kind, kind.columns, items).await
}

/// Writes a list with these default columns.
pub(crate) async fn list_with_columns(
    context: &ClientContext,
    kind: &KindCommand,
    columns: &[&str],
    items: Items<Value>,
) -> anyhow::Result<()> {
    let output = &context.output;
    let columns = output.columns_or(columns);
    let headers = columns.iter().map(|column| header(kind, column)).collect();
    let needs_parents = match output.format {
        Format::Table => columns.iter().any(|column| column == PARENT),
        Format::Name => kind.parent().is_some(),
        Format::Json | Format::Yaml => false,
    };
    let rows = async |batch: &[Value]| {
        let parents = if needs_parents { parents(&context.client, kind, batch).await? } else { ParentNames::default() };
        let references = match output.format {
            Format::Table => reference_names::load(&context.client, kind, &columns, batch).await?,
            _ => ReferenceNames::default(),
        };
        let cells = |entity: &Value| match output.format {
            Format::Name => vec![printable(&kind.reference(entity, &parents))],
            _ => columns.iter().map(|column| cell(kind, entity, column, &parents, &references)).collect(),
        };
        Ok(batch.iter().map(cells).collect())
    };
    print::list(output, headers, ColumnCheck::of(output, known_columns(kind)), items, rows).await
}

/// The names of all columns of a kind, except custom properties.
pub(crate) fn known_columns(kind: &KindCommand) -> impl Iterator<Item = &'static str> {
    let mut names: Vec<&str> = kind.columns.iter().copied().chain([PARENT]).collect();
    for field in kind.kinds.iter().flat_map(|kind| kind.spec().all_fields()) {
        names.extend([Some(field.name), field.name.strip_suffix("TimeSinceEpoch")].into_iter().flatten());
    }
    names.extend(reference_fields(kind).map(|(_, target)| target.singular));
    names.into_iter()
}

/// Writes an entity: all fields, or the selected columns.
pub(crate) async fn entity(context: &ClientContext, kind: &KindCommand, entity: &Value) -> anyhow::Result<()> {
    let output = &context.output;
    match output.format {
        Format::Table if output.has_columns() => {
            let items = futures::stream::iter([Ok(entity.clone())]);
            list(context, kind, Box::pin(items)).await
        }
        Format::Table => Ok(print::text(&output.fields(entity))?),
        Format::Name => {
            let parents = parents(&context.client, kind, std::slice::from_ref(entity)).await?;
            Ok(print::line(&kind.reference(entity, &parents))?)
        }
        Format::Json | Format::Yaml => print::value(output, entity),
    }
}

/// Writes the result of a write: a sentence such as `Created model fraud-detector (id 7)`, or the entity if another
/// format or columns are selected.
pub(crate) async fn written(
    context: &ClientContext,
    kind: &KindCommand,
    verb: &str,
    written: &Value,
) -> anyhow::Result<()> {
    let output = &context.output;
    if output.format != Format::Table || output.has_columns() {
        return entity(context, kind, written).await;
    }
    let parents = parents(&context.client, kind, std::slice::from_ref(written)).await?;
    let field = |key: &str| written.get(key).and_then(Value::as_str).unwrap_or_default();
    let reference = kind.reference(written, &parents);
    // The sentence ends with the id.
    let reference = if reference.starts_with("id:") { field("name").to_owned() } else { reference };
    let reference = output.style.bold(&printable(&reference));
    Ok(print::text(&format!("{verb} {} {reference} (id {})\n", kind.singular, printable(field("id"))))?)
}

async fn parents(client: &Client, kind: &KindCommand, entities: &[Value]) -> anyhow::Result<ParentNames> {
    parent_names::load(client, kind, entities).await
}

fn header(kind: &KindCommand, column: &str) -> String {
    match kind.parent() {
        Some((parent, _)) if column == PARENT => parent.singular.to_uppercase(),
        _ => output::header(column),
    }
}

fn cell(
    kind: &KindCommand,
    entity: &Value,
    column: &str,
    parents: &ParentNames,
    references: &ReferenceNames,
) -> String {
    if let Some(name) = references.cell(entity, column) {
        return printable(&name);
    }
    if column == PARENT {
        return kind.parent_id(entity).map_or_else(String::new, |id| printable(&parents.of(id)));
    }
    output::cell(entity, column)
}

#[cfg(test)]
mod tests {
    use super::super::kind_command::{MODELS, RUNS, SERVICES, VERSIONS};
    use super::*;

    #[test]
    fn columns_are_fields_times_parents_and_references() {
        let known: Vec<&str> = known_columns(&SERVICES).collect();
        for column in ["parent", "model", "version", "runtime", "desiredState", "registeredModelId", "updated"] {
            assert!(known.contains(&column), "{column}");
        }
        assert!(known_columns(&RUNS).any(|column| column == "start"));
    }

    #[test]
    fn the_header_of_the_parent_is_its_kind() {
        assert_eq!(header(&VERSIONS, "parent"), "MODEL");
        assert_eq!(header(&MODELS, "parent"), "PARENT");
        assert_eq!(header(&VERSIONS, "storagePath"), "STORAGE PATH");
    }
}

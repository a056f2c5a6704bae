//! Rules between the entities that one entity refers to.

use model_registry_server::ApiError;
use model_registry_store::{Document, Record};

use super::RuleError;

/// Checks that the parent of a referred entity is the one that `field` of the document refers to.
pub(super) fn check_child_of(document: &Document, field: &str, child: &Record) -> Result<(), RuleError> {
    let spec = child.kind.spec();
    let parent_field = spec.parent.and_then(|parent| parent.field).unwrap_or_default();
    let (actual, expected) = (child.document()?.id(parent_field), document.id(field));
    if actual.is_none() || actual == expected {
        return Ok(());
    }
    let shown = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    Err(ApiError::Invalid(format!(
        "{} {} belongs to {parent_field} {}, not to {field} {}: choose one of that model",
        spec.label,
        child.id,
        shown(actual),
        shown(expected),
    ))
    .into())
}

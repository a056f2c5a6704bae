//! Turns drafts into documents: new ones with defaults, or existing ones with the draft's fields overlaid.

use model_registry_api::{Check, Field, KindSpec};
use model_registry_server::ApiError;
use model_registry_store::Document;
use serde_json::Value;

use crate::decode::{Draft, FieldInput};

/// The document of a new entity. The caller provides the name, sent or generated.
pub(crate) fn new_document(spec: &'static KindSpec, draft: Draft, name: String) -> Document {
    let mut document = Document::default();
    document.set("name", name);
    if let Some(artifact_type) = spec.artifact_type {
        document.set("artifactType", artifact_type);
    }
    document.set("customProperties", draft.custom_properties.unwrap_or_default());
    for field in spec.all_fields() {
        match draft.fields.get(field.name) {
            Some(FieldInput::Value(value)) => document.set(field.name, value.clone()),
            // parity: null at creation means no value instead of the default.
            Some(FieldInput::Null) => {}
            None => {
                if let Some(default) = field.default {
                    document.set(field.name, default);
                }
            }
        }
    }
    document
}

/// Overlays the fields of a draft: absent ones keep their value; null clears, except for states and statuses.
pub(super) fn overlay(spec: &KindSpec, document: &mut Document, draft: &Draft) {
    for (name, input) in &draft.fields {
        match input {
            FieldInput::Null if spec.field(name).is_some_and(Field::null_keeps) => {}
            FieldInput::Null => {
                document.0.remove(*name);
            }
            FieldInput::Value(value) => document.set(name, value.clone()),
        }
    }
    if let Some(properties) = &draft.custom_properties {
        document.set("customProperties", properties.clone());
    }
}

/// Applies the declared checks of a kind to a document.
pub(super) fn check_document(spec: &KindSpec, document: &Document) -> Result<(), ApiError> {
    spec.checks.iter().try_for_each(|check| match *check {
        Check::Required { field, message } => match document.0.get(field) {
            None | Some(Value::Null) => Err(ApiError::Invalid(message.to_owned())),
            Some(_) => Ok(()),
        },
        Check::TimeOrder { start, end } => check_time_order(document, start, end),
    })
}

fn check_time_order(document: &Document, start_field: &str, end_field: &str) -> Result<(), ApiError> {
    let (Some(start), Some(end)) = (document.text(start_field), document.text(end_field)) else {
        return Ok(());
    };
    let millis = |field: &str, value: &str| {
        value.parse::<i64>().map_err(|_| {
            ApiError::Invalid(format!(
                "invalid {field} value: `{value}` is not a number of milliseconds since the Unix epoch"
            ))
        })
    };
    if millis(end_field, end)? < millis(start_field, start)? {
        return Err(ApiError::Invalid(format!("{end_field} ({end}) cannot be less than {start_field} ({start})")));
    }
    Ok(())
}

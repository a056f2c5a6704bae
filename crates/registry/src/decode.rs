//! Decodes request bodies by the declaration of their kind: JSON to a [`Draft`], as strictly as the Kubeflow Model
//! Registry.
//!
//! Keys match case-insensitively, the last of several counts (parity), unknown keys are rejected except in artifact
//! bodies, and null differs from an absent field.

mod case_insensitive_json;
mod custom_properties;
mod field;
pub(crate) mod limits;
mod unquoted_number;

use std::collections::BTreeMap;

use model_registry_api::custom_property::json_type;
use model_registry_api::kind::NAME_LIMIT;
use model_registry_api::{Field, KindSpec, parse_id};
use model_registry_server::ApiError;
use serde_json::{Map, Value};

/// A field of a body: null or a value in its stored form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FieldInput {
    Null,
    Value(Value),
}

/// A decoded body: its fields, checked and in their stored form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) name: Option<String>,
    /// The id of the entity itself, from bodies that may carry it.
    pub(crate) id: Option<i64>,
    pub(crate) fields: BTreeMap<&'static str, FieldInput>,
    pub(crate) custom_properties: Option<Map<String, Value>>,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Create,
    Update,
    /// A whole entity: the body of nested creates and upserts.
    Whole,
}

/// How to decode a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    pub(crate) mode: Mode,
    /// Whether unknown fields are an error; bodies of artifacts of any kind ignore them (parity).
    pub(crate) strict: bool,
}

/// Parses a body that has to be one JSON object.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let value = case_insensitive_json::parse(bytes).map_err(|error| {
        let reason = unquoted_number::find(bytes).unwrap_or_else(|| error.to_string());
        ApiError::Invalid(format!("the body is not valid JSON: {reason}"))
    })?;
    as_object(value, "the body")
}

pub(crate) fn as_object(value: Value, what: &str) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(map) => Ok(map),
        // parity: a null body counts as an empty object, so required fields are missing.
        Value::Null => Ok(Map::new()),
        other => Err(ApiError::Invalid(format!("{what} must be a JSON object, not {}", json_type(&other)))),
    }
}

/// An unknown field, in the words of the Kubeflow Model Registry, which clients compare (parity).
pub(crate) fn unknown_field(key: String) -> ApiError {
    ApiError::Invalid(format!("json: unknown field {}", Value::String(key)))
}

impl Decoder {
    pub(crate) fn draft(self, spec: &'static KindSpec, body: Map<String, Value>) -> Result<Draft, ApiError> {
        let mut draft = Draft::default();
        for (key, value) in body {
            if let Some(declared) = self.declared(spec, &key) {
                draft.fields.insert(declared.name, field::check(declared, value)?);
            } else if key.eq_ignore_ascii_case("customProperties") {
                draft.custom_properties = custom_properties::check(value)?;
            } else if key.eq_ignore_ascii_case("name") && self.mode != Mode::Update {
                draft.name = name(spec, value)?;
            } else if key.eq_ignore_ascii_case("artifactType") && spec.artifact_type.is_some() {
                check_artifact_type(spec, &value)?;
            } else if self.mode == Mode::Whole && self.read_server_field(&mut draft, &key, &value)? {
            } else if self.strict {
                return Err(unknown_field(key));
            }
        }
        Ok(draft)
    }

    fn declared(self, spec: &'static KindSpec, key: &str) -> Option<&'static Field> {
        spec.all_fields().find(|field| {
            let accepted = match self.mode {
                Mode::Create | Mode::Whole => field.on_create(),
                Mode::Update => field.on_update(),
            };
            accepted && field.name.eq_ignore_ascii_case(key)
        })
    }

    /// Reads a field that the server sets and that a whole entity may carry; only the id has an effect.
    #[expect(clippy::unused_self, reason = "reads as one of the decoder's steps")]
    fn read_server_field(self, draft: &mut Draft, key: &str, value: &Value) -> Result<bool, ApiError> {
        if key.eq_ignore_ascii_case("id") {
            draft.id = match value {
                Value::Null => None,
                Value::String(value) if value.is_empty() => None,
                Value::String(value) => {
                    let invalid = || ApiError::Invalid(format!("invalid id `{value}`: {ID_FORM}"));
                    Some(parse_id(value).ok_or_else(invalid)?)
                }
                other => {
                    return Err(ApiError::Invalid(format!("field `id` must be a string, not {}", json_type(other))));
                }
            };
            return Ok(true);
        }
        for time in ["createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"] {
            if key.eq_ignore_ascii_case(time) {
                let is_number = value.is_null() || value.as_str().is_some_and(|value| value.parse::<i64>().is_ok());
                if !is_number {
                    return Err(ApiError::Invalid(format!(
                        "field `{time}` must be a string of milliseconds since the Unix epoch"
                    )));
                }
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn name(spec: &KindSpec, value: Value) -> Result<Option<String>, ApiError> {
    match value {
        Value::Null => Ok(None),
        // An empty name counts as absent: an error where a name is required, generated elsewhere.
        Value::String(value) if value.is_empty() => Ok(None),
        Value::String(value) => {
            check_length("name", &value, spec.name_limit)?;
            Ok(Some(value))
        }
        other => Err(ApiError::Invalid(format!("field `name` must be a string, not {}", json_type(&other)))),
    }
}

pub(crate) fn check_length(what: &str, value: &str, limit: usize) -> Result<(), ApiError> {
    // The length in bytes is an upper bound of that in characters, and needs no counting.
    if value.len() <= limit || value.chars().count() <= limit {
        return Ok(());
    }
    Err(ApiError::Invalid(format!("`{what}` is longer than {limit} characters")))
}

/// Rejects the `artifactType` of another kind; other strings are ignored. The Kubeflow Model Registry ignores all of
/// them (parity).
fn check_artifact_type(spec: &KindSpec, value: &Value) -> Result<(), ApiError> {
    let (Some(own), Some(sent)) = (spec.artifact_type, value.as_str()) else {
        return match value {
            Value::Null => Ok(()),
            other => Err(ApiError::Invalid(format!("field `artifactType` must be a string, not {}", json_type(other)))),
        };
    };
    if sent != own && model_registry_api::Kind::from_artifact_type(sent).is_some() {
        return Err(ApiError::Invalid(format!("`artifactType` is `{sent}`, but this is a {own}")));
    }
    Ok(())
}

impl Draft {
    /// Fails with 422 for the first required field that is missing or empty: the name, then the order of declaration.
    pub(crate) fn check_required(&self, spec: &'static KindSpec) -> Result<(), ApiError> {
        let missing = |field: &str| Err(ApiError::Unprocessable(format!("required field '{field}' is zero value.")));
        if spec.name_required && self.name.is_none() {
            return missing("name");
        }
        for field in spec.all_fields().filter(|field| field.required) {
            match self.fields.get(field.name) {
                Some(FieldInput::Value(Value::String(value))) if value.is_empty() => return missing(field.name),
                Some(FieldInput::Value(_)) => {}
                Some(FieldInput::Null) | None => return missing(field.name),
            }
        }
        Ok(())
    }

    /// The id of another entity in a field; `None` if it is absent, null or empty.
    pub(crate) fn reference(&self, field: &str) -> Result<Option<i64>, ApiError> {
        match self.fields.get(field) {
            Some(FieldInput::Value(Value::String(value))) if !value.is_empty() => {
                let invalid = || ApiError::Invalid(format!("field `{field}` is not an id: `{value}`: {ID_FORM}"));
                parse_id(value).map(Some).ok_or_else(invalid)
            }
            _ => Ok(None),
        }
    }

    /// Drops the fields that an update cannot change.
    pub(crate) fn only_mutable(mut self, spec: &'static KindSpec) -> Self {
        self.fields.retain(|name, _| spec.field(name).is_some_and(Field::on_update));
        self
    }

    pub(crate) fn set(&mut self, field: &'static str, value: impl Into<Value>) {
        self.fields.insert(field, FieldInput::Value(value.into()));
    }
}

/// The form of an id, for messages.
pub(crate) const ID_FORM: &str = "use a 64-bit integer without leading zeros or plus sign";

/// Longest external id and property name, in characters.
pub(crate) const KEY_LIMIT: usize = NAME_LIMIT;

#[cfg(test)]
mod tests {
    use model_registry_api::Kind;

    use super::*;

    fn decode(kind: Kind, mode: Mode, strict: bool, body: &str) -> Result<Draft, String> {
        let decoder = Decoder { mode, strict };
        object(body.as_bytes()).and_then(|body| decoder.draft(kind.spec(), body)).map_err(|error| error.to_string())
    }

    #[test]
    fn unknown_fields_are_rejected_in_the_words_of_the_kubeflow_model_registry() {
        let error = decode(Kind::RegisteredModel, Mode::Create, true, r#"{"name":"m","ext_id":1}"#).unwrap_err();
        assert_eq!(error, r#"json: unknown field "ext_id""#);
        assert!(decode(Kind::DocArtifact, Mode::Create, false, r#"{"ext_id":1}"#).is_ok());
    }

    #[test]
    fn keys_match_in_any_case() {
        let draft = decode(Kind::ModelVersion, Mode::Create, true, r#"{"NAME":"v","registeredModelID":"7"}"#).unwrap();
        assert_eq!(draft.name.as_deref(), Some("v"));
        assert_eq!(draft.reference("registeredModelId").unwrap(), Some(7));
    }

    #[test]
    fn the_last_of_keys_that_differ_in_case_counts() {
        for (first, last) in [("externalId", "externalid"), ("externalid", "externalId"), ("EXTERNALID", "externalId")]
        {
            let body = format!(
                r#"{{"name":"a","{first}":"first","NAME":"b","{last}":"last",
                    "customProperties":{{"p":{{"metadataType":"MetadataStringValue","{first}":"","string_value":"x","STRING_VALUE":"y"}}}}}}"#
            );
            let draft = decode(Kind::RegisteredModel, Mode::Create, true, &body).unwrap();
            assert_eq!(draft.name.as_deref(), Some("b"));
            assert_eq!(draft.fields["externalId"], FieldInput::Value("last".into()), "{body}");
            assert_eq!(draft.custom_properties.unwrap()["p"]["string_value"], "y");
        }
    }

    #[test]
    fn a_missing_name_is_reported_before_a_missing_parent() {
        let draft = decode(Kind::ModelVersion, Mode::Create, true, "{}").unwrap();
        assert_eq!(
            draft.check_required(Kind::ModelVersion.spec()).unwrap_err().to_string(),
            "required field 'name' is zero value."
        );
    }

    #[test]
    fn names_have_a_limit_in_characters() {
        let body = |n: usize| format!(r#"{{"name":"{}"}}"#, "ä".repeat(n));
        assert!(decode(Kind::RegisteredModel, Mode::Create, true, &body(255)).is_ok());
        let error = decode(Kind::RegisteredModel, Mode::Create, true, &body(256)).unwrap_err();
        assert_eq!(error, "`name` is longer than 255 characters");
    }

    #[test]
    fn an_error_about_a_wrong_type_names_the_field_and_both_types() {
        let error = decode(Kind::RegisteredModel, Mode::Update, true, r#"{"description":5}"#).unwrap_err();
        assert_eq!(error, "field `description` must be a string, not a number");
        let error = decode(Kind::RegisteredModel, Mode::Update, true, "[]").unwrap_err();
        assert_eq!(error, "the body must be a JSON object, not an array");
        let error = decode(Kind::RegisteredModel, Mode::Update, true, r#"{"state":"GONE"}"#).unwrap_err();
        assert_eq!(error, "GONE is not a valid RegisteredModelState: use LIVE or ARCHIVED");
    }

    #[test]
    fn an_empty_id_counts_as_absent() {
        let draft = decode(Kind::InferenceService, Mode::Update, true, r#"{"modelVersionId":""}"#).unwrap();
        assert_eq!(draft.fields["modelVersionId"], FieldInput::Null);
        let draft = decode(Kind::ModelVersion, Mode::Create, true, r#"{"name":"v","registeredModelId":""}"#).unwrap();
        assert_eq!(
            draft.check_required(Kind::ModelVersion.spec()).unwrap_err().to_string(),
            "required field 'registeredModelId' is zero value."
        );
    }

    #[test]
    fn a_second_document_in_the_body_is_rejected() {
        let error = decode(Kind::RegisteredModel, Mode::Create, true, r#"{"name":"a"}{"name":"b"}"#).unwrap_err();
        assert!(error.starts_with("the body is not valid JSON: trailing characters"), "{error}");
    }
}

//! Reads request bodies by the declaration of their kind: JSON to a [`Draft`], with the reference's strictness.
//!
//! Keys match without regard to case, the last of several counts, unknown ones are refused except in artifact bodies, and a null is told apart
//! from an absent field.

mod custom_properties;
mod field;
mod last_written;
pub(crate) mod limits;

use std::collections::BTreeMap;

use model_registry_api::kind::NAME_LIMIT;
use model_registry_api::{ApiVersion, Field, KindSpec};
use model_registry_server::ApiError;
use serde_json::{Map, Value};

/// What a field was given as.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    Null,
    Value(Value),
}

/// The fields that a body gave, checked and in their stored form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) name: Option<String>,
    /// The entity's own id, where the body may carry it.
    pub(crate) id: Option<i64>,
    pub(crate) fields: BTreeMap<&'static str, Given>,
    pub(crate) custom_properties: Option<Map<String, Value>>,
}

/// Which body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Create,
    Update,
    /// A whole entity: what nested creates and upserts take.
    Whole,
}

/// How to read a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    pub(crate) version: ApiVersion,
    pub(crate) mode: Mode,
    /// Unknown fields are an error; artifact bodies ignore them (parity, registry-server 2.2).
    pub(crate) strict: bool,
}

/// Parses a body that has to be one JSON object.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let value = last_written::parse(bytes)
        .map_err(|error| ApiError::Invalid(format!("the body is not valid JSON: {error}")))?;
    as_object(value, "the body")
}

pub(crate) fn as_object(value: Value, what: &str) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(map) => Ok(map),
        // The reference reads a null body as an empty object and then misses the required fields.
        Value::Null => Ok(Map::new()),
        other => Err(ApiError::Invalid(format!("{what} must be a JSON object, not {}", field::kind_of(&other)))),
    }
}

/// The reference's words, which clients compare (parity, registry-server appendix E).
pub(crate) fn unknown_field(key: String) -> ApiError {
    ApiError::Invalid(format!("json: unknown field {}", Value::String(key)))
}

impl Decoder {
    pub(crate) fn draft(self, spec: &'static KindSpec, body: Map<String, Value>) -> Result<Draft, ApiError> {
        let mut draft = Draft::default();
        for (key, value) in body {
            if let Some(declared) = self.declared(spec, &key) {
                draft.fields.insert(declared.name, field::check(declared, value, self.version)?);
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

    /// Fields that the server sets and that a whole entity may carry back; only the id means something.
    #[expect(clippy::unused_self, reason = "reads as one of the decoder's steps")]
    fn read_server_field(self, draft: &mut Draft, key: &str, value: &Value) -> Result<bool, ApiError> {
        if key.eq_ignore_ascii_case("id") {
            draft.id = match value {
                Value::Null => None,
                Value::String(text) if text.is_empty() => None,
                Value::String(text) => Some(
                    text.parse().map_err(|_| ApiError::Invalid(format!("invalid id `{text}`: it is no integer")))?,
                ),
                other => {
                    return Err(ApiError::Invalid(format!(
                        "field `id` must be a string, not {}",
                        field::kind_of(other)
                    )));
                }
            };
            return Ok(true);
        }
        for time in ["createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"] {
            if key.eq_ignore_ascii_case(time) {
                let is_number = value.is_null() || value.as_str().is_some_and(|text| text.parse::<i64>().is_ok());
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
        // An empty name is no name: refused where one is required, generated elsewhere.
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => {
            check_length("name", &text, spec.name_limit)?;
            Ok(Some(text))
        }
        other => Err(ApiError::Invalid(format!("field `name` must be a string, not {}", field::kind_of(&other)))),
    }
}

pub(crate) fn check_length(what: &str, text: &str, limit: usize) -> Result<(), ApiError> {
    // The number of bytes is at least that of characters, and known without counting.
    if text.len() <= limit || text.chars().count() <= limit {
        return Ok(());
    }
    Err(ApiError::Invalid(format!("`{what}` is longer than {limit} characters")))
}

/// The reference never looks at it here (registry-server 8.1, 28). What names another kind is a mistake worth an answer.
fn check_artifact_type(spec: &KindSpec, value: &Value) -> Result<(), ApiError> {
    let (Some(own), Some(given)) = (spec.artifact_type, value.as_str()) else {
        return match value {
            Value::Null => Ok(()),
            other => {
                Err(ApiError::Invalid(format!("field `artifactType` must be a string, not {}", field::kind_of(other))))
            }
        };
    };
    if given != own && model_registry_api::Kind::from_artifact_type(given).is_some() {
        return Err(ApiError::Invalid(format!("`artifactType` is `{given}`, but this is a {own}")));
    }
    Ok(())
}

impl Draft {
    /// The first required field that is missing or empty; the name comes first, then the order of declaration.
    pub(crate) fn check_required(&self, spec: &'static KindSpec) -> Result<(), ApiError> {
        let missing = |field: &str| Err(ApiError::Unprocessable(format!("required field '{field}' is zero value.")));
        if spec.name_required && self.name.is_none() {
            return missing("name");
        }
        for field in spec.all_fields().filter(|field| field.required) {
            match self.fields.get(field.name) {
                Some(Given::Value(Value::String(text))) if text.is_empty() => return missing(field.name),
                Some(Given::Value(_)) => {}
                Some(Given::Null) | None => return missing(field.name),
            }
        }
        Ok(())
    }

    /// The id of another entity that a field carries.
    pub(crate) fn reference(&self, field: &str) -> Result<Option<i64>, ApiError> {
        match self.fields.get(field) {
            Some(Given::Value(Value::String(text))) if !text.is_empty() => text
                .parse()
                .map(Some)
                .map_err(|_| ApiError::Invalid(format!("field `{field}` is no id: `{text}` is not an integer"))),
            _ => Ok(None),
        }
    }

    /// What of a whole entity an update may take: the rest is not the client's to change.
    pub(crate) fn only_mutable(mut self, spec: &'static KindSpec) -> Self {
        self.fields.retain(|name, _| spec.field(name).is_some_and(Field::on_update));
        self
    }

    pub(crate) fn set(&mut self, field: &'static str, value: impl Into<Value>) {
        self.fields.insert(field, Given::Value(value.into()));
    }
}

/// Longest external id and property name, in characters.
pub(crate) const KEY_LIMIT: usize = NAME_LIMIT;

#[cfg(test)]
mod tests {
    use model_registry_api::Kind;

    use super::*;

    fn decode(kind: Kind, mode: Mode, strict: bool, body: &str) -> Result<Draft, String> {
        let decoder = Decoder { version: ApiVersion::V1Alpha3, mode, strict };
        object(body.as_bytes()).and_then(|body| decoder.draft(kind.spec(), body)).map_err(|error| error.to_string())
    }

    #[test]
    fn unknown_fields_are_refused_with_the_reference_s_words() {
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
    fn of_a_key_in_two_cases_the_last_written_counts() {
        for (first, last) in [("externalId", "externalid"), ("externalid", "externalId"), ("EXTERNALID", "externalId")]
        {
            let body = format!(
                r#"{{"name":"a","{first}":"first","NAME":"b","{last}":"last",
                    "customProperties":{{"p":{{"metadataType":"MetadataStringValue","{first}":"","string_value":"x","STRING_VALUE":"y"}}}}}}"#
            );
            let draft = decode(Kind::RegisteredModel, Mode::Create, true, &body).unwrap();
            assert_eq!(draft.name.as_deref(), Some("b"));
            assert_eq!(draft.fields["externalId"], Given::Value("last".into()), "{body}");
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
    fn wrong_types_name_the_field_and_both_types() {
        let error = decode(Kind::RegisteredModel, Mode::Update, true, r#"{"description":5}"#).unwrap_err();
        assert_eq!(error, "field `description` must be a string, not a number");
        let error = decode(Kind::RegisteredModel, Mode::Update, true, "[]").unwrap_err();
        assert_eq!(error, "the body must be a JSON object, not an array");
        let error = decode(Kind::RegisteredModel, Mode::Update, true, r#"{"state":"GONE"}"#).unwrap_err();
        assert_eq!(error, "GONE is not a valid RegisteredModelState: use LIVE or ARCHIVED");
    }

    #[test]
    fn an_empty_id_is_none() {
        let draft = decode(Kind::InferenceService, Mode::Update, true, r#"{"modelVersionId":""}"#).unwrap();
        assert_eq!(draft.fields["modelVersionId"], Given::Null);
        let draft = decode(Kind::ModelVersion, Mode::Create, true, r#"{"name":"v","registeredModelId":""}"#).unwrap();
        assert_eq!(
            draft.check_required(Kind::ModelVersion.spec()).unwrap_err().to_string(),
            "required field 'registeredModelId' is zero value."
        );
    }

    #[test]
    fn one_body_is_one_document() {
        let error = decode(Kind::RegisteredModel, Mode::Create, true, r#"{"name":"a"}{"name":"b"}"#).unwrap_err();
        assert!(error.starts_with("the body is not valid JSON: trailing characters"), "{error}");
    }
}

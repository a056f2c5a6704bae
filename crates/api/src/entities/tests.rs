use std::collections::BTreeSet;

use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::{Value, json};

use super::*;
use crate::{Field, Kind, Shape};

/// Records the field names that a struct deserializes.
struct FieldNames<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend_from_slice(fields);
        Err(Self::Error::custom("recorded"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields<T: DeserializeOwned>() -> BTreeSet<&'static str> {
    let mut names = Vec::new();
    let _ = T::deserialize(FieldNames(&mut names));
    assert!(!names.is_empty());
    names.into_iter().collect()
}

fn declared(kind: Kind, selects: fn(&Field) -> bool, further: &[&'static str]) -> BTreeSet<&'static str> {
    let fields = kind.spec().all_fields().filter(|field| selects(field)).map(|field| field.name);
    fields.chain(further.iter().copied()).collect()
}

const SET_BY_SERVER: &[&str] = &["id", "name", "customProperties", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"];

/// The typed structs of a kind; a new kind does not compile until it is here.
fn check_structs(kind: Kind) {
    match kind {
        Kind::RegisteredModel => check::<RegisteredModel, RegisteredModelCreate, RegisteredModelUpdate>(kind),
        Kind::ModelVersion => check::<ModelVersion, ModelVersionCreate, ModelVersionUpdate>(kind),
        Kind::ServingEnvironment => {
            check::<ServingEnvironment, ServingEnvironmentCreate, ServingEnvironmentUpdate>(kind);
        }
        Kind::InferenceService => check::<InferenceService, InferenceServiceCreate, InferenceServiceUpdate>(kind),
        // Serve models are never updated.
        Kind::ServeModel => check_create::<ServeModel, ServeModelCreate>(kind),
        Kind::Experiment => check::<Experiment, ExperimentCreate, ExperimentUpdate>(kind),
        Kind::ExperimentRun => check::<ExperimentRun, ExperimentRunCreate, ExperimentRunUpdate>(kind),
        Kind::ModelArtifact => check::<ModelArtifact, ModelArtifactCreate, ModelArtifactUpdate>(kind),
        Kind::DocArtifact => check::<DocArtifact, DocArtifactCreate, DocArtifactUpdate>(kind),
        Kind::DataSet => check::<DataSet, DataSetCreate, DataSetUpdate>(kind),
        Kind::Metric => check::<Metric, MetricCreate, MetricUpdate>(kind),
        Kind::Parameter => check::<Parameter, ParameterCreate, ParameterUpdate>(kind),
        // Has the wire form of a metric and is never written by clients.
        Kind::MetricPoint => assert_eq!(fields::<Metric>(), declared(kind, |_| true, SET_BY_SERVER)),
    }
}

fn check_create<T: DeserializeOwned, C: DeserializeOwned>(kind: Kind) {
    assert_eq!(fields::<T>(), declared(kind, |_| true, SET_BY_SERVER), "{kind:?}");
    assert_eq!(fields::<C>(), declared(kind, Field::on_create, &["name", "customProperties"]), "{kind:?}Create");
}

fn check<T: DeserializeOwned, C: DeserializeOwned, U: DeserializeOwned>(kind: Kind) {
    check_create::<T, C>(kind);
    assert_eq!(fields::<U>(), declared(kind, Field::on_update, &["customProperties"]), "{kind:?}Update");
}

#[test]
fn every_struct_has_exactly_the_declared_fields() {
    Kind::ALL.into_iter().for_each(check_structs);
}

/// An entity with a value in every field.
fn full(kind: Kind, member: &str) -> Value {
    let mut entity = json!({
        "id": "7",
        "name": "n",
        "createTimeSinceEpoch": "1",
        "lastUpdateTimeSinceEpoch": "2",
        "customProperties": {
            "text": {"metadataType": "MetadataStringValue", "string_value": "x"},
            "int": {"metadataType": "MetadataIntValue", "int_value": "-9223372036854775808"},
            "double": {"metadataType": "MetadataDoubleValue", "double_value": 0.1},
            "bool": {"metadataType": "MetadataBoolValue", "bool_value": true},
            "struct": {"metadataType": "MetadataStructValue", "struct_value": "e30="},
            "proto": {"metadataType": "MetadataProtoValue", "type": "t", "proto_value": "AA=="},
            "newer": {"metadataType": "MetadataDateValue", "date_value": "2026-11-23"},
        },
    });
    for field in kind.spec().all_fields() {
        entity[field.name] = match field.shape {
            Shape::String | Shape::Uri | Shape::Id => json!("x"),
            Shape::StringList => json!(["a", "b"]),
            Shape::Enumeration(_) => json!(member),
            Shape::Double => json!(0.5),
            Shape::Integer => json!(i64::MAX),
            Shape::EpochMillis => json!("1700000000000"),
        };
    }
    if let Some(artifact_type) = kind.spec().artifact_type {
        entity["artifactType"] = json!(artifact_type);
    }
    entity
}

fn round_trip<T: DeserializeOwned + Serialize>(kind: Kind, member: &str) {
    let entity = full(kind, member);
    let typed: T = serde_json::from_value(entity.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), entity);
}

#[test]
fn full_values_round_trip_even_with_unknown_enumeration_members() {
    for member in ["LIVE", "SOMETHING_NEWER"] {
        round_trip::<RegisteredModel>(Kind::RegisteredModel, member);
        round_trip::<ModelVersion>(Kind::ModelVersion, member);
        round_trip::<ServingEnvironment>(Kind::ServingEnvironment, member);
        round_trip::<InferenceService>(Kind::InferenceService, member);
        round_trip::<ServeModel>(Kind::ServeModel, member);
        round_trip::<Experiment>(Kind::Experiment, member);
        round_trip::<ExperimentRun>(Kind::ExperimentRun, member);
        for kind in Kind::ARTIFACTS {
            round_trip::<Artifact>(kind, member);
        }
    }
}

#[test]
fn an_artifact_of_an_unknown_kind_round_trips() {
    let newer = json!({"artifactType": "tokenizer", "id": "3", "name": "t"});
    let artifact: Artifact = serde_json::from_value(newer.clone()).unwrap();
    assert!(matches!(artifact, Artifact::Other(_)));
    assert_eq!((artifact.id(), artifact.name()), ("3", "t"));
    assert_eq!(serde_json::to_value(&artifact).unwrap(), newer);
}

/// Whether a member is one of the variants, rather than `Other`.
fn is_known<E: DeserializeOwned + std::fmt::Debug>(member: &str) -> bool {
    let value: E = serde_json::from_value(json!(member)).unwrap();
    !format!("{value:?}").starts_with("Other(")
}

#[test]
fn every_declared_member_of_an_enumeration_is_a_variant() {
    let mut seen = BTreeSet::new();
    for field in Kind::ALL.into_iter().flat_map(|kind| kind.spec().all_fields()) {
        let Shape::Enumeration(enumeration) = field.shape else { continue };
        let known: fn(&str) -> bool = match enumeration.name {
            "RegisteredModelState" | "ModelVersionState" | "ExperimentState" | "ExperimentRunState" => {
                is_known::<State>
            }
            "InferenceServiceState" => is_known::<InferenceServiceState>,
            "ExecutionState" => is_known::<ExecutionState>,
            "ExperimentRunStatus" => is_known::<ExperimentRunStatus>,
            "ArtifactState" => is_known::<ArtifactState>,
            "ParameterType" => is_known::<ParameterType>,
            other => panic!("no enum for {other}"),
        };
        for member in enumeration.members {
            assert!(known(member), "{}: {member}", enumeration.name);
        }
        seen.insert(enumeration.name);
    }
    assert_eq!(seen.len(), 9);
}

#[test]
fn unknown_fields_are_ignored_and_missing_fields_are_empty() {
    let model: RegisteredModel = serde_json::from_str(r#"{"name": "m", "colour": "blue"}"#).unwrap();
    assert_eq!(model, RegisteredModel { name: "m".to_owned(), ..RegisteredModel::default() });
    assert_eq!(serde_json::to_value(&model).unwrap(), json!({"name": "m", "customProperties": {}}));
}

#[test]
fn a_change_distinguishes_absent_null_and_value() {
    let bodies = [r"{}", r#"{"description":null}"#, r#"{"description":"d"}"#];
    let changes = [Change::Keep, Change::Clear, Change::Set("d".to_owned())];
    for (body, change) in bodies.into_iter().zip(changes) {
        let update: ServingEnvironmentUpdate = serde_json::from_str(body).unwrap();
        assert_eq!(update.description, change);
        assert_eq!(serde_json::to_string(&update).unwrap(), body);
    }
}

#[test]
fn a_malformed_custom_property_round_trips() {
    let odd = json!({"metadataType": "MetadataIntValue", "int_value": "many"});
    let value: MetadataValue = serde_json::from_value(odd.clone()).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), odd);
}

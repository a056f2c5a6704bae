use std::collections::BTreeSet;

use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::{Value, json};

use super::*;
use crate::{Field, Kind, Shape};

/// Notes the fields that a struct asks for.
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
        Err(Self::Error::custom("noted"))
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

fn declared(kind: Kind, wanted: fn(&Field) -> bool, further: &[&'static str]) -> BTreeSet<&'static str> {
    let fields = kind.spec().all_fields().filter(|field| wanted(field)).map(|field| field.name);
    fields.chain(further.iter().copied()).collect()
}

const SET_BY_SERVER: &[&str] = &["id", "name", "customProperties", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"];

fn check<T: DeserializeOwned, C: DeserializeOwned>(kind: Kind) {
    assert_eq!(fields::<T>(), declared(kind, |_| true, SET_BY_SERVER), "{kind:?}");
    assert_eq!(fields::<C>(), declared(kind, Field::on_create, &["name", "customProperties"]), "{kind:?}Create");
}

fn check_update<U: DeserializeOwned>(kind: Kind) {
    assert_eq!(fields::<U>(), declared(kind, Field::on_update, &["customProperties"]), "{kind:?}Update");
}

#[test]
fn every_struct_has_exactly_the_declared_fields() {
    check::<RegisteredModel, RegisteredModelCreate>(Kind::RegisteredModel);
    check_update::<RegisteredModelUpdate>(Kind::RegisteredModel);
    check::<ModelVersion, ModelVersionCreate>(Kind::ModelVersion);
    check_update::<ModelVersionUpdate>(Kind::ModelVersion);
    check::<ServingEnvironment, ServingEnvironmentCreate>(Kind::ServingEnvironment);
    check_update::<ServingEnvironmentUpdate>(Kind::ServingEnvironment);
    check::<InferenceService, InferenceServiceCreate>(Kind::InferenceService);
    check_update::<InferenceServiceUpdate>(Kind::InferenceService);
    check::<ServeModel, ServeModelCreate>(Kind::ServeModel);
    check::<Experiment, ExperimentCreate>(Kind::Experiment);
    check_update::<ExperimentUpdate>(Kind::Experiment);
    check::<ExperimentRun, ExperimentRunCreate>(Kind::ExperimentRun);
    check_update::<ExperimentRunUpdate>(Kind::ExperimentRun);
    check::<ModelArtifact, ModelArtifactCreate>(Kind::ModelArtifact);
    check_update::<ModelArtifactUpdate>(Kind::ModelArtifact);
    check::<DocArtifact, DocArtifactCreate>(Kind::DocArtifact);
    check_update::<DocArtifactUpdate>(Kind::DocArtifact);
    check::<DataSet, DataSetCreate>(Kind::DataSet);
    check_update::<DataSetUpdate>(Kind::DataSet);
    check::<Metric, MetricCreate>(Kind::Metric);
    check_update::<MetricUpdate>(Kind::Metric);
    check::<Parameter, ParameterCreate>(Kind::Parameter);
    check_update::<ParameterUpdate>(Kind::Parameter);
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
fn full_values_come_back_as_they_were_even_with_unknown_members() {
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
fn an_artifact_of_an_unknown_kind_is_kept_as_it_came() {
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
            other => panic!("no type for {other}"),
        };
        for member in enumeration.members {
            assert!(known(member), "{}: {member}", enumeration.name);
        }
        seen.insert(enumeration.name);
    }
    assert_eq!(seen.len(), 9);
}

#[test]
fn unknown_fields_are_ignored_and_missing_ones_are_empty() {
    let model: RegisteredModel = serde_json::from_str(r#"{"name": "m", "colour": "blue"}"#).unwrap();
    assert_eq!(model, RegisteredModel { name: "m".to_owned(), ..RegisteredModel::default() });
    assert_eq!(serde_json::to_value(&model).unwrap(), json!({"name": "m", "customProperties": {}}));
}

#[test]
fn a_change_tells_absent_null_and_value_apart() {
    let texts = [r"{}", r#"{"description":null}"#, r#"{"description":"d"}"#];
    let changes = [Change::Keep, Change::Clear, Change::Set("d".to_owned())];
    for (text, change) in texts.into_iter().zip(changes) {
        let update: ServingEnvironmentUpdate = serde_json::from_str(text).unwrap();
        assert_eq!(update.description, change);
        assert_eq!(serde_json::to_string(&update).unwrap(), text);
    }
}

#[test]
fn an_integer_that_is_none_is_kept_as_it_came() {
    let odd = json!({"metadataType": "MetadataIntValue", "int_value": "many"});
    let value: MetadataValue = serde_json::from_value(odd.clone()).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), odd);
}

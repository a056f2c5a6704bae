//! Converts a model of a hub to an item of the catalog (parity: the fields are those of the Kubeflow Model Registry).

use model_registry_api::CustomProperty;
use model_registry_api::catalog::CatalogKind;
use model_registry_base::time::parse_rfc3339;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value, json};

use super::model::Model;
use super::{GATED, PRIVATE, REVISION};

use crate::item_fields::{cut_name, insert_string};
use crate::license;

const GENERATIVE: [&str; 8] = [
    "text-generation",
    "summarization",
    "translation",
    "text-to-image",
    "unconditional-image-generation",
    "image-to-image",
    "text-to-speech",
    "audio-to-audio",
];
const PREDICTIVE: [&str; 12] = [
    "text-classification",
    "image-classification",
    "zero-shot-classification",
    "audio-classification",
    "question-answering",
    "document-question-answering",
    "object-detection",
    "image-segmentation",
    "keypoint-detection",
    "feature-extraction",
    "image-feature-extraction",
    "fill-mask",
];

/// `metrics` is a checksum of the performance metrics of the model.
pub(super) fn item(model: &Model, source_id: &str, now: i64, metrics: Option<&str>) -> CatalogItem {
    let info = &model.info;
    let mut document = Map::new();
    document.insert("name".to_owned(), model.name.as_str().into());
    document.insert("source_id".to_owned(), source_id.into());
    document.insert("externalId".to_owned(), model.name.as_str().into());
    insert_string(&mut document, "provider", info["author"].as_str());
    insert_string(&mut document, "libraryName", info["library_name"].as_str());
    insert_string(&mut document, "readme", model.readme.as_deref());
    let card = &info["cardData"];
    insert_string(&mut document, "description", card["description"].as_str());
    let language = strings(&card["language"]);
    if !language.is_empty() {
        document.insert("language".to_owned(), language.into());
    }
    let links = ["license_link", "licenseLink", "license_url", "licenseUrl", "license"];
    let link = links.into_iter().filter_map(|name| card[name].as_str()).find(|link| link.starts_with("http"));
    insert_string(&mut document, "licenseLink", link);
    let (licenses, tags): (Vec<_>, Vec<_>) =
        strings(&info["tags"]).into_iter().partition(|tag| tag.starts_with("license:"));
    let license = licenses.first().and_then(|tag| tag.strip_prefix("license:")).or_else(|| card["license"].as_str());
    if let Some(license) = license {
        document.insert("license".to_owned(), license::display_name(license).into());
    }
    let mut tasks: Vec<String> = Vec::new();
    for task in [&info["task"], &info["pipeline_tag"]].into_iter().filter_map(|task| task.as_str()) {
        if !tasks.iter().any(|known| known == task) {
            tasks.push(task.to_owned());
        }
    }
    let properties = custom_properties(model, &tasks, &tags, now, metrics);
    if !tasks.is_empty() {
        document.insert("tasks".to_owned(), tasks.into());
    }
    document.insert("customProperties".to_owned(), properties.into());
    let create_time = info["createdAt"].as_str().and_then(parse_rfc3339);
    let update_time = info["lastModified"].as_str().and_then(parse_rfc3339);
    CatalogItem {
        kind: CatalogKind::Model,
        key: model.name.clone(),
        name: Some(model.name.clone()),
        document: Document(document),
        create_time,
        update_time,
        children: vec![artifact(&model.name, create_time, update_time)],
    }
}

fn custom_properties(
    model: &Model,
    tasks: &[String],
    tags: &[String],
    now: i64,
    metrics: Option<&str>,
) -> Map<String, Value> {
    let info = &model.info;
    let has_any = |known: &[&str]| tasks.iter().any(|task| known.contains(&task.trim().to_lowercase().as_str()));
    let model_type = match (has_any(&GENERATIVE), has_any(&PREDICTIVE)) {
        (true, _) => "generative",
        (false, true) => "predictive",
        (false, false) => "unknown",
    };
    let mut properties = Map::new();
    let mut add = |name: &str, value: &str| properties.insert(name.to_owned(), CustomProperty::String(value).to_json());
    add("model_type", model_type);
    add(PRIVATE, model.summary.private().unwrap_or("false"));
    add(GATED, &model.summary.gated().unwrap_or_default());
    add("last_synced", &now.to_string());
    if !tags.is_empty() {
        add("hf_tags", &json!(tags).to_string());
    }
    let architectures = strings(&info["config"]["architectures"]);
    if !architectures.is_empty() {
        add("hf_architectures", &json!(architectures).to_string());
    }
    if let Some(model_type) = info["config"]["model_type"].as_str() {
        add("hf_model_type", model_type);
    }
    if let Some(revision) = model.summary.revision(metrics) {
        add(REVISION, &revision);
    }
    properties
}

fn artifact(name: &str, create_time: Option<i64>, update_time: Option<i64>) -> CatalogItem {
    let own_name = cut_name(&format!("{name}-hf-artifact"));
    let document = json!({
        "artifactType": CatalogKind::ModelArtifact.spec().artifact_type, "name": own_name, "externalId": name, "uri": format!("hf://{name}"),
    });
    let Value::Object(document) = document else { unreachable!("json! made an object") };
    CatalogItem {
        kind: CatalogKind::ModelArtifact,
        key: "hub".to_owned(),
        name: Some(own_name),
        document: Document(document),
        create_time,
        update_time,
        children: Vec::new(),
    }
}

/// A list of strings, or a single string.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(string) => vec![string.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

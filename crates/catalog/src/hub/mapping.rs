//! A hub's description of a model → an item of the catalog (catalog-service 3.6).

use model_registry_catalog_store::{CatalogItem, CatalogKind};
use model_registry_store::Document;
use serde_json::{Map, Value, json};

use super::client::Model;
use super::{GATED, PRIVATE, REVISION};
use crate::license;
use crate::values::{put, text_property};

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

/// `measured` is a digest of what was measured of the model.
pub(super) fn item(model: &Model, source_id: &str, now: i64, measured: Option<&str>) -> CatalogItem {
    let info = &model.info;
    let mut document = Map::new();
    document.insert("name".to_owned(), model.name.as_str().into());
    document.insert("source_id".to_owned(), source_id.into());
    document.insert("externalId".to_owned(), model.name.as_str().into());
    put(&mut document, "provider", info["author"].as_str());
    put(&mut document, "libraryName", info["library_name"].as_str());
    put(&mut document, "readme", model.readme.as_deref());
    let card = &info["cardData"];
    put(&mut document, "description", card["description"].as_str());
    let language = texts(&card["language"]);
    if !language.is_empty() {
        document.insert("language".to_owned(), language.into());
    }
    let links = ["license_link", "licenseLink", "license_url", "licenseUrl", "license"];
    let link = links.into_iter().filter_map(|name| card[name].as_str()).find(|text| text.starts_with("http"));
    put(&mut document, "licenseLink", link);
    let (licenses, tags): (Vec<_>, Vec<_>) =
        texts(&info["tags"]).into_iter().partition(|tag| tag.starts_with("license:"));
    let license = licenses.first().and_then(|tag| tag.strip_prefix("license:")).or_else(|| card["license"].as_str());
    if let Some(license) = license {
        document.insert("license".to_owned(), license::readable(license).into());
    }
    let mut tasks: Vec<String> = Vec::new();
    for task in [&info["task"], &info["pipeline_tag"]].into_iter().filter_map(|task| task.as_str()) {
        if !tasks.iter().any(|known| known == task) {
            tasks.push(task.to_owned());
        }
    }
    let custom = custom(model, &tasks, &tags, now, measured);
    if !tasks.is_empty() {
        document.insert("tasks".to_owned(), tasks.into());
    }
    document.insert("customProperties".to_owned(), custom.into());
    let create_time = info["createdAt"].as_str().and_then(millis);
    let update_time = info["lastModified"].as_str().and_then(millis);
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

fn custom(model: &Model, tasks: &[String], tags: &[String], now: i64, measured: Option<&str>) -> Map<String, Value> {
    let info = &model.info;
    let any = |known: &[&str]| tasks.iter().any(|task| known.contains(&task.trim().to_lowercase().as_str()));
    let kind = match (any(&GENERATIVE), any(&PREDICTIVE)) {
        (true, _) => "generative",
        (false, true) => "predictive",
        (false, false) => "unknown",
    };
    let mut custom = Map::new();
    let mut add = |name: &str, text: &str| custom.insert(name.to_owned(), text_property(text));
    add("model_type", kind);
    add(PRIVATE, model.listed.private().unwrap_or("false"));
    add(GATED, &model.listed.gated().unwrap_or_default());
    add("last_synced", &now.to_string());
    if !tags.is_empty() {
        add("hf_tags", &json!(tags).to_string());
    }
    let architectures = texts(&info["config"]["architectures"]);
    if !architectures.is_empty() {
        add("hf_architectures", &json!(architectures).to_string());
    }
    if let Some(model_type) = info["config"]["model_type"].as_str() {
        add("hf_model_type", model_type);
    }
    if let Some(revision) = model.listed.revision(measured) {
        add(REVISION, &revision);
    }
    custom
}

fn artifact(name: &str, create_time: Option<i64>, update_time: Option<i64>) -> CatalogItem {
    let own_name: String = format!("{name}-hf-artifact").chars().take(crate::values::LONGEST_NAME).collect();
    let document = json!({
        "artifactType": "model-artifact", "name": own_name, "externalId": name, "uri": format!("hf://{name}"),
    });
    let Value::Object(document) = document else { unreachable!("an object was written") };
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

/// A list of texts, or one text.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// `2024-05-06T07:08:09.123Z` in milliseconds since the Unix epoch; the hub's times are in UTC.
fn millis(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let mut numbers = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let time = time.trim_end_matches('Z').trim_end_matches("+00:00");
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut numbers = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let fraction: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since the epoch of the proleptic Gregorian calendar, with years that begin in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_hub_are_read() {
        assert_eq!(millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(millis("2024-02-29T12:30:15.250Z"), Some(1_709_209_815_250));
        assert_eq!(millis("2025-01-01T00:00:00.000Z"), Some(1_735_689_600_000));
        assert_eq!(millis("yesterday"), None);
    }
}

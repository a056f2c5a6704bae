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

/// `metrics` is a checksum of the performance metrics of the model; `file_url` the address of a file of it.
pub(super) fn item(
    model: &Model,
    source_id: &str,
    now: i64,
    metrics: Option<&str>,
    file_url: impl Fn(&str) -> String,
) -> CatalogItem {
    let info = &model.info;
    let mut document = Map::new();
    document.insert("name".to_owned(), model.name.as_str().into());
    document.insert("source_id".to_owned(), source_id.into());
    document.insert("externalId".to_owned(), model.name.as_str().into());
    let first = |value: &Value| strings(value).into_iter().next();
    insert_string(&mut document, "provider", first(&info["author"]).as_deref());
    insert_string(&mut document, "libraryName", first(&info["library_name"]).as_deref());
    insert_string(&mut document, "readme", model.readme.as_deref());
    let card = &info["cardData"];
    insert_string(&mut document, "description", first(&card["description"]).as_deref());
    let language = languages(&card["language"]);
    if !language.is_empty() {
        document.insert("language".to_owned(), language.into());
    }
    insert_string(&mut document, "licenseLink", license_link(card, file_url).as_deref());
    let (tagged, tags): (Vec<_>, Vec<_>) =
        strings(&info["tags"]).into_iter().partition(|tag| tag.starts_with(LICENSE_TAG));
    let tagged: Vec<String> =
        tagged.iter().filter_map(|tag| tag.strip_prefix(LICENSE_TAG)).map(str::to_owned).collect();
    let written = strings(&card["license"]);
    let licenses = if written.len() > tagged.len() { written } else { tagged };
    let license_name = first(&card["license_name"]).or_else(|| first(&card["licenseName"]));
    insert_string(&mut document, "license", license::shown(&licenses, license_name.as_deref()).as_deref());
    let mut tasks: Vec<String> = Vec::new();
    for task in [&info["task"], &info["pipeline_tag"]].into_iter().flat_map(strings) {
        if !tasks.contains(&task) {
            tasks.push(task);
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
        written: Vec::new(),
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
        written: Vec::new(),
        children: Vec::new(),
    }
}

/// Tags with this start name a licence.
const LICENSE_TAG: &str = "license:";

/// The address of the licence. Authors also write the path of a file of the model.
fn license_link(card: &Value, file_url: impl Fn(&str) -> String) -> Option<String> {
    let is_web =
        |link: &str| ["http://", "https://"].iter().any(|scheme| link.to_ascii_lowercase().starts_with(scheme));
    let links = ["license_link", "licenseLink", "license_url", "licenseUrl"].map(|name| strings(&card[name]));
    let links: Vec<String> = links.into_iter().flatten().map(|link| link.trim().to_owned()).collect();
    let own = strings(&card["license"]).into_iter();
    if let Some(link) = links.iter().cloned().chain(own).find(|link| is_web(link)) {
        return Some(link);
    }
    // A colon before the first slash is that of another scheme.
    let is_file = |link: &&String| {
        let start = link.split('/').next().unwrap_or_default();
        !link.is_empty() && !link.contains('\0') && !start.contains(':')
    };
    links
        .iter()
        .find(is_file)
        .map(|file| if file.starts_with("www.") { format!("https://{file}") } else { file_url(file) })
}

/// Languages. `no` (Norwegian) is a boolean where a parser of YAML 1.1 has read the card.
fn languages(value: &Value) -> Vec<String> {
    let is_no = |value: &Value| *value == Value::Bool(false);
    match value {
        Value::Array(list) => list
            .iter()
            .flat_map(|element| if is_no(element) { vec!["no".to_owned()] } else { strings(element) })
            .collect(),
        value if is_no(value) => vec!["no".to_owned()],
        value => strings(value),
    }
}

/// A list of strings, or a single string. Numbers are strings.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(string) => vec![string.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(list) => list.iter().filter(|element| !element.is_array()).flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(card: &Value) -> Option<String> {
        license_link(card, |file| format!("hub/{file}"))
    }

    #[test]
    fn a_licence_link_is_an_address_or_a_file_of_the_model() {
        for (card, expected) in [
            (json!({"license_link": "LICENSE.md"}), Some("hub/LICENSE.md")),
            (json!({"license_link": "./legal/LICENSE"}), Some("hub/./legal/LICENSE")),
            (json!({"license_link": ["LICENSE", "https://l.example"]}), Some("https://l.example")),
            (json!({"license_link": "HTTPS://l.example/x"}), Some("HTTPS://l.example/x")),
            (json!({"license": "https://l.example/x"}), Some("https://l.example/x")),
            (json!({"license": "mit"}), None),
            (json!({"license_link": "javascript:alert(1)"}), None),
            (json!({"license_link": "www.l.example/x"}), Some("https://www.l.example/x")),
            (json!({"license_link": ""}), None),
            (json!({"license_link": {"a": 1}}), None),
            (Value::Null, None),
        ] {
            assert_eq!(link(&card).as_deref(), expected, "{card}");
        }
    }

    #[test]
    fn a_string_is_a_list_of_one_and_norwegian_is_a_language() {
        assert_eq!(languages(&json!(["en", false, 7])), ["en", "no", "7"]);
        assert_eq!((languages(&json!(false)), languages(&json!("de"))), (vec!["no".to_owned()], vec!["de".to_owned()]));
        assert_eq!(strings(&json!({"a": 1})), [""; 0]);
        assert_eq!(strings(&json!(null)), [""; 0]);
    }
}

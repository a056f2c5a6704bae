//! Searches and filters over many models, with every plan of the database.

use model_registry_testkit::{Backend, on_each_database};

use crate::support::{Api, Files, without_and_with_index};

on_each_database!(rare_and_common_matches_are_found, a_changed_or_removed_model_is_not_found_by_its_old_values);

const SOURCES: &str = "model_catalogs:\n- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";
const COUNT: usize = 400;

/// The values of a model in the data file.
struct Model {
    name: String,
    description: &'static str,
    team: usize,
    size: usize,
    latency: usize,
}

fn models() -> Vec<Model> {
    let descriptions =
        ["Größe und Straße", "100% of it", "under_score", "a \\\"quoted\\\" word", "日本語モデル", "plain"];
    (0..COUNT)
        .map(|number| Model {
            name: format!("Model-{number:03}"),
            description: descriptions[number % descriptions.len()],
            team: number % 7,
            size: number * 31 % 101,
            latency: number * 17 % 203,
        })
        .collect()
}

fn file(models: &[Model]) -> String {
    use std::fmt::Write;
    let mut text = String::from("models:\n");
    for Model { name, description, team, size, latency } in models {
        let _ = writeln!(
            text,
            "- {{name: {name}, description: \"{description}\", provider: team-{team}, customProperties: {{size: {{metadataType: MetadataIntValue, int_value: '{size}'}}}}, artifacts: [{{uri: 'oci://x/{name}'}}, {{artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {{latency: {{metadataType: MetadataDoubleValue, double_value: {latency}.5}}, half: {{metadataType: MetadataDoubleValue, double_value: {latency}.25}}}}}}]}}"
        );
    }
    text
}

/// A search or filter, and whether a model matches it.
type Case = (&'static str, fn(&Model) -> bool);

fn contains(model: &Model, text: &str) -> bool {
    let provider = format!("team-{}", model.team);
    let description = model.description.replace('\\', "");
    [model.name.to_lowercase(), description.to_lowercase(), provider].iter().any(|part| part.contains(text))
}

async fn rare_and_common_matches_are_found(backend: Backend) {
    let cases: &[Case] = &[
        ("q=model-123", |model| contains(model, "model-123")),
        ("q=MODEL-39", |model| contains(model, "model-39")),
        ("q=el-0", |model| contains(model, "el-0")),
        ("q=del", |_| true),
        ("q=9", |model| contains(model, "9")),
        ("q=-1", |model| contains(model, "-1")),
        ("q=absent", |_| false),
        ("q=mod%20el", |_| false),
        ("q=00%25%20of", |model| model.description == "100% of it"),
        ("q=%25", |model| model.description == "100% of it"),
        ("q=r_s", |model| model.description == "under_score"),
        ("q=%22quoted%22", |model| model.description.contains("quoted")),
        ("q=GR%C3%96%C3%9FE", |model| model.description.starts_with("Größe")),
        ("q=%E6%97%A5%E6%9C%AC%E8%AA%9E", |model| model.description.starts_with('日')),
        ("q=team-3", |model| model.team == 3),
        ("filterQuery=size=7", |model| model.size == 7),
        ("filterQuery=size=7 AND provider='team-3'", |model| model.size == 7 && model.team == 3),
        ("filterQuery=size%3E98 AND provider='team-3'", |model| model.size > 98 && model.team == 3),
        ("filterQuery=size IN (1,2,3) AND NOT provider='team-3'", |model| {
            (1..=3).contains(&model.size) && model.team != 3
        }),
        ("filterQuery=size=7 OR size=8", |model| model.size == 7 || model.size == 8),
        ("filterQuery=size=1000", |_| false),
        ("filterQuery=artifacts.latency=12.5", |model| model.latency == 12),
        ("filterQuery=artifacts.latency=12.5 AND artifacts.half%3E12", |model| model.latency == 12),
        ("filterQuery=artifacts.latency%3E200 AND size%3C50", |model| model.latency >= 200 && model.size < 50),
        ("filterQuery=artifacts.uri='oci://x/Model-123'", |model| model.name == "Model-123"),
        ("q=under&filterQuery=size=7", |model| model.description == "under_score" && model.size == 7),
    ];
    let models = models();
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &file(&models))]);
    let api = Api::on(backend, files.settings()).await;
    without_and_with_index(&api, async |way| {
        for (query, matches) in cases {
            let mut expected: Vec<&str> =
                models.iter().filter(|model| matches(model)).map(|model| model.name.as_str()).collect();
            assert_eq!(pages(&api, query, "").await, expected, "{query} {way}");
            expected.reverse();
            let descending = pages(&api, query, "&sortOrder=DESC").await;
            assert_eq!(descending, expected, "{query} {way}, descending");
        }
    })
    .await;
}

async fn a_changed_or_removed_model_is_not_found_by_its_old_values(backend: Backend) {
    let mut models = models();
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &file(&models))]);
    let api = Api::on(backend, files.settings()).await;
    api.catalog.index().await.unwrap();
    models.remove(200);
    models[100].description = "rewritten";
    files.write("a.yaml", &file(&models));
    let report = api.catalog.load().await.unwrap().report;
    assert_eq!((report.written, report.removed), (1, 1));
    for index in ["of the previous load", "of this load"] {
        assert_eq!(pages(&api, "q=model-200", "").await, Vec::<String>::new(), "index {index}");
        assert_eq!(pages(&api, "q=rewritten", "").await, ["Model-100"], "index {index}");
        assert_eq!(pages(&api, "q=model-100", "").await, ["Model-100"], "index {index}");
        api.catalog.index().await.unwrap();
    }
}

/// All names, read page by page.
async fn pages(api: &Api, query: &str, more: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let response = api.get(&format!("models?pageSize=30&{query}{more}&nextPageToken={token}")).await;
        let json = response.json();
        let items = json["items"].as_array().unwrap_or_else(|| panic!("{query}: {json}"));
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        json["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            return names;
        }
    }
}

//! Fields of models: validated tasks, serving configuration, artifact counts, custom properties of all types.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::{Api, Files, without_and_with_index};

on_each_database!(
    fields_of_models_are_returned_filtered_and_searched,
    only_a_single_model_has_the_counts_of_its_artifacts
);

const MODELS: &str = "\
models:
- name: both
  tasks: [text-generation, tool-calling]
  validatedTasks: [tool-calling]
  servingConfig: {toolCalling: {toolCallParser: hermes, enableAutoToolChoice: false, requiredArgs: ['--a b']}}
  artifactCounts: {model-artifact: 99}
  customProperties:
    hardware_tag: {metadataType: MetadataStringValue, string_value: ''}
    note: {metadataType: MetadataStringValue, string_value: ''}
    gated: {metadataType: MetadataBoolValue, bool_value: true}
    layers: {metadataType: MetadataIntValue, int_value: '7'}
    billions: {metadataType: MetadataDoubleValue, double_value: 7.5}
  artifacts:
  - {uri: 'oci://x/1'}
  - {uri: 'oci://x/2'}
  - {artifactType: metrics-artifact, metricsType: security-metrics}
  - {artifactType: metrics-artifact, metricsType: accuracy-metrics}
- {name: empty, servingConfig: {}}
- {name: none}
";

fn files() -> Files {
    let sources = "model_catalogs: [{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}]";
    Files::new(&[("sources.yaml", sources), ("a.yaml", MODELS)])
}

async fn fields_of_models_are_returned_filtered_and_searched(backend: Backend) {
    let api = Api::on(backend, files().settings()).await;
    without_and_with_index(&api, async |way| {
        let list = api.get("models").await.json();
        let [both, empty, none] = list["items"].as_array().unwrap().as_slice() else { panic!("{way}: {list}") };
        assert_eq!(both["validatedTasks"], json!(["tool-calling"]));
        let tool_calling =
            json!({"toolCallParser": "hermes", "enableAutoToolChoice": false, "requiredArgs": ["--a b"]});
        assert_eq!(both["servingConfig"], json!({"toolCalling": tool_calling}));
        let properties = both["customProperties"].as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["billions", "gated", "layers", "note"]);
        assert_eq!((&empty["servingConfig"], &empty["validatedTasks"]), (&json!({}), &json!([])));
        assert!(none.get("servingConfig").is_none());
        for (query, expected) in [
            ("filterQuery=validated_tasks = 'tool-calling'", &["both"][..]),
            ("filterQuery=validatedTasks IN ('tool-calling', 'x')", &["both"]),
            ("filterQuery=validatedTasks != 'tool-calling'", &["empty", "none"]),
            ("filterQuery=serving_config LIKE '%25hermes%25'", &["both"]),
            ("filterQuery=servingConfig IS NOT NULL", &["both", "empty"]),
            ("filterQuery=sourceId = 'a' AND layers = 7 AND gated = true", &["both"]),
            ("q=TOOL-CALL", &["both"]),
            ("q=hermes", &[]),
        ] {
            assert_eq!(api.names(&format!("models?{query}")).await, expected, "{way}: {query}");
        }
        let options = api.get("models/filter_options").await.json();
        assert_eq!(options["filters"]["validated_tasks"]["values"], json!(["tool-calling"]), "{way}");
        let hidden = ["serving_config", "servingConfig", "artifactCounts"];
        assert!(hidden.iter().all(|name| options["filters"].get(*name).is_none()), "{way}: {options}");
    })
    .await;
}

async fn only_a_single_model_has_the_counts_of_its_artifacts(backend: Backend) {
    let api = Api::on(backend, files().settings()).await;
    let both = api.get("sources/a/models/both").await.json();
    let counts = json!({"model-artifact": 2, "security-metrics": 1, "accuracy-metrics": 1});
    assert_eq!(both["artifactCounts"], counts);
    let none = api.get("sources/a/models/none").await.json();
    assert!(none.get("artifactCounts").is_none(), "{none}");
    let list = api.get("models").await.json();
    assert!(list["items"].as_array().unwrap().iter().all(|model| model.get("artifactCounts").is_none()), "{list}");
}

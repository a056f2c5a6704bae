//! Semantics of filters in the catalog: lists of strings, artifacts, logic.

use model_registry_testkit::{Backend, on_each_database};

use crate::support::{Api, Files, without_and_with_index};

on_each_database!(
    conditions_on_lists_and_artifacts_combine_with_and_or_and_not,
    conditions_on_artifacts_under_or_restrict_orders_and_recommendations,
    the_name_of_a_property_is_never_part_of_the_sql,
    every_request_runs_a_constant_number_of_statements
);

const SOURCES: &str = "model_catalogs:\n- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";
const MODELS: &str = r#"
models:
- name: both
  tasks: [x, y]
  customProperties: {tags: {metadataType: MetadataStringValue, string_value: '["red","blue"]'}}
  artifacts:
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: H100}, n: {metadataType: MetadataIntValue, int_value: "1"}}}
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: L4}, n: {metadataType: MetadataIntValue, int_value: "8"}}}
- name: one
  tasks: [x]
  artifacts:
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: H100}, n: {metadataType: MetadataIntValue, int_value: "8"}}}
- name: other
  tasks: [z]
  artifacts:
  - {uri: 'oci://x'}
- name: plain
  customProperties: {tags: {metadataType: MetadataStringValue, string_value: '[]'}}
"#;

async fn conditions_on_lists_and_artifacts_combine_with_and_or_and_not(backend: Backend) {
    let cases: &[(&str, &[&str])] = &[
        // `=` on a list means that it contains the string, also under OR and NOT.
        ("tasks='x'", &["both", "one"]),
        ("tasks='x' AND tasks='y'", &["both"]),
        ("tasks='y' OR tasks='z'", &["both", "other"]),
        ("NOT tasks='x'", &["other", "plain"]),
        // An empty list is not null, and contains nothing.
        ("tasks!='x'", &["other", "plain"]),
        ("tasks!='z' AND tasks!='y'", &["one", "plain"]),
        ("tasks!='x' OR name='one'", &["one", "other", "plain"]),
        ("tasks NOT IN ('y','z')", &["one", "plain"]),
        ("NOT tasks NOT IN ('y','z')", &["both", "other"]),
        ("tasks NOT LIKE 'x%25'", &["other", "plain"]),
        ("tasks LIKE '%25'", &["both", "one", "other"]),
        ("tasks IS NULL", &[]),
        ("tags.array_value IS NULL", &["one", "other"]),
        ("tasks.array_value='y'", &["both"]),
        ("tags.array_value='red'", &["both"]),
        ("tags.array_value!='green'", &["both", "plain"]),
        // A type that the property does not have.
        ("license.int_value=1 OR name.bool_value=true", &[]),
        ("tasks.int_value!=1 OR tasks.bool_value=true", &[]),
        ("license.int_value IS NULL AND name='one'", &["one"]),
        // A character after a backslash stands for itself.
        ("name LIKE 'o%5C%5Cn%25'", &["one"]),
        ("name LIKE 'o%5Cn%5C_' OR name ILIKE 'PLAI%5CN'", &["plain"]),
        ("tags='[\"red\",\"blue\"]'", &["both"]),
        // Conditions on artifacts joined by AND apply to the same artifact.
        ("artifacts.hw='H100'", &["both", "one"]),
        ("artifacts.hw='H100' AND artifacts.n=8", &["one"]),
        ("artifacts.hw='H100' AND tasks='y' AND artifacts.n=1", &["both"]),
        ("artifacts.hw='L4' OR artifacts.uri='oci://x'", &["both", "other"]),
        ("artifacts.hw='H100' AND (artifacts.n=8 OR artifacts.n=7)", &["both", "one"]),
        ("NOT artifacts.hw='H100'", &["other", "plain"]),
        ("NOT (artifacts.hw='H100' AND artifacts.n=8)", &["both", "other", "plain"]),
        ("artifacts.hw='H100' AND NOT artifacts.hw='L4'", &["one"]),
        ("artifacts.hw!='H100'", &["both"]),
        ("artifacts.artifactType='model-artifact'", &["other"]),
        ("artifacts.hw IS NULL", &["other"]),
    ];
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", MODELS)]);
    let api = Api::on(backend, files.settings()).await;
    without_and_with_index(&api, async |way| {
        for (filter, expected) in cases {
            let names = api.names(&format!("models?filterQuery={filter}")).await;
            assert_eq!(names, *expected, "{filter} {way}");
        }
    })
    .await;
}

async fn conditions_on_artifacts_under_or_restrict_orders_and_recommendations(backend: Backend) {
    let models = r"
models:
- name: quick-l4
  artifacts:
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: L4}, t: {metadataType: MetadataDoubleValue, double_value: 10}}}
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: H100}, t: {metadataType: MetadataDoubleValue, double_value: 40}}}
- name: quick-h100
  artifacts:
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: L4}, t: {metadataType: MetadataDoubleValue, double_value: 80}}}
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: H100}, t: {metadataType: MetadataDoubleValue, double_value: 20}}}
- name: free
  license: mit
  artifacts:
  - {artifactType: metrics-artifact, metricsType: performance-metrics, customProperties: {hw: {metadataType: MetadataStringValue, string_value: L4}, t: {metadataType: MetadataDoubleValue, double_value: 1}}}
";
    let filter = "filterQuery=artifacts.hw='H100' OR license='MIT'";
    let parameters = "latencyProperty=t&rpsProperty=t&hardwareCountProperty=t&hardwareTypeProperty=hw";
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", models)]);
    let api = Api::on(backend, files.settings()).await;
    without_and_with_index(&api, async |way| {
        for path in [
            format!("models?{filter}&orderBy=artifacts.t.double_value"),
            format!("models?{filter}&recommendations=true&{parameters}"),
        ] {
            assert_eq!(api.names(&path).await, ["quick-h100", "quick-l4", "free"], "{path} {way}");
        }
        let only = "models?filterQuery=license='MIT' OR name='quick-l4'&orderBy=artifacts.t.double_value";
        assert_eq!(api.names(only).await, ["free", "quick-l4"], "{way}");
    })
    .await;
}

// The Kubeflow Model Registry inserts the name of a property into its SQL if a filter and an order meet.
async fn the_name_of_a_property_is_never_part_of_the_sql(backend: Backend) {
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", MODELS)]);
    let api = Api::on(backend, files.settings()).await;
    let name = "x%27)%20OR%201=1--";
    let path = format!("models?filterQuery=%60artifacts.{name}%60=1&orderBy=artifacts.{name}.double_value");
    assert!(api.names(&path).await.is_empty());
}

async fn every_request_runs_a_constant_number_of_statements(backend: Backend) {
    let api = Api::of_golden_data(backend).await;
    // On SQLite, a first statement counts the matches of each condition. Reads of all children of items have one that adds up the
    // sizes of their documents.
    let searched = if backend == Backend::Sqlite { 2 } else { 1 };
    let heron = "sources/larkspur_curated/models/larkspur/heron-8b-chat";
    for (path, most) in [
        ("models?pageSize=100".to_owned(), 1),
        ("models?q=heron&filterQuery=artifacts.hardware_count>1&orderBy=ACCURACY".to_owned(), searched),
        ("models?recommendations=true&targetRPS=10".to_owned(), 4),
        (heron.to_owned(), 2),
        (format!("{heron}/artifacts"), 2),
        (format!("{heron}/artifacts/performance?recommendations=true"), 4),
        ("sources".to_owned(), 1),
        ("/api/mcp_catalog/v1alpha1/mcp_servers?includeTools=true&pageSize=100".to_owned(), 3),
    ] {
        let (statements, response) = api.statements(api.get(&path.replace('>', "%3E"))).await;
        assert_eq!(response.status, 200);
        assert!(statements <= most, "{path}: {statements}");
    }
    api.catalog.index().await.unwrap();
    for query in ["q=heron&filterQuery=artifacts.hardware_count%3E1&orderBy=ACCURACY", "q=nothing-like-it"] {
        let (statements, _) = api.statements(api.get(&format!("models?{query}"))).await;
        assert_eq!(statements, 1, "{query} with an index");
    }
    api.get("models/filter_options").await;
    let (statements, _) = api.statements(api.get("models/filter_options")).await;
    assert_eq!(statements, 1, "filter options are cached until the next load");
}

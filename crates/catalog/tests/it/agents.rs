//! Agents and their templates.

use model_registry_catalog::{Settings, check};
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::{Api, Files};

on_each_database!(
    a_mistake_in_an_agent_costs_only_the_wrong_part,
    a_load_replaces_everything_that_an_agent_had,
    an_external_id_is_that_of_one_agent_of_a_source,
    children_of_an_unknown_or_empty_id_are_an_error
);

const SOURCES: &str = "agent_catalogs:\n- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";
const AGENTS: &str = "/api/agent_catalog/v1alpha1/agents";

async fn source(api: &Api) -> Value {
    api.get("sources?assetType=agents").await.json()["items"][0].clone()
}

async fn a_mistake_in_an_agent_costs_only_the_wrong_part(backend: Backend) {
    let agents = "\
agents:
- name: clerk
  colour: blue
  createTimeSinceEpoch: yesterday
  artifacts: [{uri: 'registry.example/x'}, {}, null]
  templates: [{content: one}, null, {name: '', content: two}, {name: plan.yaml}]
- {name: shapeless, env: MODEL_URL}
- {name: nameless variable, env: [{required: true}]}
- {framework: crewai}
- null
- {name: clerk}
";
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", agents)]);
    let problems: Vec<String> = check(&files.settings()).problems.iter().map(ToString::to_string).collect();
    for part in [
        "a.yaml:7:26: agent \"shapeless\" is left out: `env`: expected a list, found `MODEL_URL`",
        "a.yaml:8:35: agent \"nameless variable\" is left out: environment variable 0: has no name",
        "a.yaml:9:3: agent \"\" is left out: the name is empty",
        "a.yaml:10:3: agent \"\" is left out: ",
        "a.yaml:11:3: agent \"clerk\" is left out: duplicate of line 2",
        "a.yaml:3:3: agent \"clerk\" has the unknown key `colour`, which is ignored",
        "a.yaml:4:25: agent \"clerk\" is published with the time of the load: `createTimeSinceEpoch` is not a number",
        "a.yaml:5:21: agent \"clerk\" has artifact 0: artifact URI \"registry.example/x\" must have a scheme",
        "a.yaml:5:44: agent \"clerk\" is published without artifact 1: has no URI",
        "a.yaml:5:48: agent \"clerk\" is published without artifact 2: has no URI",
        "a.yaml:6:31: agent \"clerk\" is published without template 1: is empty",
        "a.yaml:6:37: agent \"clerk\" has template 2: replaces an earlier one with the name `agent.yaml`",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:#?}");
    }
    assert_eq!(problems.len(), 12, "{problems:#?}");

    let api = Api::on(backend, files.settings()).await;
    let source = source(&api).await;
    assert_eq!(source["status"], "partially-available");
    assert!(source["error"].as_str().unwrap().contains("failed to load 5 agent(s)"), "{source}");
    let list = api.get(AGENTS).await.json();
    assert_eq!((&list["size"], &list["items"][0]["name"]), (&json!(1), &json!("clerk")));
    let image = json!([{"artifactType": "image-artifact", "uri": "registry.example/x"}]);
    assert_eq!(list["items"][0]["artifacts"], image);
    let id = list["items"][0]["id"].as_str().unwrap();
    let templates = api.get(&format!("{AGENTS}/{id}/artifacts")).await.json();
    let templates: Vec<_> =
        templates["items"].as_array().unwrap().iter().map(|one| (&one["name"], &one["content"])).collect();
    assert_eq!(json!(templates), json!([["agent.yaml", "two"], ["plan.yaml", ""]]));
}

// The Kubeflow Model Registry keeps fields that were removed from the file, and the templates of removed agents.
async fn a_load_replaces_everything_that_an_agent_had(backend: Backend) {
    let full = "\
agents:
- name: clerk
  externalId: x
  logo: l
  labels: [a]
  templates: [{content: one}, {name: plan.yaml, content: two}]
  customProperties: {seats: {metadataType: MetadataIntValue, int_value: '5'}}
- {name: other, templates: [{name: gone.yaml, content: three}]}
";
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", full)]);
    let api = Api::on(backend, files.settings()).await;
    let before = api.get(&format!("{AGENTS}?name=clerk")).await.json()["items"][0].clone();
    assert_eq!(before["customProperties"]["seats"]["int_value"], "5");
    let id = before["id"].as_str().unwrap().to_owned();
    let artifacts = format!("{AGENTS}/{id}/artifacts");
    let template = |list: &Value, name: &str| {
        list["items"].as_array().unwrap().iter().find(|one| one["name"] == name).map(|one| one["id"].clone())
    };
    let templates_before = api.get(&artifacts).await.json();

    files.write("a.yaml", "agents:\n- {name: clerk, templates: [{content: new}]}\n");
    api.catalog.load().await.unwrap();
    let after = api.get(AGENTS).await.json();
    assert_eq!((&after["size"], &after["items"][0]["id"]), (&json!(1), &before["id"]));
    let mut fields: Vec<&str> = after["items"][0].as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["createTimeSinceEpoch", "id", "lastUpdateTimeSinceEpoch", "name", "source_id"]);
    let templates = api.get(&artifacts).await.json();
    assert_eq!((&templates["size"], &templates["items"][0]["content"]), (&json!(1), &json!("new")));
    let agent_yaml = "agent.yaml";
    assert_eq!(template(&templates, agent_yaml), template(&templates_before, agent_yaml), "the id is stable");
    assert_eq!(api.get(&format!("{AGENTS}/filter_options")).await.json(), json!({"filters": {}}));

    // A file that cannot be read keeps the agents.
    files.write("a.yaml", "agents: {name: clerk}\n");
    api.catalog.load().await.unwrap();
    assert_eq!(source(&api).await["status"], "error");
    assert_eq!(api.get(AGENTS).await.json()["size"], 1);
}

// In the Kubeflow Model Registry an agent cannot be saved if any item of any source has the same externalId.
async fn an_external_id_is_that_of_one_agent_of_a_source(backend: Backend) {
    let agents = "agents:\n- {name: first, externalId: x}\n- {name: second, externalId: x}\n- {name: third, externalId: ''}\n\
                  - {name: fourth, externalId: ''}\n";
    let other = "agents: [{name: other, externalId: x}]\n";
    let sources = "agent_catalogs:\n- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n\
                   - {id: b, name: B, type: yaml, properties: {yamlCatalogPath: b.yaml}}\n";
    let files = Files::new(&[("sources.yaml", sources), ("a.yaml", agents), ("b.yaml", other)]);
    let api = Api::on(backend, files.settings()).await;
    assert_eq!(api.names(&format!("{AGENTS}?orderBy=NAME")).await, ["first", "fourth", "other", "second", "third"]);
    assert_eq!(api.names(&format!("{AGENTS}?orderBy=NAME&filterQuery=externalId='x'")).await, ["first", "other"]);
    let source = source(&api).await;
    assert_eq!(source["status"], "available");
    let error = source["error"].as_str().unwrap();
    let expected = "a.yaml:3:30: agent \"second\" is published without its externalId: `x` is that of line 2";
    assert!(error.starts_with("ignored 1: ") && error.contains(expected), "{error}");
}

async fn children_of_an_unknown_or_empty_id_are_an_error(backend: Backend) {
    let api = Api::on(backend, Settings::default()).await;
    let response = api.get(&format!("{AGENTS}/7/artifacts")).await;
    assert_eq!((response.status, response.message()), (404, "agent not found with ID 7".to_owned()));
    let response = api.get(&format!("{AGENTS}//artifacts")).await;
    assert_eq!(response.status, 422);
    assert!(response.message().contains("required field 'id' is empty"), "{}", response.message());
}

//! MCP servers from documents of the MCP registry and from Docker's catalogs.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::{Api, Files};

on_each_database!(
    a_list_of_the_mcp_registry_is_published_and_its_newest_versions_are_marked,
    a_catalog_of_docker_is_published
);

const SERVERS: &str = "/api/mcp_catalog/v1alpha1/mcp_servers";

const REGISTRY: &str = r#"{"servers": [
  {"server": {
      "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
      "name": "com.acme/weather", "title": "Weather \ud83c\udf26", "description": "Forecasts", "version": "1.10.0",
      "websiteUrl": "https://acme.test/weather", "repository": {"url": "https://git.acme.test/weather", "source": "github"},
      "icons": [{"src": "https://acme.test/icon.png"}],
      "packages": [
        {"registryType": "npm", "identifier": "@acme/weather", "version": "1.10.0", "transport": {"type": "stdio"},
         "environmentVariables": [
           {"name": "API_KEY", "description": "Key", "isRequired": true, "isSecret": true},
           {"name": "UNITS", "default": "metric"}]},
        {"registryType": "oci", "identifier": "acme/weather", "version": "1.10.0", "transport": {"type": "stdio"}},
        {"registryType": "mcpb", "identifier": "https://acme.test/weather.mcpb", "transport": {"type": "stdio"}}],
      "remotes": [
        {"type": "streamable-http", "url": "https://acme.test/mcp"}, {"type": "sse", "url": "https://acme.test/sse"}],
      "colour": 340282366920938463463374607431768211456},
   "_meta": {"io.modelcontextprotocol.registry/official": {
      "status": "active", "publishedAt": "2025-10-02T00:00:00Z", "updatedAt": "2025-10-03T00:00:00Z"}}},
  {"server": {"name": "com.acme/weather", "description": "Forecasts", "version": "1.9.0"}},
  {"server": {"name": "com.acme/gone", "description": "x", "version": "1.0.0"},
   "_meta": {"io.modelcontextprotocol.registry/official": {"status": "deleted"}}},
  {"server": {"name": "com.acme/remote", "description": "Remote", "version": "2025-06-18",
     "remotes": [{"type": "streamable-http", "url": "https://acme.test/{tenant}/mcp"}]}},
  {"name": "com.acme/bare", "description": "Without a wrapper", "version": "1"},
  {"server": {"description": "no name", "version": "1"}},
  null
], "metadata": {"nextCursor": "com.acme/bare:1", "count": 7}}"#;

fn sources(source_type: &str, path: &str) -> String {
    format!("mcp_catalogs: [{{id: t, name: T, type: {source_type}, properties: {{path: {path}}}}}]")
}

async fn source(api: &Api) -> Value {
    api.get("sources?assetType=mcp_servers").await.json()["items"][0].clone()
}

async fn a_list_of_the_mcp_registry_is_published_and_its_newest_versions_are_marked(backend: Backend) {
    let files = Files::new(&[("sources.yaml", &sources("mcp-registry", "all.json")), ("all.json", REGISTRY)]);
    let api = Api::on(backend, files.settings()).await;
    let names = ["com.acme/bare", "com.acme/remote", "com.acme/weather", "com.acme/weather"];
    assert_eq!(api.names(&format!("{SERVERS}?orderBy=NAME")).await, names);
    let newest = api.names(&format!("{SERVERS}?orderBy=NAME&filterQuery=isLatest = true")).await;
    assert_eq!(newest, names[..3]);
    let list = api.get(&format!("{SERVERS}?filterQuery=version='1.10.0'")).await.json();
    let server = &list["items"][0];
    let expected = json!({
        "name": "com.acme/weather", "displayName": "Weather 🌦", "description": "Forecasts", "version": "1.10.0",
        "provider": "com.acme", "documentationUrl": "https://acme.test/weather",
        "repositoryUrl": "https://git.acme.test/weather", "logo": "https://acme.test/icon.png", "deploymentMode": "local",
        "transports": ["stdio", "http", "sse"],
        "endpoints": {"http": "https://acme.test/mcp", "sse": "https://acme.test/sse"},
        "artifacts": [{"uri": "oci://docker.io/acme/weather:1.10.0"}, {"uri": "https://acme.test/weather.mcpb"}],
        "publishedDate": "2025-10-02T00:00:00Z", "lastUpdated": "2025-10-03T00:00:00Z",
        "runtimeMetadata": {
            "requiredEnvironmentVariables": [
                {"name": "API_KEY", "description": "Key", "required": true, "type": "secret"}],
            "optionalEnvironmentVariables": [
                {"name": "UNITS", "description": "", "required": false, "type": "string", "defaultValue": "metric"}],
        },
        "customProperties": {
            "isLatest": {"metadataType": "MetadataBoolValue", "bool_value": true},
            "packageTypes": {"metadataType": "MetadataStringValue", "string_value": r#"["mcpb","npm","oci"]"#},
            "registryStatus": {"metadataType": "MetadataStringValue", "string_value": "active"},
        },
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&server[field], value, "{field}");
    }
    let response = api.get(&format!("{SERVERS}?filterQuery=version='1.10.0'")).await;
    let text = String::from_utf8(response.bytes).unwrap();
    assert!(text.contains(r#""colour":340282366920938463463374607431768211456,"#), "{text}");
    let document: Value = serde_json::from_str(REGISTRY).unwrap();
    assert_eq!(server["serverJson"], document["servers"][0]["server"], "as it is written");
    let remote = api.get(&format!("{SERVERS}?name=com.acme/remote")).await.json()["items"][0].clone();
    assert_eq!((&remote["deploymentMode"], &remote["transports"]), (&json!("remote"), &json!(["http"])));
    let of_npm = api.names(&format!("{SERVERS}?filterQuery=packageTypes.array_value = 'npm'")).await;
    assert_eq!(of_npm, ["com.acme/weather"]);
    let state = source(&api).await;
    assert_eq!(state["status"], "partially-available");
    let error = state["error"].as_str().unwrap();
    assert!(error.contains("failed to load 2 MCP server(s)") && error.contains("the name is empty"), "{error}");
    let notices: Vec<String> = api.catalog.load().await.unwrap().problems.iter().map(ToString::to_string).collect();
    for part in ["unknown key `colour`, which is only in its serverJson", "`metadata.nextCursor` names a next page"] {
        assert!(notices.iter().any(|notice| notice.contains(part)), "{part}: {notices:?}");
    }
}

#[tokio::test]
async fn a_file_without_servers_keeps_what_was_published_and_an_empty_list_removes_it() {
    let files = Files::new(&[("sources.yaml", &sources("mcp-registry", "all.json")), ("all.json", REGISTRY)]);
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    let cut_off = REGISTRY.get(..REGISTRY.len() / 2).unwrap();
    for broken in ["", "{}", "{\"Servers\": []}", "{\"servers\": null}", "text", cut_off] {
        files.write("all.json", broken);
        api.catalog.load().await.unwrap();
        assert_eq!(source(&api).await["status"], "error", "{broken}");
        assert_eq!(api.names(SERVERS).await.len(), 4, "{broken}");
    }
    files.write("all.json", "{\"servers\": []}");
    api.catalog.load().await.unwrap();
    assert_eq!(source(&api).await["status"], "available");
    assert_eq!(api.names(SERVERS).await, [""; 0]);
}

#[tokio::test]
async fn a_directory_has_one_document_per_server_and_a_broken_one_removes_nothing() {
    let files = Files::new(&[("sources.yaml", &sources("mcp-registry", "servers"))]);
    for directory in ["servers/a", "servers/b"] {
        std::fs::create_dir_all(files.path(directory)).unwrap();
    }
    let document = |name: &str| format!("{{\"name\": \"com.acme/{name}\", \"version\": \"1.0.0\"}}");
    files.write("servers/a/server.json", &document("a"));
    files.write("servers/b/server.json", &document("b"));
    files.write("servers/README.md", "not read");
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    assert_eq!(api.names(&format!("{SERVERS}?orderBy=NAME")).await, ["com.acme/a", "com.acme/b"]);
    files.write("servers/a/server.json", "{");
    files.write("servers/b/server.json", &document("c"));
    api.catalog.load().await.unwrap();
    assert_eq!(source(&api).await["status"], "partially-available");
    let names = api.names(&format!("{SERVERS}?orderBy=NAME")).await;
    assert_eq!(names, ["com.acme/a", "com.acme/b", "com.acme/c"]);
}

const DOCKER: &str = "\
version: 2
name: docker-mcp
displayName: Docker MCP Catalog
registry:
  tickets:
    title: Tickets
    description: Works with tickets.
    type: server
    dateAdded: \"2025-05-05T20:08:35Z\"
    image: mcp/tickets@sha256:0f
    ref: \"\"
    readme: http://desktop.docker.test/readme/tickets.md
    toolsUrl: http://desktop.docker.test/tools/tickets.json
    source: https://git.acme.test/tickets/tree/v1
    upstream: https://git.acme.test/tickets
    icon: https://acme.test/icon.png
    tools:
    - name: list
      annotations: {readOnlyHint: true}
      arguments: [{name: page, type: integer, desc: Page, optional: true}]
    - name: close
    secrets: [{name: tickets.token, env: TOKEN, example: secret-123}]
    env: [{name: URL, value: '{{tickets.url}}'}, {name: MODE, value: plain}]
    prompts: 0
    resources: {}
    metadata: {category: productivity, tags: [work], license: MIT License, owner: acme, pulls: 7}
    flavour: sweet
  far:
    title: Far
    description: Remote.
    type: remote
    remote: {transport_type: streamable-http, url: 'https://far.acme.test/mcp'}
    source: \"\"
    icon: \"\"
    tools: []
  nothing:
";

async fn a_catalog_of_docker_is_published(backend: Backend) {
    let files = Files::new(&[("sources.yaml", &sources("docker-mcp-catalog", "docker.yaml")), ("docker.yaml", DOCKER)]);
    let api = Api::on(backend, files.settings()).await;
    let list = api.get(&format!("{SERVERS}?orderBy=NAME&includeTools=true")).await.json();
    let [far, tickets] = list["items"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!(far["endpoints"], json!({"http": "https://far.acme.test/mcp"}));
    assert_eq!((&far["deploymentMode"], &far["transports"]), (&json!("remote"), &json!(["http"])));
    let expected = json!({
        "name": "tickets", "displayName": "Tickets", "description": "Works with tickets.", "provider": "acme",
        "license": "MIT License", "tags": ["work"], "publishedDate": "2025-05-05T20:08:35Z",
        "documentationUrl": "http://desktop.docker.test/readme/tickets.md",
        "repositoryUrl": "https://git.acme.test/tickets", "sourceCode": "https://git.acme.test/tickets/tree/v1",
        "logo": "https://acme.test/icon.png", "deploymentMode": "local", "transports": ["stdio"], "toolCount": 2,
        "artifacts": [{"uri": "oci://docker.io/mcp/tickets@sha256:0f"}],
        "runtimeMetadata": {
            "requiredEnvironmentVariables": [
                {"name": "TOKEN", "description": "", "required": true, "type": "secret", "example": "secret-123"}],
            "optionalEnvironmentVariables": [
                {"name": "URL", "description": "", "required": false, "type": "config", "example": "{{tickets.url}}"},
                {"name": "MODE", "description": "", "required": false, "type": "string", "defaultValue": "plain"}],
        },
        "customProperties": {
            "category": {"metadataType": "MetadataStringValue", "string_value": "productivity"},
            "dockerType": {"metadataType": "MetadataStringValue", "string_value": "server"},
            "isLatest": {"metadataType": "MetadataBoolValue", "bool_value": true},
        },
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&tickets[field], value, "{field}");
    }
    let tools = tickets["tools"].as_array().unwrap();
    let access: Vec<_> = tools.iter().map(|tool| (tool["name"].as_str().unwrap(), &tool["accessType"])).collect();
    assert_eq!(access, [("list", &json!("read_only")), ("close", &json!("execute"))]);
    let page = json!([{"name": "page", "type": "integer", "description": "Page", "required": false}]);
    assert_eq!(tools[0]["parameters"], page);
    let state = source(&api).await;
    let error = state["error"].as_str().unwrap();
    assert!(error.contains("MCP server \"nothing\" is left out: expected a map"), "{error}");
    let notices: Vec<String> = api.catalog.load().await.unwrap().problems.iter().map(ToString::to_string).collect();
    assert!(notices.iter().any(|notice| notice.contains("\"tickets\" has the unknown key `flavour`")), "{notices:?}");
}

#[tokio::test]
async fn servers_of_dockers_registry_are_read_from_their_directories() {
    let files = Files::new(&[("sources.yaml", &sources("docker-mcp-catalog", "servers"))]);
    std::fs::create_dir_all(files.path("servers/notes")).unwrap();
    files.write(
        "servers/notes/server.yaml",
        "\
name: notes
image: ghcr.io/acme/notes
type: server
meta: {category: productivity, tags: [notes]}
about: {title: Notes, description: Keeps notes, icon: 'https://acme.test/notes.png'}
source: {project: 'https://git.acme.test/notes', branch: v2, directory: server}
run: {disableNetwork: true}
config: {secrets: [{name: notes.key, env: KEY, required: false}]}
",
    );
    files.write(
        "servers/notes/tools.json",
        r#"[{"name": "add", "description": "Adds", "annotations": {"destructiveHint": false}}, {"name": "clear"}]"#,
    );
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    let list = api.get(&format!("{SERVERS}?includeTools=true")).await.json();
    let notes = &list["items"][0];
    for (field, value) in [
        ("displayName", json!("Notes")),
        ("tags", json!(["notes"])),
        ("artifacts", json!([{"uri": "oci://ghcr.io/acme/notes"}])),
        ("repositoryUrl", json!("https://git.acme.test/notes")),
        ("sourceCode", json!("https://git.acme.test/notes/tree/v2/server")),
        ("toolCount", json!(2)),
    ] {
        assert_eq!(notes[field], value, "{field}");
    }
    let tools = notes["tools"].as_array().unwrap();
    let access: Vec<_> = tools.iter().map(|tool| (tool["name"].as_str().unwrap(), &tool["accessType"])).collect();
    assert_eq!(access, [("add", &json!("read_write")), ("clear", &json!("execute"))]);
    assert_eq!(source(&api).await["status"], "available");
}

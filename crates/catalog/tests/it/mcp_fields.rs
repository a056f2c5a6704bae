//! Fields of MCP servers: display name, `server.json`.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::{Api, Files, without_and_with_index};

on_each_database!(
    a_server_json_is_published_as_it_is_written,
    a_display_name_is_returned_searched_and_filtered,
    an_entry_that_becomes_invalid_keeps_its_last_valid_version
);

const SERVERS: &str = "/api/mcp_catalog/v1alpha1/mcp_servers";
const SOURCES: &str = "mcp_catalogs: [{id: t, type: yaml, properties: {yamlCatalogPath: t.yaml}}]";

async fn catalog(backend: Backend, servers: &str) -> (Files, Api) {
    let files = Files::new(&[("sources.yaml", SOURCES), ("t.yaml", servers)]);
    let api = Api::on(backend, files.settings()).await;
    (files, api)
}

async fn a_server_json_is_published_as_it_is_written(backend: Backend) {
    let servers = "\
mcp_servers:
- name: a
  server_json: {id: 9007199254740993, largest: 18446744073709551615, weight: 1.0, version: \"1.10\", none: null,
    n: 1, y: 2, on: 3, off: 4, nested: {list: [1, {deep: true}]}}
- {name: a2, server_json: {large: 340282366920938463463374607431768211456, ratio: [1.10, 1e400]}}
- {name: b, server_json: {}}
- {name: c, serverJson: {name: ignored}}
- {name: d, server_json: [1]}
";
    let (_files, api) = catalog(backend, servers).await;
    let response = api.get(&format!("{SERVERS}?name=a2")).await;
    let text = String::from_utf8(response.bytes).unwrap();
    // Longer numbers than a JSON value of Rust holds.
    assert!(
        text.contains(r#""serverJson":{"large":340282366920938463463374607431768211456,"ratio":[1.10,1e400]}"#),
        "{text}"
    );
    let list = api.get(&format!("{SERVERS}?filterQuery=name!='a2'")).await.json();
    let [a, b, c] = list["items"].as_array().unwrap().as_slice() else { panic!("{list}") };
    let text = a["serverJson"].to_string();
    for part in [
        r#""id":9007199254740993"#,
        r#""largest":18446744073709551615"#,
        r#""weight":1.0"#,
        r#""version":"1.10""#,
        r#""none":null"#,
        r#""n":1"#,
        r#""y":2"#,
        r#""on":3"#,
        r#""off":4"#,
        r#""nested":{"list":[1,{"deep":true}]}"#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let one = api.get(&format!("{SERVERS}/{}", a["id"].as_str().unwrap())).await.json();
    assert_eq!(one["serverJson"], a["serverJson"]);
    assert!(b.get("serverJson").is_none() && c.get("serverJson").is_none(), "{list}");
    let sources = api.get("sources?assetType=mcp_servers").await.json();
    let error = sources["items"][0]["error"].as_str().unwrap();
    assert!(error.contains("MCP server \"d\" is left out: `server_json`: expected a map, found a list"), "{error}");
}

async fn a_display_name_is_returned_searched_and_filtered(backend: Backend) {
    // 255 characters of two bytes each.
    let longest = "é".repeat(255);
    let servers = format!(
        "mcp_servers:\n- {{name: a, displayName: Garden gate}}\n- {{name: b, displayName: ''}}\n\
         - {{name: c, displayName: '{longest}'}}\n- {{name: d, displayName: '{longest}x'}}\n"
    );
    let (_files, api) = catalog(backend, &servers).await;
    without_and_with_index(&api, async |way| {
        let list = api.get(&format!("{SERVERS}?orderBy=NAME")).await.json();
        let names: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|one| &one["displayName"]).collect();
        assert_eq!(names, [&json!("Garden gate"), &Value::Null, &json!(longest)], "{way}");
        for query in ["q=GARDEN", "filterQuery=displayName = 'Garden gate'", "filterQuery=displayName LIKE 'Garden%25'"]
        {
            assert_eq!(api.names(&format!("{SERVERS}?{query}")).await, ["a"], "{way}: {query}");
        }
        let options = api.get(&format!("{SERVERS}/filter_options")).await.json();
        assert!(options["filters"].get("serverJson").is_none(), "{way}: {options}");
    })
    .await;
    let sources = api.get("sources?assetType=mcp_servers").await.json();
    let error = sources["items"][0]["error"].as_str().unwrap();
    assert!(error.contains("\"d\" is left out: displayName exceeds maximum length of 255 characters"), "{error}");
}

async fn an_entry_that_becomes_invalid_keeps_its_last_valid_version(backend: Backend) {
    let (files, api) =
        catalog(backend, "mcp_servers: [{name: a, version: '1', provider: P}, {name: b}, {name: c}]").await;
    let before = api.get(&format!("{SERVERS}?name=a")).await.json();
    // `b` is gone; the first `c` is valid, the second is a duplicate.
    files.write(
        "t.yaml",
        "mcp_servers: [{name: a, version: '1', tools: 3}, null, {name: c, tools: 3}, {name: c, provider: Q}, {name: e}]",
    );
    api.catalog.load().await.unwrap();
    assert_eq!(api.names(&format!("{SERVERS}?orderBy=NAME")).await, ["a", "c", "e"]);
    assert_eq!(api.get(&format!("{SERVERS}?name=a")).await.json(), before);
    assert_eq!(api.get(&format!("{SERVERS}?name=c")).await.json()["items"][0]["provider"], "Q");
    let sources = api.get("sources?assetType=mcp_servers").await.json();
    assert_eq!(sources["items"][0]["status"], "partially-available");
    let error = sources["items"][0]["error"].as_str().unwrap();
    for part in [
        "failed to load 3 MCP server(s)",
        "MCP server \"\" is left out: expected a map, found nothing",
        "earlier versions of them, if any, are still served",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    files.write("t.yaml", "mcp_servers: [{name: a, version: '1'}]");
    api.catalog.load().await.unwrap();
    let after = api.get(SERVERS).await.json();
    assert_eq!((&after["size"], after["items"][0].get("provider")), (&json!(1), None), "the exact content of the file");
}

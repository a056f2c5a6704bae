//! The operations of skills: list, filters, options, single skill, sources, labels, preview.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use super::{LIST, settings};
use crate::support::{Api, Files, without_and_with_index};

on_each_database!(skills_are_listed_filtered_searched_and_shown);

const SOURCES: &str = "skill_catalogs:
- {id: ops, name: Operations, type: yaml, labels: [Ops], properties: {yamlCatalogPath: ops.yaml}}
- {id: docs, name: Documents, type: yaml, properties: {yamlCatalogPath: docs.yaml}}
- {id: off, name: Off, type: yaml, enabled: false, properties: {yamlCatalogPath: docs.yaml}}
labels:
- {name: Ops, assetType: skills, displayName: Operations}
namedQueries:
  trusted: {assetType: skills, filters: {trustTier: {operator: '=', value: platformProvided}}}
";

const OPS: &str = "skills:
- {name: scale, description: Adds replicas., category: Operations, labels: [load, sre], trustTier: platformProvided, version: latest, bodyLineCount: 12}
- {name: rollback, description: Undo a release., category: Operations, labels: [sre], trustTier: organizationApproved, version: v1, provider: Acme}
";
const DOCS: &str = "skills:
- {name: summarise, description: Shortens 100% of a text., category: Writing, trustTier: communityContributed}
";

async fn skills_are_listed_filtered_searched_and_shown(backend: Backend) {
    let files = Files::new(&[("sources.yaml", SOURCES), ("ops.yaml", OPS), ("docs.yaml", DOCS)]);
    let api = Api::on(backend, settings(&files)).await;
    without_and_with_index(&api, async |how| {
        for (query, expected) in [
            ("?orderBy=NAME", vec!["rollback", "scale", "summarise"]),
            ("?orderBy=NAME&sortOrder=DESC", vec!["summarise", "scale", "rollback"]),
            ("?orderBy=name&pageSize=1", vec!["rollback"]),
            ("?name=s%25&orderBy=NAME", vec!["scale", "summarise"]),
            ("?name=SCALE", vec![]),
            ("?q=UNDO", vec!["rollback"]),
            ("?q=100%25", vec!["summarise"]),
            ("?q=sre&orderBy=NAME", vec!["rollback", "scale"]),
            ("?source=docs", vec!["summarise"]),
            ("?source=docs,ops&orderBy=NAME", vec!["rollback", "scale", "summarise"]),
            ("?sourceLabel=ops&orderBy=NAME", vec!["rollback", "scale"]),
            ("?sourceLabel=null", vec!["summarise"]),
            ("?filterQuery=trustTier = 'platformProvided' AND labels = 'load'", vec!["scale"]),
            ("?filterQuery=bodyLineCount > 10", vec!["scale"]),
            ("?filterQuery=version LIKE 'v%25'", vec!["rollback"]),
            ("?filterQuery=category IN ('Writing')", vec!["summarise"]),
        ] {
            let query = query.replace(' ', "%20").replace('>', "%3E");
            assert_eq!(api.names(&format!("{LIST}{query}")).await, expected, "{how}: {query}");
        }
    })
    .await;
    let options = api.get(&format!("{LIST}/filter_options")).await.json();
    assert_eq!(
        options["filters"]["trustTier"]["values"],
        json!(["communityContributed", "organizationApproved", "platformProvided"])
    );
    assert_eq!(options["filters"]["labels"]["values"], json!(["load", "sre"]));
    assert_eq!(options["filters"].get("description"), None);
    assert_eq!(options.get("namedQueries"), None, "no parameter would apply them");

    let found = api.get(&format!("{LIST}?name=scale")).await.json();
    let id = found["items"][0]["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("{LIST}/{id}")).await.json(), found["items"][0]);
    assert_eq!(api.get(&format!("{LIST}/999999")).await.message(), "skill not found with ID 999999");
    assert_eq!(api.get(&format!("{LIST}/seven")).await.status, 400);
    assert_eq!(api.get(&format!("{LIST}?source=ops&sourceLabel=Ops")).await.status, 400);

    let sources = api.get("sources?assetType=skills").await.json();
    let states: Vec<_> =
        sources["items"].as_array().unwrap().iter().map(|source| (&source["id"], &source["status"])).collect();
    assert_eq!(json!(states), json!([["docs", "available"], ["off", "disabled"], ["ops", "available"]]));
    let labels = api.get("labels?assetType=skills").await.json();
    assert_eq!(labels["items"][0]["displayName"], "Operations");
}

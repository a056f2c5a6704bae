//! Skills: in YAML lists, directories and Git repositories.

mod api;
mod directory;
mod git;
mod preview;
mod refusals;

use std::time::Duration;

use model_registry_catalog::{HubAccess, Settings};
use model_registry_server::config::Environment;
use model_registry_testkit::{Backend, GitRepository};
use serde_json::Value;

use crate::support::{Api, Files};

const LIST: &str = "/api/skill_catalog/v1alpha1/skills";

/// A sources file with the source `ops`, which reads this repository; `repository` and `properties` start with a comma.
fn source(repository: &GitRepository, more_of_repository: &str, properties: &str) -> String {
    format!(
        "skill_catalogs:\n- id: ops\n  name: Operations\n  type: git-skills-plugin\n  properties: {{trustTier: organizationApproved{properties}, repositories: [{{url: '{}'{more_of_repository}}}]}}\n",
        repository.url()
    )
}

/// Access to repositories on this machine.
fn access() -> HubAccess {
    // The build has two TLS providers.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    HubAccess { private_addresses: true, first_pause: Duration::from_millis(1), ..HubAccess::default() }
}

fn settings(files: &Files) -> Settings {
    let environment: Environment = [("GIT_CREDENTIALS_OPS_GIT", "ops:geheim")].into_iter().collect();
    Settings { hubs: access(), environment, ..files.settings() }
}

async fn api(backend: Backend, sources: &str) -> (Files, Api) {
    let files = Files::new(&[("sources.yaml", sources)]);
    let api = Api::on(backend, settings(&files)).await;
    (files, api)
}

async fn state(api: &Api, id: &str) -> Value {
    let sources = api.get("sources?assetType=skills").await.json();
    let found = sources["items"].as_array().unwrap().iter().find(|source| source["id"] == id);
    found.cloned().unwrap_or_else(|| panic!("no source {id}: {sources}"))
}

async fn status(api: &Api) -> (String, String) {
    let state = state(api, "ops").await;
    let text = |key: &str| state[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("error"))
}

async fn names(api: &Api) -> Vec<String> {
    api.names(&format!("{LIST}?orderBy=NAME")).await
}

async fn skill(api: &Api, name: &str) -> Value {
    let found = api.get(&format!("{LIST}?name={name}")).await.json();
    found["items"][0].clone()
}

//! The client has every operation of the contract and every kind.

use std::collections::BTreeSet;

use model_registry_client::{
    After, Artifact, ArtifactCreate, ArtifactUpdate, Client, Collection, DocArtifact, DocArtifactCreate,
    DocArtifactUpdate, ExperimentRunCreate, FindBy, InferenceServiceCreate, ListOptions, ModelVersionCreate,
    RegisterRequest, Resource, Result, ServeModelCreate,
};
use serde_json::Value;

use crate::support::{FakeServer, response};

const CONTRACT: &str = include_str!("../../../registry/tests/contract/model-registry.yaml");

/// Method and path of every operation, with `7` for each id.
fn contract() -> BTreeSet<String> {
    let contract: Value = serde_saphyr::from_str(CONTRACT).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        if !path.contains("/v1alpha3/") {
            continue;
        }
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "7" } else { segment });
        let path = segments.collect::<Vec<_>>().join("/");
        for method in ["get", "post", "patch", "put", "delete"] {
            if item.get(method).is_some() {
                operations.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    operations
}

async fn call_collection<R: Resource>(client: &Collection<R>) -> Result<()>
where
    R::Create: Default,
    R::Update: Default,
{
    client.page(&ListOptions::default(), "").await?;
    client.get("7").await?;
    client.find(FindBy::Name("n")).await?;
    client.create(&R::Create::default()).await?;
    client.update("7", &R::Update::default()).await?;
    Ok(())
}

async fn call_everything(client: &Client) -> Result<()> {
    let options = ListOptions::default();
    call_collection(&client.registered_models()).await?;
    call_collection(&client.model_versions()).await?;
    call_collection(&client.model_artifacts()).await?;
    call_collection(&client.serving_environments()).await?;
    call_collection(&client.inference_services()).await?;
    call_collection(&client.experiments()).await?;
    call_collection(&client.experiment_runs()).await?;

    let artifacts = client.artifacts();
    artifacts.page(&options, "").await?;
    artifacts.get("7").await?;
    artifacts.find(FindBy::ExternalId("x")).await?;
    artifacts.create(&ArtifactCreate::from(DocArtifactCreate::default())).await?;
    artifacts.update("7", &ArtifactUpdate::from(DocArtifactUpdate::default())).await?;

    client.versions_of("7").page(&options, "").await?;
    client.versions_of("7").create(&ModelVersionCreate::default()).await?;
    client.runs_of("7").page(&options, "").await?;
    client.runs_of("7").create(&ExperimentRunCreate::default()).await?;
    client.services_of("7").page(&options, "").await?;
    client.services_of("7").create(&InferenceServiceCreate::default()).await?;
    client.serves_of("7").page(&options, "").await?;
    client.serves_of("7").create(&ServeModelCreate::default()).await?;

    let artifact = Artifact::from(DocArtifact::default());
    for artifacts in [client.artifacts_of_version("7"), client.artifacts_of_run("7")] {
        artifacts.page(&options, "").await?;
        artifacts.upsert(&artifact).await?;
    }
    client.metric_history("7").page(&options, "").await?;
    client.metric_history_of_all_runs().page(&options, "").await?;
    client.model_of_service("7").await?;
    client.version_of_service("7").await?;
    client.register(&RegisterRequest::default()).await?;
    client.changes().page(After::Newest, 1).await?;
    Ok(())
}

#[tokio::test]
async fn every_operation_of_the_contract_is_called() {
    let fake = FakeServer::start(|_| response(200, &[], r#"{"items":[],"next":"0"}"#)).await;
    call_everything(&fake.server.client()).await.unwrap();
    let called: BTreeSet<String> = fake
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.method, request.path.split('?').next().unwrap_or_default()))
        .collect();
    let mut expected = contract();
    assert_eq!(expected.len(), 56);
    // Not in the contract: registration in one request, and the change feed.
    expected.insert("GET /api/model_registry/v1alpha3/changes".to_owned());
    expected.insert("POST /api/model_registry/v1alpha3/registered_models:register".to_owned());
    assert_eq!(called, expected);
}

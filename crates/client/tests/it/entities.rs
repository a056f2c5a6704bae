//! Typed entities survive a round trip through the registry.

use futures::TryStreamExt;
use model_registry_client::{
    Artifact, Change, DocArtifactCreate, Error, ExperimentCreate, ExperimentRunCreate, FindBy, InferenceServiceCreate,
    ListOptions, MetadataValue, Metric, MetricCreate, ModelArtifactCreate, ModelVersionCreate, Parameter,
    RegisterRequest, RegisteredModelCreate, RegisteredModelUpdate, ServeModelCreate, ServingEnvironmentCreate, State,
};

use crate::support::registry;

fn named(name: &str) -> RegisteredModelCreate {
    RegisteredModelCreate { name: name.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn a_model_is_created_updated_and_found() {
    let server = registry().await;
    let models = server.client().registered_models();
    let create = RegisteredModelCreate {
        description: Some("finds fraud".to_owned()),
        owner: Some("risk".to_owned()),
        language: Some(vec!["en".to_owned(), "de".to_owned()]),
        custom_properties: [
            ("stage".to_owned(), MetadataValue::from("prod")),
            ("batch".to_owned(), MetadataValue::from(32)),
            ("accuracy".to_owned(), MetadataValue::from(0.93)),
            ("gpu".to_owned(), MetadataValue::from(true)),
        ]
        .into(),
        ..named("fraud")
    };
    let created = models.create(&create).await.unwrap();
    assert_eq!(created.state, Some(State::Live));
    assert_eq!(created.custom_properties, create.custom_properties);
    assert_eq!(created.create_time_since_epoch.millis(), Some(1_700_000_000_000));
    assert_eq!(models.get(&created.id).await.unwrap(), created);

    let update = RegisteredModelUpdate {
        owner: Change::Clear,
        description: Change::Set("finds fraud early".to_owned()),
        state: Some(State::Archived),
        ..Default::default()
    };
    let updated = models.update(&created.id, &update).await.unwrap();
    assert_eq!((updated.owner, updated.description.as_deref()), (None, Some("finds fraud early")));
    assert_eq!(updated.state, Some(State::Archived));
    assert_eq!(updated.language, create.language);

    let found = models.find(FindBy::Name("fraud")).await.unwrap().unwrap();
    assert_eq!(found.id, created.id);
    assert_eq!(models.find(FindBy::Name("other")).await.unwrap(), None);
}

#[tokio::test]
async fn an_update_with_a_stale_entity_tag_is_rejected() {
    let server = registry().await;
    let models = server.client().registered_models();
    let id = models.create(&named("m")).await.unwrap().id;
    let read = models.get_tagged(&id).await.unwrap();
    assert!(!read.etag.is_empty());
    let owned_by = |owner: &str| RegisteredModelUpdate { owner: Change::Set(owner.to_owned()), ..Default::default() };
    models.update_if_unchanged(&id, &owned_by("a"), &read.etag).await.unwrap();
    let error = models.update_if_unchanged(&id, &owned_by("b"), &read.etag).await.unwrap_err();
    assert!(matches!(error, Error::Changed(_)), "{error:?}");
    assert_eq!(models.get(&id).await.unwrap().owner.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_model_is_registered_with_its_version_and_artifacts() {
    let server = registry().await;
    let client = server.client();
    let request = RegisterRequest {
        registered_model: named("fraud"),
        model_version: ModelVersionCreate { name: "v1".to_owned(), ..Default::default() },
        artifacts: vec![
            ModelArtifactCreate { uri: Some("s3://b/m".to_owned()), ..Default::default() }.into(),
            DocArtifactCreate { name: Some("card".to_owned()), ..Default::default() }.into(),
        ],
    };
    let registered = client.register(&request).await.unwrap();
    assert_eq!(registered.model_version.registered_model_id, registered.registered_model.id);
    assert!(matches!(&registered.artifacts[0], Artifact::Model(model) if model.uri.as_deref() == Some("s3://b/m")));
    assert_eq!(registered.artifacts[1].name(), "card");

    let by = FindBy::NameIn { name: "v1", parent_id: &registered.registered_model.id };
    assert_eq!(client.model_versions().find(by).await.unwrap().unwrap(), registered.model_version);
    let error = client.register(&request).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
}

#[tokio::test]
async fn metrics_and_parameters_of_a_run_are_logged_and_listed() {
    let server = registry().await;
    let client = server.client();
    let create = ExperimentCreate { name: "tuning".to_owned(), ..Default::default() };
    let experiment = client.experiments().create(&create).await.unwrap();
    let create = ExperimentRunCreate { name: Some("first".to_owned()), ..Default::default() };
    let run = client.runs_of(&experiment.id).create(&create).await.unwrap();
    assert_eq!(run.experiment_id, experiment.id);

    let artifacts = client.artifacts_of_run(&run.id);
    for step in 0..3 {
        let value = Some(1.0 / f64::from(step + 1));
        let metric = Metric { name: "loss".to_owned(), value, step: Some(step.into()), ..Default::default() };
        artifacts.upsert(&metric.into()).await.unwrap();
    }
    let rate = Parameter { name: "rate".to_owned(), value: Some("0.1".to_owned()), ..Default::default() };
    artifacts.upsert(&rate.into()).await.unwrap();

    let all: Vec<Artifact> = artifacts.list(ListOptions::default()).try_collect().await.unwrap();
    assert_eq!(all.iter().map(Artifact::name).collect::<Vec<_>>(), ["loss", "rate"]);
    let options = ListOptions { name: Some("loss".to_owned()), steps: vec![0, 2], ..Default::default() };
    let points: Vec<Metric> = client.metric_history(&run.id).list(options).try_collect().await.unwrap();
    assert_eq!(points.iter().map(|point| point.step).collect::<Vec<_>>(), [Some(0), Some(2)]);
    let everywhere = client.metric_history_of_all_runs().page(&ListOptions::default(), "").await.unwrap();
    assert_eq!(everywhere.size, 3);

    let standalone = client.artifacts().create(&MetricCreate { value: Some(1.0), ..Default::default() }.into()).await;
    assert!(matches!(standalone.unwrap(), Artifact::Metric(_)));
}

#[tokio::test]
async fn the_model_and_version_of_a_service_are_read() {
    let server = registry().await;
    let client = server.client();
    let model = client.registered_models().create(&named("m")).await.unwrap();
    let create = ModelVersionCreate { name: "v1".to_owned(), ..Default::default() };
    let version = client.versions_of(&model.id).create(&create).await.unwrap();
    let create = ServingEnvironmentCreate { name: "prod".to_owned(), ..Default::default() };
    let environment = client.serving_environments().create(&create).await.unwrap();
    let create = InferenceServiceCreate { registered_model_id: model.id.clone(), ..Default::default() };
    let service = client.services_of(&environment.id).create(&create).await.unwrap();
    assert!(!service.name.is_empty());
    let create = ServeModelCreate { model_version_id: version.id.clone(), ..Default::default() };
    let serving = client.serves_of(&service.id).create(&create).await.unwrap();

    assert_eq!(client.model_of_service(&service.id).await.unwrap(), model);
    assert_eq!(client.version_of_service(&service.id).await.unwrap(), version);
    let servings: Vec<_> = client.serves_of(&service.id).list(ListOptions::default()).try_collect().await.unwrap();
    assert_eq!(servings, [serving]);
}

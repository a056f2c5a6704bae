//! The registry as an end of a transfer: files of a registered version, and a new version for the files.

use model_registry_client::{
    Artifact, ArtifactState, Client, CustomProperties, Error as ClientError, FindBy, ModelArtifactCreate,
    ModelVersionCreate, RegisterRequest, RegisteredModelCreate,
};
use model_registry_jobs::{FindError, RegisteredFiles, file_properties, find_files};
use model_registry_transfer::Report;
use serde_json::{Value, json};

use crate::failure::CommandError;

/// Finds the files of a version; without a version those of the newest live one.
pub(crate) async fn find(client: &Client, model: &str, version: Option<&str>) -> anyhow::Result<RegisteredFiles> {
    let found = find_files(client, model, version).await;
    found.map_err(|error| match error {
        FindError::Client(error) => anyhow::Error::new(error),
        FindError::UnusableDigest { .. } => CommandError::failed(error.to_string()).into(),
        _ => CommandError::not_found(error.to_string()).into(),
    })
}

/// The version that files are registered as.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) model: String,
    pub(crate) version: String,
}

impl Registration {
    /// Fails before any byte moves if the version cannot be created.
    pub(crate) async fn check(&self, client: &Client) -> anyhow::Result<()> {
        let Some(model) = client.registered_models().find(FindBy::Name(&self.model)).await? else { return Ok(()) };
        let by = FindBy::NameIn { name: &self.version, parent_id: &model.id };
        if client.model_versions().find(by).await?.is_some() {
            let Self { model, version } = self;
            return Err(CommandError::conflict(format!("the model `{model}` has a version `{version}` already")).into());
        }
        Ok(())
    }

    /// Creates the version with its artifact in one request, and the model if it does not exist.
    pub(crate) async fn register(&self, client: &Client, report: &Report) -> Result<Value, ClientError> {
        let custom_properties = CustomProperties::from(file_properties(&report.digest(), report.size()));
        let artifact = ModelArtifactCreate {
            name: Some("model".to_owned()),
            uri: Some(report.uri.clone()),
            state: Some(ArtifactState::Live),
            custom_properties,
            ..ModelArtifactCreate::default()
        };
        let request = RegisterRequest {
            registered_model: RegisteredModelCreate { name: self.model.clone(), ..RegisteredModelCreate::default() },
            model_version: ModelVersionCreate { name: self.version.clone(), ..ModelVersionCreate::default() },
            artifacts: vec![artifact.into()],
        };
        let registered = client.register(&request).await?;
        Ok(json!({
            "version": format!("{}/{}", self.model, self.version),
            "versionId": registered.model_version.id,
            "artifactId": registered.artifacts.first().map(Artifact::id),
        }))
    }
}

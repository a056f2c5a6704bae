//! The registry as an end of a transfer: files of a registered version, and a new version for the files.

use futures::TryStreamExt;
use model_registry_client::{
    Artifact, ArtifactState, Client, CustomProperties, Error as ClientError, FindBy, ListOptions, MetadataValue,
    ModelArtifact, ModelArtifactCreate, ModelVersion, ModelVersionCreate, OrderBy, RegisterRequest,
    RegisteredModelCreate, SortOrder,
};
use model_registry_transfer::{Report, Sha256};
use serde_json::{Value, json};

use crate::failure::CommandError;

/// The custom property with the digest of the files, `sha256:…`.
pub(crate) const DIGEST: &str = "digest";
/// The custom property with the size of the files, in bytes.
pub(crate) const SIZE: &str = "size";

/// What the registry knows about the files of a version.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) uri: String,
    pub(crate) digest: Option<Sha256>,
}

/// Finds the files of a version; without a version those of the newest live one.
pub(crate) async fn find(client: &Client, model: &str, version: Option<&str>) -> anyhow::Result<Registered> {
    let found = client.registered_models().find(FindBy::Name(model)).await?;
    let found = found.ok_or_else(|| CommandError::not_found(format!("no model named `{model}`")))?;
    let version = match version {
        Some(name) => {
            let version = client.model_versions().find(FindBy::NameIn { name, parent_id: &found.id }).await?;
            version
                .ok_or_else(|| CommandError::not_found(format!("the model `{model}` has no version named `{name}`")))?
        }
        None => newest(client, model, &found.id).await?,
    };
    let at = format!("{model}/{}", version.name);
    let options = newest_first(None);
    let artifacts: Vec<Artifact> = client.artifacts_of_version(&version.id).list(options).try_collect().await?;
    let artifact = artifacts.into_iter().find_map(usable).ok_or_else(|| {
        CommandError::not_found(format!("the version `{at}` has no model artifact with the location of its files"))
    })?;
    let uri = artifact.uri.unwrap_or_default();
    let digest = match artifact.custom_properties.get(DIGEST) {
        Some(MetadataValue::String(text)) if text.starts_with("sha256:") => {
            Some(text.parse::<Sha256>().map_err(|error| {
                CommandError::failed(format!("the artifact of `{at}` has an unusable `{DIGEST}`: {error}"))
            })?)
        }
        // Of another algorithm, or of another tool.
        _ => None,
    };
    Ok(Registered { uri, digest })
}

async fn newest(client: &Client, model: &str, model_id: &str) -> anyhow::Result<ModelVersion> {
    let options = ListOptions { page_size: Some(1), ..newest_first(Some("state = 'LIVE'".to_owned())) };
    let page = client.versions_of(model_id).page(&options, "").await?;
    let version = page.items.into_iter().next();
    Ok(version.ok_or_else(|| CommandError::not_found(format!("the model `{model}` has no live version")))?)
}

fn newest_first(filter: Option<String>) -> ListOptions {
    let (order_by, sort_order) = (OrderBy::CreateTime, SortOrder::Descending);
    ListOptions { filter, order_by, sort_order, ..ListOptions::default() }
}

/// The artifact, if it is a model whose files are there.
fn usable(artifact: Artifact) -> Option<ModelArtifact> {
    let Artifact::Model(artifact) = artifact else { return None };
    let is_gone = matches!(
        artifact.state,
        Some(
            ArtifactState::Pending
                | ArtifactState::Abandoned
                | ArtifactState::Deleted
                | ArtifactState::MarkedForDeletion
        )
    );
    let has_uri = artifact.uri.as_ref().is_some_and(|uri| !uri.is_empty());
    (!is_gone && has_uri).then_some(*artifact)
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
        let custom_properties = CustomProperties::from([
            (DIGEST.to_owned(), MetadataValue::String(format!("sha256:{}", report.digest()))),
            (SIZE.to_owned(), MetadataValue::Int(i64::try_from(report.size()).unwrap_or(i64::MAX))),
        ]);
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

//! The files of a registered version: which version, which artifact, which digest.

use futures::TryStreamExt;
use model_registry_client::{
    Artifact, ArtifactState, Client, Error as ClientError, FindBy, ListOptions, MetadataValue, ModelArtifact,
    ModelVersion, OrderBy, RegisteredModel, SortOrder, State,
};
use model_registry_transfer::Sha256;

/// The custom property with the digest of the files, `sha256:…`.
pub(crate) const DIGEST: &str = "digest";
/// The custom property with the size of the files, in bytes.
pub(crate) const SIZE: &str = "size";

/// The custom properties of files. The size is a double, since the Python client refuses integers of more than nine digits.
pub fn file_properties(digest: &Sha256, size: u64) -> [(String, MetadataValue); 2] {
    #[expect(clippy::cast_precision_loss, reason = "exact up to eight pebibytes")]
    let size = MetadataValue::Double(size as f64);
    [(DIGEST.to_owned(), MetadataValue::String(format!("sha256:{digest}"))), (SIZE.to_owned(), size)]
}

/// Versions of a page while the newest live one is searched: mostly the first.
const PAGE: u32 = 20;

/// What the registry knows about the files of a version.
#[derive(Clone, Debug)]
pub struct RegisteredFiles {
    pub model: RegisteredModel,
    pub version: ModelVersion,
    pub artifact: ModelArtifact,
    /// Location of the files.
    pub uri: String,
    pub digest: Option<Sha256>,
}

/// Why the files of a version are not known.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error("no model named `{0}`")]
    NoModel(String),
    #[error("the model `{model}` has no version named `{version}`")]
    NoVersion { model: String, version: String },
    #[error("the model `{0}` has no live version")]
    NoLiveVersion(String),
    #[error("the version `{0}` has no model artifact with the location of its files{hint}", hint = hint(*.1))]
    NoArtifact(String, Unusable),
    #[error("the artifact of `{at}` has an unusable `{DIGEST}`: {reason}")]
    UnusableDigest { at: String, reason: String },
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The artifacts of a version that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unusable {
    /// Pending, abandoned or deleted.
    not_there: usize,
    without_uri: usize,
    of_other_kinds: usize,
}

fn hint(found: Unusable) -> String {
    let parts = [
        (found.not_there, "pending, abandoned or deleted"),
        (found.without_uri, "without a URI"),
        (found.of_other_kinds, "of other kinds"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() { String::new() } else { format!(" (its artifacts: {})", parts.join(", ")) }
}

/// Finds the files of a version; without a version those of the newest live one. Of its artifacts, the newest model artifact counts
/// whose files are there: never a document or a data set, whichever is newer.
pub async fn find_files(client: &Client, model: &str, version: Option<&str>) -> Result<RegisteredFiles, FindError> {
    let found = client.registered_models().find(FindBy::Name(model)).await?;
    let model = found.ok_or_else(|| FindError::NoModel(model.to_owned()))?;
    find_files_of(client, model, version).await
}

/// As [`find_files`], for a model that was found.
pub(crate) async fn find_files_of(
    client: &Client,
    model: RegisteredModel,
    version: Option<&str>,
) -> Result<RegisteredFiles, FindError> {
    let version = match version {
        Some(name) => {
            let version = client.model_versions().find(FindBy::NameIn { name, parent_id: &model.id }).await?;
            version.ok_or_else(|| FindError::NoVersion { model: model.name.clone(), version: name.to_owned() })?
        }
        None => newest(client, &model).await?,
    };
    let at = format!("{}/{}", model.name, version.name);
    let artifacts: Vec<Artifact> = client.artifacts_of_version(&version.id).list(newest_first()).try_collect().await?;
    let (artifact, uri) = choose(artifacts).map_err(|found| FindError::NoArtifact(at.clone(), found))?;
    let digest = match artifact.custom_properties.get(DIGEST) {
        Some(MetadataValue::String(text)) if text.starts_with("sha256:") => {
            Some(text.parse::<Sha256>().map_err(|error| FindError::UnusableDigest { at, reason: error.to_string() })?)
        }
        // Of another algorithm, or of another tool.
        _ => None,
    };
    Ok(RegisteredFiles { model, version, artifact, uri, digest })
}

/// The newest live version. Older registries ignore filters of this list, so that none is used.
async fn newest(client: &Client, model: &RegisteredModel) -> Result<ModelVersion, FindError> {
    let options = ListOptions { page_size: Some(PAGE), ..newest_first() };
    let mut versions = client.versions_of(&model.id).list(options);
    while let Some(version) = versions.try_next().await? {
        if matches!(version.state, None | Some(State::Live)) {
            return Ok(version);
        }
    }
    Err(FindError::NoLiveVersion(model.name.clone()))
}

fn newest_first() -> ListOptions {
    ListOptions { order_by: OrderBy::CreateTime, sort_order: SortOrder::Descending, ..ListOptions::default() }
}

/// The first model artifact whose files are there, with its location.
fn choose(artifacts: Vec<Artifact>) -> Result<(ModelArtifact, String), Unusable> {
    let mut unusable = Unusable::default();
    for artifact in artifacts {
        let Artifact::Model(artifact) = artifact else {
            unusable.of_other_kinds += 1;
            continue;
        };
        let is_gone = matches!(
            artifact.state,
            Some(
                ArtifactState::Pending
                    | ArtifactState::Abandoned
                    | ArtifactState::Deleted
                    | ArtifactState::MarkedForDeletion
            )
        );
        match artifact.uri.clone().filter(|uri| !uri.is_empty()) {
            _ if is_gone => unusable.not_there += 1,
            None => unusable.without_uri += 1,
            Some(uri) => return Ok((*artifact, uri)),
        }
    }
    Err(unusable)
}

#[cfg(test)]
mod tests {
    use model_registry_client::DocArtifact;
    use proptest::prelude::*;

    use super::*;

    fn model(name: &str, uri: Option<&str>, state: ArtifactState) -> Artifact {
        let artifact = ModelArtifact {
            name: name.to_owned(),
            uri: uri.map(str::to_owned),
            state: Some(state),
            ..ModelArtifact::default()
        };
        Artifact::Model(Box::new(artifact))
    }

    fn document() -> Artifact {
        Artifact::Doc(Box::new(DocArtifact { uri: Some("s3://b/card.md".to_owned()), ..DocArtifact::default() }))
    }

    #[test]
    fn the_first_model_artifact_with_files_is_chosen() {
        let chosen = choose(vec![
            document(),
            model("pending", Some("s3://b/1"), ArtifactState::Pending),
            model("empty", Some(""), ArtifactState::Live),
            model("none", None, ArtifactState::Live),
            model("right", Some("s3://b/2"), ArtifactState::Unknown),
            model("older", Some("s3://b/3"), ArtifactState::Live),
        ]);
        assert_eq!(chosen.unwrap().1, "s3://b/2");
    }

    #[test]
    fn what_cannot_be_used_is_counted_in_the_message() {
        let found = choose(vec![document(), model("a", Some("s3://b/1"), ArtifactState::Deleted), document()]);
        let error = FindError::NoArtifact("iris/v1".to_owned(), found.unwrap_err()).to_string();
        let expected = "the version `iris/v1` has no model artifact with the location of its files \
                        (its artifacts: 1 pending, abandoned or deleted, 2 of other kinds)";
        assert_eq!(error, expected);
        assert!(
            !FindError::NoArtifact("iris/v1".to_owned(), choose(Vec::new()).unwrap_err()).to_string().contains('(')
        );
    }

    proptest! {
        #[test]
        fn a_document_or_a_gone_artifact_is_never_chosen(kinds in proptest::collection::vec(0_u8..5, 0..8)) {
            let artifacts = kinds.iter().enumerate().map(|(at, kind)| match kind {
                0 => document(),
                1 => model("x", Some("gone"), ArtifactState::Abandoned),
                2 => model("x", None, ArtifactState::Live),
                3 => model("x", Some("gone"), ArtifactState::MarkedForDeletion),
                _ => model("x", Some(&format!("s3://b/{at}")), ArtifactState::Live),
            });
            let chosen = choose(artifacts.collect()).ok().map(|(_, uri)| uri);
            let expected = kinds.iter().position(|kind| *kind == 4).map(|at| format!("s3://b/{at}"));
            prop_assert_eq!(chosen, expected);
        }
    }
}

//! Referrers: manifests that are about another one, such as signatures, and how they are attached.
//!
//! Registries of the distribution specification 1.1 list them; for others the list is an index under a tag that is made of the
//! digest (`sha256-HEX`), which clients maintain.

use reqwest::StatusCode;
use reqwest::header::ACCEPT;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::manifest::{AnyManifest, Descriptor, Index, LARGEST_MANIFEST, Manifest, RawManifest, media_type};
use crate::repository::{Access, Repository};
use crate::transport::read_limited;

/// Pages of a list of referrers.
const MOST_PAGES: usize = 100;

/// What is attached to a manifest.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The media type of the attachment as a whole, such as a kind of signature.
    pub artifact_type: String,
    /// The blobs, each with its media type and annotations.
    pub blobs: Vec<AttachedBlob>,
    pub annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct AttachedBlob {
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub annotations: std::collections::BTreeMap<String, String>,
}

impl Repository {
    /// The manifests that are about this one; those of one type, if it is given.
    pub async fn referrers(&self, subject: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let mut found = match self.listed_referrers(subject, artifact_type).await? {
            Some(listed) => listed,
            None => self.tagged_referrers(subject).await?.manifests,
        };
        // Registries need not filter.
        found.retain(|one| artifact_type.is_none() || one.artifact_type.as_deref() == artifact_type);
        Ok(found)
    }

    /// Attaches blobs to a manifest of this repository.
    pub async fn attach(&self, subject: &RawManifest, attachment: &Attachment) -> Result<Descriptor> {
        let mut layers = Vec::with_capacity(attachment.blobs.len());
        for blob in &attachment.blobs {
            let mut layer = self.put_blob(&blob.media_type, blob.bytes.clone()).await?;
            layer.annotations.clone_from(&blob.annotations);
            layers.push(layer);
        }
        let config = self.put_blob(media_type::EMPTY, b"{}".as_slice()).await?;
        if layers.is_empty() {
            layers.push(config.clone());
        }
        let mut manifest = Manifest::new(config, layers);
        manifest.artifact_type = Some(attachment.artifact_type.clone());
        manifest.annotations.clone_from(&attachment.annotations);
        manifest.subject = Some(subject.descriptor());
        let bytes = serde_json::to_vec(&manifest).map_err(|error| invalid(&subject.digest, error.to_string()))?;
        let mut descriptor = Descriptor::of(media_type::MANIFEST, &bytes);
        let put = self.put_manifest(&descriptor.digest.to_string(), media_type::MANIFEST, &bytes).await?;
        descriptor.artifact_type = manifest.artifact_type;
        descriptor.annotations = manifest.annotations;
        if !put.registry_links_subject {
            self.tag_referrer(&subject.digest, descriptor.clone()).await?;
        }
        Ok(descriptor)
    }

    /// The list of a registry that has one; `None` if it has no lists.
    async fn listed_referrers(&self, subject: &Digest, artifact_type: Option<&str>) -> Result<Option<Vec<Descriptor>>> {
        let what = format!("the referrers of {subject}");
        let mut url = self.referrers_url(subject);
        if let Some(artifact_type) = artifact_type {
            url.query_pairs_mut().append_pair("artifactType", artifact_type);
        }
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let build = |http: &reqwest::Client| http.get(url.clone()).header(ACCEPT, media_type::INDEX);
            let response = self.send(Access::Pull, &what, build).await?;
            if matches!(
                response.status(),
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::BAD_REQUEST
            ) {
                return Ok(None);
            }
            if !response.status().is_success() {
                return Err(self.refused(&what, response).await);
            }
            let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            // Old registries and proxies have pages of their own for unknown paths.
            if !header("content-type").is_some_and(|kind| kind.starts_with(media_type::INDEX)) {
                return Ok(None);
            }
            let next = header("link").and_then(next_page).map(str::to_owned);
            let bytes = read_limited(&self.registry.transport, response, &what, LARGEST_MANIFEST).await?;
            let index: Index = serde_json::from_slice(&bytes).map_err(|error| invalid(subject, error.to_string()))?;
            found.extend(index.manifests);
            let Some(next) = next else { return Ok(Some(found)) };
            url = self.registry.transport.resolve(&next)?;
            if !self.registry.transport.is_own(&url) {
                return Err(invalid(subject, "the next page is at another host".to_owned()));
            }
        }
        Err(Error::TooLarge { what, limit: MOST_PAGES as u64 * LARGEST_MANIFEST })
    }

    /// The list that clients maintain under a tag.
    async fn tagged_referrers(&self, subject: &Digest) -> Result<Index> {
        match self.manifest(&subject.as_tag()).await {
            Ok(raw) => match raw.parse()? {
                AnyManifest::Index(index) => Ok(index),
                AnyManifest::Image(_) => {
                    Err(invalid(subject, format!("the tag {} is that of an image", subject.as_tag())))
                }
            },
            Err(error) if error.is_not_found() => Ok(Index::new(Vec::new())),
            Err(error) => Err(error),
        }
    }

    /// Adds a manifest to that list.
    async fn tag_referrer(&self, subject: &Digest, referrer: Descriptor) -> Result<()> {
        let mut index = self.tagged_referrers(subject).await?;
        if index.manifests.iter().any(|one| one.digest == referrer.digest) {
            return Ok(());
        }
        index.manifests.push(referrer);
        let bytes = serde_json::to_vec(&index).map_err(|error| invalid(subject, error.to_string()))?;
        self.put_manifest(&subject.as_tag(), media_type::INDEX, &bytes).await?;
        Ok(())
    }
}

fn invalid(subject: &Digest, reason: String) -> Error {
    Error::Invalid { what: format!("the list of referrers of {subject}"), reason }
}

/// The URL in `<…>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    parameters.contains("rel=\"next\"").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_in_the_header_link() {
        assert_eq!(next_page(r#"</v2/m/referrers/x?n=2>; rel="next""#), Some("/v2/m/referrers/x?n=2"));
        assert_eq!(next_page(r#"</x>; rel="prev""#), None);
        assert_eq!(next_page("x"), None);
    }
}

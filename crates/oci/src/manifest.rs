//! Manifests and indexes of images, with every field that is not known here kept as it is.
//!
//! Maps are ordered, so that the same content has the same bytes and the same digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::error::{Error, Result};

/// The largest manifest or index, which is also what the distribution specification expects of registries.
pub(crate) const LARGEST_MANIFEST: u64 = 4 << 20;
/// The largest configuration of an image.
pub(crate) const LARGEST_CONFIG: u64 = 8 << 20;

pub(crate) mod media_type {
    pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

    /// What the header `Accept` lists for manifests.
    pub(crate) const ACCEPTED: [&str; 4] = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX];

    /// The OCI name of a layer type of Docker.
    pub(crate) fn of_layer(media_type: &str) -> &str {
        match media_type {
            "application/vnd.docker.image.rootfs.diff.tar.gzip" => "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.diff.tar.zstd" => "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.diff.tar" => LAYER,
            other => other,
        }
    }
}

pub(crate) mod annotation {
    pub(crate) const TITLE: &str = "org.opencontainers.image.title";
    /// The path of the only file of a layer, in images of the `ModelPack` specification.
    pub(crate) const MODEL_FILE_PATH: &str = "org.cncf.model.filepath";
    /// The path below `/models` and the size of the only file of a layer that this crate has pushed.
    pub(crate) const FILE: &str = "io.model-registry.file";
    pub(crate) const FILE_SIZE: &str = "io.model-registry.file.size";
    /// The digest of this file.
    pub(crate) const FILE_DIGEST: &str = "io.model-registry.file.digest";
    /// A directory that `oras` has packed.
    pub(crate) const ORAS_UNPACK: &str = "io.deis.oras.content.unpack";
    /// Set on manifests of an index that are not images, such as attestations.
    pub(crate) const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
    pub(crate) const CREATED: &str = "org.opencontainers.image.created";
}

pub(crate) type Annotations = BTreeMap<String, String>;

/// What a blob or a manifest is, its digest and its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    #[serde(flatten)]
    pub(crate) other: BTreeMap<String, Value>,
}

impl Descriptor {
    pub(crate) fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
            other: BTreeMap::new(),
        }
    }

    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }
}

/// The machine an image is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    pub architecture: String,
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(flatten)]
    pub(crate) other: BTreeMap<String, Value>,
}

impl Platform {
    /// Parses `linux/amd64` or `linux/arm/v7`.
    pub fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_name = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(is_name) {
            return Err(Error::Usage(format!("`{text}` is not a platform: write for example linux/amd64")));
        }
        Ok(Self {
            os: parts[0].to_owned(),
            architecture: parts[1].to_owned(),
            variant: parts.get(2).map(|&variant| variant.to_owned()),
            other: BTreeMap::new(),
        })
    }

    /// Linux on the processor of this machine.
    pub fn of_this_machine() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "powerpc64" => "ppc64le",
            other => other,
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None, other: BTreeMap::new() }
    }

    fn serves(&self, wanted: &Self) -> bool {
        let same_variant = wanted.variant.is_none() || self.variant == wanted.variant;
        self.os == wanted.os && self.architecture == wanted.architecture && same_variant
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

/// The manifest of one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    pub config: Descriptor,
    #[serde(deserialize_with = "null_as_default")]
    pub layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(crate) other: BTreeMap<String, Value>,
}

impl Manifest {
    pub(crate) fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }
}

/// A list of manifests, one for each platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(crate) other: BTreeMap<String, Value>,
}

impl Index {
    pub(crate) fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            manifests,
            annotations: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }

    /// The images of the index, without attestations and the like.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter(|one| {
            let is_unknown = one.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
            !is_unknown && !one.annotations.contains_key(annotation::REFERENCE_TYPE)
        })
    }

    /// The image for a platform; the only one, if there is one only.
    pub(crate) fn choose(&self, wanted: &Platform) -> Result<&Descriptor> {
        let images: Vec<&Descriptor> = self.images().collect();
        let fits = |one: &&&Descriptor| one.platform.as_ref().is_some_and(|platform| platform.serves(wanted));
        match (images.iter().find(fits), images.as_slice()) {
            (Some(found), _) => Ok(found),
            // Data files are the same for all processors.
            (None, [only]) => Ok(only),
            (None, _) => {
                let platforms: Vec<String> =
                    images.iter().filter_map(|one| Some(one.platform.as_ref()?.to_string())).collect();
                Err(Error::NotFound {
                    what: format!("an image for {wanted} in the index, which has: {}", platforms.join(", ")),
                })
            }
        }
    }
}

/// A manifest or an index as a registry has returned it, with a verified digest.
#[derive(Clone, Debug)]
pub struct RawManifest {
    pub media_type: String,
    pub digest: Digest,
    pub bytes: Vec<u8>,
}

/// The two things a reference can point to.
#[derive(Clone, Debug)]
pub enum AnyManifest {
    Image(Box<Manifest>),
    Index(Index),
}

impl RawManifest {
    pub fn parse(&self) -> Result<AnyManifest> {
        let invalid = |reason: String| Error::Invalid { what: format!("the manifest {}", self.digest), reason };
        let read = |error: serde_json::Error| invalid(error.to_string());
        match self.media_type.as_str() {
            media_type::INDEX | media_type::DOCKER_INDEX => {
                Ok(AnyManifest::Index(serde_json::from_slice(&self.bytes).map_err(read)?))
            }
            media_type::MANIFEST | media_type::DOCKER_MANIFEST => {
                Ok(AnyManifest::Image(serde_json::from_slice(&self.bytes).map_err(read)?))
            }
            other => Err(invalid(format!("the media type `{other}` is not that of an image or an index"))),
        }
    }

    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor::new(&self.media_type, self.digest.clone(), self.bytes.len() as u64)
    }
}

/// Go writes `null` for an empty list or map.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(platform: Option<&str>, is_attestation: bool) -> Descriptor {
        let mut descriptor = Descriptor::of(media_type::MANIFEST, platform.unwrap_or_default().as_bytes());
        descriptor.platform = platform.map(|platform| Platform::parse(platform).unwrap());
        if is_attestation {
            descriptor.annotations.insert(annotation::REFERENCE_TYPE.to_owned(), "attestation-manifest".to_owned());
        }
        descriptor
    }

    #[test]
    fn the_image_of_a_platform_is_chosen_and_attestations_are_not_images() {
        let amd = entry(Some("linux/amd64"), false);
        let arm = entry(Some("linux/arm/v7"), false);
        let index = Index::new(vec![entry(Some("unknown/unknown"), true), amd.clone(), arm.clone()]);
        let choose = |platform: &str| index.choose(&Platform::parse(platform).unwrap());
        assert_eq!(choose("linux/amd64").unwrap(), &amd);
        assert_eq!(choose("linux/arm").unwrap(), &arm);
        let error = choose("linux/s390x").unwrap_err().to_string();
        assert!(error.contains("linux/s390x") && error.contains("linux/amd64, linux/arm/v7"), "{error}");
        let single = Index::new(vec![amd.clone(), entry(Some("unknown/unknown"), true)]);
        assert_eq!(single.choose(&Platform::parse("linux/arm64").unwrap()).unwrap(), &amd);
    }

    #[test]
    fn fields_that_are_not_known_are_kept_and_null_is_an_empty_list() {
        let digest = Digest::of(b"");
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"x","digest":"{digest}","size":0,"data":"e30="}},
                "layers":null,"annotations":null,"future":{{"b":1,"a":[2]}}}}"#
        );
        let manifest: Manifest = serde_json::from_str(&text).unwrap();
        assert!(manifest.layers.is_empty());
        let written = serde_json::to_value(&manifest).unwrap();
        assert_eq!(written["future"]["a"][0], 2);
        assert_eq!(written["config"]["data"], "e30=");
    }
}

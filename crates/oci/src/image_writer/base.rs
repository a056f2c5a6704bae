//! The image that the layers of a model are added to.

use serde_json::{Value, json};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout::MOST_LAYERS;
use crate::manifest::{AnyManifest, Descriptor, Index, LARGEST_CONFIG, Manifest, RawManifest, media_type};
use crate::reference::ImageReference;
use crate::repository::{Registries, Repository};

/// Layers that container runtimes accept: with more, an image cannot be mounted.
const LIMIT_OF_RUNTIMES: usize = 127;
/// Images of one index.
const MOST_PLATFORMS: usize = 32;

/// A base image on all its platforms.
pub(super) struct BaseImage {
    pub(super) repository: Repository,
    pub(super) images: Vec<PlatformImage>,
    /// The index, unless the base is an image of one platform.
    pub(super) index: Option<Index>,
}

/// The base image on one platform.
pub(super) struct PlatformImage {
    /// Its entry in the index.
    pub(super) entry: Descriptor,
    pub(super) manifest: Manifest,
    pub(super) config: Value,
}

impl BaseImage {
    /// Reads manifests and configurations, and verifies that layers can be added.
    pub(super) async fn read(registries: &Registries, base: &ImageReference, most_layers: usize) -> Result<Self> {
        let repository = registries.repository(base).await?;
        let raw = repository.manifest(&base.manifest()).await?;
        let (images, index) = match raw.parse()? {
            AnyManifest::Image(manifest) => (vec![platform_image(&repository, &raw, *manifest).await?], None),
            AnyManifest::Index(index) => {
                let entries: Vec<Descriptor> = index.images().cloned().collect();
                if entries.is_empty() || entries.len() > MOST_PLATFORMS {
                    let reason =
                        format!("its index has {} images; from 1 to {MOST_PLATFORMS} can be used", entries.len());
                    return Err(unusable(base, reason));
                }
                let mut images = Vec::with_capacity(entries.len());
                for entry in entries {
                    let raw = repository.manifest(&entry.digest.to_string()).await?;
                    let AnyManifest::Image(manifest) = raw.parse()? else {
                        return Err(unusable(base, "its index contains another index".to_owned()));
                    };
                    let mut image = platform_image(&repository, &raw, *manifest).await?;
                    image.entry = entry;
                    images.push(image);
                }
                (images, Some(index))
            }
        };
        for image in &images {
            check(image, most_layers).map_err(|reason| unusable(base, reason))?;
        }
        Ok(Self { repository, images, index })
    }
}

fn unusable(base: &ImageReference, reason: String) -> Error {
    Error::Invalid { what: format!("the base image {base}"), reason }
}

async fn platform_image(repository: &Repository, raw: &RawManifest, manifest: Manifest) -> Result<PlatformImage> {
    let bytes = repository.read_blob(&manifest.config, LARGEST_CONFIG).await?;
    let config: Value = serde_json::from_slice(&bytes).map_err(|error| Error::Invalid {
        what: format!("the configuration {}", manifest.config.digest),
        reason: error.to_string(),
    })?;
    Ok(PlatformImage { entry: raw.descriptor(), manifest, config })
}

fn check(image: &PlatformImage, most_layers: usize) -> Result<(), String> {
    let config = &image.manifest.config.media_type;
    if ![media_type::CONFIG, media_type::DOCKER_CONFIG].contains(&config.as_str()) {
        return Err(format!("it is not a container image: its configuration has the media type `{config}`"));
    }
    let layers = &image.manifest.layers;
    if let Some(layer) = layers.iter().find(|layer| is_foreign(&layer.media_type)) {
        return Err(format!("its layer {} may not be distributed", layer.digest));
    }
    let all = layers.len() + most_layers.min(MOST_LAYERS);
    if all > LIMIT_OF_RUNTIMES {
        return Err(format!("it has {} layers, which leaves too few for the model", layers.len()));
    }
    let diff_ids = image.config.pointer("/rootfs/diff_ids").and_then(Value::as_array);
    if diff_ids.map(Vec::len) != Some(layers.len()) {
        return Err("its configuration does not list its layers".to_owned());
    }
    Ok(())
}

fn is_foreign(media_type: &str) -> bool {
    media_type.contains("nondistributable") || media_type.contains("foreign")
}

/// Adds layers to the configuration of an image. Every other field stays as it is.
pub(super) fn add_layers(config: &mut Value, diff_ids: &[Digest], titles: &[String]) {
    if let Some(known) = config.pointer_mut("/rootfs/diff_ids").and_then(Value::as_array_mut) {
        known.extend(diff_ids.iter().map(|digest| json!(digest)));
    }
    // Some tools require one entry for each layer, if there are any; an image without history gets none.
    if let Some(history) = config.get_mut("history").and_then(Value::as_array_mut) {
        history.extend(
            titles.iter().map(
                |title| json!({"created": super::publish::EPOCH, "created_by": format!("model-registry {title}")}),
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_added_to_the_configuration_and_the_rest_is_kept() {
        let mut config = json!({
            "architecture": "arm64", "os": "linux", "config": {"Cmd": ["sh"], "Healthcheck": {"Test": ["NONE"]}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]}, "history": [{"created_by": "base"}], "future": 1,
        });
        add_layers(&mut config, &[Digest::of(b"a"), Digest::of(b"b")], &["a".to_owned(), "b".to_owned()]);
        assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 3);
        assert_eq!(config["rootfs"]["diff_ids"][1], Digest::of(b"a").to_string());
        assert_eq!(config["history"].as_array().unwrap().len(), 3);
        assert_eq!(config["config"]["Healthcheck"]["Test"][0], "NONE");
        assert_eq!(config["future"], 1);
        let mut without = json!({"rootfs": {"diff_ids": []}});
        add_layers(&mut without, &[Digest::of(b"a")], &["a".to_owned()]);
        assert_eq!(without, json!({"rootfs": {"diff_ids": [Digest::of(b"a")]}}));
    }
}

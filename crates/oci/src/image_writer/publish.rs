//! The configuration, the manifest and the index of an image.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::base::{BaseImage, PlatformImage, add_layers};
use super::{DoneLayer, Shared, WrittenLayer};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout::ImageFormat;
use crate::manifest::{AnyManifest, Descriptor, Index, Manifest, Platform, annotation, media_type};
use crate::reference::ImageReference;

/// The time of everything, so that the same files have the same digest.
pub(super) const EPOCH: &str = "1970-01-01T00:00:00Z";

const MODEL_PACK_ARTIFACT: &str = "application/vnd.cncf.model.manifest.v1+json";
const MODEL_PACK_CONFIG: &str = "application/vnd.cncf.model.config.v1+json";
/// Layers of the base image that are copied at the same time.
const COPIED_AT_ONCE: usize = 4;

/// An image that can be pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedImage {
    /// With the tag, as it was requested.
    pub reference: ImageReference,
    /// The digest of the manifest, or of the index.
    pub digest: Digest,
}

pub(super) async fn publish(shared: &Shared) -> Result<PublishedImage> {
    let layers = done_layers(shared)?;
    let tag = shared.target.tag().unwrap_or("latest");
    let top = match (&shared.base, shared.options.format) {
        (Some(base), _) => with_base(shared, base, &layers).await?,
        (None, ImageFormat::ModelPack) => model_pack(shared, &layers).await?,
        (None, ImageFormat::ModelCar) => without_base(shared, &layers).await?,
    };
    let digest = shared.repository.put_manifest(tag, &top.media_type, &top.bytes).await?.digest;
    Ok(PublishedImage { reference: shared.target.clone(), digest })
}

/// What the tag will point to.
struct Top {
    media_type: String,
    bytes: Vec<u8>,
}

fn done_layers(shared: &Shared) -> Result<Vec<DoneLayer>> {
    let written = shared.written();
    let mut done = Vec::with_capacity(written.len());
    for (number, layer) in written.iter().enumerate() {
        match layer {
            WrittenLayer::Done(layer) => done.push((**layer).clone()),
            WrittenLayer::Waiting(_) => {
                let file = &shared.files[shared.layers[number].files[0]].path;
                return Err(Error::Usage(format!("the image is not complete: the layer with `{file}` is missing")));
            }
        }
    }
    Ok(done)
}

/// One manifest, or an index of one for each platform, over the same layers.
async fn without_base(shared: &Shared, layers: &[DoneLayer]) -> Result<Top> {
    let given = &shared.options.platforms;
    let platforms = if given.is_empty() { vec![Platform::parse("linux/amd64")?] } else { given.clone() };
    let mut entries = Vec::with_capacity(platforms.len());
    let mut last = None;
    for platform in &platforms {
        let mut config = json!({
            "architecture": platform.architecture,
            "os": platform.os,
            "created": EPOCH,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": []},
            "history": [],
        });
        if let Some(variant) = &platform.variant {
            config["variant"] = json!(variant);
        }
        add_layers(&mut config, &diff_ids(layers), &titles(shared));
        let descriptor = put_config(shared, media_type::CONFIG, &config).await?;
        let mut manifest = Manifest::new(descriptor, layers.iter().map(|layer| layer.descriptor.clone()).collect());
        manifest.annotations.clone_from(&shared.options.annotations);
        let bytes = to_json(&manifest)?;
        if platforms.len() > 1 {
            let mut entry = Descriptor::of(media_type::MANIFEST, &bytes);
            entry.platform = Some(platform.clone());
            shared.repository.put_manifest(&entry.digest.to_string(), media_type::MANIFEST, &bytes).await?;
            entries.push(entry);
        }
        last = Some(Top { media_type: media_type::MANIFEST.to_owned(), bytes });
    }
    if entries.is_empty() {
        return last.ok_or_else(|| Error::Usage("an image needs a platform".to_owned()));
    }
    let mut index = Index::new(entries);
    index.annotations.clone_from(&shared.options.annotations);
    Ok(Top { media_type: media_type::INDEX.to_owned(), bytes: to_json(&index)? })
}

async fn model_pack(shared: &Shared, layers: &[DoneLayer]) -> Result<Top> {
    let name = shared.target.repository().rsplit('/').next().unwrap_or_default();
    let config = json!({
        "descriptor": {"name": name},
        "config": {},
        "modelfs": {"type": "layers", "diffIds": diff_ids(layers)},
    });
    let descriptor = put_config(shared, MODEL_PACK_CONFIG, &config).await?;
    let mut manifest = Manifest::new(descriptor, layers.iter().map(|layer| layer.descriptor.clone()).collect());
    manifest.artifact_type = Some(MODEL_PACK_ARTIFACT.to_owned());
    manifest.annotations.clone_from(&shared.options.annotations);
    Ok(Top { media_type: media_type::MANIFEST.to_owned(), bytes: to_json(&manifest)? })
}

/// The layers on top of those of the base image, on each of its platforms.
async fn with_base(shared: &Shared, base: &BaseImage, layers: &[DoneLayer]) -> Result<Top> {
    let mut blobs: Vec<&Descriptor> = base.images.iter().flat_map(|image| &image.manifest.layers).collect();
    blobs.sort_by(|left, right| left.digest.cmp(&right.digest));
    blobs.dedup_by(|left, right| left.digest == right.digest);
    // Boxed: the compiler cannot see that futures of closures with references are `Send`.
    let copies = blobs.into_iter().map(|blob| {
        let (repository, from, blob) = (shared.repository.clone(), base.repository.clone(), blob.clone());
        async move { repository.copy_blob(&from, &blob).await }
    });
    stream::iter(copies.collect::<Vec<_>>()).buffer_unordered(COPIED_AT_ONCE).try_collect::<Vec<_>>().await?;

    let mut entries = Vec::with_capacity(base.images.len());
    for image in &base.images {
        let bytes = to_json(&derived(shared, image, layers).await?)?;
        let Some(_) = &base.index else { return Ok(Top { media_type: media_type::MANIFEST.to_owned(), bytes }) };
        let mut entry = Descriptor::of(media_type::MANIFEST, &bytes);
        entry.platform.clone_from(&image.entry.platform);
        shared.repository.put_manifest(&entry.digest.to_string(), media_type::MANIFEST, &bytes).await?;
        entries.push(entry);
    }
    let mut index = Index::new(entries);
    index.annotations.clone_from(&shared.options.annotations);
    Ok(Top { media_type: media_type::INDEX.to_owned(), bytes: to_json(&index)? })
}

/// The base image of one platform with the layers of the model, as an OCI manifest.
async fn derived(shared: &Shared, image: &PlatformImage, layers: &[DoneLayer]) -> Result<Manifest> {
    let mut config = image.config.clone();
    add_layers(&mut config, &diff_ids(layers), &titles(shared));
    let descriptor = put_config(shared, media_type::CONFIG, &config).await?;
    let of_base = image.manifest.layers.iter().map(|layer| {
        let mut layer = layer.clone();
        layer.media_type = media_type::of_layer(&layer.media_type).to_owned();
        layer
    });
    let all = of_base.chain(layers.iter().map(|layer| layer.descriptor.clone())).collect();
    let mut manifest = Manifest::new(descriptor, all);
    manifest.annotations.clone_from(&image.manifest.annotations);
    // The time of the base image is not that of this one.
    manifest.annotations.remove(annotation::CREATED);
    manifest.annotations.extend(shared.options.annotations.clone());
    Ok(manifest)
}

async fn put_config(shared: &Shared, media_type: &str, config: &Value) -> Result<Descriptor> {
    shared.repository.put_blob(media_type, to_json(config)?).await
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| Error::Invalid { what: "the manifest of the image".to_owned(), reason: error.to_string() })
}

fn diff_ids(layers: &[DoneLayer]) -> Vec<Digest> {
    layers.iter().map(|layer| layer.diff_id.clone()).collect()
}

/// What each layer contains, for people who read the history of the image.
fn titles(shared: &Shared) -> Vec<String> {
    let title = |files: &[usize]| {
        let first = &shared.files[files[0]].path;
        if files.len() == 1 { first.clone() } else { format!("{first} and {} more files", files.len() - 1) }
    };
    shared.layers.iter().map(|layer| title(&layer.files)).collect()
}

/// The image that the tag points to now. Of an index, the first image: all have the same layers with files.
pub(super) async fn present(shared: &Shared) -> Result<Option<Manifest>> {
    let tag = shared.target.tag().unwrap_or("latest");
    let mut raw = match shared.repository.manifest(tag).await {
        Ok(raw) => raw,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Ok(AnyManifest::Index(index)) = raw.parse() {
        let Some(first) = index.images().next() else { return Ok(None) };
        raw = shared.repository.manifest(&first.digest.to_string()).await?;
    }
    match raw.parse() {
        Ok(AnyManifest::Image(manifest)) => Ok(Some(*manifest)),
        // Whatever it is, it will be replaced.
        _ => Ok(None),
    }
}

//! Reads the files of a model from an image: `ModelCar`, `ModelPack`, or an artifact of `oras`.
//!
//! A layer that is one file (raw, or written by this crate, which annotates it) is read from the registry by ranges. Every other
//! layer is read once, verified, and its files below `/models` wait in a temporary file: an archive may be compressed, and what
//! is in it is known only at its end. So nothing of a layer is used before its digest and all its names were checked.

mod decoder;
mod entries;
mod layer_reader;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use model_registry_base::run_blocking;

use self::entries::{FileTree, Place};
pub use self::layer_reader::UnpackLimits;
use self::layer_reader::{Spool, read_layer};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, Result};
use crate::layout::{self, ImageFormat, ModelFile};
use crate::manifest::{AnyManifest, Descriptor, Manifest, Platform, annotation, media_type};
use crate::reference::ImageReference;
use crate::repository::{Registries, Repository};

/// Layers that are unpacked at the same time.
const UNPACKED_AT_ONCE: usize = 4;
/// How much of a temporary file is read at once.
const CHUNK: u64 = 1 << 20;
/// Layers of an image that is read.
const MOST_LAYERS: usize = 20_000;

/// The bytes of a file.
pub type FileStream = BoxStream<'static, Result<Bytes>>;

/// An image whose files can be read.
pub struct ModelImage {
    repository: Repository,
    /// The image of the chosen platform.
    digest: Digest,
    files: Vec<ImageFile>,
    spool: Arc<Spool>,
}

/// A file of an image.
#[derive(Clone, Debug)]
pub struct ImageFile {
    /// Below the directory of the model.
    pub path: String,
    pub size: u64,
    /// Changes whenever the content may have changed.
    pub version: String,
    /// The SHA-256 digest that the image states. Whoever reads the file in parts compares it with that of the whole.
    pub digest: Option<Digest>,
    place: Place,
}

/// What an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Layers are a file system, with the model in `/models`.
    Container,
    /// Layers are files or archives of the model.
    Artifact,
}

impl ModelImage {
    /// Opens an image, and finds its files. Layers that have to be unpacked are fetched.
    pub async fn open(
        registries: &Registries,
        image: &ImageReference,
        platform: &Platform,
        limits: UnpackLimits,
    ) -> Result<Self> {
        let repository = registries.repository(image).await?;
        let (digest, manifest) = choose(&repository, &image.manifest(), platform).await?;
        let kind = kind(&manifest);
        if manifest.layers.len() > MOST_LAYERS {
            let reason = format!("it has {} layers, of at most {MOST_LAYERS}", manifest.layers.len());
            return Err(Error::Invalid { what: format!("the image {digest}"), reason });
        }
        let spool = Arc::new(run_blocking(Spool::new).await.map_err(|source| unspooled(&repository, source))?);
        let contents = manifest.layers.iter().map(|layer| {
            let (repository, spool, layer) = (repository.clone(), Arc::clone(&spool), layer.clone());
            async move {
                match declared_file(&layer, kind)? {
                    Some((file, offset, content)) => Ok(entries::LayerFiles::declared(&layer, file, offset, content)),
                    None => read_layer(&repository, &layer, kind == Kind::Container, &spool, limits).await,
                }
            }
        });
        // Ordered from the lowest layer to the highest, which hides files of the lower ones.
        let contents: Vec<entries::LayerFiles> =
            stream::iter(contents.collect::<Vec<_>>()).buffered(UNPACKED_AT_ONCE).try_collect().await?;
        let mut tree = FileTree::default();
        for layer in contents {
            tree.add(layer)?;
        }
        let files = tree.files(&digest)?;
        if files.is_empty() {
            let what = match kind {
                Kind::Container => format!("files below /{} in {image}", layout::MODEL_DIRECTORY),
                Kind::Artifact => format!("files in {image}"),
            };
            return Err(Error::NotFound { what });
        }
        Ok(Self { repository, digest, files, spool })
    }

    /// The digest of the image's manifest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The files, ordered by path.
    pub fn files(&self) -> &[ImageFile] {
        &self.files
    }

    /// Opens a file or a part of it. A whole raw layer is verified; other parts are as the registry sends them.
    pub fn read(&self, file: &ImageFile, range: Range<u64>) -> FileStream {
        let range = range.start.min(file.size)..range.end.min(file.size);
        match &file.place {
            Place::Blob { layer, offset } => {
                let in_layer = range.start + offset..range.end + offset;
                self.repository.blob_range(layer, in_layer).into_stream().boxed()
            }
            Place::Spool { offset } => {
                let start = offset + range.start;
                let state = (Arc::clone(&self.spool), self.repository.clone(), start, offset + range.end);
                stream::try_unfold(state, |(spool, repository, start, end)| async move {
                    if start >= end {
                        return Ok(None);
                    }
                    let length = CHUNK.min(end - start);
                    let reading = Arc::clone(&spool);
                    let chunk = run_blocking(move || reading.read(start, length)).await;
                    let chunk = chunk.map_err(|source| unspooled(&repository, source))?;
                    Ok(Some((Bytes::from(chunk), (spool, repository, start + length, end))))
                })
                .boxed()
            }
        }
    }
}

impl std::fmt::Debug for ModelImage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ModelImage").field("digest", &self.digest).finish_non_exhaustive()
    }
}

pub(super) fn unspooled(repository: &Repository, source: std::io::Error) -> Error {
    Error::Unpack { registry: repository.registry().to_owned(), source }
}

/// The image that a reference points to, of an index the one for the platform.
async fn choose(repository: &Repository, reference: &str, platform: &Platform) -> Result<(Digest, Manifest)> {
    let raw = repository.manifest(reference).await?;
    match raw.parse()? {
        AnyManifest::Image(manifest) => Ok((raw.digest, *manifest)),
        AnyManifest::Index(index) => {
            let chosen = index.choose(platform)?;
            let raw = repository.manifest(&chosen.digest.to_string()).await?;
            match raw.parse()? {
                AnyManifest::Image(manifest) => Ok((raw.digest, *manifest)),
                AnyManifest::Index(_) => {
                    let reason = "it is an index within an index".to_owned();
                    Err(Error::Invalid { what: format!("the manifest {}", raw.digest), reason })
                }
            }
        }
    }
}

fn kind(manifest: &Manifest) -> Kind {
    let config = manifest.config.media_type.as_str();
    let is_container = [media_type::CONFIG, media_type::DOCKER_CONFIG].contains(&config);
    if is_container && manifest.artifact_type.is_none() { Kind::Container } else { Kind::Artifact }
}

/// The only file of a layer, where its content begins, and the digest of the content, if the manifest says so.
fn declared_file(layer: &Descriptor, kind: Kind) -> Result<Option<(ModelFile, u64, Digest)>> {
    let get = |key: &str| layer.annotations.get(key).cloned();
    if kind == Kind::Artifact && !is_archive(layer) {
        let path = get(annotation::MODEL_FILE_PATH).or_else(|| get(annotation::TITLE));
        let Some(path) = path else {
            // Artifacts may have further blobs, such as signatures.
            let reason = format!("the layer {} has neither a file name nor the media type of an archive", layer.digest);
            return Err(Error::Invalid { what: "the image".to_owned(), reason });
        };
        let path = path.trim_start_matches("./").to_owned();
        return Ok(Some((ModelFile { path, size: layer.size }, 0, layer.digest.clone())));
    }
    let (Some(path), Some(size), Some(content)) =
        (get(annotation::FILE), get(annotation::FILE_SIZE), get(annotation::FILE_DIGEST))
    else {
        return Ok(None);
    };
    let (Ok(size), Ok(content)) = (size.parse(), content.parse::<Digest>()) else { return Ok(None) };
    let format = if kind == Kind::Container { ImageFormat::ModelCar } else { ImageFormat::ModelPack };
    let file = ModelFile { path, size };
    // A layer that was changed by another program, for example compressed, is read as any other.
    let is_own = content.algorithm() == Algorithm::Sha256
        && layout::problem_of_path(&file.path).is_none()
        && layer.media_type.strip_suffix(".tar").is_some()
        && layer.size == layout::single_length(&file, format);
    let offset = layout::content_offset(&file, format);
    Ok(is_own.then_some((file, offset, content)))
}

/// Whether a layer of an artifact is an archive, and not a file as it is.
fn is_archive(layer: &Descriptor) -> bool {
    let media_type = layer.media_type.as_str();
    let has_archive_type =
        [".tar", "+tar", ".tar+gzip", ".tar+zstd", ".tar.gzip"].iter().any(|end| media_type.ends_with(end));
    match layer.annotations.get(annotation::ORAS_UNPACK).map(String::as_str) {
        Some("true") => true,
        // `oras` gives files the type of a layer unless another is requested, and marks the directories that it packs.
        _ if layer.annotations.contains_key(annotation::TITLE)
            && media_type.starts_with("application/vnd.oci.image.layer.")
            && !layer.annotations.contains_key(annotation::FILE) =>
        {
            false
        }
        _ => has_archive_type,
    }
}

//! Writes the files of a model as an image: the layers first, in any order and in parallel, the manifest last. Until then nobody
//! sees anything of it.

mod base;
mod file_upload;
mod publish;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::base::BaseImage;
pub use self::file_upload::{FileUpload, SavedFile};
pub use self::publish::PublishedImage;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout::{self, ImageFormat, Layer, ModelFile};
use crate::manifest::{Annotations, Descriptor, Manifest, Platform, annotation};
use crate::reference::ImageReference;
use crate::repository::{Registries, Repository};

/// How an image is made.
#[derive(Clone, Debug)]
pub struct ImageOptions {
    pub format: ImageFormat,
    /// The image that the layers are added to, on each of its platforms. A model server that mounts the image as a container
    /// needs one with a shell; one that mounts it as a volume needs none.
    pub base: Option<ImageReference>,
    /// The platforms of an image without a base; several make an index.
    pub platforms: Vec<Platform>,
    /// Layers with files; without those of the base image.
    pub most_layers: usize,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            format: ImageFormat::ModelCar,
            base: None,
            platforms: Vec::new(),
            most_layers: layout::MOST_LAYERS,
            annotations: BTreeMap::new(),
        }
    }
}

/// An image that is being written. Clones share it.
#[derive(Clone)]
pub struct ImageWriter(Arc<Shared>);

pub(crate) struct Shared {
    repository: Repository,
    target: ImageReference,
    options: ImageOptions,
    files: Vec<ModelFile>,
    layers: Vec<Layer>,
    /// The layer of each file, and its position there.
    places: Vec<(usize, usize)>,
    base: Option<BaseImage>,
    written: Mutex<Vec<WrittenLayer>>,
}

/// What is known of a layer.
enum WrittenLayer {
    /// The contents of its files, which wait for the others.
    Waiting(Vec<Option<file_upload::Content>>),
    /// It is at the registry.
    Done(Box<DoneLayer>),
}

#[derive(Clone)]
struct DoneLayer {
    descriptor: Descriptor,
    /// The digest of the layer without compression.
    diff_id: Digest,
}

impl ImageWriter {
    /// Begins an image with these files. Checks their names, that the registry permits pushing, and that the base image can be
    /// used, before any byte of a file is needed.
    pub async fn begin(
        registries: &Registries,
        target: &ImageReference,
        files: Vec<ModelFile>,
        options: ImageOptions,
    ) -> Result<Self> {
        if target.digest().is_some() {
            return Err(Error::Usage(format!("{target} has a digest: an image is written under a tag")));
        }
        if options.format == ImageFormat::ModelPack && options.base.is_some() {
            return Err(Error::Usage(
                "a ModelPack image has no base image: leave it out, or write a ModelCar".to_owned(),
            ));
        }
        layout::check_files(&files)?;
        let repository = registries.repository(target).await?;
        let base = match &options.base {
            Some(base) => Some(BaseImage::read(registries, base, options.most_layers).await?),
            None => None,
        };
        repository.check_push().await?;
        let layers = layout::layers(&files, options.format, options.most_layers.max(2));
        let mut places = vec![(0, 0); files.len()];
        let mut written = Vec::with_capacity(layers.len());
        for (number, layer) in layers.iter().enumerate() {
            for (position, file) in layer.files.iter().enumerate() {
                places[*file] = (number, position);
            }
            written.push(WrittenLayer::Waiting(layer.files.iter().map(|_| None).collect()));
        }
        let target = target.clone();
        let written = Mutex::new(written);
        Ok(Self(Arc::new(Shared { repository, target, options, files, layers, places, base, written })))
    }

    /// Begins a file, by its position in the list.
    pub async fn file(&self, file: usize) -> Result<FileUpload> {
        FileUpload::begin(Arc::clone(&self.0), file).await
    }

    /// Continues a file that another process has begun; `None` if it has to be begun again.
    pub async fn continue_file(&self, file: usize, saved: &SavedFile) -> Result<Option<FileUpload>> {
        FileUpload::resume(Arc::clone(&self.0), file, saved).await
    }

    /// The files of the layer that a file is in, by their positions in the list.
    pub fn files_of_layer(&self, file: usize) -> &[usize] {
        &self.0.layers[self.0.places[file].0].files
    }

    /// Whether the registry still has the layer that another process has written for a file. The file is then complete, and so are
    /// all others of its layer.
    pub async fn has_file(&self, file: usize, saved: &SavedFile) -> Result<bool> {
        let (number, _) = self.0.places[file];
        let is_group = self.0.layers[number].files.len() > 1;
        let (layer, diff_id) = match saved {
            SavedFile::Complete { layer, diff_id } if !is_group => (layer, diff_id),
            SavedFile::Group { layer, diff_id, files } if is_group && *files == self.0.group(number) => {
                (layer, diff_id)
            }
            _ => return Ok(false),
        };
        if self.0.repository.blob_size(&layer.digest).await?.is_none() {
            return Ok(false);
        }
        self.0.complete(number, DoneLayer { descriptor: layer.clone(), diff_id: diff_id.clone() });
        Ok(true)
    }

    /// Reuses the layer of a file from the image that the target's tag points to now, if it has the same path and size. Returns the
    /// content's SHA-256 digest, which the caller compares with that of the file.
    pub fn same_size_in(&self, file: usize, present: &Manifest) -> Option<(Digest, SavedFile)> {
        let wanted = &self.0.files[file];
        let layer = present.layers.iter().find(|layer| {
            let get = |key: &str| layer.annotations.get(key).map(String::as_str);
            get(annotation::FILE) == Some(&wanted.path) && get(annotation::FILE_SIZE) == Some(&wanted.size.to_string())
        })?;
        let digest = layer.annotations.get(annotation::FILE_DIGEST)?.parse().ok()?;
        let (number, _) = self.0.places[file];
        let planned = &self.0.layers[number];
        let is_same_form = planned.files.len() == 1
            && planned.media_type == layer.media_type
            && (planned.is_raw || layer.size == layout::single_length(wanted, self.0.options.format));
        // Layers of this crate are not compressed.
        let diff_id = layer.digest.clone();
        is_same_form.then(|| (digest, SavedFile::Complete { layer: layer.clone(), diff_id }))
    }

    /// The manifest of the image under the target's tag, if there is one of one platform or an index of images with the same layers.
    pub async fn present(&self) -> Result<Option<Manifest>> {
        publish::present(&self.0).await
    }

    /// Writes the manifest under the target's tag: the image appears. Every file has to be complete.
    pub async fn publish(&self) -> Result<PublishedImage> {
        publish::publish(&self.0).await
    }
}

impl std::fmt::Debug for ImageWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ImageWriter").field("target", &self.0.target.to_string()).finish_non_exhaustive()
    }
}

impl Shared {
    fn written(&self) -> MutexGuard<'_, Vec<WrittenLayer>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, layer: usize, done: DoneLayer) {
        self.written()[layer] = WrittenLayer::Done(Box::new(done));
    }

    /// The digest of everything but the contents that decides about a layer with several files.
    fn group(&self, layer: usize) -> Digest {
        let plan = &self.layers[layer];
        let mut text = format!("{}\n", plan.media_type);
        for file in &plan.files {
            let ModelFile { path, size } = &self.files[*file];
            let _ = writeln!(text, "{size} {path}");
        }
        Digest::of(text.as_bytes())
    }

    /// The annotations of a layer with a single file.
    fn annotations(&self, file: usize, content: Option<&Digest>) -> Annotations {
        let file = &self.files[file];
        let mut annotations = Annotations::new();
        let mut put = |key: &str, value: String| annotations.insert(key.to_owned(), value);
        put(annotation::TITLE, file.path.clone());
        put(annotation::FILE, file.path.clone());
        put(annotation::FILE_SIZE, file.size.to_string());
        if let Some(content) = content {
            put(annotation::FILE_DIGEST, content.to_string());
        }
        if self.options.format == ImageFormat::ModelPack {
            put(annotation::MODEL_FILE_PATH, file.path.clone());
        }
        annotations
    }
}

//! The files of an image in an OCI registry.

use std::collections::HashMap;
use std::ops::Range;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use model_registry_oci::{ImageReference, ModelImage, Platform, Registries, UnpackLimits};
use tokio::sync::OnceCell;

use crate::digest::Sha256;
use crate::endpoint::{ByteStream, Entry, Listing, Result, Shape, Source};
use crate::error::TransferError;
use crate::images::from_image;
use crate::relative_path::RelativePath;

pub(crate) struct Image {
    registries: Registries,
    reference: ImageReference,
    platform: Platform,
    opened: OnceCell<Opened>,
}

struct Opened {
    image: ModelImage,
    /// Positions of the files by path.
    positions: HashMap<String, usize>,
}

impl Image {
    pub(crate) fn new(registries: Registries, reference: ImageReference, platform: Platform) -> Self {
        Self { registries, reference, platform, opened: OnceCell::new() }
    }

    async fn opened(&self) -> Result<&Opened> {
        let open = async || {
            let limits = UnpackLimits::default();
            let image = ModelImage::open(&self.registries, &self.reference, &self.platform, limits).await;
            let image = image.map_err(|error| from_image(self.reference.to_string(), error))?;
            let positions = image.files().iter().enumerate().map(|(at, file)| (file.path.clone(), at)).collect();
            Ok(Opened { image, positions })
        };
        self.opened.get_or_try_init(open).await
    }

    fn refused(&self, path: &str, problem: crate::relative_path::NameProblem) -> TransferError {
        TransferError::UnsafeName { at: self.reference.to_string(), name: path.to_owned(), problem }
    }
}

impl Source for Image {
    fn list(&self) -> BoxFuture<'_, Result<Listing>> {
        Box::pin(async move {
            let opened = self.opened().await?;
            let mut entries = Vec::with_capacity(opened.image.files().len());
            for file in opened.image.files() {
                let path = RelativePath::parse(&file.path).map_err(|problem| self.refused(&file.path, problem))?;
                let digest = file.digest.as_ref().and_then(|digest| digest.hex().parse::<Sha256>().ok());
                entries.push(Entry { path, size: Some(file.size), version: Some(file.version.clone()), digest });
            }
            Ok(Listing { shape: Shape::Tree, entries })
        })
    }

    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        let path = entry.path.to_string();
        Box::pin(async move {
            let opened = self.opened().await?;
            let at = format!("{} ({path})", self.reference);
            let file = opened.positions.get(&path).and_then(|position| opened.image.files().get(*position));
            let file = file.ok_or_else(|| TransferError::not_found(&at, "it is not in the image"))?;
            Ok(opened.image.read(file, range).map_err(move |error| from_image(at.clone(), error)).boxed())
        })
    }
}

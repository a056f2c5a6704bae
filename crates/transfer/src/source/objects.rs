//! Objects of a bucket.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::OnceLock;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetOptions, GetRange, ObjectMeta, ObjectStoreExt};

use crate::digest::Sha256;
use crate::endpoint::{ByteStream, Entry, Listing, Result, Shape, Source};
use crate::engine::in_order;
use crate::error::TransferError;
use crate::location::ObjectLocation;
use crate::relative_path::RelativePath;
use crate::store::{Bucket, from_store};

/// The metadata of an object that has the digest of its content.
pub(crate) const DIGEST: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("sha256"));

/// Requests about objects that are made at the same time.
const ASKED_AT_ONCE: usize = 16;

/// An object, or the objects below a prefix. The prefix ends at a `/`: `my-model` does not include `my-model-2`.
pub(crate) struct Objects {
    bucket: Bucket,
    location: ObjectLocation,
    /// Known after the listing.
    shape: OnceLock<Shape>,
}

impl Objects {
    pub(crate) fn new(bucket: Bucket, location: ObjectLocation) -> Self {
        Self { bucket, location, shape: OnceLock::new() }
    }

    fn at(&self) -> String {
        self.location.to_string()
    }

    async fn list_all(&self) -> Result<Listing> {
        let prefix = path(&self.location.key)?;
        let failed = |error: object_store::Error| from_store(self.at(), &error);
        let found: Vec<ObjectMeta> = self.bucket.objects.list(Some(&prefix)).try_collect().await.map_err(failed)?;
        let found = self.without_markers(found, &prefix).await?;
        if found.is_empty() && !self.location.is_prefix {
            return self.single(&prefix).await;
        }
        let entries = found.iter().map(|meta| self.entry(meta)).collect::<Result<_>>()?;
        Ok(Listing { shape: Shape::Tree, entries })
    }

    async fn single(&self, key: &Path) -> Result<Listing> {
        let found = self.bucket.objects.head(key).await;
        let meta = found.map_err(|error| match from_store(self.at(), &error) {
            TransferError::NotFound { at, .. } => {
                TransferError::not_found(at, "there is no object with this key, and none below it")
            }
            other => other,
        })?;
        let name = self.location.key.rsplit('/').next().unwrap_or_default();
        let path = RelativePath::parse(name).map_err(|problem| self.refused(name, problem))?;
        let entry = Entry { path, size: Some(meta.size), version: Some(version(&meta)), digest: None };
        Ok(Listing { shape: Shape::File, entries: vec![entry] })
    }

    /// Leaves out the empty objects that tools create to show a directory: their keys end with `/`, which the listing does not
    /// show.
    async fn without_markers(&self, found: Vec<ObjectMeta>, prefix: &Path) -> Result<Vec<ObjectMeta>> {
        let directories: HashSet<String> = found.iter().flat_map(|meta| parents(meta.location.as_ref())).collect();
        let checked = found.into_iter().map(|meta| self.unless_marker(meta, prefix, &directories));
        let kept = in_order(ASKED_AT_ONCE, checked.collect()).await?;
        Ok(kept.into_iter().flatten().collect())
    }

    async fn unless_marker(
        &self,
        meta: ObjectMeta,
        prefix: &Path,
        directories: &HashSet<String>,
    ) -> Result<Option<ObjectMeta>> {
        let key = meta.location.as_ref();
        if meta.size > 0 {
            return Ok(Some(meta));
        }
        if key == prefix.as_ref() || directories.contains(key) {
            return Ok(None);
        }
        match self.bucket.objects.head(&meta.location).await {
            Ok(_) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(from_store(self.at(), &error)),
        }
    }

    fn entry(&self, meta: &ObjectMeta) -> Result<Entry> {
        let key = meta.location.as_ref();
        let relative = match self.location.key.as_str() {
            "" => key,
            prefix => key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default(),
        };
        let path = RelativePath::parse(relative).map_err(|problem| self.refused(key, problem))?;
        Ok(Entry { path, size: Some(meta.size), version: Some(version(meta)), digest: None })
    }

    fn refused(&self, name: &str, problem: crate::NameProblem) -> TransferError {
        TransferError::UnsafeName { at: self.at(), name: name.escape_debug().to_string(), problem }
    }

    /// The key of a file of the listing.
    fn key(&self, entry: &Entry) -> Result<Path> {
        match (self.shape.get(), self.location.key.as_str()) {
            (Some(Shape::File), key) => path(key),
            (_, "") => path(entry.path.as_str()),
            (_, prefix) => path(&format!("{prefix}/{}", entry.path)),
        }
    }
}

/// The directories above a key.
fn parents(key: &str) -> Vec<String> {
    key.match_indices('/').map(|(at, _)| key[..at].to_owned()).collect()
}

/// Begins the version of an object that the store lists without an entity tag.
const BY_TIME: &str = "time:";

fn version(meta: &ObjectMeta) -> String {
    let by_time = || format!("{BY_TIME}{}-{}", meta.last_modified.timestamp_micros(), meta.size);
    meta.e_tag.clone().unwrap_or_else(by_time)
}

/// The entity tag that a request requires. Azure lists tags without their quotation marks.
fn required_tag(entry: &Entry) -> Option<String> {
    let tag = entry.version.as_deref().filter(|version| !version.starts_with(BY_TIME))?;
    Some(if tag.ends_with('"') { tag.to_owned() } else { format!("\"{tag}\"") })
}

pub(crate) fn path(key: &str) -> Result<Path> {
    Path::parse(key).map_err(|error| TransferError::invalid(error.to_string()))
}

/// The digest in the metadata of an object.
pub(crate) fn digest_in(attributes: &Attributes) -> Option<Sha256> {
    attributes.get(&DIGEST)?.as_ref().parse().ok()
}

impl Source for Objects {
    fn list(&self) -> BoxFuture<'_, Result<Listing>> {
        Box::pin(async {
            let listing = self.list_all().await?;
            let _ = self.shape.set(listing.shape);
            Ok(listing)
        })
    }

    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        let entry = entry.clone();
        Box::pin(async move {
            let key = self.key(&entry)?;
            let at = format!("{} ({})", self.location, entry.path);
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                if_match: required_tag(&entry),
                ..GetOptions::default()
            };
            let got = self.bucket.objects.get_opts(&key, options).await.map_err(|error| from_store(&*at, &error))?;
            Ok(got.into_stream().map_err(move |error| from_store(&*at, &error)).boxed())
        })
    }

    fn digest<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Sha256>>> {
        Box::pin(async move {
            let options = GetOptions { head: true, if_match: required_tag(entry), ..GetOptions::default() };
            let got = self.bucket.objects.get_opts(&self.key(entry)?, options).await;
            Ok(digest_in(&got.map_err(|error| from_store(self.at(), &error))?.attributes))
        })
    }
}

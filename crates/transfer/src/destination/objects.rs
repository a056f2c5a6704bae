//! Objects of a bucket.
//!
//! Small files are one request. Larger ones are uploaded in parts and appear when the upload is completed. The state of the uploads is
//! kept in a file of this machine, if there is a directory for it: a later run adds the missing parts.

mod upload;
mod writer;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use futures::StreamExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta};

use self::writer::Writer;
use crate::digest::{RunningDigest, Sha256};
use crate::endpoint::{Destination, Entry, Existing, FileWriter, Listing, Published, Result, Shape, WrittenFile};
use crate::engine::in_order;
use crate::location::{ObjectLocation, Store};
use crate::source::objects::{digest_in, path};
use crate::state_file::{Done, Earlier, StateFile};
use crate::store::{Bucket, from_store};

/// Requests about objects that are made at the same time.
const ASKED_AT_ONCE: usize = 16;

pub(crate) struct Objects {
    target: Arc<Target>,
    /// The source, as the state names it.
    source: String,
    state_file: Option<PathBuf>,
    earlier: OnceLock<HashMap<String, Earlier>>,
}

/// What the writers of all files share.
struct Target {
    bucket: Bucket,
    location: ObjectLocation,
    /// Known after [`Destination::prepare`].
    shape: OnceLock<Shape>,
    state_file: OnceLock<StateFile>,
}

impl Target {
    fn at(&self, entry: &Entry) -> String {
        format!("{} ({})", self.location, entry.path)
    }

    /// A single file gets the key of the location, unless that ends with `/`.
    fn key(&self, entry: &Entry) -> Result<Path> {
        let is_file = self.shape.get() == Some(&Shape::File) && !self.location.is_prefix;
        match self.location.key.as_str() {
            key if is_file => path(key),
            "" => path(entry.path.as_str()),
            prefix => path(&format!("{prefix}/{}", entry.path)),
        }
    }

    /// Azure takes the metadata of an object only when the upload is completed, which `object_store` does not offer.
    fn has_metadata_of_uploads(&self) -> bool {
        self.location.store != Store::Azure
    }
}

impl Objects {
    /// `states` is the directory of the state files.
    pub(crate) fn new(bucket: Bucket, location: ObjectLocation, source: String, states: Option<PathBuf>) -> Self {
        let name = Sha256::of(format!("{source}\n{location}").as_bytes()).to_string();
        let state_file = states.map(|directory| directory.join(format!("{}.jsonl", &name[..32])));
        let target = Target { bucket, location, shape: OnceLock::new(), state_file: OnceLock::new() };
        Self { target: Arc::new(target), source, state_file, earlier: OnceLock::new() }
    }

    async fn examine(&self, listing: &Listing, is_dry_run: bool) -> Result<Vec<Existing>> {
        let target = &self.target;
        let _ = target.shape.set(listing.shape);
        let earlier = match &self.state_file {
            None => HashMap::new(),
            Some(file) if is_dry_run => StateFile::peek(file, &self.source),
            Some(file) => {
                let (state_file, earlier) = StateFile::open(file, &self.source)?;
                let _ = target.state_file.set(state_file);
                earlier
            }
        };
        let there = self.list(listing).await?;
        let examined = listing.entries.iter().map(|entry| self.examine_one(entry, &there, &earlier));
        let examined = in_order(ASKED_AT_ONCE, examined.collect()).await?;
        let _ = self.earlier.set(earlier);
        Ok(examined)
    }

    /// The objects that are there. The request also shows whether the bucket exists and may be read.
    async fn list(&self, listing: &Listing) -> Result<HashMap<String, ObjectMeta>> {
        let target = &self.target;
        let mut there = HashMap::new();
        if listing.shape == Shape::File {
            for entry in &listing.entries {
                let found = object_store::ObjectStoreExt::head(&*target.bucket.objects, &target.key(entry)?).await;
                match found {
                    Ok(meta) => drop(there.insert(meta.location.to_string(), meta)),
                    Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(from_store(target.location.to_string(), &error)),
                }
            }
            return Ok(there);
        }
        let prefix = path(&target.location.key)?;
        let mut found = target.bucket.objects.list(Some(&prefix));
        while let Some(meta) = found.next().await {
            match meta {
                Ok(meta) => drop(there.insert(meta.location.to_string(), meta)),
                // Objects with other names are not in the way.
                Err(object_store::Error::InvalidPath { .. }) => {}
                Err(error) => return Err(from_store(target.location.to_string(), &error)),
            }
        }
        Ok(there)
    }

    async fn examine_one(
        &self,
        entry: &Entry,
        there: &HashMap<String, ObjectMeta>,
        earlier: &HashMap<String, Earlier>,
    ) -> Result<Existing> {
        let key = self.target.key(entry)?;
        self.existing(entry, &key, there.get(key.as_ref()), earlier.get(entry.path.as_str())).await
    }

    async fn existing(
        &self,
        entry: &Entry,
        key: &Path,
        there: Option<&ObjectMeta>,
        earlier: Option<&Earlier>,
    ) -> Result<Existing> {
        let earlier = earlier.filter(|earlier| earlier.is_of(entry));
        if let Some(there) = there {
            if let Some(Done { size, sha256, tag }) = earlier.and_then(|earlier| earlier.done.as_ref())
                && there.size == *size
                && there.e_tag == *tag
                && tag.is_some()
            {
                return Ok(Existing::Complete { digest: *sha256 });
            }
            if entry.size == Some(there.size) {
                let options = GetOptions { head: true, ..GetOptions::default() };
                let got = self.target.bucket.objects.get_opts(key, options).await;
                let got = got.map_err(|error| from_store(self.target.at(entry), &error))?;
                if let Some(digest) = digest_in(&got.attributes) {
                    return Ok(Existing::SameSize { digest: Some(digest) });
                }
            }
        }
        match earlier {
            Some(Earlier { bytes, digest: Some(digest), upload: Some(_), parts, .. }) if !parts.is_empty() => {
                let is_whole = entry.size == Some(*bytes) && there.is_some_and(|there| there.size == *bytes);
                // The upload may have been completed just before the end of the process.
                if is_whole && self.digest_of(entry, key).await? == digest.clone().finish() {
                    return Ok(Existing::Complete { digest: digest.clone().finish() });
                }
                Ok(Existing::Beginning { bytes: *bytes, digest: digest.clone() })
            }
            _ => Ok(Existing::Nothing),
        }
    }

    /// Reads an object to find its digest.
    async fn digest_of(&self, entry: &Entry, key: &Path) -> Result<Sha256> {
        let failed = |error: object_store::Error| from_store(self.target.at(entry), &error);
        let got = self.target.bucket.objects.get_opts(key, GetOptions::default()).await.map_err(failed)?;
        let mut chunks = got.into_stream();
        let mut digest = RunningDigest::default();
        while let Some(chunk) = chunks.next().await {
            digest.update(&chunk.map_err(failed)?);
        }
        Ok(digest.finish())
    }

    /// The upload that a file continues: its identifier, its parts and their size.
    fn upload(&self, entry: &Entry, existing: &Existing) -> Option<(String, Vec<String>, u64)> {
        let earlier = self.earlier.get()?.get(entry.path.as_str())?;
        match existing {
            Existing::Beginning { bytes, .. } => Some((earlier.upload.clone()?, earlier.parts.clone(), *bytes)),
            _ => None,
        }
    }
}

impl Destination for Objects {
    fn prepare<'a>(&'a self, listing: &'a Listing, is_dry_run: bool) -> BoxFuture<'a, Result<Vec<Existing>>> {
        Box::pin(self.examine(listing, is_dry_run))
    }

    fn create<'a>(&'a self, entry: &'a Entry, existing: Existing) -> BoxFuture<'a, Result<Box<dyn FileWriter>>> {
        Box::pin(async move {
            let upload = self.upload(entry, &existing);
            let writer = Writer::new(Arc::clone(&self.target), entry.clone(), upload)?;
            Ok(Box::new(writer) as Box<dyn FileWriter>)
        })
    }

    fn finish<'a>(&'a self, _files: &'a [WrittenFile]) -> BoxFuture<'a, Result<Published>> {
        Box::pin(async move {
            if let Some(state_file) = self.target.state_file.get() {
                state_file.remove();
            }
            Ok(Published { uri: self.target.location.to_string() })
        })
    }

    fn abandon(&self, keep: bool) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(state_file) = self.target.state_file.get().filter(|_| !keep) {
                state_file.remove();
            }
        })
    }
}

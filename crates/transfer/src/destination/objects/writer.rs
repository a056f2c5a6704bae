//! Writes one object.

use std::sync::Arc;

use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{Attributes, PutMultipartOptions, PutOptions, PutPayload, PutResult};

use super::Target;
use super::upload::Upload;
use crate::digest::Sha256;
use crate::endpoint::{Entry, FileWriter, Part, Result};
use crate::source::objects::DIGEST;
use crate::store::from_store;

/// An object that appears when it is complete.
pub(super) struct Writer {
    object: Object,
    upload: Option<Upload>,
    /// The object, if it was one request.
    put: Option<PutResult>,
    size: u64,
}

/// The object that is written.
pub(super) struct Object {
    pub(super) target: Arc<Target>,
    pub(super) entry: Entry,
    pub(super) key: Path,
}

impl Object {
    pub(super) fn failed(&self, error: &object_store::Error) -> crate::TransferError {
        from_store(self.target.at(&self.entry), error)
    }
}

impl Writer {
    /// `earlier` is the upload that an earlier run began: its identifier, its parts and their size.
    pub(super) fn new(target: Arc<Target>, entry: Entry, earlier: Option<(String, Vec<String>, u64)>) -> Result<Self> {
        let key = target.key(&entry)?;
        let size = earlier.as_ref().map_or(0, |(_, _, size)| *size);
        let upload = earlier.map(|(id, parts, _)| Upload::continued(id, parts));
        Ok(Self { object: Object { target, entry, key }, upload, put: None, size })
    }

    /// A file of one part is one request, and its digest is known.
    async fn put(&mut self, part: Part) -> Result<()> {
        let attributes = Attributes::from_iter([(DIGEST, part.digest.clone().finish().to_string())]);
        let payload = PutPayload::from_iter(part.chunks);
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.object.target.bucket.objects.put_opts(&self.object.key, payload, options).await;
        self.put = Some(put.map_err(|error| self.object.failed(&error))?);
        drop(part.share);
        Ok(())
    }

    async fn begin(&mut self) -> Result<()> {
        let Object { target, entry, key } = &self.object;
        let mut options = PutMultipartOptions::default();
        if let Some(digest) = entry.digest.filter(|_| target.has_metadata_of_uploads()) {
            options.attributes = Attributes::from_iter([(DIGEST, digest.to_string())]);
        }
        let id = target.bucket.uploads.create_multipart_opts(key, options).await;
        let id = id.map_err(|error| self.object.failed(&error))?;
        if let Some(state_file) = target.state_file.get() {
            state_file.upload(entry, &id)?;
        }
        self.upload = Some(Upload::new(id));
        Ok(())
    }

    async fn append(&mut self, part: Part) -> Result<()> {
        if self.upload.is_none() {
            self.begin().await?;
        }
        match &mut self.upload {
            Some(upload) => upload.append(&self.object, part).await,
            None => Ok(()),
        }
    }

    async fn complete(self, digest: Sha256) -> Result<()> {
        let Self { object, upload, put, size } = self;
        let put = match upload {
            Some(upload) => Some(upload.complete(&object).await?),
            None => put,
        };
        match object.target.state_file.get() {
            Some(state_file) => state_file.done(&object.entry, size, digest, put.and_then(|put| put.e_tag)),
            None => Ok(()),
        }
    }
}

impl FileWriter for Writer {
    fn write(&mut self, part: Part) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.size = part.offset + part.length;
            let is_whole = part.is_last && part.offset == 0 && self.upload.is_none();
            if is_whole { self.put(part).await } else { self.append(part).await }
        })
    }

    fn finish(self: Box<Self>, digest: Sha256) -> BoxFuture<'static, Result<()>> {
        Box::pin(self.complete(digest))
    }

    fn abandon(self: Box<Self>, keep: bool) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Self { object, upload, .. } = *self;
            let Some(upload) = upload else { return };
            let is_kept = keep && object.entry.version.is_some() && object.target.state_file.get().is_some();
            upload.abandon(&object, is_kept).await;
        })
    }
}

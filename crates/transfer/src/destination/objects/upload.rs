//! An upload in parts.

use std::collections::VecDeque;
use std::sync::Arc;

use object_store::multipart::PartId;
use object_store::{PutPayload, PutResult};
use tokio::task::{JoinError, JoinSet};

use super::writer::Object;
use crate::digest::RunningDigest;
use crate::endpoint::{Part, Result};
use crate::error::TransferError;

type Uploaded = (usize, object_store::Result<PartId>);

pub(super) struct Upload {
    id: String,
    /// Whether an earlier run began it.
    is_continued: bool,
    /// The identifiers of the parts, in order; `None` while a part is uploaded.
    parts: Vec<Option<String>>,
    /// Parts that the state has: all before this one.
    recorded: usize,
    /// The end of each part that is not in the state, and the digest up to it.
    ends: VecDeque<(u64, RunningDigest)>,
    running: JoinSet<Uploaded>,
}

impl Upload {
    pub(super) fn new(id: String) -> Self {
        let (parts, ends, running) = (Vec::new(), VecDeque::new(), JoinSet::new());
        Self { id, is_continued: false, parts, recorded: 0, ends, running }
    }

    /// Continues an upload after its first parts.
    pub(super) fn continued(id: String, parts: Vec<String>) -> Self {
        let recorded = parts.len();
        let parts = parts.into_iter().map(Some).collect();
        Self { is_continued: true, parts, recorded, ..Self::new(id) }
    }

    /// Starts to upload the next part; waits while too many are uploaded.
    pub(super) async fn append(&mut self, object: &Object, part: Part) -> Result<()> {
        while self.running.len() >= part.at_once.max(1) {
            self.join(object).await?;
        }
        let number = self.parts.len();
        self.parts.push(None);
        self.ends.push_back((part.offset + part.length, part.digest));
        let (uploads, key, id) = (Arc::clone(&object.target.bucket.uploads), object.key.clone(), self.id.clone());
        let (payload, share) = (PutPayload::from_iter(part.chunks), part.share);
        self.running.spawn(async move {
            let put = uploads.put_part(&key, &id, number, payload).await;
            drop(share);
            (number, put)
        });
        // Failures are reported early.
        while let Some(ended) = self.running.try_join_next() {
            self.note(object, ended)?;
        }
        Ok(())
    }

    /// The object appears.
    pub(super) async fn complete(mut self, object: &Object) -> Result<PutResult> {
        while !self.running.is_empty() {
            self.join(object).await?;
        }
        let parts = self.parts.drain(..).flatten().map(|content_id| PartId { content_id }).collect();
        let completed = object.target.bucket.uploads.complete_multipart(&object.key, &self.id, parts).await;
        completed.map_err(|error| self.failed(object, &error))
    }

    /// Ends early. Parts that are not kept are removed: otherwise the store keeps them, and charges for them.
    pub(super) async fn abandon(mut self, object: &Object, is_kept: bool) {
        self.running.shutdown().await;
        if is_kept {
            return;
        }
        if let Err(error) = object.target.bucket.uploads.abort_multipart(&object.key, &self.id).await {
            let (object, error) = (object.target.at(&object.entry), error.to_string());
            tracing::warn!(%object, %error, "an upload in parts could not be aborted: the store keeps its parts");
        }
    }

    async fn join(&mut self, object: &Object) -> Result<()> {
        match self.running.join_next().await {
            Some(ended) => self.note(object, ended),
            None => Ok(()),
        }
    }

    /// Notes an uploaded part; parts are in the state without gaps.
    fn note(&mut self, object: &Object, ended: std::result::Result<Uploaded, JoinError>) -> Result<()> {
        let (number, put) = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return Err(TransferError::Cancelled),
        };
        let part = put.map_err(|error| self.failed(object, &error))?;
        self.parts[number] = Some(part.content_id);
        while let Some(Some(part)) = self.parts.get(self.recorded) {
            let Some((end, digest)) = self.ends.pop_front() else { break };
            if let Some(state_file) = object.target.state_file.get() {
                state_file.written(&object.entry, end, &digest, Some(part))?;
            }
            self.recorded += 1;
        }
        Ok(())
    }

    /// Stores forget uploads after a while. Then the file is written again, by a new upload.
    fn failed(&self, object: &Object, error: &object_store::Error) -> TransferError {
        let failed = object.failed(error);
        // Some stores deny access to uploads that they do not know. Whether that is the reason shows the new upload.
        let is_unknown = matches!(failed, TransferError::NotFound { .. } | TransferError::Denied { .. });
        if !self.is_continued || !(is_unknown || is_invalid_part(&failed)) {
            return failed;
        }
        if let Some(state_file) = object.target.state_file.get() {
            let _ = state_file.upload(&object.entry, "");
        }
        let reason = "the upload that an earlier run began does not exist any more".to_owned();
        TransferError::Restart { at: object.target.at(&object.entry), reason }
    }
}

fn is_invalid_part(error: &TransferError) -> bool {
    let text = error.to_string();
    ["NoSuchUpload", "InvalidPart", "InvalidBlockList"].iter().any(|code| text.contains(code))
}

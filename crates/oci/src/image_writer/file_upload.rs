//! One file while it is written into its layer.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::sync::Arc;

use bytes::Bytes;
use model_registry_base::run_blocking;
use serde::{Deserialize, Serialize};

use super::{DoneLayer, Shared, WrittenLayer};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout;
use crate::manifest::Descriptor;
use crate::tar::END;
use crate::upload::{BlobUpload, SavedUpload};

/// Contents of a group of files up to this size wait in memory, of larger ones in a temporary file.
const LARGEST_IN_MEMORY: u64 = 1 << 20;
/// How much of a temporary file is read at once.
const CHUNK: usize = 1 << 20;

/// A file that is being written. Bytes come in order; the number of them is the announced size.
pub struct FileUpload {
    shared: Arc<Shared>,
    file: usize,
    written: u64,
    target: Target,
}

enum Target {
    /// A layer of its own, which is sent as the bytes arrive.
    Layer(Box<BlobUpload>),
    /// A layer with other files, for which the content waits.
    Group(Content),
}

/// The content of a file that waits for the other files of its layer.
pub(super) enum Content {
    Memory(Vec<Bytes>),
    /// Removed by the system when it is closed.
    Temporary(File),
}

/// What another process needs to continue a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SavedFile {
    /// The registry has the layer.
    Complete { layer: Descriptor, diff_id: Digest },
    /// The registry has a layer with several files. `files` is the digest of their names and sizes.
    Group { layer: Descriptor, diff_id: Digest, files: Digest },
    /// The registry has the beginning of the layer, with this many bytes of the file.
    Partial { upload: SavedUpload, bytes: u64 },
}

impl FileUpload {
    pub(super) async fn begin(shared: Arc<Shared>, file: usize) -> Result<Self> {
        let (layer, _) = shared.places[file];
        let plan = &shared.layers[layer];
        let target = if plan.files.len() == 1 {
            let mut upload = shared.repository.upload();
            if !plan.is_raw {
                let archive = layout::archive(&[&shared.files[file]], shared.options.format);
                upload.append(archive.headers.into_iter().map(Bytes::from).collect()).await?;
            }
            Target::Layer(Box::new(upload))
        } else {
            let total: u64 = plan.files.iter().map(|file| shared.files[*file].size).sum();
            Target::Group(if total <= LARGEST_IN_MEMORY {
                Content::Memory(Vec::new())
            } else {
                Content::Temporary(run_blocking(tempfile::tempfile).await.map_err(|error| unspooled(&shared, &error))?)
            })
        };
        Ok(Self { shared, file, written: 0, target })
    }

    pub(super) async fn resume(shared: Arc<Shared>, file: usize, saved: &SavedFile) -> Result<Option<Self>> {
        let SavedFile::Partial { upload, bytes } = saved else { return Ok(None) };
        let (layer, _) = shared.places[file];
        let plan = &shared.layers[layer];
        let offset = if plan.is_raw { 0 } else { layout::content_offset(&shared.files[file], shared.options.format) };
        if plan.files.len() != 1 || upload.offset != offset + bytes || *bytes > shared.files[file].size {
            return Ok(None);
        }
        let Some(upload) = shared.repository.continue_upload(upload).await? else { return Ok(None) };
        Ok(Some(Self { shared, file, written: *bytes, target: Target::Layer(Box::new(upload)) }))
    }

    /// Bytes of the file that were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes the next bytes. They may wait in memory for a whole part of the upload.
    pub async fn write(&mut self, chunks: Vec<Bytes>) -> Result<()> {
        let length: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        self.written += length;
        let size = self.shared.files[self.file].size;
        if self.written > size {
            return Err(self.size_changed());
        }
        match &mut self.target {
            Target::Layer(upload) => upload.append(chunks).await,
            Target::Group(Content::Memory(known)) => {
                known.extend(chunks);
                Ok(())
            }
            Target::Group(Content::Temporary(file)) => {
                let clone = file.try_clone().map_err(|error| unspooled(&self.shared, &error))?;
                let write = move || {
                    let mut file = clone;
                    chunks.iter().try_for_each(|chunk| file.write_all(chunk))
                };
                run_blocking(write).await.map_err(|error| unspooled(&self.shared, &error))
            }
        }
    }

    /// Sends what waits in memory, so that it need not be held any longer.
    pub async fn flush(&mut self) -> Result<()> {
        match &mut self.target {
            Target::Layer(upload) => upload.flush().await,
            Target::Group(_) => Ok(()),
        }
    }

    /// Where the file stands, for another process to continue it; `None` if it would have to begin again. Only what was flushed
    /// counts.
    pub fn save(&self) -> Option<SavedFile> {
        let Target::Layer(upload) = &self.target else { return None };
        let upload = upload.save()?;
        let plan = &self.shared.layers[self.shared.places[self.file].0];
        let file = &self.shared.files[self.file];
        let before = if plan.is_raw { 0 } else { layout::content_offset(file, self.shared.options.format) };
        let bytes = upload.offset.checked_sub(before)?;
        Some(SavedFile::Partial { upload, bytes })
    }

    /// Every byte was written. If this was the last file of its layer, the layer is complete, and what is returned belongs to all its
    /// files; otherwise it is `None`. `content` is the SHA-256 digest of the file, for readers of the image.
    pub async fn finish(self, content: Option<Digest>) -> Result<Option<SavedFile>> {
        let (number, position) = self.shared.places[self.file];
        if self.written != self.shared.files[self.file].size {
            return Err(self.size_changed());
        }
        let plan = &self.shared.layers[number];
        let shared = Arc::clone(&self.shared);
        match self.target {
            Target::Layer(mut upload) => {
                if !plan.is_raw {
                    let zeros = layout::zeros_after(self.written);
                    upload.append(vec![Bytes::from(zeros), Bytes::from_static(&END)]).await?;
                }
                let mut layer = upload.finish(plan.media_type).await?;
                let raw = plan.is_raw.then(|| layer.digest.clone());
                layer.annotations = shared.annotations(self.file, content.or(raw).as_ref());
                let diff_id = layer.digest.clone();
                shared.complete(number, DoneLayer { descriptor: layer.clone(), diff_id: diff_id.clone() });
                Ok(Some(SavedFile::Complete { layer, diff_id }))
            }
            Target::Group(content) => {
                let contents = {
                    let mut written = shared.written();
                    let WrittenLayer::Waiting(contents) = &mut written[number] else { return Ok(None) };
                    contents[position] = Some(content);
                    if contents.iter().any(Option::is_none) {
                        return Ok(None);
                    }
                    std::mem::take(contents)
                };
                let done = send_group(&shared, number, contents.into_iter().flatten().collect()).await?;
                shared.complete(number, done.clone());
                let DoneLayer { descriptor: layer, diff_id } = done;
                Ok(Some(SavedFile::Group { layer, diff_id, files: shared.group(number) }))
            }
        }
    }

    /// Ends the file. With `keep`, its upload stays at the registry, to be continued.
    pub async fn abandon(self, keep: bool) {
        if let Target::Layer(upload) = self.target {
            if keep {
                upload.keep();
            } else {
                upload.cancel().await;
            }
        }
    }

    fn size_changed(&self) -> Error {
        let file = &self.shared.files[self.file];
        Error::SizeChanged { path: file.path.clone(), expected: file.size, found: self.written }
    }
}

/// Sends a layer with several files, whose contents are all there.
async fn send_group(shared: &Shared, number: usize, contents: Vec<Content>) -> Result<DoneLayer> {
    let plan = &shared.layers[number];
    let files: Vec<_> = plan.files.iter().map(|file| &shared.files[*file]).collect();
    let mut failed = 0;
    let mut contents = contents;
    loop {
        let archive = layout::archive(&files, shared.options.format);
        let mut upload = shared.repository.upload();
        match append_group(shared, &mut upload, archive, &mut contents).await {
            Ok(()) => match upload.finish(plan.media_type).await {
                Ok(descriptor) => {
                    let diff_id = descriptor.digest.clone();
                    return Ok(DoneLayer { descriptor, diff_id });
                }
                Err(error @ Error::UploadLost { .. }) => failed = retry(shared, failed, error).await?,
                Err(error) => return Err(error),
            },
            Err(error @ Error::UploadLost { .. }) => failed = retry(shared, failed, error).await?,
            Err(error) => return Err(error),
        }
    }
}

async fn retry(shared: &Shared, failed: u32, error: Error) -> Result<u32> {
    shared.repository.registry.transport.back_off(failed + 1, error, None).await?;
    Ok(failed + 1)
}

async fn append_group(
    shared: &Shared,
    upload: &mut BlobUpload,
    archive: layout::Archive,
    contents: &mut [Content],
) -> Result<()> {
    for (header, content) in archive.headers.into_iter().zip(contents) {
        upload.append(vec![Bytes::from(header)]).await?;
        let size = match content {
            Content::Memory(chunks) => {
                upload.append(chunks.clone()).await?;
                chunks.iter().map(|chunk| chunk.len() as u64).sum()
            }
            Content::Temporary(file) => {
                let clone = file.try_clone().map_err(|error| unspooled(shared, &error))?;
                append_file(shared, upload, clone).await?
            }
        };
        upload.append(vec![Bytes::from(layout::zeros_after(size))]).await?;
    }
    upload.append(vec![Bytes::from_static(&END)]).await
}

/// Appends a temporary file from its beginning, and returns its size.
async fn append_file(shared: &Shared, upload: &mut BlobUpload, file: File) -> Result<u64> {
    let failed = |error: std::io::Error| unspooled(shared, &error);
    let mut file = run_blocking(move || {
        let mut file = file;
        file.rewind().map(|()| file)
    })
    .await
    .map_err(failed)?;
    let mut size = 0;
    loop {
        let read = move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            let read = Read::by_ref(&mut file).take(CHUNK as u64).read_to_end(&mut chunk);
            read.map(|_| (file, chunk))
        };
        let (returned, chunk) = run_blocking(read).await.map_err(failed)?;
        file = returned;
        if chunk.is_empty() {
            return Ok(size);
        }
        size += chunk.len() as u64;
        upload.append(vec![Bytes::from(chunk)]).await?;
    }
}

fn unspooled(shared: &Shared, error: &std::io::Error) -> Error {
    let registry = shared.repository.registry();
    Error::Usage(format!(
        "a temporary file for a layer of {registry} cannot be written: {error}; set TMPDIR to a directory with enough space"
    ))
}

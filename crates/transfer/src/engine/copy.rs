//! Copies one file.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use model_registry_base::{MemoryPool, MemoryShare, run_blocking};

use super::keeps;
use super::parallelism::Parallelism;
use super::parts::{ReadPart, ranged_parts, streamed_parts};
use crate::digest::RunningDigest;
use crate::endpoint::{Destination, Entry, Existing, FileWriter, Part, Result, Source, WrittenFile};
use crate::error::TransferError;
use crate::events::SharedObserver;
use crate::options::Options;
use crate::plan;
use crate::stop::Stop;

/// Smaller parts are digested where they arrive: moving them to another thread takes longer.
const SMALL: u64 = 256 << 10;

/// What all files of a transfer share.
pub(super) struct Copy {
    pub(super) source: Arc<dyn Source>,
    pub(super) destination: Arc<dyn Destination>,
    pub(super) memory: MemoryPool,
    pub(super) options: Options,
    pub(super) observer: SharedObserver,
    pub(super) stop: Stop,
    pub(super) parallelism: Parallelism,
}

/// How often one file is begun again because the destination has lost it.
const MOST_RESTARTS: u32 = 3;

/// Copies a file after what is there already; returns it with the number of bytes copied.
pub(super) async fn copy_file(copy: &Copy, entry: &Entry, existing: Existing) -> Result<(WrittenFile, u64)> {
    let (mut existing, mut restarts) = (existing, 0);
    let _in_progress = copy.parallelism.begin_file();
    loop {
        match copy_once(copy, entry, existing).await {
            Err(TransferError::Restart { at, reason }) if restarts < MOST_RESTARTS => {
                tracing::warn!(%at, %reason, "a file is written again from its beginning");
                restarts += 1;
                existing = Existing::Nothing;
            }
            result => return result,
        }
    }
}

async fn copy_once(copy: &Copy, entry: &Entry, existing: Existing) -> Result<(WrittenFile, u64)> {
    let (start, digest) = match &existing {
        Existing::Beginning { bytes, digest } => (*bytes, digest.clone()),
        _ => (0, RunningDigest::default()),
    };
    let mut writer = copy.stop.or(copy.destination.create(entry, existing)).await?;
    let written = copy.stop.or(write_parts(copy, entry, &mut *writer, start, digest)).await;
    let verified = written.and_then(|(size, digest)| verify(entry, size, digest.finish()));
    match verified {
        Ok(file) => {
            writer.finish(file.digest).await?;
            let copied = file.size - start;
            Ok((file, copied))
        }
        Err(error) => {
            // Nothing continues a version that does not exist any more.
            let keep = !matches!(error, TransferError::Changed { .. }) && keeps(&error, &copy.options);
            writer.abandon(keep).await;
            Err(error)
        }
    }
}

async fn write_parts(
    copy: &Copy,
    entry: &Entry,
    writer: &mut dyn FileWriter,
    start: u64,
    mut digest: RunningDigest,
) -> Result<(u64, RunningDigest)> {
    let mut parts = parts(copy, entry, start);
    let mut end = start;
    while let Some(part) = parts.next().await {
        let ReadPart { chunks, length, is_last, share } = part?;
        let offset = end;
        end += length;
        let chunks = if length < SMALL {
            digest.update_all(&chunks);
            chunks
        } else {
            let updated = run_blocking(move || {
                digest.update_all(&chunks);
                (digest, chunks)
            });
            let (updated, chunks) = updated.await;
            digest = updated;
            chunks
        };
        let at_once = copy.parallelism.parts_at_once();
        writer.write(Part { offset, chunks, length, digest: digest.clone(), is_last, at_once, share }).await?;
    }
    Ok((end, digest))
}

/// The parts in order, read ahead as far as the memory allows.
fn parts(copy: &Copy, entry: &Entry, start: u64) -> BoxStream<'static, Result<ReadPart>> {
    let part_size = plan::part_size(entry.size, copy.options.part_size);
    let (source, memory, observer) = (Arc::clone(&copy.source), copy.memory.clone(), Arc::clone(&copy.observer));
    match entry.size {
        Some(size) if source.reads_ranges() || size <= part_size => {
            let (ranges, parallelism) = (plan::parts(start, size, part_size), copy.parallelism.clone());
            ranged_parts(source, entry.clone(), ranges, parallelism, memory, observer)
        }
        _ => streamed_parts(source, entry.clone(), start, part_size, memory, observer),
    }
}

fn verify(entry: &Entry, size: u64, digest: crate::digest::Sha256) -> Result<WrittenFile> {
    if entry.size.is_some_and(|expected| expected != size) {
        return Err(TransferError::Changed { at: entry.path.to_string() });
    }
    if let Some(expected) = entry.digest.filter(|expected| *expected != digest) {
        return Err(TransferError::Mismatch {
            at: entry.path.to_string(),
            expected: expected.to_string(),
            actual: digest.to_string(),
            reason: "the source is damaged, or sent something else",
        });
    }
    Ok(WrittenFile { path: entry.path.clone(), size, digest, was_there: false })
}

/// A share of the memory for a part.
pub(super) async fn share(memory: &MemoryPool, bytes: u64) -> MemoryShare {
    memory.take(usize::try_from(bytes).unwrap_or(usize::MAX).max(1)).await
}

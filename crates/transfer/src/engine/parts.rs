//! The parts of a file, read from its source.
//!
//! Memory is taken in the order of the parts. So the first part that a file lacks never waits for memory that later parts of the
//! same file hold, and every file with a share of the memory can go on.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use model_registry_base::{MemoryPool, MemoryShare};
use tokio::task::JoinHandle;

use super::copy::share;
use super::parallelism::Parallelism;
use crate::endpoint::{ByteStream, Entry, Result, Source};
use crate::error::TransferError;
use crate::events::{Event, SharedObserver};

/// A part as it was read.
pub(super) struct ReadPart {
    pub(super) chunks: Vec<Bytes>,
    pub(super) length: u64,
    pub(super) is_last: bool,
    pub(super) share: MemoryShare,
}

/// Reads parts of known positions, several at the same time.
pub(super) fn ranged_parts(
    source: Arc<dyn Source>,
    entry: Entry,
    ranges: impl Iterator<Item = Range<u64>> + Send + 'static,
    parallelism: Parallelism,
    memory: MemoryPool,
    observer: SharedObserver,
) -> BoxStream<'static, Result<ReadPart>> {
    let ranges = ranges.peekable();
    let state = Ranged { source, entry, ranges, parallelism, memory, observer, reading: VecDeque::new() };
    stream::try_unfold(state, |mut state| async move { Ok(state.next_part().await?.map(|part| (part, state))) }).boxed()
}

/// The state of a file that is read by ranges.
struct Ranged<R: Iterator<Item = Range<u64>>> {
    source: Arc<dyn Source>,
    entry: Entry,
    ranges: Peekable<R>,
    parallelism: Parallelism,
    memory: MemoryPool,
    observer: SharedObserver,
    reading: VecDeque<Reading>,
}

impl<R: Iterator<Item = Range<u64>>> Ranged<R> {
    async fn next_part(&mut self) -> Result<Option<ReadPart>> {
        while self.reading.len() < self.parallelism.parts_at_once() {
            let Some(range) = self.ranges.peek().cloned() else { break };
            let bytes = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).max(1);
            let share = if self.reading.is_empty() {
                self.memory.take(bytes).await
            } else {
                // Nothing waits for memory for later parts while it could go on with an earlier one.
                let Some(share) = self.memory.try_take_at_most(bytes) else { break };
                share
            };
            self.ranges.next();
            self.start(range, share);
        }
        match self.reading.pop_front() {
            Some(reading) => reading.result().await.map(Some),
            None => Ok(None),
        }
    }

    fn start(&mut self, range: Range<u64>, share: MemoryShare) {
        let (source, entry, observer) = (Arc::clone(&self.source), self.entry.clone(), Arc::clone(&self.observer));
        self.reading.push_back(Reading(tokio::spawn(async move {
            let is_last = range.end >= entry.size.unwrap_or_default();
            let length = range.end - range.start;
            let chunks = read(&*source, &entry, range, &observer).await?;
            Ok(ReadPart { chunks, length, is_last, share })
        })));
    }
}

/// A read that ends when it is not awaited any more.
struct Reading(JoinHandle<Result<ReadPart>>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reading {
    async fn result(mut self) -> Result<ReadPart> {
        match (&mut self.0).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(TransferError::Cancelled),
        }
    }
}

async fn read(source: &dyn Source, entry: &Entry, range: Range<u64>, observer: &SharedObserver) -> Result<Vec<Bytes>> {
    let length = range.end - range.start;
    let mut chunks = Vec::new();
    if length == 0 {
        return Ok(chunks);
    }
    let mut left = length;
    let mut stream = source.open(entry, range).await?;
    while let Some(chunk) = stream.try_next().await? {
        let size = chunk.len() as u64;
        // More bytes than requested would take more memory than the share.
        left = left.checked_sub(size).ok_or_else(|| TransferError::Changed { at: entry.path.to_string() })?;
        observer.on(&Event::Read { bytes: size });
        if !chunk.is_empty() {
            chunks.push(chunk);
        }
    }
    if left > 0 {
        return Err(TransferError::Changed { at: entry.path.to_string() });
    }
    Ok(chunks)
}

/// The state of a stream that is divided into parts.
struct Streamed {
    stream: ByteStream,
    /// What belongs to the next part.
    rest: Bytes,
    is_over: bool,
    part_size: u64,
    memory: MemoryPool,
    observer: SharedObserver,
}

/// Reads a file from `start` in one stream, and divides it into parts.
pub(super) fn streamed_parts(
    source: Arc<dyn Source>,
    entry: Entry,
    start: u64,
    part_size: u64,
    memory: MemoryPool,
    observer: SharedObserver,
) -> BoxStream<'static, Result<ReadPart>> {
    let end = entry.size.unwrap_or(u64::MAX);
    let opened = async move {
        let stream = source.open(&entry, start..end).await?;
        let state = Streamed { stream, rest: Bytes::new(), is_over: false, part_size, memory, observer };
        Ok::<_, TransferError>(stream::try_unfold(state, |mut state| async move {
            if state.is_over {
                return Ok(None);
            }
            let part = state.next_part().await?;
            Ok(Some((part, state)))
        }))
    };
    stream::once(opened).try_flatten().boxed()
}

impl Streamed {
    /// Reads until the part is full and there is more, so that the last part is known to be the last.
    async fn next_part(&mut self) -> Result<ReadPart> {
        let share = share(&self.memory, self.part_size).await;
        let (mut chunks, mut length) = (Vec::new(), 0);
        let mut chunk = std::mem::take(&mut self.rest);
        loop {
            let room = usize::try_from(self.part_size - length).unwrap_or(usize::MAX);
            if chunk.len() > room {
                self.rest = chunk.split_off(room);
                length += chunk.len() as u64;
                if !chunk.is_empty() {
                    chunks.push(chunk);
                }
                return Ok(ReadPart { chunks, length, is_last: false, share });
            }
            length += chunk.len() as u64;
            if !chunk.is_empty() {
                chunks.push(chunk);
            }
            let Some(next) = self.stream.try_next().await? else {
                self.is_over = true;
                return Ok(ReadPart { chunks, length, is_last: true, share });
            };
            self.observer.on(&Event::Read { bytes: next.len() as u64 });
            chunk = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;

    use super::*;
    use crate::endpoint::{Listing, Shape};
    use crate::events::no_observer;
    use crate::relative_path::RelativePath;

    /// A source of one file whose chunks have 3 bytes.
    struct InMemory(Bytes);

    impl Source for InMemory {
        fn list(&self) -> BoxFuture<'_, Result<Listing>> {
            Box::pin(async { Ok(Listing { shape: Shape::File, entries: Vec::new() }) })
        }

        fn open(&self, _entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
            let end = usize::try_from(range.end).unwrap().min(self.0.len());
            let bytes = self.0.slice(usize::try_from(range.start).unwrap()..end);
            let chunks: Vec<Result<Bytes>> = bytes.chunks(3).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
            Box::pin(async move { Ok(stream::iter(chunks).boxed()) })
        }
    }

    fn entry(size: Option<u64>) -> Entry {
        Entry { path: RelativePath::parse("a").unwrap(), size, version: None, digest: None }
    }

    async fn lengths(parts: BoxStream<'static, Result<ReadPart>>) -> (Vec<u64>, Vec<u8>) {
        let parts: Vec<ReadPart> = parts.try_collect().await.unwrap();
        let last = parts.iter().filter(|part| part.is_last).count();
        assert!(last == 1 && parts.last().unwrap().is_last);
        let bytes = parts.iter().flat_map(|part| part.chunks.concat()).collect();
        (parts.iter().map(|part| part.length).collect(), bytes)
    }

    #[tokio::test]
    async fn a_stream_is_divided_into_parts_of_equal_size() {
        for (size, expected) in [(0, vec![0]), (7, vec![7]), (10, vec![10]), (11, vec![10, 1]), (25, vec![10, 10, 5])] {
            let content: Vec<u8> = (0..size).collect();
            let source = Arc::new(InMemory(content.clone().into()));
            let memory = MemoryPool::new(1 << 20);
            let parts = streamed_parts(source, entry(None), 0, 10, memory, no_observer());
            assert_eq!(lengths(parts).await, (expected, content), "{size}");
        }
    }

    #[tokio::test]
    async fn ranges_are_read_ahead_within_the_memory_and_come_in_order() {
        let content: Vec<u8> = (0..=255).collect();
        let source = Arc::new(InMemory(content.clone().into()));
        // One part at a time fits.
        let memory = MemoryPool::new(1024);
        let ranges = crate::plan::parts(0, 256, 100);
        let parts =
            ranged_parts(source, entry(Some(256)), ranges, Parallelism::default(), memory.clone(), no_observer());
        let mut lengths = Vec::new();
        parts
            .for_each(|part| {
                lengths.push(part.unwrap().length);
                async {}
            })
            .await;
        assert_eq!(lengths, [100, 100, 56]);
        assert_eq!(memory.used(), 0);
    }

    #[tokio::test]
    async fn a_source_that_sends_another_number_of_bytes_has_changed() {
        for range in [0..5_u64, 0..9] {
            let source = Arc::new(InMemory(Bytes::from_static(b"1234567")));
            let sent_more = range.end < 7;
            let source: Arc<dyn Source> = if sent_more { Arc::new(SendsMore) } else { source };
            let parts = ranged_parts(
                source,
                entry(Some(range.end)),
                std::iter::once(range),
                Parallelism::default(),
                MemoryPool::new(1024),
                no_observer(),
            );
            let error = parts.try_collect::<Vec<_>>().await.err().unwrap();
            assert!(matches!(error, TransferError::Changed { .. }), "{error}");
        }
    }

    struct SendsMore;

    impl Source for SendsMore {
        fn list(&self) -> BoxFuture<'_, Result<Listing>> {
            Box::pin(async { Ok(Listing { shape: Shape::File, entries: Vec::new() }) })
        }

        fn open(&self, _entry: &Entry, _range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
            Box::pin(async { Ok(stream::iter([Ok(Bytes::from_static(b"1234567"))]).boxed()) })
        }
    }
}

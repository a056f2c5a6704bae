//! Copies the files of a source to a destination.

mod copy;
mod parallelism;
mod parts;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use model_registry_base::MemoryPool;
use tokio::task::JoinSet;
use tracing::Instrument;
use tracing::field::{self, Empty};

use self::copy::{Copy, copy_file};
use self::parallelism::Parallelism;
use crate::digest::{Sha256, tree_digest};
use crate::endpoint::{Destination, Entry, Existing, Listing, Result, Shape, Source, WrittenFile};
use crate::error::TransferError;
use crate::events::{Event, SharedObserver};
use crate::names;
use crate::options::Options;
use crate::plan::{self, Action, Sums};
use crate::stop::Stop;

/// Files whose digests are compared at the same time.
const COMPARED_AT_ONCE: usize = 16;

/// The result of a transfer.
#[derive(Clone, Debug)]
pub struct Report {
    /// The files at the destination, ordered by path. After a dry run those that are there already.
    pub files: Vec<WrittenFile>,
    /// What would be copied; empty except after a dry run.
    pub planned: Vec<Entry>,
    /// Bytes that were copied, or would be.
    pub copied_bytes: u64,
    pub shape: Shape,
    /// Where the files can be read.
    pub uri: String,
    pub took: Duration,
}

impl Report {
    /// The size of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The digest of the file, or of the tree: see [`tree_digest`].
    pub fn digest(&self) -> Sha256 {
        Self::digest_of(self.shape, &self.files)
    }

    fn digest_of(shape: Shape, files: &[WrittenFile]) -> Sha256 {
        match (shape, files) {
            (Shape::File, [file]) => file.digest,
            _ => tree_digest(files),
        }
    }

    pub fn copied_files(&self) -> usize {
        self.files.iter().filter(|file| !file.was_there).count() + self.planned.len()
    }
}

/// The ends of a transfer, with their names in messages.
#[derive(Clone)]
pub struct Ends {
    pub source: Arc<dyn Source>,
    pub source_name: String,
    pub destination: Arc<dyn Destination>,
}

/// Copies everything that the destination does not have. When it fails or is stopped it cleans up, and then returns the error.
pub async fn transfer(ends: Ends, options: &Options, observer: &SharedObserver, stop: &Stop) -> Result<Report> {
    let span =
        tracing::info_span!("transfer", source = %ends.source_name, files = Empty, bytes = Empty, failure = Empty);
    let result = run(&ends, options, observer, stop).instrument(span.clone()).await;
    match &result {
        Ok(report) => {
            span.record("files", report.files.len());
            span.record("bytes", report.copied_bytes);
        }
        Err(error) => {
            span.record("failure", field::display(error));
        }
    }
    if let Err(error) = &result
        && !options.is_dry_run
    {
        ends.destination.abandon(keeps(error, options)).await;
    }
    result
}

/// Whether a later run may continue from what was written.
fn keeps(error: &TransferError, options: &Options) -> bool {
    match error {
        TransferError::Cancelled => options.keep_when_cancelled,
        // What was written is not what was expected.
        TransferError::Mismatch { .. } => false,
        _ => true,
    }
}

async fn run(ends: &Ends, options: &Options, observer: &SharedObserver, stop: &Stop) -> Result<Report> {
    let started = Instant::now();
    let (listing, actions) = stop.or(plan(ends, options)).instrument(tracing::info_span!("plan")).await?;
    let Sums { files, bytes, files_there, bytes_there } = plan::sums(&listing, &actions);
    observer.on(&Event::Planned { files, bytes, files_there, bytes_there });
    let shape = listing.shape;
    if options.is_dry_run {
        let (files, planned) = split(&listing, &actions);
        let copied_bytes = bytes - bytes_there;
        return Ok(Report { files, planned, copied_bytes, shape, uri: String::new(), took: started.elapsed() });
    }
    let (files, copied_bytes) = copy_all(ends, listing, actions, options, observer, stop).await?;
    if let Some(expected) = options.digest {
        verify(ends, expected, Report::digest_of(shape, &files))?;
    }
    let published = ends.destination.finish(&files).instrument(tracing::info_span!("publish")).await?;
    Ok(Report { files, planned: Vec::new(), copied_bytes, shape, uri: published.uri, took: started.elapsed() })
}

fn verify(ends: &Ends, expected: Sha256, actual: Sha256) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(TransferError::Mismatch {
        at: ends.source_name.clone(),
        expected: expected.to_string(),
        actual: actual.to_string(),
        reason: "the files are not those that were registered; do not use what was copied",
    })
}

/// Lists the source, checks the names, and decides about each file.
async fn plan(ends: &Ends, options: &Options) -> Result<(Listing, Vec<Action>)> {
    let mut listing = ends.source.list().await?;
    if listing.entries.is_empty() {
        return Err(TransferError::not_found(&ends.source_name, "there are no files"));
    }
    if let (Shape::File, Some(digest), [entry]) = (listing.shape, options.digest, listing.entries.as_mut_slice()) {
        // Compared before the file appears.
        entry.digest = Some(digest);
    }
    listing.entries.sort_by(|left, right| left.path.cmp(&right.path));
    names::check(&listing.entries, &ends.source_name)?;
    let existing = ends.destination.prepare(&listing, options.is_dry_run).await?;
    let decisions =
        listing.entries.iter().zip(existing).map(|(entry, existing)| decide(ends, entry, existing, options));
    let actions = in_order(COMPARED_AT_ONCE, decisions.collect()).await?;
    Ok((listing, actions))
}

async fn decide(ends: &Ends, entry: &Entry, existing: Existing, options: &Options) -> Result<Action> {
    let same = same_content(ends, entry, &existing).await?;
    Ok(plan::action(entry, existing, same, options.part_size))
}

/// The results of futures, of which some run at the same time.
pub(crate) async fn in_order<T>(at_once: usize, futures: Vec<impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    stream::iter(futures).buffered(at_once).try_collect().await
}

/// The digest of a file at the destination, if source and destination know that they have the same content.
async fn same_content(ends: &Ends, entry: &Entry, existing: &Existing) -> Result<Option<Sha256>> {
    let Existing::SameSize { digest } = existing else { return Ok(None) };
    let Some(expected) = ends.source.digest(entry).await? else { return Ok(None) };
    let actual = match digest {
        Some(digest) => Some(*digest),
        None => ends.destination.digest(entry).await?,
    };
    Ok(actual.filter(|actual| *actual == expected))
}

/// The files that are there, and those that would be copied.
fn split(listing: &Listing, actions: &[Action]) -> (Vec<WrittenFile>, Vec<Entry>) {
    let (mut there, mut planned) = (Vec::new(), Vec::new());
    for (entry, action) in listing.entries.iter().zip(actions) {
        match action {
            Action::Keep { digest } => there.push(kept(entry, *digest)),
            Action::Copy { .. } => planned.push(entry.clone()),
        }
    }
    (there, planned)
}

fn kept(entry: &Entry, digest: Sha256) -> WrittenFile {
    WrittenFile { path: entry.path.clone(), size: entry.size.unwrap_or_default(), digest, was_there: true }
}

async fn copy_all(
    ends: &Ends,
    listing: Listing,
    actions: Vec<Action>,
    options: &Options,
    observer: &SharedObserver,
    stop: &Stop,
) -> Result<(Vec<WrittenFile>, u64)> {
    // Stops the other files when one fails, without stopping the caller's other transfers.
    let all = Stop::default();
    let copy = Arc::new(Copy {
        source: Arc::clone(&ends.source),
        destination: Arc::clone(&ends.destination),
        memory: MemoryPool::new(options.memory),
        options: options.clone(),
        observer: Arc::clone(observer),
        stop: all.clone(),
        parallelism: Parallelism::default(),
    });
    let mut files = Vec::with_capacity(listing.entries.len());
    let mut copied_bytes = 0;
    let mut failure = None;
    let mut running: JoinSet<Result<(WrittenFile, u64)>> = JoinSet::new();
    let mut waiting = listing.entries.into_iter().zip(actions);
    loop {
        while failure.is_none() && running.len() < options.files_at_once.max(1) {
            match waiting.next() {
                None => break,
                Some((entry, Action::Keep { digest })) => {
                    let file = kept(&entry, digest);
                    observer.on(&finished(&file));
                    files.push(file);
                }
                Some((entry, Action::Copy { existing })) => {
                    let copy = Arc::clone(&copy);
                    let span = tracing::info_span!("copy_file", path = %entry.path, size = entry.size);
                    running.spawn(async move { copy_file(&copy, &entry, existing).await }.instrument(span));
                }
            }
        }
        let ended = tokio::select! {
            biased;
            () = stop.stopped(), if failure.is_none() => {
                failure = Some(TransferError::Cancelled);
                all.stop();
                continue;
            }
            ended = running.join_next() => ended,
        };
        match ended {
            None => break,
            Some(Ok(Ok((file, copied)))) => {
                observer.on(&finished(&file));
                copied_bytes += copied;
                files.push(file);
            }
            Some(Ok(Err(error))) => {
                // The others are only cancelled because of the first.
                failure.get_or_insert(error);
                all.stop();
            }
            Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
    if let Some(error) = failure {
        return Err(error);
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok((files, copied_bytes))
}

fn finished(file: &WrittenFile) -> Event {
    Event::Finished {
        path: file.path.to_string(),
        size: file.size,
        sha256: file.digest.to_string(),
        was_there: file.was_there,
    }
}

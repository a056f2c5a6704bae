//! An image in an OCI registry, which appears when all files are there.
//!
//! The state of the layers is kept in a file of this machine, if there is a directory for it: a later run continues the uploads, as
//! far as the registry keeps them, and does not send complete layers again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures::future::BoxFuture;
use model_registry_base::MemoryShare;
use model_registry_oci::{
    Digest, FileUpload, ImageOptions, ImageReference, ImageWriter, Manifest, ModelFile, Registries, SavedFile,
};

use crate::digest::Sha256;
use crate::endpoint::{Destination, Entry, Existing, FileWriter, Listing, Part, Published, Result, WrittenFile};
use crate::error::TransferError;
use crate::images::from_image;
use crate::state_file::{Earlier, StateFile};

pub(crate) struct Image {
    registries: Registries,
    reference: ImageReference,
    options: ImageOptions,
    /// The source, as the state names it.
    source: String,
    state_file: Option<PathBuf>,
    target: OnceLock<Arc<Target>>,
}

/// What the writers of all files share.
struct Target {
    at: String,
    image: ImageWriter,
    /// Positions of the files by path.
    positions: HashMap<String, usize>,
    state: Option<StateFile>,
    found: Mutex<HashMap<usize, Found>>,
    /// Files that are written and wait for the others of their layer, with their digests.
    waiting: Mutex<HashMap<usize, (Entry, Sha256)>>,
}

/// What the registry has of a file.
enum Found {
    /// The whole layer.
    Layer(Box<SavedFile>),
    /// The beginning.
    Upload(Box<FileUpload>),
}

impl Image {
    /// `states` is the directory of the state files.
    pub(crate) fn new(
        registries: Registries,
        reference: ImageReference,
        options: ImageOptions,
        source: String,
        states: Option<PathBuf>,
    ) -> Self {
        let name = Sha256::of(format!("{source}\n{reference}").as_bytes()).to_string();
        let state_file = states.map(|directory| directory.join(format!("{}.jsonl", &name[..32])));
        Self { registries, reference, options, source, state_file, target: OnceLock::new() }
    }

    async fn examine(&self, listing: &Listing, is_dry_run: bool) -> Result<Vec<Existing>> {
        let at = self.reference.to_string();
        let failed = |error| from_image(at.clone(), error);
        let mut files = Vec::with_capacity(listing.entries.len());
        for entry in &listing.entries {
            let size = match entry.size {
                Some(size) => size,
                // Nothing is written: only the names count.
                None if is_dry_run => 0,
                None => return Err(TransferError::failed(&at, format!("the size of {} is not known", entry.path))),
            };
            files.push(ModelFile { path: entry.path.to_string(), size });
        }
        let image = ImageWriter::begin(&self.registries, &self.reference, files, self.options.clone()).await;
        let image = image.map_err(failed)?;
        let (state, earlier) = match &self.state_file {
            None => (None, HashMap::new()),
            Some(file) if is_dry_run => (None, StateFile::peek(file, &self.source)),
            Some(file) => {
                let (state, earlier) = StateFile::open(file, &self.source)?;
                (Some(state), earlier)
            }
        };
        let present = image.present().await.map_err(failed)?;
        let positions = listing.entries.iter().enumerate().map(|(at, entry)| (entry.path.to_string(), at)).collect();
        let target =
            Target { at: at.clone(), image, positions, state, found: Mutex::default(), waiting: Mutex::default() };
        let earlier: Vec<Option<&Earlier>> = listing
            .entries
            .iter()
            .map(|entry| earlier.get(entry.path.as_str()).filter(|earlier| earlier.is_of(entry)))
            .collect();
        let mut existing = Vec::with_capacity(listing.entries.len());
        let mut groups = HashMap::new();
        for (number, own) in earlier.iter().enumerate() {
            let members = target.image.files_of_layer(number);
            existing.push(match members {
                [_] => target.existing(number, *own, present.as_ref(), is_dry_run).await.map_err(failed)?,
                [first, ..] => {
                    let is_complete = match groups.get(first) {
                        Some(known) => *known,
                        None => target.has_group(members, &earlier).await.map_err(failed)?,
                    };
                    groups.insert(*first, is_complete);
                    let done = own.and_then(|own| own.done.as_ref()).filter(|_| is_complete);
                    done.map_or(Existing::Nothing, |done| Existing::Complete { digest: done.sha256 })
                }
                [] => Existing::Nothing,
            });
        }
        let _ = self.target.set(Arc::new(target));
        Ok(existing)
    }

    fn target(&self) -> Result<&Arc<Target>> {
        self.target.get().ok_or_else(|| TransferError::failed(self.reference.to_string(), "it was not prepared"))
    }
}

impl Target {
    async fn existing(
        &self,
        number: usize,
        earlier: Option<&Earlier>,
        present: Option<&Manifest>,
        is_dry_run: bool,
    ) -> model_registry_oci::Result<Existing> {
        if let Some(done) = earlier.and_then(|earlier| earlier.done.as_ref())
            && let Some(saved) = done.tag.as_deref().and_then(|tag| serde_json::from_str::<SavedFile>(tag).ok())
            && self.image.has_file(number, &saved).await?
        {
            self.found().insert(number, Found::Layer(Box::new(saved)));
            return Ok(Existing::Complete { digest: done.sha256 });
        }
        if let Some(Earlier { bytes, digest: Some(digest), parts, .. }) = earlier
            && let Some(saved) = parts.last().and_then(|part| serde_json::from_str::<SavedFile>(part).ok())
        {
            let beginning = Existing::Beginning { bytes: *bytes, digest: digest.clone() };
            if is_dry_run {
                return Ok(beginning);
            }
            if let Some(upload) =
                self.image.continue_file(number, &saved).await?.filter(|upload| upload.written() == *bytes)
            {
                self.found().insert(number, Found::Upload(Box::new(upload)));
                return Ok(beginning);
            }
        }
        if let Some((digest, saved)) = present.and_then(|present| self.image.same_size_in(number, present))
            && let Ok(digest) = digest.hex().parse()
        {
            self.found().insert(number, Found::Layer(Box::new(saved)));
            return Ok(Existing::SameSize { digest: Some(digest) });
        }
        Ok(Existing::Nothing)
    }

    /// Whether the registry has a layer with several files, none of which has changed.
    async fn has_group(&self, members: &[usize], earlier: &[Option<&Earlier>]) -> model_registry_oci::Result<bool> {
        let mut tags = members.iter().map(|member| earlier[*member]?.done.as_ref()?.tag.as_deref());
        let Some(Some(tag)) = tags.next() else { return Ok(false) };
        if !tags.all(|other| other == Some(tag)) {
            return Ok(false);
        }
        let Ok(saved) = serde_json::from_str::<SavedFile>(tag) else { return Ok(false) };
        let is_there = self.image.has_file(members[0], &saved).await?;
        if is_there {
            self.found().insert(members[0], Found::Layer(Box::new(saved)));
        }
        Ok(is_there)
    }

    /// Notes in the state that the layer of a file is complete, with all its files.
    fn note_layer(&self, number: usize, saved: &SavedFile) -> Result<()> {
        let Some(state) = &self.state else { return Ok(()) };
        let tag = to_json(saved)?;
        for member in self.image.files_of_layer(number) {
            let written = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(member);
            if let Some((entry, digest)) = written {
                state.done(&entry, entry.size.unwrap_or_default(), digest, Some(tag.clone()))?;
            }
        }
        Ok(())
    }

    fn found(&self) -> MutexGuard<'_, HashMap<usize, Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self, path: &str) -> Result<usize> {
        let position = self.positions.get(path).copied();
        position.ok_or_else(|| TransferError::failed(&self.at, format!("{path} was not announced")))
    }

    fn failed(&self, path: &str, error: model_registry_oci::Error) -> TransferError {
        from_image(format!("{} ({path})", self.at), error)
    }
}

impl Destination for Image {
    fn prepare<'a>(&'a self, listing: &'a Listing, is_dry_run: bool) -> BoxFuture<'a, Result<Vec<Existing>>> {
        Box::pin(self.examine(listing, is_dry_run))
    }

    fn create<'a>(&'a self, entry: &'a Entry, existing: Existing) -> BoxFuture<'a, Result<Box<dyn FileWriter>>> {
        Box::pin(async move {
            let target = Arc::clone(self.target()?);
            let number = target.position(entry.path.as_str())?;
            let found = target.found().remove(&number);
            let upload = if let (Existing::Beginning { .. }, Some(Found::Upload(upload))) = (existing, found) {
                *upload
            } else {
                if let Some(state) = &target.state {
                    state.upload(entry, "")?;
                }
                target.image.file(number).await.map_err(|error| target.failed(entry.path.as_str(), error))?
            };
            Ok(Box::new(Writer { target, entry: entry.clone(), upload, last: None }) as Box<dyn FileWriter>)
        })
    }

    fn finish<'a>(&'a self, files: &'a [WrittenFile]) -> BoxFuture<'a, Result<Published>> {
        Box::pin(async move {
            let target = self.target()?;
            for file in files.iter().filter(|file| file.was_there) {
                target.keep(file).await?;
            }
            let published = target.image.publish().await.map_err(|error| from_image(&target.at, error))?;
            if let Some(state) = &target.state {
                state.remove();
            }
            tracing::info!(image = %published.reference, digest = %published.digest, "the image was published");
            Ok(Published { uri: published.reference.to_string() })
        })
    }

    fn abandon(&self, keep: bool) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(target) = self.target.get() else { return };
            // Dropping what was not continued cancels it.
            let found: Vec<Found> = target.found().drain().map(|(_, found)| found).collect();
            for found in found {
                if let Found::Upload(upload) = found {
                    upload.abandon(keep).await;
                }
            }
            if let Some(state) = target.state.as_ref().filter(|_| !keep) {
                state.remove();
            }
        })
    }
}

impl Target {
    /// Makes the layer of a file that was there part of the image.
    async fn keep(&self, file: &WrittenFile) -> Result<()> {
        let path = file.path.as_str();
        let number = self.position(path)?;
        if self.image.files_of_layer(number).first() != Some(&number) {
            // The first file of a layer stands for all.
            return Ok(());
        }
        let Some(Found::Layer(saved)) = self.found().remove(&number) else {
            return Err(TransferError::failed(&self.at, format!("the layer of {path} is not known")));
        };
        let is_there = self.image.has_file(number, &saved).await.map_err(|error| self.failed(path, error))?;
        if is_there {
            return Ok(());
        }
        Err(TransferError::unavailable(&self.at, format!("the layer of {path} has disappeared: run the command again")))
    }
}

struct Writer {
    target: Arc<Target>,
    entry: Entry,
    upload: FileUpload,
    /// The memory of the last part, which is sent when the file is finished.
    last: Option<MemoryShare>,
}

impl Writer {
    async fn append(&mut self, part: Part) -> Result<()> {
        let failed = |error| self.target.failed(self.entry.path.as_str(), error);
        let end = part.offset + part.length;
        self.upload.write(part.chunks).await.map_err(failed)?;
        if part.is_last {
            self.last = Some(part.share);
            return Ok(());
        }
        self.upload.flush().await.map_err(failed)?;
        let Some(state) = &self.target.state else { return Ok(()) };
        match self.upload.save() {
            Some(saved) => state.written(&self.entry, end, &part.digest, Some(&to_json(&saved)?)),
            None => Ok(()),
        }
    }

    async fn complete(self, digest: Sha256) -> Result<()> {
        let target = self.target;
        let path = self.entry.path.to_string();
        let number = target.position(&path)?;
        // Before the last file of its layer looks for it.
        target.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, (self.entry, digest));
        let content: Option<Digest> = format!("sha256:{digest}").parse().ok();
        let finished = self.upload.finish(content).await;
        match finished.map_err(|error| target.failed(&path, error))? {
            Some(saved) => target.note_layer(number, &saved),
            None => Ok(()),
        }
    }
}

fn to_json(saved: &SavedFile) -> Result<String> {
    serde_json::to_string(saved).map_err(|error| TransferError::failed("the state of the transfer", error.to_string()))
}

impl FileWriter for Writer {
    fn write(&mut self, part: Part) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.append(part))
    }

    fn finish(self: Box<Self>, digest: Sha256) -> BoxFuture<'static, Result<()>> {
        Box::pin(self.complete(digest))
    }

    fn abandon(self: Box<Self>, keep: bool) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let is_kept = keep && self.entry.version.is_some() && self.target.state.is_some();
            self.upload.abandon(is_kept).await;
        })
    }
}

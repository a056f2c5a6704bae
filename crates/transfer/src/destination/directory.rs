//! A file or directory of this machine, also on a mounted volume.
//!
//! A file is written under a temporary name in a directory for the state of the transfer, next to its destination and so on the
//! same file system, and renamed when it is complete. The state directory is removed at the end.

mod state;
mod writer;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;
use model_registry_base::{run_blocking, run_while_awaited};

use self::state::State;
use self::writer::{Writer, is_directory_itself};
use crate::digest::Sha256;
use crate::endpoint::{Destination, Entry, Existing, FileWriter, Listing, Published, Result, Shape, WrittenFile};
use crate::engine::in_order;
use crate::error::TransferError;
use crate::location::FileLocation;
use crate::names;
use crate::source::directory::digest_of;
use crate::state_file::{Done, Earlier, StateFile};

/// The directory with the state of a transfer.
pub(crate) const STATE_DIRECTORY: &str = ".model-registry-transfer";

/// Files that are verified at the same time.
const VERIFIED_AT_ONCE: usize = 4;

/// A directory that files are written to, or the path of a single file.
#[derive(Debug)]
pub(crate) struct Directory {
    location: FileLocation,
    /// The source, as the state names it.
    source: String,
    /// Known after [`Destination::prepare`].
    target: OnceLock<Target>,
    state: OnceLock<Arc<State>>,
}

/// Where the files of a listing go.
#[derive(Clone, Debug)]
struct Target {
    /// The directory of all files.
    root: PathBuf,
    /// The name of the file, if the location is that of a file.
    file: Option<PathBuf>,
    state: PathBuf,
}

impl Target {
    fn path(&self, entry: &Entry) -> PathBuf {
        self.file.clone().unwrap_or_else(|| self.root.join(entry.path.as_str()))
    }
}

impl Directory {
    pub(crate) fn new(location: FileLocation, source: String) -> Self {
        Self { location, source, target: OnceLock::new(), state: OnceLock::new() }
    }

    /// A single file gets the name of the location, unless that is a directory.
    fn target(&self, shape: Shape) -> &Target {
        self.target.get_or_init(|| {
            let path = &self.location.path;
            let name =
                path.file_name().filter(|_| shape == Shape::File && !self.location.is_directory && !path.is_dir());
            if name.is_none() {
                return Target { root: path.clone(), file: None, state: path.join(STATE_DIRECTORY) };
            }
            let root = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // A state of its own, so that transfers to other files of the directory can run at the same time.
            let own = &state::name_of(path)[..16];
            let state = root.join(format!("{STATE_DIRECTORY}-{own}"));
            Target { root: root.to_owned(), file: Some(path.clone()), state }
        })
    }

    fn known_target(&self) -> Result<&Target> {
        self.target.get().ok_or_else(|| TransferError::failed(self.location.path.display().to_string(), "not prepared"))
    }

    async fn examine(&self, listing: &Listing, is_dry_run: bool) -> Result<Vec<Existing>> {
        let target = self.target(listing.shape).clone();
        check_places(&target, listing)?;
        let state_file = target.state.join(state::STATE_FILE);
        let earlier = if is_dry_run {
            StateFile::peek(&state_file, &self.source)
        } else {
            fs::create_dir_all(&target.root)
                .map_err(|error| TransferError::io(target.root.display().to_string(), &error))?;
            let (state_file, earlier) = StateFile::open(&state_file, &self.source)?;
            let _ = self.state.set(Arc::new(State::new(target.state.clone(), state_file)));
            if let Some((first, second)) = names::equal_but_for_case(&listing.entries)
                && state::ignores_case(&target.state)
            {
                return Err(names::case_error(first, second, &target.root.display().to_string()));
            }
            earlier
        };
        let earlier = Arc::new(earlier);
        let examined = listing.entries.iter().map(|entry| {
            let (entry, earlier, target) = (entry.clone(), Arc::clone(&earlier), target.clone());
            async move { run_while_awaited(move |work| existing(&entry, &earlier, &target, work)).await }
        });
        in_order(VERIFIED_AT_ONCE, examined.collect()).await
    }
}

/// Refuses a place where a file cannot be, before any byte moves.
fn check_places(target: &Target, listing: &Listing) -> Result<()> {
    for entry in &listing.entries {
        let path = target.path(entry);
        if is_directory_itself(&path) {
            return Err(TransferError::Names(format!("{} is a directory: a file cannot replace it", path.display())));
        }
        if target.file.is_none() {
            writer::check_parents(&target.root, entry)?;
        }
    }
    Ok(())
}

fn existing(
    entry: &Entry,
    earlier: &HashMap<String, Earlier>,
    target: &Target,
    work: &model_registry_base::Cancellation,
) -> Result<Existing> {
    let path = target.path(entry);
    let size_there = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
    if let Some(earlier) = earlier.get(entry.path.as_str()).filter(|earlier| earlier.is_of(entry)) {
        if let Some(Done { size, sha256, .. }) = earlier.done {
            if size_there == Some(size) && digest_of(&path, None, work)?.finish() == sha256 {
                return Ok(Existing::Complete { digest: sha256 });
            }
        } else if let Some(expected) = &earlier.digest {
            let part = state::part_file(&target.state, entry);
            let is_long_enough = fs::metadata(&part).is_ok_and(|metadata| metadata.len() >= earlier.bytes);
            if is_long_enough {
                let digest = digest_of(&part, Some(earlier.bytes), work)?;
                if digest.state() == expected.state() {
                    return Ok(Existing::Beginning { bytes: earlier.bytes, digest });
                }
            }
        }
    }
    let is_same_size = size_there.is_some() && size_there == entry.size;
    Ok(if is_same_size { Existing::SameSize { digest: None } } else { Existing::Nothing })
}

impl Destination for Directory {
    fn prepare<'a>(&'a self, listing: &'a Listing, is_dry_run: bool) -> BoxFuture<'a, Result<Vec<Existing>>> {
        Box::pin(self.examine(listing, is_dry_run))
    }

    fn digest<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Sha256>>> {
        Box::pin(async move {
            let path = self.known_target()?.path(entry);
            let digest = run_while_awaited(move |work| digest_of(&path, None, work)).await?;
            Ok(Some(digest.finish()))
        })
    }

    fn create<'a>(&'a self, entry: &'a Entry, existing: Existing) -> BoxFuture<'a, Result<Box<dyn FileWriter>>> {
        Box::pin(async move {
            let target = self.known_target()?.clone();
            let state = self.state.get().cloned();
            let state =
                state.ok_or_else(|| TransferError::failed(target.root.display().to_string(), "not prepared"))?;
            let entry = entry.clone();
            let start = match existing {
                Existing::Beginning { bytes, .. } => bytes,
                _ => 0,
            };
            let path = target.path(&entry);
            Ok(Box::new(Writer::new(state, path, entry, start)) as Box<dyn FileWriter>)
        })
    }

    fn finish<'a>(&'a self, _files: &'a [WrittenFile]) -> BoxFuture<'a, Result<Published>> {
        Box::pin(async move {
            let target = self.known_target()?.clone();
            let state = self.state.get().cloned();
            let uri = run_blocking(move || {
                let place = target.file.unwrap_or(target.root);
                if let Some(state) = state {
                    state.synchronise()?;
                    state.remove();
                }
                let absolute = fs::canonicalize(&place).unwrap_or(place);
                Ok::<_, TransferError>(uri_of(&absolute))
            });
            Ok(Published { uri: uri.await? })
        })
    }

    fn abandon(&self, keep: bool) -> BoxFuture<'_, ()> {
        let state = self.state.get().cloned();
        Box::pin(async move {
            if let Some(state) = state {
                run_blocking(move || if keep { state.remove_if_empty() } else { state.remove() }).await;
            }
        })
    }
}

fn uri_of(path: &Path) -> String {
    url::Url::from_file_path(path).map_or_else(|()| path.display().to_string(), Into::into)
}

//! Files whose sizes the source does not know, fetched into a directory before they are copied: a layer of an image begins with the size
//! of its file.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;

use super::archive::Place;
use super::directory::Directory as Files;
use crate::destination::directory::Directory as ToDirectory;
use crate::digest::Sha256;
use crate::endpoint::{ByteStream, Entry, Listing, Result, Source};
use crate::engine::{Ends, transfer};
use crate::events::{Event, SharedObserver};
use crate::location::FileLocation;
use crate::options::Options;
use crate::stop::Stop;

/// A source that fetches its files first, if their sizes are not known.
pub(crate) struct Spooled {
    inner: Arc<dyn Source>,
    inner_name: String,
    place: Place,
    /// The fetched files; absent if the inner source is read directly.
    files: OnceLock<Files>,
    options: Options,
    observer: SharedObserver,
}

impl Spooled {
    /// `place` is a directory that nothing else uses; a later run of the same transfer uses the same.
    pub(crate) fn new(
        inner: Arc<dyn Source>,
        inner_name: String,
        place: PathBuf,
        options: &Options,
        observer: &SharedObserver,
    ) -> Self {
        let (options, observer) = (options.clone(), Arc::clone(observer));
        Self { inner, inner_name, place: Place::new(place), files: OnceLock::new(), options, observer }
    }

    async fn list_or_fetch(&self) -> Result<Listing> {
        let listing = self.inner.list().await?;
        if self.options.is_dry_run || listing.entries.iter().all(|entry| entry.size.is_some()) {
            return Ok(listing);
        }
        let location = FileLocation { path: self.place.files(), is_directory: true };
        let destination = Arc::new(ToDirectory::new(location, self.inner_name.clone()));
        let ends = Ends { source: Arc::clone(&self.inner), source_name: self.inner_name.clone(), destination };
        // The bytes count as progress only once: when they are copied.
        let outer = Arc::clone(&self.observer);
        let observer: SharedObserver = Arc::new(move |event: &Event| {
            if matches!(event, Event::Retry { .. }) {
                outer.on(event);
            }
        });
        let options = Options { digest: None, ..self.options.clone() };
        transfer(ends, &options, &observer, &Stop::default()).await?;
        let files = self.files.get_or_init(|| Files::new(self.place.files()));
        Ok(Listing { shape: listing.shape, entries: files.list().await?.entries })
    }

    fn source(&self) -> &dyn Source {
        match self.files.get() {
            Some(files) => files,
            None => &*self.inner,
        }
    }
}

impl Source for Spooled {
    fn list(&self) -> BoxFuture<'_, Result<Listing>> {
        Box::pin(self.list_or_fetch())
    }

    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        self.source().open(entry, range)
    }

    fn reads_ranges(&self) -> bool {
        self.source().reads_ranges()
    }

    fn digest<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Sha256>>> {
        self.source().digest(entry)
    }
}

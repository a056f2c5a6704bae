//! The files of an archive.
//!
//! The archive is fetched and unpacked into a directory next to the destination before anything is copied: so every name is checked
//! before the first file appears, and an interrupted fetch continues.

mod links;
mod tar;
mod unpacked;
mod zip;

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use model_registry_base::{Cancellation, run_blocking, run_while_awaited};

use self::unpacked::Unpacked;
use super::directory::Directory as Files;
use crate::destination::directory::Directory as ToDirectory;
use crate::digest::Sha256;
use crate::endpoint::{ByteStream, Entry, Listing, Result, Shape, Source};
use crate::engine::{Ends, transfer};
use crate::error::TransferError;
use crate::events::{Event, SharedObserver};
use crate::location::FileLocation;
use crate::options::Options;
use crate::stop::Stop;

/// A format of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Tar,
    TarGzip,
    Zip,
}

/// Endings of file names, with the format; those without one are known but not supported.
const ENDINGS: [(&str, Option<Format>); 8] = [
    (".tar", Some(Format::Tar)),
    (".tar.gz", Some(Format::TarGzip)),
    (".tgz", Some(Format::TarGzip)),
    (".zip", Some(Format::Zip)),
    (".tar.bz2", None),
    (".tar.xz", None),
    (".tar.zst", None),
    (".tbz2", None),
];

impl Format {
    /// The format of a file, by the ending of its name; an error for an archive that cannot be unpacked.
    pub(crate) fn of(name: &str) -> Result<Option<Self>> {
        let name = name.to_ascii_lowercase();
        match ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)) {
            Some((ending, None)) => Err(TransferError::invalid(format!(
                "archives with the ending {ending} are not unpacked (.tar, .tar.gz, .tgz and .zip are): use --no-unpack to \
                 copy the archive itself"
            ))),
            Some((_, format)) => Ok(*format),
            None => Ok(None),
        }
    }
}

/// The files of an archive that another source has.
pub(crate) struct Archive {
    inner: Arc<dyn Source>,
    inner_name: String,
    format: Format,
    files: Files,
    place: Place,
    options: Options,
    is_dry_run: bool,
    observer: SharedObserver,
}

/// The directory for the archive and its files; removed when it is not used any more.
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn archive(&self) -> PathBuf {
        self.0.join("archive")
    }

    pub(super) fn files(&self) -> PathBuf {
        self.0.join("files")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Archive {
    /// `place` is a directory that nothing else uses; a later run of the same transfer uses the same.
    pub(crate) fn new(
        inner: Arc<dyn Source>,
        inner_name: String,
        format: Format,
        place: PathBuf,
        options: &Options,
        observer: &SharedObserver,
    ) -> Self {
        let place = Place::new(place);
        let files = Files::new(place.files());
        let is_dry_run = options.is_dry_run;
        let options = Options { is_dry_run: false, ..options.clone() };
        Self { inner, inner_name, format, files, place, options, is_dry_run, observer: Arc::clone(observer) }
    }

    async fn unpack(&self) -> Result<Listing> {
        if self.is_dry_run {
            // Only the archive itself is known without fetching it.
            let archive = self.inner.list().await?;
            return Ok(Listing { shape: Shape::Tree, ..archive });
        }
        let location = FileLocation { path: self.place.archive(), is_directory: false };
        let destination = Arc::new(ToDirectory::new(location, self.inner_name.clone()));
        let ends = Ends { source: Arc::clone(&self.inner), source_name: self.inner_name.clone(), destination };
        // The bytes of the archive count as progress only once: when its files are copied.
        let outer = Arc::clone(&self.observer);
        let observer: SharedObserver = Arc::new(move |event: &Event| {
            if matches!(event, Event::Retry { .. }) {
                outer.on(event);
            }
        });
        transfer(ends, &self.options, &observer, &Stop::default()).await?;
        let (archive, files, format, name) =
            (self.place.archive(), self.place.files(), self.format, self.inner_name.clone());
        run_while_awaited(move |work| unpack(&archive, &files, format, &name, work)).await?;
        let archive = self.place.archive();
        let _ = run_blocking(move || fs::remove_file(archive)).await;
        self.files.list().await
    }
}

impl Source for Archive {
    fn list(&self) -> BoxFuture<'_, Result<Listing>> {
        Box::pin(self.unpack())
    }

    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        self.files.open(entry, range)
    }

    fn digest<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Sha256>>> {
        self.files.digest(entry)
    }
}

/// Unpacks an archive into a new directory.
fn unpack(archive: &Path, files: &Path, format: Format, name: &str, work: &Cancellation) -> Result<()> {
    let failed = |error: &io::Error| TransferError::io(files.display().to_string(), error);
    match fs::remove_dir_all(files) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
        _ => {}
    }
    fs::create_dir_all(files).map_err(|error| failed(&error))?;
    let file = File::open(archive).map_err(|error| TransferError::io(archive.display().to_string(), &error))?;
    let packed = file.metadata().map_err(|error| failed(&error))?.len();
    let mut unpacked = Unpacked::new(files, name, packed, work);
    match format {
        Format::Tar => tar::unpack(io::BufReader::with_capacity(1 << 18, file), &mut unpacked)?,
        Format::TarGzip => {
            let buffered = io::BufReader::with_capacity(1 << 18, file);
            tar::unpack(flate2::bufread::MultiGzDecoder::new(buffered), &mut unpacked)?;
        }
        Format::Zip => zip::unpack(file, &mut unpacked)?,
    }
    unpacked.finish()
}

#[cfg(test)]
mod tests;

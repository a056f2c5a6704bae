//! From locations to the ends of a transfer. Each kind of source and destination has its line here.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model_registry_base::{Environment, hex};
use url::Url;

use crate::between::copy_between;
use crate::destination::{directory as to_directory, image as to_image, objects as to_objects};
use crate::digest::Sha256;
use crate::endpoint::{Destination, Result, Source};
use crate::engine::Report;
use crate::error::TransferError;
use crate::events::{SharedObserver, no_observer};
use crate::images::ImageSettings;
use crate::location::{FileLocation, Location, SCHEMES};
use crate::network::Network;
use crate::options::Options;
use crate::retry::Retry;
use crate::source::archive::{Archive, Format};
use crate::source::spooled::Spooled;
use crate::source::web::{WebFile, file_name};
use crate::source::{directory, hub, image, objects};
use crate::stop::Stop;
use crate::store::Bucket;
use crate::web::{Web, host_headers};

/// Everything that a transfer needs besides its locations.
#[derive(Clone)]
pub struct Context {
    /// Credentials and addresses of services.
    pub environment: Environment,
    pub options: Options,
    pub retry: Retry,
    pub observer: SharedObserver,
    /// Which servers may be connected, and which certificates are trusted.
    pub network: Network,
    /// How images are read and written.
    pub images: ImageSettings,
    /// Directory for the state of uploads to stores and registries; without it they do not continue after a kill.
    pub states: Option<PathBuf>,
    /// Whether archives of web servers are unpacked.
    pub unpacks: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            environment: Environment::default(),
            options: Options::default(),
            retry: Retry::default(),
            observer: no_observer(),
            network: Network::default(),
            images: ImageSettings::default(),
            states: None,
            unpacks: true,
        }
    }
}

/// Copies the files of a location to another one.
pub async fn copy(source: &Location, destination: &Location, context: &Context, stop: &Stop) -> Result<Report> {
    copy_between((source, context), (destination, context), stop).await
}

pub(crate) fn open_source(location: &Location, destination: &Location, context: &Context) -> Result<Arc<dyn Source>> {
    let source: Arc<dyn Source> = match location {
        Location::Objects(objects) => {
            let bucket = Bucket::open(objects, context)?;
            Arc::new(objects::Objects::new(bucket, objects.clone()))
        }
        Location::Web(url) => {
            let headers = host_headers::of(&context.environment, url)?;
            let web = Web::new(None, &context.network, context.retry, &context.observer)?.with_headers(headers)?;
            let file = Arc::new(WebFile::new(web, url.clone()));
            let format = if context.unpacks { Format::of(file_name(url)?.as_str())? } else { None };
            match format {
                None if matches!(destination, Location::Image(_)) => {
                    let place = unpacking_place(location, destination);
                    Arc::new(Spooled::new(file, location.to_string(), place, &context.options, &context.observer))
                }
                None => file,
                Some(format) => {
                    let place = unpacking_place(location, destination);
                    let (options, observer) = (&context.options, &context.observer);
                    Arc::new(Archive::new(file, location.to_string(), format, place, options, observer))
                }
            }
        }
        Location::Hub(hub_location) => {
            let web =
                Web::new(context.environment.get("HF_TOKEN"), &context.network, context.retry, &context.observer)?;
            Arc::new(hub::Hub::new(web, hub_endpoint(&context.environment)?, hub_location.clone()))
        }
        Location::File(FileLocation { path, .. }) => Arc::new(directory::Directory::new(path.clone())),
        Location::Image(reference) => {
            let registries = context.images.registries(context)?;
            Arc::new(image::Image::new(registries, reference.clone(), context.images.platform()))
        }
        Location::Registered(_) => return Err(unavailable(location)),
    };
    Ok(source)
}

pub(crate) fn open_destination(
    source: &Location,
    location: &Location,
    context: &Context,
) -> Result<Arc<dyn Destination>> {
    let destination: Arc<dyn Destination> = match location {
        Location::Objects(objects) => {
            let bucket = Bucket::open(objects, context)?;
            Arc::new(to_objects::Objects::new(bucket, objects.clone(), source.to_string(), context.states.clone()))
        }
        Location::File(file) => Arc::new(to_directory::Directory::new(file.clone(), source.to_string())),
        Location::Image(reference) => {
            let images = &context.images;
            let registries = images.registries(context)?;
            let (source, states) = (source.to_string(), context.states.clone());
            Arc::new(to_image::Image::new(registries, reference.clone(), images.options(), source, states))
        }
        Location::Web(_) | Location::Hub(_) | Location::Registered(_) => {
            return Err(unavailable(location));
        }
    };
    Ok(destination)
}

fn unavailable(location: &Location) -> TransferError {
    let forms = SCHEMES.iter().map(|spec| spec.form).collect::<Vec<_>>().join(", ");
    TransferError::invalid(format!("{location} is not supported here: the locations are {forms}"))
}

fn hub_endpoint(environment: &Environment) -> Result<Url> {
    let endpoint = environment.get("HF_ENDPOINT").unwrap_or(hub::DEFAULT_ENDPOINT);
    let url: Url =
        endpoint.parse().map_err(|error| TransferError::invalid(format!("HF_ENDPOINT is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(TransferError::invalid("HF_ENDPOINT is not the URL of a web server: https://HOST"));
    }
    Ok(url)
}

/// The directory that an archive is unpacked in: on the file system of the destination if that is a directory.
fn unpacking_place(source: &Location, destination: &Location) -> PathBuf {
    let own = hex(Sha256::of(format!("{source}\n{destination}").as_bytes()).bytes());
    let base = match destination {
        Location::File(FileLocation { path, .. }) => path.clone(),
        _ => std::env::temp_dir(),
    };
    base.join(format!("{}-{}", to_directory::STATE_DIRECTORY, &own[..16]))
}

pub(crate) fn check_options(options: &Options) -> Result<()> {
    let least = Options::SMALLEST_PART;
    if options.part_size < least {
        return Err(TransferError::invalid(format!(
            "the size of a part must be at least {least} bytes: object stores refuse less"
        )));
    }
    if (options.memory as u64) < options.part_size {
        return Err(TransferError::invalid(format!(
            "the memory must hold at least one part: {} bytes are less than a part of {}",
            options.memory, options.part_size
        )));
    }
    Ok(())
}

/// Refuses to copy a place to itself, or a directory into itself.
pub(crate) fn check_overlap(source: &Location, destination: &Location) -> Result<()> {
    let is_inside = match (source, destination) {
        (Location::File(from), Location::File(to)) => {
            let (from, to) = (existing_part(&from.path), existing_part(&to.path));
            from.is_some() && from == to || from.zip(to).is_some_and(|(from, to)| from.is_dir() && to.starts_with(from))
        }
        (Location::Objects(from), Location::Objects(to)) => {
            let is_same_bucket = from.store == to.store && from.bucket == to.bucket && from.service == to.service;
            let below = format!("{}/", from.key);
            is_same_bucket && (to.key == from.key || from.key.is_empty() || format!("{}/", to.key).starts_with(&below))
        }
        (Location::Image(from), Location::Image(to)) => from == to,
        _ => false,
    };
    if is_inside {
        return Err(TransferError::invalid(format!(
            "{destination} is {source} itself, or inside it: choose another destination"
        )));
    }
    Ok(())
}

/// The absolute path with its links resolved, as far as it exists.
fn existing_part(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let existing = absolute.ancestors().find_map(|ancestor| Some((ancestor, fs::canonicalize(ancestor).ok()?)));
    let (ancestor, canonical) = existing?;
    Some(absolute.strip_prefix(ancestor).map_or_else(|_| canonical.clone(), |rest| canonical.join(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(source: &str, destination: &str) -> bool {
        check_overlap(&source.parse().unwrap(), &destination.parse().unwrap()).is_err()
    }

    #[test]
    fn a_place_is_not_copied_into_itself() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("model");
        fs::create_dir(&directory).unwrap();
        std::os::unix::fs::symlink(&directory, home.path().join("link")).unwrap();
        let at = |name: &str| home.path().join(name).display().to_string();
        assert!(overlap(&at("model"), &at("model")) && overlap(&at("model"), &at("model/new/deeper")));
        assert!(overlap(&at("model"), &at("link/new")));
        assert!(!overlap(&at("model"), &at("model-2")) && !overlap(&at("model"), &at("")));
        assert!(overlap("s3://b/a", "s3://b/a/") && overlap("s3://b/a", "s3://b/a/c") && overlap("s3://b", "s3://b/a"));
        assert!(
            !overlap("s3://b/a", "s3://b/a-2")
                && !overlap("s3://b/a", "s3://c/a")
                && !overlap("s3://b/a/c", "s3://b/a")
        );
        assert!(!overlap("s3://b/a", "gs://b/a"));
        assert!(overlap("oci://h/a:1", "oci://h/a:1") && !overlap("oci://h/a:1", "oci://h/a:2"));
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        let check = |part_size, memory| check_options(&Options { part_size, memory, ..Options::default() }).is_ok();
        assert!(check(8 << 20, 8 << 20) && !check(1 << 20, 8 << 20) && !check(8 << 20, 4 << 20));
    }

    #[test]
    fn a_scheme_of_another_part_is_refused_with_those_that_work() {
        let (registered, file) = ("model-registry://iris".parse().unwrap(), "/tmp".parse().unwrap());
        let error = open_source(&registered, &file, &Context::default()).err().unwrap().to_string();
        assert!(error.contains("s3://BUCKET/KEY"), "{error}");
    }

    #[test]
    fn the_endpoint_of_the_hub_is_a_url() {
        let endpoint = |value: &str| hub_endpoint(&[("HF_ENDPOINT", value)].into_iter().collect());
        assert_eq!(endpoint("").unwrap().as_str(), "https://huggingface.co/");
        assert_eq!(endpoint("http://mirror/hf").unwrap().as_str(), "http://mirror/hf");
        assert!(endpoint("mirror").is_err() && endpoint("file:///x").is_err());
    }
}

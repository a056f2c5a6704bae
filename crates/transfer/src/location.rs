//! Where files come from and go to: a location is parsed once, into a type that every other part uses.
//!
//! [`SCHEMES`] declares each scheme once. Parsing, the help of the command line, the messages about unknown schemes and the table
//! of the manual follow from it.

mod objects;
mod parse;
mod scheme;

use std::fmt;
use std::path::PathBuf;

use model_registry_oci::ImageReference;
use url::Url;

pub use self::objects::{ObjectLocation, Store};
pub use self::scheme::{Role, SCHEMES, Scheme, SchemeSpec};

/// A place of files. Its text contains no password, token or signature.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An object, or the objects below a prefix.
    Objects(ObjectLocation),
    /// A file, or an archive of files, on a web server.
    Web(Url),
    /// A repository of a hub.
    Hub(HubLocation),
    /// A file or directory of this machine.
    File(FileLocation),
    /// An image of an OCI registry.
    Image(ImageReference),
    /// A model of a registry, whose artifact has the location of the files.
    Registered(RegisteredLocation),
}

/// A repository of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubLocation {
    /// `organization/name`
    pub repository: String,
    pub revision: Option<String>,
}

/// A file or directory of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLocation {
    pub path: PathBuf,
    /// Whether the location ends with `/`, so that it is a directory even if it does not exist yet.
    pub is_directory: bool,
}

/// A model of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredLocation {
    pub model: String,
    pub version: Option<String>,
}

impl Location {
    /// The scheme that declares it.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Objects(location) => match location.store {
                Store::S3 => Scheme::S3,
                Store::Google => Scheme::Google,
                Store::Azure => Scheme::Azure,
            },
            Self::Web(_) => Scheme::Web,
            Self::Hub(_) => Scheme::Hub,
            Self::File(_) => Scheme::File,
            Self::Image(_) => Scheme::Image,
            Self::Registered(_) => Scheme::Registered,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects(location) => location.fmt(formatter),
            Self::Web(url) => formatter.write_str(&without_secrets(url)),
            Self::Hub(HubLocation { repository, revision }) => {
                write!(formatter, "hf://{repository}")?;
                revision.iter().try_for_each(|revision| write!(formatter, ":{revision}"))
            }
            Self::File(FileLocation { path, .. }) => path.display().fmt(formatter),
            Self::Image(reference) => reference.fmt(formatter),
            Self::Registered(RegisteredLocation { model, version }) => {
                write!(formatter, "model-registry://{model}")?;
                version.iter().try_for_each(|version| write!(formatter, "/{version}"))
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Location({self})")
    }
}

/// A URL without user information and without its query, which may be a signature.
pub(crate) fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.into()
}

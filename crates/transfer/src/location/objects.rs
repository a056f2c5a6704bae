//! Objects of the clouds.

use std::fmt;

/// A kind of object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    S3,
    Google,
    Azure,
}

/// An object, or the objects below a prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectLocation {
    pub store: Store,
    /// Bucket or container.
    pub bucket: String,
    /// The key of an object or a prefix, without slashes at its ends; empty for the whole bucket.
    pub key: String,
    /// Whether the location ends with `/`, so that it is a prefix even if there is an object with that key.
    pub is_prefix: bool,
    /// What the location itself says about the service.
    pub service: Service,
}

/// Parts of a location that are about the service, not the object.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// Account of Azure.
    pub account: Option<String>,
    /// Query of a URL with a shared access signature. It is a secret.
    pub signature: Option<String>,
    /// Endpoint and region of S3, as the Python client appends them to a URI.
    pub endpoint: Option<String>,
    pub region: Option<String>,
}

impl fmt::Display for ObjectLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.store, &self.service.account) {
            (Store::S3, _) => write!(formatter, "s3://{}", self.bucket)?,
            (Store::Google, _) => write!(formatter, "gs://{}", self.bucket)?,
            (Store::Azure, Some(account)) => {
                write!(formatter, "https://{account}.blob.core.windows.net/{}", self.bucket)?;
            }
            (Store::Azure, None) => write!(formatter, "az://{}", self.bucket)?,
        }
        if !self.key.is_empty() {
            write!(formatter, "/{}", self.key)?;
        }
        if self.is_prefix { formatter.write_str("/") } else { Ok(()) }
    }
}

impl fmt::Debug for ObjectLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ObjectLocation({self})")
    }
}

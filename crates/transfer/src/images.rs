//! What images in OCI registries need besides their reference.

use std::path::PathBuf;

use model_registry_base::{Environment, files};
use model_registry_oci::{
    CredentialStore, DockerConfig, Error, ImageFormat, ImageOptions, ImageReference, PlainHttp, Platform, Registries,
    RegistrySettings,
};

use crate::endpoint::Result;
use crate::error::TransferError;
use crate::open::Context;

/// The variable with the content of a docker configuration, which Kubernetes sets from a secret of that type.
const CONFIG_VARIABLE: &str = ".dockerconfigjson";

/// How images are read and written.
#[derive(Clone, Debug, Default)]
pub struct ImageSettings {
    /// The image that the files are added to.
    pub base: Option<ImageReference>,
    pub format: ImageFormat,
    /// The platform that is read of an image with several; this machine's if there is none.
    pub platform: Option<Platform>,
    /// A docker configuration with credentials. Without it, the usual places are searched.
    pub auth_file: Option<PathBuf>,
    /// Certificates that are trusted besides those of the system.
    pub certificate_file: Option<PathBuf>,
    /// Whether certificates of registries are not verified.
    pub is_unverified: bool,
    pub plain_http: PlainHttp,
}

impl ImageSettings {
    pub(crate) fn registries(&self, context: &Context) -> Result<Registries> {
        let network = &context.network;
        let mut root_certificates = match &self.certificate_file {
            None => Vec::new(),
            Some(path) => files::read(path, files::LARGEST_SETTINGS).map_err(|error| {
                TransferError::invalid(format!("the certificates {} cannot be read: {error}", path.display()))
            })?,
        };
        if !network.root_certificates.is_empty() {
            root_certificates.push(b'\n');
            root_certificates.extend(&network.root_certificates);
        }
        let settings = RegistrySettings {
            plain_http: self.plain_http.clone(),
            verify_certificates: !(self.is_unverified || network.is_unverified),
            root_certificates,
            part_size: context.options.part_size,
            url_check: network.all_checks(),
            resolver: network.resolver(),
            ..RegistrySettings::default()
        };
        let credentials =
            self.credentials(&context.environment).map_err(|error| TransferError::invalid(error.to_string()))?;
        Ok(Registries::new(settings, credentials))
    }

    fn credentials(&self, environment: &Environment) -> model_registry_oci::Result<CredentialStore> {
        if let Some(file) = &self.auth_file {
            return CredentialStore::from_file(file);
        }
        match environment.get(CONFIG_VARIABLE) {
            Some(text) => Ok(CredentialStore::from_config(DockerConfig::parse(text, CONFIG_VARIABLE)?)),
            None => CredentialStore::from_environment(environment),
        }
    }

    pub(crate) fn options(&self) -> ImageOptions {
        ImageOptions { format: self.format, base: self.base.clone(), ..ImageOptions::default() }
    }

    pub(crate) fn platform(&self) -> Platform {
        self.platform.clone().unwrap_or_else(Platform::of_this_machine)
    }
}

/// Errors of registries are those of a transfer at the place `at`.
#[expect(clippy::needless_pass_by_value, reason = "the argument of `map_err`")]
pub(crate) fn from_image(at: impl Into<String>, error: Error) -> TransferError {
    let at = at.into();
    let reason = error.to_string();
    match &error {
        Error::Reference(_) | Error::Digest(_) | Error::Usage(_) | Error::Credentials { .. } => {
            TransferError::invalid(reason)
        }
        Error::Unauthorized { .. } | Error::Denied { .. } => TransferError::denied(at, reason),
        Error::NotFound { .. } => TransferError::not_found(at, reason),
        Error::SizeChanged { .. } => TransferError::Changed { at },
        Error::DigestMismatch { expected, found, .. } => TransferError::Mismatch {
            at,
            expected: expected.to_string(),
            actual: found.to_string(),
            reason: "the registry has sent something else",
        },
        Error::UploadLost { .. } => TransferError::Restart { at, reason },
        _ if error.is_temporary() => TransferError::unavailable(at, reason),
        Error::Unpack { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => TransferError::Full { at },
        _ => TransferError::failed(at, reason),
    }
}

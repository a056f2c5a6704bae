//! Images of models in OCI registries.
//!
//! **What this is.** A library that writes the files of a model as an image ([`ImageWriter`]) and reads them from one
//! ([`ModelImage`]), without programs such as `skopeo` and without a copy of the model on disk. Images are `ModelCar` images as
//! `KServe` reads them (files under `/models`, optionally on top of a base image with all its platforms), or artifacts of the
//! `ModelPack` specification. The same files always have the same digest. [`Registries`] has the settings and the credentials,
//! [`Repository`] the operations of a registry, also those for signatures ([`Repository::referrers`], [`Repository::attach`]).
//!
//! **What it never does.** It sends no credentials to another host than the registry and its token service, uses plain HTTP only
//! for the registries that are set to it, and shows no secret in an error or a log. It unpacks nothing whose names leave the
//! directory. It does not know where files come from or go to: the crate `model-registry-transfer` does.
//!
//! **How to add a form of images.** A variant of [`ImageFormat`], its layers in `layout.rs`, its manifest in
//! `image_writer/publish.rs`, how it is recognised in `model_image.rs`.
//!
//! Requests are made with reqwest rather than a client library for registries: the one that is maintained (oci-client 0.18) repeats
//! no request and knows no `Retry-After`, leaves uploads that failed at the registry, sends passwords to token services without TLS,
//! and does not exchange identity tokens. Manifests are parsed by types of this crate, because those of oci-spec order annotations
//! at random, which changes digests, and drop unknown fields of the base image.
//!
//! ```no_run
//! # async fn example() -> model_registry_oci::Result<()> {
//! use model_registry_oci::{CredentialStore, ImageOptions, ImageWriter, ModelFile, Registries, RegistrySettings};
//!
//! let registries = Registries::new(RegistrySettings::default(), CredentialStore::none());
//! let files = vec![ModelFile { path: "model.onnx".to_owned(), size: 3 }];
//! let target = "oci://quay.io/org/model:1.0".parse()?;
//! let image = ImageWriter::begin(&registries, &target, files, ImageOptions::default()).await?;
//! let mut file = image.file(0).await?;
//! file.write(vec![bytes::Bytes::from_static(b"abc")]).await?;
//! file.finish(None).await?;
//! println!("{}", image.publish().await?.digest);
//! # Ok(())
//! # }
//! ```

mod blob_stream;
mod challenge;
mod credentials;
mod digest;
mod error;
mod image_writer;
mod layout;
mod manifest;
mod model_image;
mod reference;
mod referrers;
mod repository;
mod retry;
mod settings;
mod tar;
mod token;
mod transport;
mod upload;

pub use blob_stream::BlobStream;
pub use credentials::{CredentialStore, Credentials, DockerConfig};
pub use digest::{Algorithm, Digest, Hasher, InvalidDigest};
pub use error::{BoxError, Error, Result};
pub use image_writer::{FileUpload, ImageOptions, ImageWriter, PublishedImage, SavedFile};
pub use layout::{ImageFormat, MOST_LAYERS, ModelFile};
pub use manifest::{AnyManifest, Descriptor, Index, Manifest, Platform, RawManifest};
pub use model_image::{FileStream, ImageFile, ModelImage, UnpackLimits};
pub use reference::{ImageReference, InvalidReference, SCHEME};
pub use referrers::{AttachedBlob, Attachment};
pub use repository::{PutManifest, Registries, Repository};
pub use retry::RetryPolicy;
pub use settings::{PlainHttp, RegistrySettings, UrlCheck};
pub use upload::{BlobUpload, CopiedBlob, SavedUpload};

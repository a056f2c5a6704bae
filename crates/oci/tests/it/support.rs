//! Images that are written and read by tests.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use model_registry_oci::{
    CredentialStore, Credentials, Digest, Error, ImageOptions, ImageReference, ImageWriter, ModelFile, ModelImage,
    PlainHttp, Platform, PublishedImage, Registries, RegistrySettings, Result, RetryPolicy, UnpackLimits,
};

use crate::fake_registry::FakeRegistry;

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Small parts and short pauses.
pub(crate) fn settings() -> RegistrySettings {
    RegistrySettings {
        retries: RetryPolicy { retries: 4, first_wait: Duration::from_millis(1), ..RetryPolicy::default() },
        stall_limit: Duration::from_secs(20),
        part_size: 1000,
        certificate_directories: Vec::new(),
        ..RegistrySettings::default()
    }
}

pub(crate) fn plain() -> RegistrySettings {
    RegistrySettings { plain_http: PlainHttp::All, ..settings() }
}

pub(crate) fn anonymous() -> Registries {
    Registries::new(plain(), CredentialStore::none())
}

pub(crate) fn with_password(user: &str, password: &str) -> CredentialStore {
    let credentials = Credentials::Basic { user: user.to_owned(), password: password.to_owned() };
    CredentialStore::none().with(None, credentials)
}

pub(crate) fn reference(registry: &FakeRegistry, rest: &str) -> ImageReference {
    format!("oci://{}/{rest}", registry.host()).parse().unwrap()
}

pub(crate) fn files(list: &[(&str, usize)]) -> Files {
    let content = |path: &str, size: usize| {
        let seed = path.len();
        (0..size).map(|at| u8::try_from((at * 7 + at / 256 + seed) % 256).unwrap()).collect()
    };
    list.iter().map(|(path, size)| ((*path).to_owned(), content(path, *size))).collect()
}

pub(crate) fn model_files(files: &Files) -> Vec<ModelFile> {
    files.iter().map(|(path, content)| ModelFile { path: path.clone(), size: content.len() as u64 }).collect()
}

pub(crate) async fn push(
    registries: &Registries,
    target: &ImageReference,
    files: &Files,
    options: ImageOptions,
) -> Result<PublishedImage> {
    let image = ImageWriter::begin(registries, target, model_files(files), options).await?;
    // Backwards: the order in which files arrive does not matter.
    for (number, content) in files.values().enumerate().rev() {
        let mut file = image.file(number).await?;
        for chunk in content.chunks(700) {
            file.write(vec![Bytes::copy_from_slice(chunk)]).await?;
        }
        file.finish(Some(Digest::of(content))).await?;
    }
    image.publish().await
}

pub(crate) async fn pull(registries: &Registries, image: &ImageReference) -> Result<Files> {
    let platform = Platform::parse("linux/amd64")?;
    let image = ModelImage::open(registries, image, &platform, UnpackLimits::default()).await?;
    let mut found = Files::new();
    for file in image.files() {
        let chunks: Vec<Bytes> = image.read(file, 0..file.size).try_collect().await?;
        let content = chunks.concat();
        // In two parts as well.
        let middle = file.size / 2;
        let first: Vec<Bytes> = image.read(file, 0..middle).try_collect().await?;
        let second: Vec<Bytes> = image.read(file, middle..u64::MAX).try_collect().await?;
        assert_eq!([first.concat(), second.concat()].concat(), content, "{}", file.path);
        if let Some(expected) = file.digest.clone() {
            let found = Digest::of(&content);
            if found != expected {
                return Err(Error::DigestMismatch { what: file.path.clone(), expected, found });
            }
        }
        found.insert(file.path.clone(), content);
    }
    Ok(found)
}

//! A repository of a registry: its manifests, blobs, tags and referrers.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tokio::sync::Mutex;
use url::Url;

use crate::blob_stream::BlobStream;
use crate::credentials::CredentialStore;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result, is_temporary};
use crate::manifest::{Descriptor, LARGEST_MANIFEST, RawManifest, media_type};
use crate::reference::ImageReference;
use crate::settings::RegistrySettings;
use crate::token::Authenticator;
use crate::transport::{Progress, Transport, read_limited, requested_wait};

pub(crate) const DIGEST_HEADER: &str = "docker-content-digest";

/// Registries, with the settings and credentials for all of them. Clones share the connections.
#[derive(Clone)]
pub struct Registries(Arc<Shared>);

struct Shared {
    settings: Arc<RegistrySettings>,
    credentials: CredentialStore,
    /// By registry, and by repository where credentials may depend on it.
    known: Mutex<HashMap<String, Arc<Registry>>>,
}

/// One registry, with the credentials for it.
pub(crate) struct Registry {
    pub(crate) transport: Transport,
    authenticator: Authenticator,
}

impl Registries {
    pub fn new(settings: RegistrySettings, credentials: CredentialStore) -> Self {
        Self(Arc::new(Shared { settings: Arc::new(settings), credentials, known: Mutex::default() }))
    }

    /// The repository of an image. Connects to nothing, but may run a credential helper.
    pub async fn repository(&self, image: &ImageReference) -> Result<Repository> {
        let key = format!("{}/{}", image.registry(), image.repository());
        let mut known = self.0.known.lock().await;
        let registry = if let Some(registry) = known.get(&key) {
            Arc::clone(registry)
        } else {
            let credentials = self.0.credentials.find(image).await?;
            let transport = Transport::new(image, &self.0.settings)?;
            let registry = Arc::new(Registry { transport, authenticator: Authenticator::new(credentials) });
            known.insert(key, Arc::clone(&registry));
            registry
        };
        Ok(Repository { registry, name: image.repository().to_owned() })
    }
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registries").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// What a request does, which decides about the token for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// A repository. Clones share the connections.
#[derive(Clone)]
pub struct Repository {
    pub(crate) registry: Arc<Registry>,
    name: String,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Repository").field(&format!("{}/{}", self.registry(), self.name)).finish()
    }
}

impl Repository {
    pub fn registry(&self) -> &str {
        self.registry.transport.registry()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Fetches a manifest or an index by tag or digest, and verifies its digest.
    pub async fn manifest(&self, reference: &str) -> Result<RawManifest> {
        let what = format!("the manifest {}:{reference}", self.name);
        let url = self.manifest_url(reference);
        let accepted = media_type::ACCEPTED.join(", ");
        let build = |http: &reqwest::Client| http.get(url.clone()).header(ACCEPT, &accepted);
        let response = self.request(Access::Pull, &what, build).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let announced = header(DIGEST_HEADER);
        let bytes = read_limited(&self.registry.transport, response, &what, LARGEST_MANIFEST).await?;
        // By digest, the caller decides what is expected; by tag, the registry does.
        let expected = match reference.parse::<Digest>() {
            Ok(digest) => Some(digest),
            Err(_) => announced.and_then(|digest| digest.parse::<Digest>().ok()),
        };
        let digest = match expected {
            Some(expected) => {
                let mut hasher = Hasher::new(expected.algorithm());
                hasher.update(&bytes);
                let found = hasher.finish();
                if found != expected {
                    return Err(Error::DigestMismatch { what, expected, found });
                }
                found
            }
            None => Digest::of(&bytes),
        };
        let media_type = media_type_of(&content_type, &bytes);
        Ok(RawManifest { media_type, digest, bytes })
    }

    /// The digest that a tag points to; `None` if the tag does not exist.
    pub async fn resolve_tag(&self, tag: &str) -> Result<Option<Digest>> {
        match self.manifest(tag).await {
            Ok(manifest) => Ok(Some(manifest.digest)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a manifest or an index under a tag or its digest.
    pub async fn put_manifest(&self, reference: &str, media_type: &str, bytes: &[u8]) -> Result<PutManifest> {
        let what = format!("the manifest {}:{reference}", self.name);
        let url = self.manifest_url(reference);
        let build =
            |http: &reqwest::Client| http.put(url.clone()).header(CONTENT_TYPE, media_type).body(bytes.to_vec());
        let response = self.request(Access::Push, &what, build).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let digest = Digest::of(bytes);
        if let Some(found) = header(DIGEST_HEADER).and_then(|found| found.parse::<Digest>().ok())
            && found.algorithm() == digest.algorithm()
            && found != digest
        {
            return Err(Error::DigestMismatch { what, expected: digest, found });
        }
        let registry_links_subject = header("oci-subject").is_some();
        Ok(PutManifest { digest, registry_links_subject })
    }

    /// The size of a blob; `None` if the repository does not have it.
    pub async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>> {
        let what = format!("the blob {digest} of {}", self.name);
        let url = self.blob_url(digest);
        let build = |http: &reqwest::Client| http.head(url.clone());
        let response = self.send(Access::Pull, &what, build).await?;
        match response.status() {
            StatusCode::OK => {
                let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
                Ok(Some(length.and_then(|length| length.parse().ok()).unwrap_or_default()))
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(&what, response).await),
        }
    }

    /// Opens a blob: all of it, with its digest verified at the end.
    pub fn blob(&self, descriptor: &Descriptor) -> BlobStream {
        BlobStream::new(self.clone(), descriptor.clone(), 0..descriptor.size)
    }

    /// Opens a part of a blob, whose digest cannot be verified.
    pub fn blob_range(&self, descriptor: &Descriptor, range: std::ops::Range<u64>) -> BlobStream {
        BlobStream::new(self.clone(), descriptor.clone(), range)
    }

    /// Reads a small blob whole, and verifies it.
    pub async fn read_blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>> {
        if descriptor.size > limit {
            return Err(Error::TooLarge { what: format!("the blob {} of {}", descriptor.digest, self.name), limit });
        }
        let mut stream = self.blob(descriptor);
        let mut bytes = Vec::with_capacity(usize::try_from(descriptor.size).unwrap_or_default());
        while let Some(chunk) = stream.next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Makes a blob of another repository of the same registry available here, without moving its bytes. Returns whether the
    /// registry did so; otherwise nothing has changed.
    pub async fn mount(&self, digest: &Digest, from: &Self) -> Result<bool> {
        if from.registry() != self.registry() {
            return Ok(false);
        }
        let what = format!("the blob {digest} of {}", self.name);
        let mut url = self.registry.transport.url(&format!("{}/blobs/uploads/", self.name));
        url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", &from.name);
        // The token has to permit reading the other repository as well.
        let scope = format!("{} {}", self.scope(Access::Push), from.scope(Access::Pull));
        let build = |http: &reqwest::Client| http.post(url.clone()).header(CONTENT_LENGTH, 0);
        let response = match self.send_with_scope(&scope, &what, build).await {
            Ok(response) => response,
            // Without permission for the other repository the bytes are copied.
            Err(Error::Unauthorized { .. } | Error::Denied { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        match response.status() {
            StatusCode::CREATED => Ok(true),
            StatusCode::ACCEPTED => {
                // The registry has begun an upload instead, which is not used.
                if let Some(location) = location(&response)
                    && let Ok(url) = self.registry.transport.resolve(&location)
                {
                    self.cancel_upload(&url).await;
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Cancels an upload at the registry. It expires anyway, so a failure is not an error.
    pub(crate) async fn cancel_upload(&self, url: &Url) {
        let request = self.authorized(Access::Push, url, self.registry.transport.http().delete(url.clone())).await;
        let Ok(request) = request else { return };
        let limit = self.registry.transport.settings().stall_limit;
        let sent = self.registry.transport.send("the end of an upload", request, &Progress::default(), limit).await;
        if let Err(error) = sent {
            tracing::debug!(registry = self.registry(), %error, "an upload could not be cancelled; it will expire");
        }
    }

    /// Sends a request, and makes an error of every response that is not a success.
    pub(crate) async fn request(
        &self,
        access: Access,
        what: &str,
        build: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response> {
        let response = self.send(access, what, build).await?;
        if response.status().is_success() { Ok(response) } else { Err(self.refused(what, response).await) }
    }

    /// Sends a request, repeating it after failures that may pass, and authenticates it if the registry requires that.
    pub(crate) async fn send(
        &self,
        access: Access,
        what: &str,
        build: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response> {
        self.send_with_scope(&self.scope(access), what, build).await
    }

    async fn send_with_scope(
        &self,
        scope: &str,
        what: &str,
        build: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response> {
        let transport = &self.registry.transport;
        let authenticator = &self.registry.authenticator;
        let (mut failed, mut has_learned) = (0, false);
        loop {
            let header = authenticator.header(transport, scope).await?;
            let request = build(transport.http());
            let request = match header {
                Some(header) => request.header(AUTHORIZATION, header),
                None => request,
            };
            let (client, request) = request.build_split();
            let request = request.map_err(|error| transport.unreachable(error))?;
            let settings = transport.settings();
            // Some registries read a blob whole before they accept it.
            let limit = if request.method() == Method::PUT { settings.commit_limit } else { settings.stall_limit };
            let request = RequestBuilder::from_parts(client, request);
            let outcome = transport.send(what, request, &Progress::default(), limit).await;
            let (error, requested) = match outcome {
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                    if !has_learned && authenticator.learn(response.headers(), scope) {
                        has_learned = true;
                        continue;
                    }
                    return Err(self.refused(what, response).await);
                }
                Ok(response) if is_temporary(response.status().as_u16()) => {
                    let requested = requested_wait(&response);
                    (self.refused(what, response).await, requested)
                }
                Ok(response) => return Ok(response),
                Err(error) => (error, None),
            };
            failed += 1;
            transport.back_off(failed, error, requested).await?;
        }
    }

    /// A request with the credentials for it, unless it goes to another host.
    pub(crate) async fn authorized(
        &self,
        access: Access,
        url: &Url,
        request: RequestBuilder,
    ) -> Result<RequestBuilder> {
        let transport = &self.registry.transport;
        if !transport.is_own(url) {
            return Ok(request);
        }
        Ok(match self.registry.authenticator.header(transport, &self.scope(access)).await? {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        })
    }

    /// Forgets a token that was not accepted. Returns whether another attempt makes sense.
    pub(crate) fn learn(&self, access: Access, response: &Response) -> bool {
        self.registry.authenticator.learn(response.headers(), &self.scope(access))
    }

    pub(crate) async fn refused(&self, what: &str, response: Response) -> Error {
        self.registry.transport.refused(what, response, self.registry.authenticator.credentials()).await
    }

    pub(crate) fn blob_url(&self, digest: &Digest) -> Url {
        self.registry.transport.url(&format!("{}/blobs/{digest}", self.name))
    }

    pub(crate) fn uploads_url(&self) -> Url {
        self.registry.transport.url(&format!("{}/blobs/uploads/", self.name))
    }

    fn manifest_url(&self, reference: &str) -> Url {
        self.registry.transport.url(&format!("{}/manifests/{reference}", self.name))
    }

    /// The URL of the referrers of a manifest.
    pub(crate) fn referrers_url(&self, digest: &Digest) -> Url {
        self.registry.transport.url(&format!("{}/referrers/{digest}", self.name))
    }

    fn scope(&self, access: Access) -> String {
        let actions = match access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        format!("repository:{}:{actions}", self.name)
    }
}

/// A stored manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutManifest {
    pub digest: Digest,
    /// Whether the registry lists the manifest as a referrer of its subject by itself.
    pub registry_links_subject: bool,
}

pub(crate) fn location(response: &Response) -> Option<String> {
    Some(response.headers().get(LOCATION)?.to_str().ok()?.to_owned())
}

/// The type in the header, or in the manifest where a registry sends none that is useful.
fn media_type_of(content_type: &str, bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type::ACCEPTED.contains(&content_type) {
        return content_type.to_owned();
    }
    match serde_json::from_slice::<Typed>(bytes) {
        Ok(Typed { media_type: Some(media_type), .. }) => media_type,
        Ok(Typed { manifests: Some(_), .. }) => media_type::INDEX.to_owned(),
        Ok(_) if content_type.is_empty() || content_type == "application/json" => media_type::MANIFEST.to_owned(),
        _ => content_type.to_owned(),
    }
}

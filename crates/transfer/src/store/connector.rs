//! Connections to object stores that wait as long as a busy store requests.
//!
//! `object_store` repeats failed requests with a back-off, but does not read `Retry-After`. So the response is handed over only
//! after the requested pause.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::AUTHORIZATION;
use model_registry_base::{RefusedAddress, parse_duration};
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, Error};

use crate::events::{Event, SharedObserver};
use crate::network::Network;
use crate::retry::{Retry, requested_pause};

/// Time limit for a connection, except to the server that issues the credentials of a machine: `object_store` waits less for it.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// Time without any byte.
const SILENCE: Duration = Duration::from_mins(1);

pub(super) struct PatientConnector {
    pub(super) network: Network,
    pub(super) retry: Retry,
    pub(super) observer: SharedObserver,
}

impl std::fmt::Debug for PatientConnector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PatientConnector")
    }
}

impl HttpConnector for PatientConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Generic { store: "client", source };
        let inner = self.client(options).map_err(failed)?;
        Ok(HttpClient::new(PatientService { inner, retry: self.retry, observer: Arc::clone(&self.observer) }))
    }
}

impl PatientConnector {
    /// The client that `object_store` would make of the options that it sets itself, with the rules for addresses and redirects.
    fn client(&self, options: &ClientOptions) -> Result<HttpClient, Box<dyn std::error::Error + Send + Sync>> {
        let option = |key| options.get_config_value(&key);
        let allows_http = option(ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let connect = option(ClientConfigKey::ConnectTimeout).and_then(|value| parse_duration(&value).ok());
        let client = reqwest::Client::builder()
            .user_agent(concat!("model-registry/", env!("CARGO_PKG_VERSION")))
            .https_only(!allows_http)
            .http1_only()
            .connect_timeout(connect.unwrap_or(CONNECT))
            .read_timeout(SILENCE)
            // Compressed responses would have another length than the objects.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        Ok(HttpClient::new(self.network.apply(client)?.build()?))
    }
}

struct PatientService {
    inner: HttpClient,
    retry: Retry,
    observer: SharedObserver,
}

impl std::fmt::Debug for PatientService {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PatientService")
    }
}

impl HttpService for PatientService {
    // Written out instead of with the macro of the trait.
    fn call<'service, 'future>(
        &'service self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'future>>
    where
        'service: 'future,
        Self: 'future,
    {
        Box::pin(self.respond(request))
    }
}

impl PatientService {
    async fn respond(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // An anonymous client of Google signs writes with an empty token.
        if request.headers().get(AUTHORIZATION).is_some_and(|value| value.as_bytes().trim_ascii() == b"Bearer") {
            request.headers_mut().remove(AUTHORIZATION);
        }
        let host = request.uri().host().unwrap_or_default().to_owned();
        let response = self.inner.execute(request).await.map_err(not_repeated)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let requested = requested_pause(response.headers()).filter(|pause| *pause <= self.retry.longest_requested);
            let pause = requested.unwrap_or_default();
            self.observer.on(&Event::Retry { at: host, reason: format!("the store responded {status}"), pause });
            tokio::time::sleep(pause).await;
        }
        Ok(response)
    }
}

/// A refused address stays refused: repeating the request would only take time.
fn not_repeated(error: HttpError) -> HttpError {
    match RefusedAddress::of(&error) {
        Some(refused) => HttpError::new(HttpErrorKind::Unknown, refused.clone()),
        None => error,
    }
}

//! Connections to object stores that wait as long as a busy store requests.
//!
//! object_store repeats failed requests with a back-off, but does not read `Retry-After`. So the response is handed over only
//! after the requested pause.

use std::pin::Pin;
use std::sync::Arc;

use http::StatusCode;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};

use crate::events::{Event, SharedObserver};
use crate::retry::{Retry, requested_pause};

pub(super) struct PatientConnector {
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
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(PatientService { inner, retry: self.retry, observer: Arc::clone(&self.observer) }))
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
    async fn respond(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let response = self.inner.execute(request).await?;
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

//! The extractor of all handlers (context, query, headers, caller), and how handlers run writes.

use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use http::header::{HeaderMap, HeaderName};
use http::request::Parts;
use http::{Method, Uri};
use model_registry_api::{ApiVersion, Kind};
use model_registry_server::auth::{Caller, CallerRights, Right};
use model_registry_server::{ApiError, Preconditions, Query};
use model_registry_store::{Author, IdempotencyKey, Store, UnitOfWork};

use super::Context;
use crate::response::EntityResponse;
use crate::rules::{Idempotent, RuleError};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_KEY_LIMIT: usize = 255;

/// A request without its path parameter and body.
pub(crate) struct Request {
    pub(super) context: Context,
    pub(super) query: Query,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    caller: Option<Caller>,
    rights: Option<CallerRights>,
}

impl FromRequestParts<Context> for Request {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, ApiError> {
        Ok(Self {
            context: context.clone(),
            query: Query::from_request_parts(parts, context).await?,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            caller: parts.extensions.get::<Caller>().cloned(),
            rights: parts.extensions.get::<CallerRights>().cloned(),
            headers: std::mem::take(&mut parts.headers),
        })
    }
}

/// The parameter of a path, percent-decoded.
pub(crate) struct PathParameter(pub(super) String);

impl FromRequestParts<Context> for PathParameter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, context).await;
        path.map(|Path(value)| Self(value)).map_err(|rejection| ApiError::Invalid(rejection.body_text()))
    }
}

impl Request {
    pub(super) fn store(&self) -> &Store {
        &self.context.registry.store
    }

    /// Fails with 403 if the caller lacks a right that the path alone does not require.
    pub(super) fn require(&self, right: Right) -> Result<(), ApiError> {
        match &self.rights {
            Some(rights) => rights.require(right),
            None => Err(ApiError::Forbidden(format!("the right `{}` is required", right.name()))),
        }
    }

    pub(super) fn preconditions(&self) -> Preconditions {
        Preconditions::of(&self.headers)
    }

    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The caller and the current time, for the change feed.
    pub(super) fn author(&self) -> Author {
        Author {
            actor: self.caller.as_ref().map(|caller| caller.user.clone()),
            time: self.context.registry.store.clock().now(),
        }
    }

    /// Runs the transaction of a POST, under the Idempotency-Key of the request if it has one.
    pub(super) async fn create<O>(&self, body: &[u8], operation: O) -> Result<Response, ApiError>
    where
        O: UnitOfWork<Output = EntityResponse, Error = RuleError>,
    {
        let store = &self.context.registry.store;
        let response = match self.idempotency_key(body)? {
            Some(key) => store.write(&Idempotent::new(operation, key, store.clock().clone())).await?,
            None => store.write(&operation).await?,
        };
        Ok(response.into_response())
    }

    /// Runs the transaction of a PATCH.
    pub(super) async fn update<O>(&self, operation: O) -> Result<Response, ApiError>
    where
        O: UnitOfWork<Output = EntityResponse, Error = RuleError>,
    {
        Ok(self.context.registry.store.write(&operation).await?.into_response())
    }

    fn idempotency_key(&self, body: &[u8]) -> Result<Option<IdempotencyKey>, ApiError> {
        let Some(value) = self.headers.get(&IDEMPOTENCY_KEY) else { return Ok(None) };
        let key = value.to_str().unwrap_or_default();
        let is_printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_LIMIT || !is_printable {
            return Err(ApiError::Invalid(format!(
                "the Idempotency-Key has to have 1 to {IDEMPOTENCY_KEY_LIMIT} printable ASCII characters"
            )));
        }
        let caller = self.caller.as_ref().map(|caller| caller.user.as_str());
        Ok(Some(IdempotencyKey::new(caller, key, self.method.as_str(), self.uri.path(), body)))
    }
}

/// Parses an id of a path or query.
pub(super) fn parse_id(what: &str, value: &str) -> Result<i64, ApiError> {
    model_registry_api::parse_id(value).ok_or_else(|| {
        ApiError::Invalid(format!(
            "invalid {what} ID: `{value}` is not a 64-bit integer without leading zeros or plus sign"
        ))
    })
}

/// The id in the path of an entity of this kind.
pub(super) fn path_id(version: ApiVersion, kind: Kind, PathParameter(value): &PathParameter) -> Result<i64, ApiError> {
    if value.is_empty() {
        // parity: the message of the Kubeflow Model Registry, with its name of the path parameter.
        let name = kind.spec().id_parameter(version);
        return Err(ApiError::Unprocessable(format!("required field '{name}' is zero value.")));
    }
    parse_id(kind.spec().label, value)
}

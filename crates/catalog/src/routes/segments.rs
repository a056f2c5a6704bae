//! The variable parts of a path, decoded; what is no text is refused as every other mistake is.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use model_registry_server::ApiError;
use serde::de::DeserializeOwned;

pub(super) struct Segments<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(segments)| Self(segments)).map_err(|rejection| ApiError::Invalid(rejection.body_text()))
    }
}

//! The decoded parameters of a path.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use model_registry_server::ApiError;
use serde::de::DeserializeOwned;

/// Like [`Path`], but a parameter that is not valid UTF-8 is an [`ApiError`].
pub(super) struct PathParameters<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(parameters)| Self(parameters)).map_err(|rejection| ApiError::Invalid(rejection.body_text()))
    }
}

//! The gate before a model version is served.

use model_registry_server::ApiError;
use model_registry_store::Document;
use serde_json::Value;

use super::apply::custom_text;

/// Refuses versions whose custom properties say that their hub asks for credentials, which serving does not have.
///
/// Texts and booleans count alike; the reference looks at texts only (registry-server 8.1, 26).
pub(super) fn check_can_be_served(version: &Document) -> Result<(), ApiError> {
    let properties = version.0.get("customProperties").and_then(Value::as_object);
    let gated = custom_text(properties, "hf_gated");
    if gated.is_some_and(|gated| !matches!(gated.as_str(), "" | "false")) {
        return Err(ApiError::Invalid(
            "cannot deploy gated HuggingFace model: authentication not yet supported (model requires approval or \
             authentication)"
                .to_owned(),
        ));
    }
    if custom_text(properties, "hf_private").as_deref() == Some("true") {
        return Err(ApiError::Invalid(
            "cannot deploy private HuggingFace model: authentication not yet supported".to_owned(),
        ));
    }
    Ok(())
}

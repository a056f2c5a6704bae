//! Refuses to serve model versions whose hub requires credentials.

use model_registry_api::CustomProperty;
use model_registry_server::ApiError;
use model_registry_store::Document;

/// Refuses versions whose custom properties mark them as gated or private on Hugging Face: serving has no credentials.
///
/// A boolean counts like the string of the same spelling; the Kubeflow Model Registry reads strings only (parity).
pub(super) fn check_hub_access(version: &Document) -> Result<(), ApiError> {
    let is_gated = match CustomProperty::of(&version.0, "hf_gated") {
        Some(CustomProperty::String(gated)) => !matches!(gated, "" | "false"),
        Some(CustomProperty::Bool(gated)) => gated,
        _ => false,
    };
    if is_gated {
        return Err(ApiError::Invalid(
            "cannot deploy gated HuggingFace model: authentication not yet supported (model requires approval or \
             authentication)"
                .to_owned(),
        ));
    }
    let is_private = matches!(
        CustomProperty::of(&version.0, "hf_private"),
        Some(CustomProperty::String("true") | CustomProperty::Bool(true))
    );
    if is_private {
        return Err(ApiError::Invalid(
            "cannot deploy private HuggingFace model: authentication not yet supported".to_owned(),
        ));
    }
    Ok(())
}

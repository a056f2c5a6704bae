//! Whether and with which programs files and image are signed.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model_registry_base::{Environment, files};
use serde::Deserialize;

use super::super::credentials::expanded;
use super::super::mistakes::Mistakes;
use super::super::options::{Values, option_name};
use super::registry::PIPELINE_TOKEN;
use super::{Places, boolean};

/// The services of a signing. Signing is on if all of them are set.
const SERVICES: [&str; 3] = ["SIGSTORE_TUF_URL", "SIGSTORE_FULCIO_URL", "SIGSTORE_REKOR_URL"];

/// How files and image are signed.
#[derive(Clone)]
pub(crate) struct Signing {
    pub(crate) model_signer: PathBuf,
    /// Only for images.
    pub(crate) image_signer: Option<PathBuf>,
    pub(crate) token: String,
    pub(crate) identity: String,
    pub(crate) issuer: String,
    pub(crate) tuf_url: Option<String>,
    pub(crate) fulcio_url: Option<String>,
    pub(crate) rekor_url: Option<String>,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signing").field("identity", &self.identity).finish_non_exhaustive()
    }
}

pub(super) fn read(
    values: &Values,
    environment: &Environment,
    places: &Places,
    is_image: bool,
    mistakes: &mut Mistakes,
    notes: &mut Vec<String>,
) -> Option<Signing> {
    if !is_enabled(values, environment, mistakes, notes) {
        return None;
    }
    let model_signer = program(values, "model-signer", environment, mistakes);
    let image_signer = if is_image { Some(program(values, "image-signer", environment, mistakes)) } else { None };
    let identity = identity(values, environment, places, mistakes);
    let service = |name: &str| environment.get(name).map(|url| url.trim_end_matches('/').to_owned());
    let (identity, issuer, token) = identity?;
    Some(Signing {
        model_signer: model_signer?,
        image_signer: match image_signer {
            Some(found) => Some(found?),
            None => None,
        },
        token,
        identity,
        issuer,
        tuf_url: service(SERVICES[0]),
        fulcio_url: service(SERVICES[1]),
        rekor_url: service(SERVICES[2]),
    })
}

fn is_enabled(values: &Values, environment: &Environment, mistakes: &mut Mistakes, notes: &mut Vec<String>) -> bool {
    if values.raw("sign").is_some() {
        let is_enabled = boolean(values, "sign", mistakes).unwrap_or(false);
        notes.push(format!("Signing explicitly {}.", if is_enabled { "enabled" } else { "disabled" }));
        return is_enabled;
    }
    let mut missing: Vec<&str> = SERVICES.into_iter().filter(|name| environment.get(name).is_none()).collect();
    missing.sort_unstable();
    let is_enabled = missing.is_empty();
    notes.push(match missing.len() {
        0 => "Signing enabled, all SIGSTORE env vars are set.".to_owned(),
        count if count == SERVICES.len() => "Signing disabled, no SIGSTORE env vars are set.".to_owned(),
        _ => format!("Signing disabled, incomplete SIGSTORE configuration, missing: {}.", missing.join(", ")),
    });
    is_enabled
}

/// A program by its path or its name. Without one, nothing is signed, so that the job is refused.
fn program(
    values: &Values,
    option: &'static str,
    environment: &Environment,
    mistakes: &mut Mistakes,
) -> Option<PathBuf> {
    let name = values.get(option)?;
    let directories = if name.contains('/') { "" } else { environment.get("PATH").unwrap_or_default() };
    let candidates = std::env::split_paths(directories).map(|directory| directory.join(name));
    let own = name.contains('/').then(|| PathBuf::from(name));
    let found = own.into_iter().chain(candidates).find(|path| is_program(path));
    if found.is_none() {
        mistakes.add(
            values.origin(option),
            format!("signing is enabled, but there is no program `{name}`: install it, or set --sign=false"),
        );
    }
    found
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    files::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// What an identity token says about its holder.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    email: Option<String>,
}

/// Identity, issuer and token.
fn identity(
    values: &Values,
    environment: &Environment,
    places: &Places,
    mistakes: &mut Mistakes,
) -> Option<(String, String, String)> {
    let option = "signing-identity-token-path";
    let path = match (values.get(option), environment.get(PIPELINE_TOKEN)) {
        (Some(path), _) => expanded(path),
        (None, Some(path)) => PathBuf::from(path),
        (None, None) => places.service_account_token.clone(),
    };
    let text = files::read_text(&path, files::LARGEST_SETTINGS)
        .map_err(|error| format!("signing needs an identity token: cannot read {}: {error}", path.display()));
    let token = mistakes.take(&option_name(option), text)?.trim().to_owned();
    let claims = token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    let claims: Option<Claims> = claims.and_then(|payload| serde_json::from_slice(&payload).ok());
    let found = claims.and_then(|claims| {
        let subject = claims.sub.as_deref().map(subject_url);
        Some((claims.email.or(subject)?, claims.iss?))
    });
    let found = found.ok_or(format!("{} is not a token (JWT) with `iss`, and `sub` or `email`", path.display()));
    let (identity, issuer) = mistakes.take(&option_name(option), found)?;
    Some((identity, issuer, token))
}

/// A service account is named by a URL in certificates.
fn subject_url(subject: &str) -> String {
    let account = subject.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    account.map_or_else(
        || subject.to_owned(),
        |(namespace, name)| format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_is_named_by_a_url() {
        assert_eq!(
            subject_url("system:serviceaccount:team-a:uploader"),
            "https://kubernetes.io/namespaces/team-a/serviceaccounts/uploader"
        );
        assert_eq!(subject_url("ada"), "ada");
    }
}

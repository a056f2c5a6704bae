//! The identity of a job: the same for each of its pods, so that a restarted one continues what another has begun.

use std::path::Path;

use model_registry_base::{Environment, files};
use model_registry_transfer::Sha256;

use super::settings::{Destination, Settings};

const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/// Length of what Kubernetes appends to the name of a job for each pod.
const SUFFIX: usize = 5;

/// A text that is equal for runs of the same job and different for others: of the names of namespace and job, and of what the job does.
pub(super) fn key(settings: &Settings, environment: &Environment) -> String {
    let namespace = files::read_text(Path::new(NAMESPACE), files::LARGEST_SETTINGS).unwrap_or_default();
    let job = job_name(environment.get("HOSTNAME").unwrap_or_default());
    key_of(namespace.trim(), job, settings)
}

fn key_of(namespace: &str, job: &str, settings: &Settings) -> String {
    let destination = match &settings.destination {
        Destination::Image { uri, .. } => uri.clone(),
        Destination::Objects { location, .. } => location.to_string(),
    };
    let name = |fields: &Option<super::metadata::Fields>| {
        fields.as_ref().and_then(|fields| fields.get("name")).unwrap_or_default()
    };
    let parts = [
        namespace.to_owned(),
        job.to_owned(),
        settings.intent.name().to_owned(),
        settings.model_id.clone().unwrap_or_default(),
        name(&settings.metadata.registered_model),
        name(&settings.metadata.model_version),
        settings.source.location.to_string(),
        destination,
    ];
    Sha256::of(parts.join("\0").as_bytes()).to_string()[..32].to_owned()
}

/// The name of the job in the name of its pod: `upload-x7k2p` belongs to `upload`.
fn job_name(pod: &str) -> &str {
    let is_suffix = |text: &str| {
        text.len() == SUFFIX && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    match pod.rsplit_once('-') {
        Some((job, suffix)) if is_suffix(suffix) => job,
        _ => pod,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pods_of_a_job_have_its_name() {
        assert_eq!(job_name("my-upload-x7k2p"), "my-upload");
        assert_eq!(job_name("my-upload-9zzzz"), "my-upload");
        assert_eq!(job_name("my-upload"), "my-upload");
        assert_eq!(job_name("laptop"), "laptop");
    }
}

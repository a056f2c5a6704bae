//! Files with credentials, as secrets are mounted. They win over arguments and variables.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model_registry_base::files;
use serde_json::json;

use super::mistakes::Mistakes;
use super::options::Values;

/// The options of S3 in a directory of files, with the names of the files; the first that exists counts.
const S3_FILES: [(&str, &[&str]); 5] = [
    ("aws-access-key-id", &["AWS_ACCESS_KEY_ID"]),
    ("aws-secret-access-key", &["AWS_SECRET_ACCESS_KEY"]),
    ("aws-region", &["AWS_REGION", "AWS_DEFAULT_REGION"]),
    ("aws-endpoint", &["AWS_ENDPOINT_URL", "AWS_S3_ENDPOINT"]),
    ("aws-bucket", &["AWS_BUCKET", "AWS_S3_BUCKET"]),
];

/// The ends of the transfer, whose options have the same names but for the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Destination,
}

impl End {
    /// The full name of an option of this end.
    pub(super) fn option(self, name: &str) -> &'static str {
        let beginning = match self {
            Self::Source => "source",
            Self::Destination => "destination",
        };
        let found = super::options::OPTIONS.iter().map(|option| option.name).find(|option| {
            option.strip_prefix(beginning).and_then(|rest| rest.strip_prefix('-')).is_some_and(|rest| rest == name)
        });
        found.unwrap_or_else(|| unreachable!("{beginning}-{name} is declared"))
    }
}

/// Takes the values of the files in a directory of S3 credentials.
pub(super) fn apply_s3(end: End, values: &mut Values, mistakes: &mut Mistakes) -> Vec<String> {
    let mut notes = Vec::new();
    let option = end.option("s3-credentials-path");
    let Some(directory) = values.get(option).map(expanded) else { return notes };
    if !files::is_directory(&directory) {
        mistakes.add(values.origin(option), format!("credentials folder not found: {}", directory.display()));
        return notes;
    }
    for (name, candidates) in S3_FILES {
        let mut found = None;
        for file in candidates.iter().map(|name| directory.join(name)) {
            match files::read_text(&file, files::LARGEST_SETTINGS) {
                Ok(text) => {
                    found = Some((text, file));
                    break;
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => mistakes.add(values.origin(option), format!("cannot read {}: {error}", file.display())),
            }
        }
        match found {
            // Without the line end that editors add: a key or a URL has none.
            Some((text, file)) => values.set(end.option(name), text.trim().to_owned(), file.display().to_string()),
            None => notes.push(format!("{} has no file {}", directory.display(), candidates.join(" or "))),
        }
    }
    notes
}

/// Takes the location in a directory of a URI secret.
pub(super) fn apply_uri(values: &mut Values, mistakes: &mut Mistakes) {
    let option = "source-uri-credentials-path";
    let Some(directory) = values.get(option).map(expanded) else { return };
    if !files::is_directory(&directory) {
        mistakes.add(values.origin(option), format!("credentials folder not found: {}", directory.display()));
        return;
    }
    let file = directory.join("URI");
    match files::read_text(&file, files::LARGEST_SETTINGS) {
        Ok(text) => values.set("source-uri", text.trim().to_owned(), file.display().to_string()),
        Err(error) if error.is_not_found() => {
            mistakes.add(values.origin(option), format!("URI credential file not found: {}", file.display()));
        }
        Err(error) => mistakes.add(values.origin(option), format!("cannot read {}: {error}", file.display())),
    }
}

/// How registries of images are logged in to.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct ImageCredentials {
    /// A docker configuration that is used as it is.
    pub(super) file: Option<PathBuf>,
    /// The content of one.
    pub(super) content: Option<String>,
}

/// The credentials of one end: the variable `.dockerconfigjson`, else the file, else user and password.
pub(super) fn images(
    end: End,
    values: &Values,
    docker_config: Option<&str>,
    repository: Option<&str>,
    mistakes: &mut Mistakes,
) -> ImageCredentials {
    let mut credentials = ImageCredentials::default();
    let option = end.option("oci-credentials-path");
    let origin = values.origin(option);
    if let Some(path) = values.get(option) {
        match regular_file(path) {
            Ok(file) => match check_docker_config(&file) {
                Ok(()) => credentials.file = Some(file),
                Err(reason) => mistakes.add(&origin, reason),
            },
            Err(reason) => mistakes.add(&origin, reason),
        }
    }
    let (user, password) = (end.option("oci-username"), end.option("oci-password"));
    match (values.get(user), values.get(password)) {
        (Some(user), Some(password)) => {
            if credentials.file.is_none()
                && let Some(repository) = repository
            {
                let auth = STANDARD.encode(format!("{user}:{password}"));
                credentials.content = Some(json!({"auths": {repository: {"auth": auth}}}).to_string());
            }
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            let missing = if values.get(user).is_none() { user } else { password };
            mistakes.add(
                super::options::option_name(missing),
                "Both OCI username and password must be set together or both be None",
            );
        }
    }
    if let Some(content) = docker_config {
        return ImageCredentials { file: None, content: Some(content.to_owned()) };
    }
    credentials
}

/// The rules for the path of a docker configuration. Links are followed, because secrets are mounted as links.
fn regular_file(path: &str) -> Result<PathBuf, String> {
    if !path.starts_with('/') {
        return Err(format!("credentials_path must be an absolute path, got: {path}"));
    }
    let resolved = std::fs::canonicalize(path)
        .map_err(|_| format!("credentials_path does not exist or cannot be resolved: {path}"))?;
    let is_file = files::metadata(&resolved).is_ok_and(|metadata| metadata.is_file());
    if is_file { Ok(resolved) } else { Err(format!("credentials_path must be a regular file, got: {path}")) }
}

fn check_docker_config(file: &Path) -> Result<(), String> {
    let text = files::read_text(file, files::LARGEST_SETTINGS)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let config: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&text).ok();
    let is_usable = config
        .is_some_and(|config| ["auths", "credHelpers", "credsStore"].iter().any(|member| config.contains_key(*member)));
    if is_usable { Ok(()) } else { Err(format!("Invalid docker config file: {} has no `auths`", file.display())) }
}

/// `~/x` below the home directory.
pub(super) fn expanded(path: &str) -> PathBuf {
    let home = std::env::home_dir();
    match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(options: &[(&'static str, &str)]) -> Values {
        let mut values = Values::collect(|_| None, &model_registry_base::Environment::default());
        for (name, text) in options {
            values.set(name, (*text).to_owned(), super::super::options::option_name(name));
        }
        values
    }

    #[test]
    fn files_of_s3_win_and_are_trimmed() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("AWS_ACCESS_KEY_ID", "file-key\n");
        write("AWS_DEFAULT_REGION", "eu");
        write("AWS_S3_BUCKET", "models");
        let mut values = values(&[
            ("source-s3-credentials-path", directory.path().to_str().unwrap()),
            ("source-aws-access-key-id", "argument"),
            ("source-aws-secret-access-key", "kept"),
        ]);
        let mut mistakes = Mistakes::default();
        let notes = apply_s3(End::Source, &mut values, &mut mistakes);
        assert!(mistakes.is_empty(), "{mistakes}");
        assert_eq!(values.get("source-aws-access-key-id"), Some("file-key"));
        assert_eq!(values.get("source-aws-secret-access-key"), Some("kept"));
        assert_eq!(values.get("source-aws-region"), Some("eu"));
        assert_eq!(values.get("source-aws-bucket"), Some("models"));
        assert!(notes.iter().any(|note| note.ends_with("AWS_SECRET_ACCESS_KEY")), "{notes:?}");
    }

    #[test]
    fn a_path_of_credentials_that_cannot_be_used_is_refused_with_the_known_text() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, "{}").unwrap();
        for (given, expected) in [
            ("auth.json".to_owned(), "credentials_path must be an absolute path, got: auth.json"),
            ("/no/such/file".to_owned(), "credentials_path does not exist or cannot be resolved: /no/such/file"),
            (directory.path().display().to_string(), "credentials_path must be a regular file, got: "),
            (path.display().to_string(), "Invalid docker config file"),
        ] {
            let values = values(&[("destination-oci-credentials-path", &given)]);
            let mut mistakes = Mistakes::default();
            images(End::Destination, &values, None, None, &mut mistakes);
            assert_eq!(mistakes.0.len(), 1, "{mistakes}");
            assert!(mistakes.0[0].reason.starts_with(expected), "{mistakes}");
        }
    }

    #[test]
    fn user_and_password_belong_to_the_repository_only() {
        let values = values(&[("destination-oci-username", "me"), ("destination-oci-password", "secret")]);
        let mut mistakes = Mistakes::default();
        let found = images(End::Destination, &values, None, Some("quay.io/org/model"), &mut mistakes);
        assert_eq!(found.content.as_deref(), Some(r#"{"auths":{"quay.io/org/model":{"auth":"bWU6c2VjcmV0"}}}"#));
        let variable = images(End::Destination, &values, Some("{\"auths\":{}}"), Some("a/b"), &mut mistakes);
        assert_eq!(variable.content.as_deref(), Some("{\"auths\":{}}"));
        assert!(mistakes.is_empty());
        let half = self::values(&[("destination-oci-username", "me")]);
        images(End::Destination, &half, None, None, &mut mistakes);
        assert!(mistakes.0[0].option.starts_with("--destination-oci-password"), "{mistakes}");
    }

    #[test]
    fn a_uri_comes_from_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        let mut values = values(&[("source-uri-credentials-path", path), ("source-uri", "hf://a/argument")]);
        let mut mistakes = Mistakes::default();
        apply_uri(&mut values, &mut mistakes);
        assert!(mistakes.0[0].reason.starts_with("URI credential file not found"), "{mistakes}");
        std::fs::write(directory.path().join("URI"), " hf://a/file\n").unwrap();
        apply_uri(&mut values, &mut Mistakes::default());
        assert_eq!(values.get("source-uri"), Some("hf://a/file"));
    }
}

use super::*;

/// The environment of the sample job from S3 to an image.
fn sample(directory: &std::path::Path) -> Vec<(String, String)> {
    let source = directory.join("source");
    std::fs::create_dir_all(&source).unwrap();
    for (name, text) in [
        ("AWS_ACCESS_KEY_ID", "minioadmin"),
        ("AWS_SECRET_ACCESS_KEY", "minioadmin"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_S3_ENDPOINT", "http://minio.minio.svc.cluster.local:9000"),
        ("AWS_S3_BUCKET", "default"),
    ] {
        std::fs::write(source.join(name), text).unwrap();
    }
    let docker = directory.join(".dockerconfigjson");
    std::fs::write(&docker, r#"{"auths":{"registry.local:5001":{"auth":"","email":"user@example.com"}}}"#).unwrap();
    [
        ("HTTP_PROXY", ""),
        ("MODEL_SYNC_SOURCE_TYPE", "s3"),
        ("MODEL_SYNC_SOURCE_AWS_KEY", "my-model"),
        ("MODEL_SYNC_SOURCE_S3_CREDENTIALS_PATH", source.to_str().unwrap()),
        ("MODEL_SYNC_DESTINATION_TYPE", "oci"),
        ("MODEL_SYNC_DESTINATION_OCI_REGISTRY", "registry.local:5001"),
        ("MODEL_SYNC_DESTINATION_OCI_URI", "registry.local:5001/my-model-image:latest"),
        ("MODEL_SYNC_DESTINATION_OCI_CREDENTIALS_PATH", docker.to_str().unwrap()),
        ("MODEL_SYNC_DESTINATION_OCI_ENABLE_TLS_VERIFY", "false"),
        ("MODEL_SYNC_MODEL_UPLOAD_INTENT", "update_artifact"),
        ("MODEL_SYNC_MODEL_ID", "1"),
        ("MODEL_SYNC_MODEL_VERSION_ID", "2"),
        ("MODEL_SYNC_MODEL_ARTIFACT_ID", "6"),
        ("MODEL_SYNC_REGISTRY_SERVER_ADDRESS", "http://model-registry-service.kubeflow.svc.cluster.local"),
        ("MODEL_SYNC_REGISTRY_PORT", "8080"),
        ("MODEL_SYNC_REGISTRY_AUTHOR", "author"),
        ("MODEL_SYNC_REGISTRY_USER_TOKEN", "token"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .to_vec()
}

fn read_with(directory: &std::path::Path, changes: &[(&str, Option<&str>)]) -> Result<Settings, Mistakes> {
    let mut variables = sample(directory);
    for (name, value) in changes {
        variables.retain(|(known, _)| known != name);
        variables.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    let environment: Environment = variables.into_iter().collect();
    let places =
        Places { metadata: directory.join("metadata"), service_account_token: directory.join("service-account-token") };
    Settings::read_at(Values::collect(|_| None, &environment), &environment, &places)
}

#[test]
fn the_sample_job_is_read_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let settings = read_with(directory.path(), &[]).unwrap();
    assert_eq!(settings.source.location.to_string(), "s3://default/my-model");
    assert_eq!(settings.source.environment.get("AWS_ENDPOINT_URL"), Some("http://minio.minio.svc.cluster.local:9000"));
    assert_eq!(settings.source.environment.get("AWS_ALLOW_HTTP"), Some("true"));
    let Destination::Image { uri, base, images, .. } = &settings.destination else { panic!("{settings:?}") };
    assert_eq!(uri, "oci://registry.local:5001/my-model-image:latest");
    assert!(base.is_some() && !images.verifies_tls && images.credentials.file.is_some());
    assert_eq!(settings.registry.url, "http://model-registry-service.kubeflow.svc.cluster.local:8080");
    assert_eq!(settings.artifact_id.as_deref(), Some("6"));
    assert!(settings.signing.is_none());
    assert!(!format!("{settings:?}").contains("minioadmin"), "{settings:?}");
}

#[test]
fn every_mistake_is_reported_at_once_with_its_option() {
    let directory = tempfile::tempdir().unwrap();
    let mistakes = read_with(
        directory.path(),
        &[
            ("MODEL_SYNC_SOURCE_AWS_KEY", None),
            ("MODEL_SYNC_DESTINATION_OCI_REGISTRY", None),
            ("MODEL_SYNC_DESTINATION_OCI_USERNAME", Some("me")),
            ("MODEL_SYNC_DESTINATION_OCI_CREDENTIALS_PATH", Some("auth.json")),
            ("MODEL_SYNC_MODEL_ARTIFACT_ID", None),
            ("MODEL_SYNC_REGISTRY_SERVER_ADDRESS", Some("registry")),
            ("MODEL_SYNC_REGISTRY_PORT", Some("many")),
            ("MODEL_SYNC_REGISTRY_IS_SECURE", Some("")),
            ("MODEL_SYNC_REGISTRY_USER_TOKEN", None),
            ("MODEL_SYNC_REGISTRY_LOG_LEVEL", Some("loud")),
            ("MODEL_SYNC_SIGN", Some("perhaps")),
            ("MODEL_SYNC_METADATA_CONFIGMAP_PATH", Some("/no/such/directory")),
        ],
    )
    .unwrap_err();
    let text = mistakes.to_string();
    for part in [
        "--source-aws-key (MODEL_SYNC_SOURCE_AWS_KEY): S3 credentials (access_key_id, secret_access_key), bucket, and key",
        "--destination-oci-registry (MODEL_SYNC_DESTINATION_OCI_REGISTRY): OCI registry and URI must be set",
        "--destination-oci-password (MODEL_SYNC_DESTINATION_OCI_PASSWORD): Both OCI username and password",
        "MODEL_SYNC_DESTINATION_OCI_CREDENTIALS_PATH: credentials_path must be an absolute path, got: auth.json",
        "--model-artifact-id (MODEL_SYNC_MODEL_ARTIFACT_ID): Field required",
        "MODEL_SYNC_REGISTRY_SERVER_ADDRESS: the address is not a URL",
        "MODEL_SYNC_REGISTRY_PORT: `many` is not a port",
        "MODEL_SYNC_REGISTRY_IS_SECURE: invalid str2bool value: ''",
        "--registry-user-token (MODEL_SYNC_REGISTRY_USER_TOKEN): user token must be provided for secure connection",
        "MODEL_SYNC_REGISTRY_LOG_LEVEL: the level is not a number",
        "MODEL_SYNC_SIGN: invalid str2bool value: 'perhaps'",
        "MODEL_SYNC_METADATA_CONFIGMAP_PATH: Failed to load ConfigMap metadata",
        "12 mistakes",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(mistakes.0.iter().any(|mistake| mistake.is_syntax));
}

#[test]
fn a_certificate_file_of_an_optional_volume_may_be_absent() {
    let directory = tempfile::tempdir().unwrap();
    let absent =
        read_with(directory.path(), &[("MODEL_SYNC_REGISTRY_CUSTOM_CA", Some("/etc/pki/tls/custom/ca-bundle.crt"))]);
    let notes = absent.unwrap().notes;
    let expected =
        "Registry custom CA file /etc/pki/tls/custom/ca-bundle.crt not found, falling back to system defaults";
    assert!(notes.iter().any(|note| note == expected), "{notes:?}");
    assert!(read_with(directory.path(), &[("MODEL_SYNC_REGISTRY_CUSTOM_CA", Some(""))]).is_ok());
    let is_directory =
        read_with(directory.path(), &[("MODEL_SYNC_REGISTRY_CUSTOM_CA", Some(directory.path().to_str().unwrap()))]);
    assert!(is_directory.unwrap_err().to_string().contains("MODEL_SYNC_REGISTRY_CUSTOM_CA: cannot read"));
}

#[test]
fn the_port_of_the_address_wins_and_the_token_of_the_service_account_is_used() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("service-account-token"), "token").unwrap();
    let without_token = ("MODEL_SYNC_REGISTRY_USER_TOKEN", None);
    for (address, expected) in [
        ("http://host:80", "http://host"),
        ("https://host:9443/", "https://host:9443"),
        ("https://host/proxy", "https://host:8080/proxy"),
        ("http://[::1]", "http://[::1]:8080"),
    ] {
        let changes = [without_token, ("MODEL_SYNC_REGISTRY_SERVER_ADDRESS", Some(address))];
        assert_eq!(read_with(directory.path(), &changes).unwrap().registry.url, expected, "{address}");
    }
}

#[test]
fn an_intent_needs_its_metadata() {
    let directory = tempfile::tempdir().unwrap();
    let with = |intent: &str, keys: &[(&str, &str)]| {
        let metadata = directory.path().join("metadata");
        let _ = std::fs::remove_dir_all(&metadata);
        if !keys.is_empty() {
            std::fs::create_dir(&metadata).unwrap();
        }
        for (key, text) in keys {
            std::fs::write(metadata.join(key), text).unwrap();
        }
        let changes = [("MODEL_SYNC_MODEL_UPLOAD_INTENT", Some(intent)), ("MODEL_SYNC_MODEL_ID", None)];
        read_with(directory.path(), &changes)
            .map(drop)
            .map_err(|mistakes| mistakes.to_string())
            .err()
            .unwrap_or_default()
    };
    let version = [("ModelVersion.name", "v1"), ("ModelArtifact.name", "a")];
    assert!(with("create_model", &[]).contains("Intent create_model requires ConfigMap metadata but none provided"));
    assert!(with("create_model", &version).contains("requires RegisteredModel, ModelVersion, and ModelArtifact"));
    let both = [version.as_slice(), &[("RegisteredModel.name", "m"), ("RegisteredModel.id", "1")]].concat();
    assert!(with("create_model", &both).contains("Cannot provide both name and id"));
    assert_eq!(with("create_model", &[version.as_slice(), &[("RegisteredModel.name", "m")]].concat()), "");
    assert!(with("create_version", &version).contains("--model-id (MODEL_SYNC_MODEL_ID): Field required"));
    // The user interface passes the id in the ConfigMap.
    assert_eq!(with("create_version", &[version.as_slice(), &[("RegisteredModel.id", "1")]].concat()), "");
    assert!(with("delete_model", &[]).contains("invalid choice: 'delete_model'"));
}

#[test]
fn signing_without_a_signer_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mistakes = read_with(directory.path(), &[("MODEL_SYNC_SIGN", Some("true")), ("PATH", Some("/nowhere"))]);
    let text = mistakes.unwrap_err().to_string();
    for part in ["no program `model_signing`", "no program `cosign`", "signing needs an identity token"] {
        assert!(text.contains(part), "{text}");
    }
    let services =
        ["SIGSTORE_TUF_URL", "SIGSTORE_FULCIO_URL", "SIGSTORE_REKOR_URL"].map(|name| (name, Some("https://s")));
    assert!(read_with(directory.path(), &services).is_err());
    let settings = read_with(directory.path(), &services[..2]).unwrap();
    let expected = "Signing disabled, incomplete SIGSTORE configuration, missing: SIGSTORE_REKOR_URL.";
    assert!(settings.notes.iter().any(|note| note == expected), "{:?}", settings.notes);
}

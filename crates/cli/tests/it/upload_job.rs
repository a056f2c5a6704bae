//! The upload job as Kubernetes starts it: variables, mounted secrets and metadata, exit code, termination message, entities.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model_registry_testkit::{
    Backend, Executable, FileServer, OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, S3_BUCKET, S3_SECRET_KEY, S3Server,
    TestDatabase,
};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::support::{Client, PROGRAM, Run, TIME_LIMIT, eventually, run_in, start_on};

/// A registry, a store with the files of a model, and the volume mounts and variables of a job.
struct Job {
    server: Executable,
    client: Client,
    _database: TestDatabase,
    store: S3Server,
    pod: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Job {
    /// The job of the samples: from S3 with mounted credentials, to a bucket.
    async fn start() -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
        let server = start_on(&database).await;
        let (client, store) = (Client::of(&server), S3Server::start().await.unwrap());
        fs::create_dir_all(store.bucket().join("my-model/data")).unwrap();
        fs::write(store.bucket().join("my-model/config.json"), "{}").unwrap();
        fs::write(store.bucket().join("my-model/data/weights.bin"), "weights").unwrap();
        fs::create_dir_all(store.bucket().join("my-model-2")).unwrap();
        fs::write(store.bucket().join("my-model-2/x"), "another model").unwrap();
        let pod = tempfile::tempdir().unwrap();
        let mut job = Self { server, client, _database: database, store, pod, variables: BTreeMap::new() };
        let source = job.mount_s3_secret("source");
        job.set("HTTP_PROXY", "");
        job.set("HOSTNAME", "my-async-upload-job-x7k2p");
        job.set("TERMINATION_MESSAGE_PATH", job.path("termination-log").to_str().unwrap());
        job.set("MODEL_SYNC_SOURCE_TYPE", "s3");
        job.set("MODEL_SYNC_SOURCE_AWS_KEY", "my-model");
        job.set("MODEL_SYNC_SOURCE_S3_CREDENTIALS_PATH", &source);
        job.set("MODEL_SYNC_DESTINATION_TYPE", "s3");
        job.set("MODEL_SYNC_DESTINATION_AWS_KEY", "published/my-model");
        let destination = job.mount_s3_secret("destination");
        job.set("MODEL_SYNC_DESTINATION_S3_CREDENTIALS_PATH", &destination);
        job.set("MODEL_SYNC_REGISTRY_SERVER_ADDRESS", "http://127.0.0.1");
        let port = job.server.port().to_string();
        job.set("MODEL_SYNC_REGISTRY_PORT", &port);
        job.set("MODEL_SYNC_REGISTRY_USER_TOKEN", "a-token-that-no-log-may-contain");
        job.set("MODEL_SYNC_REGISTRY_AUTHOR", "ada");
        let storage = job.path("storage");
        job.set("MODEL_SYNC_STORAGE_PATH", storage.to_str().unwrap());
        job
    }

    fn path(&self, name: &str) -> PathBuf {
        self.pod.path().join(name)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// A secret as the kubelet mounts it.
    fn mount_s3_secret(&self, name: &str) -> String {
        let variables: BTreeMap<_, _> = self.store.variables().into_iter().collect();
        let keys = [
            ("AWS_ACCESS_KEY_ID", variables["AWS_ACCESS_KEY_ID"].clone()),
            ("AWS_SECRET_ACCESS_KEY", format!("{S3_SECRET_KEY}\n")),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_S3_ENDPOINT", self.store.base_url()),
            ("AWS_S3_BUCKET", S3_BUCKET.to_owned()),
        ];
        let keys: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
        self.mount(name, &keys)
    }

    fn mount(&self, name: &str, keys: &[(&str, &str)]) -> String {
        let directory = self.path(name);
        let data = directory.join("..2026_08_01");
        fs::create_dir_all(&data).unwrap();
        std::os::unix::fs::symlink(&data, directory.join("..data")).unwrap();
        for (key, value) in keys {
            fs::write(data.join(key), value).unwrap();
            std::os::unix::fs::symlink(data.join(key), directory.join(key)).unwrap();
        }
        directory.to_str().unwrap().to_owned()
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        let _ = fs::remove_file(self.path("termination-log"));
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let run = run_in(self.pod.path(), &[&["upload-job"], arguments].concat(), &variables).await;
        for secret in [S3_SECRET_KEY, REGISTRY_PASSWORD, "a-token-that-no-log-may-contain"] {
            assert!(!run.errors.contains(secret) && !run.output.contains(secret), "{run:?}");
        }
        run
    }

    fn message(&self) -> String {
        fs::read_to_string(self.path("termination-log")).unwrap()
    }

    /// A successful run; returns its termination message.
    async fn succeed(&self) -> Value {
        let run = self.run(&[]).await;
        assert_eq!(run.code, Some(0), "{run:?}");
        serde_json::from_str(&self.message()).unwrap()
    }

    /// A failed run; returns its termination message without the beginning.
    async fn fail(&self) -> String {
        let run = self.run(&[]).await;
        assert_eq!(run.code, Some(1), "{run:?}");
        let message = self.message();
        message.strip_prefix("Unexpected error: ").unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    async fn create_artifact(&mut self, state: &str) -> String {
        let body = json!({"name": format!("model {state}"), "uri": "s3://old/place", "state": state, "modelFormatName": "onnx",
            "customProperties": {"kept": {"metadataType": "MetadataStructValue", "struct_value": "e30="}}});
        let id = self.client.create("model_artifacts", &body).await;
        self.set("MODEL_SYNC_MODEL_ARTIFACT_ID", &id);
        id
    }

    async fn artifact(&self, id: &str) -> Value {
        self.client.read(&format!("model_artifacts/{id}")).await
    }

    async fn count(&self, collection: &str) -> usize {
        self.client.list_all(&format!("{collection}?pageSize=100")).await.len()
    }

    fn start_slowly(&self) -> Child {
        let mut command = Command::new(PROGRAM);
        command.arg("upload-job").env_clear().env("HOME", self.pod.path()).envs(&self.variables);
        command.current_dir(self.pod.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true).spawn().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_updated_from_a_bucket_to_an_image_with_the_variables_of_the_sample() {
    let (mut job, data) = (Job::start().await, tempfile::tempdir().unwrap());
    let images = OciRegistry::start(&data.path().join("registry"), None).await.unwrap();
    let id = job.create_artifact("UNKNOWN").await;
    let auth = STANDARD.encode(format!("{REGISTRY_USER}:{REGISTRY_PASSWORD}"));
    let config = json!({"auths": {images.host(): {"auth": auth, "email": "user@example.com"}}}).to_string();
    let destination = job.mount("docker", &[(".dockerconfigjson", &config), ("ACCESS_TYPE", "[]")]);
    job.set("MODEL_SYNC_DESTINATION_TYPE", "oci");
    job.set("MODEL_SYNC_DESTINATION_OCI_REGISTRY", &images.host());
    job.set("MODEL_SYNC_DESTINATION_OCI_URI", &format!("{}/my-model-image:latest", images.host()));
    job.set("MODEL_SYNC_DESTINATION_OCI_CREDENTIALS_PATH", &format!("{destination}/.dockerconfigjson"));
    job.set("MODEL_SYNC_DESTINATION_OCI_ENABLE_TLS_VERIFY", "false");
    job.set("MODEL_SYNC_DESTINATION_OCI_BASE_IMAGE", "");
    job.set("MODEL_SYNC_MODEL_ID", "1");
    job.set("MODEL_SYNC_MODEL_VERSION_ID", "2");
    let message = job.succeed().await;
    let expected = json!({"intent": "update_artifact", "RegisteredModel": {"id": "1"}, "ModelVersion": {"id": "2"}, "ModelArtifact": {"id": id}});
    assert_eq!(message, expected);
    let artifact = job.artifact(&id).await;
    assert_eq!(artifact["state"], "LIVE");
    assert_eq!(artifact["uri"], format!("oci://{}/my-model-image:latest", images.host()));
    assert_eq!(artifact["modelFormatName"], "onnx");
    let properties = artifact["customProperties"].as_object().unwrap();
    assert_eq!(properties["kept"]["metadataType"], "MetadataStructValue", "{artifact}");
    assert!(properties["digest"]["string_value"].as_str().unwrap().starts_with("sha256:"), "{artifact}");
    assert_eq!(properties.len(), 3, "{artifact}");

    // The image has the files of the prefix, with their directories, and nothing else.
    let variables = [("REGISTRY_AUTH_FILE", format!("{destination}/.dockerconfigjson"))];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let uri = artifact["uri"].as_str().unwrap();
    let plain = images.host();
    let back =
        run_in(job.pod.path(), &["transfer", uri, "back", "--oci-plain-http", &plain, "--output", "json"], &variables)
            .await;
    let report: Value = serde_json::from_str(&back.output).unwrap_or_else(|error| panic!("{error}: {back:?}"));
    assert_eq!(report["digest"], properties["digest"]["string_value"]);
    assert_eq!(fs::read_to_string(job.path("back/data/weights.bin")).unwrap(), "weights");
    assert_eq!(report["files"].as_array().unwrap().len(), 2, "{report}");

    // And back to a bucket, as another artifact.
    job.set("MODEL_SYNC_SOURCE_TYPE", "oci");
    job.set("MODEL_SYNC_SOURCE_OCI_URI", &format!("{}/my-model-image:latest", images.host()));
    job.set("MODEL_SYNC_SOURCE_OCI_REGISTRY", &images.host());
    job.set("MODEL_SYNC_SOURCE_OCI_USERNAME", REGISTRY_USER);
    job.set("MODEL_SYNC_SOURCE_OCI_PASSWORD", REGISTRY_PASSWORD);
    job.set("MODEL_SYNC_SOURCE_OCI_ENABLE_TLS_VERIFY", "false");
    job.set("MODEL_SYNC_DESTINATION_TYPE", "s3");
    job.create_artifact("LIVE").await;
    job.succeed().await;
    assert_eq!(fs::read_to_string(job.store.bucket().join("published/my-model/data/weights.bin")).unwrap(), "weights");
}

/// Metadata as the user interface writes them, and those of the samples.
const METADATA: [(&str, &str); 9] = [
    ("RegisteredModel.name", "fraud"),
    ("RegisteredModel.owner", "team\n"),
    (
        "RegisteredModel.custom_properties",
        r#"{"supported_languages": ["en", "de"], "n": 438, "ok": true, "acc": 0.95, "k": "v"}"#,
    ),
    ("ModelVersion.name", "v1"),
    ("ModelVersion.customProperties", r#"{"stage": {"metadataType": "MetadataStringValue", "string_value": "test"}}"#),
    ("ModelArtifact.model_format_name", "onnx"),
    ("ModelArtifact.modelSourceKind", "transfer_job"),
    ("ModelArtifact.description", "weights"),
    ("ModelArtifact.custom_properties", "{}"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_created_once_although_the_pod_is_restarted() {
    let mut job = Job::start().await;
    let metadata = job.mount("metadata", &METADATA);
    job.set("MODEL_SYNC_MODEL_UPLOAD_INTENT", "create_model");
    job.set("MODEL_SYNC_METADATA_CONFIGMAP_PATH", &metadata);
    let first = job.succeed().await;
    let id = |message: &Value, kind: &str| message[kind]["id"].as_str().unwrap().to_owned();
    let model = job.client.read(&format!("registered_models/{}", id(&first, "RegisteredModel"))).await;
    assert_eq!((&model["name"], &model["owner"]), (&json!("fraud"), &json!("team")));
    let properties = &model["customProperties"];
    assert_eq!(properties["n"]["int_value"], "438");
    assert_eq!(properties["ok"]["bool_value"], true);
    assert_eq!(properties["acc"]["double_value"], 0.95);
    assert_eq!(properties["k"]["string_value"], "v");
    assert_eq!(properties["supported_languages"]["struct_value"], STANDARD.encode(r#"["en","de"]"#));
    let version = job.client.read(&format!("model_versions/{}", id(&first, "ModelVersion"))).await;
    assert_eq!((&version["name"], &version["author"]), (&json!("v1"), &json!("ada")));
    assert_eq!(version["customProperties"]["stage"]["string_value"], "test");
    let artifact = job.artifact(&id(&first, "ModelArtifact")).await;
    assert_eq!((&artifact["state"], &artifact["name"]), (&json!("LIVE"), &json!("fraud")));
    assert_eq!(artifact["uri"], format!("s3://{S3_BUCKET}/published/my-model/"));
    assert_eq!((&artifact["modelSourceKind"], &artifact["description"]), (&json!("transfer_job"), &json!("weights")));
    assert_eq!(fs::read_to_string(job.store.bucket().join("published/my-model/data/weights.bin")).unwrap(), "weights");
    assert!(!job.store.bucket().join("published/my-model-2").exists());

    // Another pod of the same job finds what the first has done, also if the message of the first was lost.
    job.set("HOSTNAME", "my-async-upload-job-99zzz");
    assert_eq!(job.succeed().await, first);
    assert_eq!((job.count("registered_models").await, job.count("model_artifacts").await), (1, 1));
    // Another job must not take the name, and copies nothing.
    job.set("HOSTNAME", "another-job-x7k2p");
    job.store.requests();
    let reason = job.fail().await;
    assert!(reason.starts_with("Cannot create model: RegisteredModel with name 'fraud' already exists."), "{reason}");
    assert!(job.store.requests().is_empty());

    job.set("MODEL_SYNC_MODEL_UPLOAD_INTENT", "create_version");
    job.set("MODEL_SYNC_MODEL_ID", &id(&first, "RegisteredModel"));
    let reason = job.fail().await;
    assert!(reason.starts_with("Cannot create version: ModelVersion with name 'v1' already exists"), "{reason}");
    fs::write(job.path("metadata/ModelVersion.name"), "v2").unwrap();
    let second = job.succeed().await;
    assert_eq!(
        (&second["intent"], id(&second, "RegisteredModel")),
        (&json!("create_version"), id(&first, "RegisteredModel"))
    );
    job.set("MODEL_SYNC_MODEL_ID", "4711");
    let reason = job.fail().await;
    assert!(reason.starts_with("Cannot create version: RegisteredModel with ID '4711' not found."), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_update_leaves_uri_and_state_and_an_artifact_without_files_is_abandoned() {
    let mut job = Job::start().await;
    job.set("MODEL_SYNC_SOURCE_AWS_KEY", "nothing-here");
    for (state, after) in [("LIVE", "LIVE"), ("UNKNOWN", "UNKNOWN"), ("PENDING", "ABANDONED")] {
        let id = job.create_artifact(state).await;
        let reason = job.fail().await;
        assert!(reason.contains("nothing-here") && reason.contains("not found"), "{reason}");
        let artifact = job.artifact(&id).await;
        assert_eq!((&artifact["state"], &artifact["uri"]), (&json!(after), &json!("s3://old/place")));
        let failure = &artifact["customProperties"]["upload_job_failure"]["string_value"];
        assert_eq!(
            failure.as_str().is_some_and(|reason| reason.contains("nothing-here")),
            after == "ABANDONED",
            "{artifact}"
        );
        // Nothing else is left of the job.
        let expected = if after == "ABANDONED" { 2 } else { 1 };
        assert_eq!(artifact["customProperties"].as_object().unwrap().len(), expected, "{artifact}");
    }
    // An empty prefix is no success.
    fs::create_dir_all(job.store.bucket().join("nothing-here/empty")).unwrap();
    let reason = job.fail().await;
    assert!(reason.contains("not found") && reason.contains("no "), "{reason}");
    job.set("MODEL_SYNC_MODEL_ARTIFACT_ID", "4711");
    assert!(job.fail().await.starts_with("Artifact 4711 not found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_job_is_continued_by_the_next_pod_and_the_state_before_is_remembered() {
    let mut job = Job::start().await;
    let id = job.create_artifact("LIVE").await;
    job.store.slow_down(std::time::Duration::from_millis(300));
    let mut child = job.start_slowly();
    eventually("the artifact is pending", async || job.artifact(&id).await["state"] == "PENDING").await;
    child.start_kill().unwrap();
    child.wait().await.unwrap();
    assert_eq!(job.artifact(&id).await["state"], "PENDING");
    job.store.slow_down(std::time::Duration::ZERO);
    job.set("MODEL_SYNC_SOURCE_AWS_KEY", "nothing-here");
    job.fail().await;
    assert_eq!(job.artifact(&id).await["state"], "LIVE");
    job.set("MODEL_SYNC_SOURCE_AWS_KEY", "my-model");
    job.succeed().await;
    let artifact = job.artifact(&id).await;
    assert_eq!(artifact["uri"], format!("s3://{S3_BUCKET}/published/my-model/"));
    assert!(artifact["customProperties"].get("upload_job_state_before").is_none(), "{artifact}");

    // SIGTERM gives the state back.
    let id = job.create_artifact("REFERENCE").await;
    job.set("MODEL_SYNC_DESTINATION_AWS_KEY", "elsewhere");
    job.store.slow_down(std::time::Duration::from_millis(300));
    let mut child = job.start_slowly();
    eventually("the artifact is pending", async || job.artifact(&id).await["state"] == "PENDING").await;
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = tokio::time::timeout(TIME_LIMIT, child.wait()).await.unwrap().unwrap();
    assert_eq!((status.code(), job.message().as_str()), (Some(1), "Unexpected error: cancelled"));
    assert_eq!(job.artifact(&id).await["state"], "REFERENCE");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_are_reported_at_once_and_nothing_is_requested() {
    let (mut job, listener) = (Job::start().await, FileServer::start().await.unwrap());
    job.set("MODEL_SYNC_REGISTRY_SERVER_ADDRESS", &listener.url(""));
    job.variables.remove("MODEL_SYNC_SOURCE_AWS_KEY");
    job.set("MODEL_SYNC_DESTINATION_S3_CREDENTIALS_PATH", "/no/such/directory");
    let reason = job.fail().await;
    for part in ["--source-aws-key", "credentials folder not found: /no/such/directory", "--model-artifact-id"] {
        assert!(reason.contains(part), "{reason}");
    }
    job.set("MODEL_SYNC_SIGN", "perhaps");
    job.set("LOGLEVEL", "loud");
    let run = job.run(&[]).await;
    assert_eq!(run.code, Some(2), "{run:?}");
    for part in
        ["MODEL_SYNC_SIGN: invalid str2bool value: 'perhaps'", "LOGLEVEL: Unknown level: 'loud'", "--source-aws-key"]
    {
        assert!(job.message().contains(part) && run.errors.contains(part), "{part}: {run:?}");
    }
    let run = job.run(&["--no-such-option", "x"]).await;
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        job.message().starts_with("Unexpected error: ") && job.message().contains("--no-such-option"),
        "{}",
        job.message()
    );
    assert_eq!(listener.requests(), [""; 0]);
    assert!(job.store.requests().is_empty());
    // Options may be abbreviated, and win over variables.
    let run = job.run(&["--sign", "false", "--source-aws-k", "my-model"]).await;
    assert!(!run.errors.contains("--source-aws-key") && !run.errors.contains("str2bool"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_and_a_registered_model_are_sources_too() {
    let (mut job, web) = (Job::start().await, FileServer::start().await.unwrap());
    web.publish("/mnist-8.onnx", "onnx");
    job.set("MODEL_SYNC_SOURCE_TYPE", "uri");
    let secret = job.mount("uri", &[("URI", &format!("{}\n", web.url("/mnist-8.onnx")))]);
    job.set("MODEL_SYNC_SOURCE_URI", "hf://not/this");
    job.set("MODEL_SYNC_SOURCE_URI_CREDENTIALS_PATH", &secret);
    job.create_artifact("UNKNOWN").await;
    job.succeed().await;
    let published = job.store.bucket().join("published/my-model/mnist-8.onnx");
    assert_eq!(fs::read_to_string(published).unwrap(), "onnx");
    let uri = web.url("/mnist-8.onnx");
    let body = json!({"registeredModel": {"name": "mnist"}, "modelVersion": {"name": "8"},
        "artifacts": [{"artifactType": "model-artifact", "uri": uri}]});
    assert_eq!(job.client.post("registered_models:register", &body).await.status, 201);
    job.variables.remove("MODEL_SYNC_SOURCE_URI_CREDENTIALS_PATH");
    job.set("MODEL_SYNC_SOURCE_URI", "model-registry://mnist/8");
    job.set("MODEL_SYNC_DESTINATION_AWS_KEY", "registered");
    job.succeed().await;
    assert_eq!(fs::read_to_string(job.store.bucket().join("registered/mnist-8.onnx")).unwrap(), "onnx");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_signed_by_the_programs_that_do_this() {
    let mut job = Job::start().await;
    let id = job.create_artifact("UNKNOWN").await;
    job.set("MODEL_SYNC_SIGN", "true");
    let payload = json!({"iss": "https://issuer", "sub": "system:serviceaccount:team:uploader"}).to_string();
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
    fs::write(job.path("identity"), &token).unwrap();
    let identity = job.path("identity");
    job.set("MODEL_SYNC_SIGNING_IDENTITY_TOKEN_PATH", identity.to_str().unwrap());
    job.set("PATH", "/nowhere");
    let reason = job.fail().await;
    assert!(reason.contains("signing is enabled, but there is no program `model_signing`"), "{reason}");
    assert_eq!(job.artifact(&id).await["state"], "UNKNOWN");

    let signer = job.path("model_signing");
    let script =
        "#!/bin/sh\necho \"$@\" >> \"$(dirname \"$0\")/calls\"\n[ \"$1\" = sign ] && echo signed > \"$4\"\nexit 0\n";
    fs::write(&signer, script).unwrap();
    fs::set_permissions(&signer, fs::Permissions::from_mode(0o755)).unwrap();
    job.set("PATH", &format!("{}:/usr/bin:/bin", job.pod.path().display()));
    job.succeed().await;
    let calls = fs::read_to_string(job.path("calls")).unwrap();
    let expected =
        "--identity https://kubernetes.io/namespaces/team/serviceaccounts/uploader --identity_provider https://issuer";
    assert!(calls.lines().count() == 2 && calls.contains(expected), "{calls}");
    let signature = job.store.bucket().join("published/my-model/model.sig");
    assert_eq!(fs::read_to_string(signature).unwrap(), "signed\n");

    // A signer that fails is a failure of the job, without the token in its message.
    fs::write(&signer, format!("#!/bin/sh\necho no connection with {token} >&2\nexit 3\n")).unwrap();
    let reason = job.fail().await;
    assert!(reason.contains("Failed to sign the model (exit code 3): no connection with ***"), "{reason}");
    assert_eq!(job.artifact(&id).await["state"], "LIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_signed_with_the_credentials_of_the_job() {
    let (mut job, data) = (Job::start().await, tempfile::tempdir().unwrap());
    let images = OciRegistry::start(&data.path().join("registry"), None).await.unwrap();
    job.create_artifact("UNKNOWN").await;
    let reference = format!("{}/org/signed:1", images.host());
    for (name, value) in [
        ("DESTINATION_TYPE", "oci"),
        ("DESTINATION_OCI_REGISTRY", &images.host()),
        ("DESTINATION_OCI_URI", &reference),
        ("DESTINATION_OCI_USERNAME", REGISTRY_USER),
        ("DESTINATION_OCI_PASSWORD", REGISTRY_PASSWORD),
        ("DESTINATION_OCI_ENABLE_TLS_VERIFY", "no"),
        ("DESTINATION_OCI_BASE_IMAGE", ""),
        ("SIGN", "true"),
    ] {
        job.set(&format!("MODEL_SYNC_{name}"), value);
    }
    let payload = json!({"iss": "https://issuer", "email": "ada@example.com"}).to_string();
    fs::write(job.path("identity"), format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))).unwrap();
    let identity = job.path("identity");
    job.set("MODEL_SYNC_SIGNING_IDENTITY_TOKEN_PATH", identity.to_str().unwrap());
    for (name, script) in [
        ("model_signing", "[ \"$1\" = sign ] && echo signed > \"$4\"\nexit 0\n"),
        (
            "cosign",
            "if [ \"$2\" = --help ]; then echo '      --use-signing-config'; exit 0; fi\n\
             echo \"$@\" >> \"$(dirname \"$0\")/calls\"\ncp \"$DOCKER_CONFIG/config.json\" \"$(dirname \"$0\")/config\"\n\
             [ -n \"$COSIGN_IDENTITY_TOKEN\" ]\n",
        ),
    ] {
        fs::write(job.path(name), format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(job.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    job.set("PATH", &format!("{}:/usr/bin:/bin", job.pod.path().display()));
    job.succeed().await;
    let calls = fs::read_to_string(job.path("calls")).unwrap();
    let insecure = "--allow-insecure-registry";
    let expected = format!(
        "sign -y --use-signing-config=false --oidc-client-id https://issuer {insecure} {reference}\n\
         verify --certificate-identity ada@example.com --certificate-oidc-issuer https://issuer {insecure} {reference}\n"
    );
    assert_eq!(calls, expected);
    let config: Value = serde_json::from_str(&fs::read_to_string(job.path("config")).unwrap()).unwrap();
    assert!(config["auths"][format!("{}/org/signed", images.host())]["auth"].is_string(), "{config}");
}

//! The storage initializer as KServe starts it: two arguments, variables, exit code, termination message, files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use model_registry_testkit::{
    Authority, Backend, Executable, FileServer, OciRegistry, S3_BUCKET, S3_SECRET_KEY, S3Server, TestDatabase, WebFault,
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Client, PROGRAM, Run, TIME_LIMIT, role_on, run_in, start_on};

const DIGEST: &str = "digest";

/// A registry, and a pod with the program.
struct Pod {
    server: Executable,
    client: Client,
    _database: TestDatabase,
    home: tempfile::TempDir,
}

impl Pod {
    async fn start() -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
        let server = start_on(&database).await;
        let client = Client::of(&server);
        Self { server, client, _database: database, home: tempfile::tempdir().unwrap() }
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs the program with the variables of its container.
    async fn run(&self, source: &str, destination: &str, variables: &[(&str, &str)]) -> Run {
        let (host, message) = (self.host(), self.path("termination-log"));
        let _ = fs::remove_file(&message);
        let own = [("MODEL_REGISTRY_BASE_URL", host.as_str()), ("TERMINATION_MESSAGE_PATH", message.to_str().unwrap())];
        let own = own.into_iter().filter(|(name, _)| !variables.iter().any(|(other, _)| other == name));
        let variables: Vec<(&str, &str)> = own.chain(variables.iter().copied()).collect();
        run_in(self.home.path(), &["storage-initializer", source, destination], &variables).await
    }

    /// A failed run; returns its reason, which is on the last line of the log and in the termination message.
    async fn fail(&self, source: &str, variables: &[(&str, &str)]) -> String {
        let run = self.run(source, "failed", variables).await;
        assert_eq!(run.code, Some(1), "{source}: {run:?}");
        let last = run.errors.lines().last().unwrap_or_default();
        let message = fs::read_to_string(self.path("termination-log")).unwrap();
        assert!(last.ends_with(&message), "{message}\n{run:?}");
        let reason = message.strip_prefix("Error downloading the model: ");
        reason.unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    /// Registers a version with an artifact of a location.
    async fn register(&self, model: &str, version: &str, artifact: &Value) -> Value {
        let body =
            json!({"registeredModel": {"name": model}, "modelVersion": {"name": version}, "artifacts": [artifact]});
        let response = self.client.post("registered_models:register", &body).await;
        assert_eq!(response.status, 201, "{response:?}");
        response.body
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

fn artifact(uri: &str) -> Value {
    json!({"artifactType": "model-artifact", "name": "model", "uri": uri})
}

/// The variables of S3 as KServe sets them.
fn as_kserve(server: &S3Server) -> Vec<(&'static str, String)> {
    let variables = server.variables().into_iter().filter(|(name, _)| *name != "AWS_ALLOW_HTTP");
    variables
        .map(|(name, value)| if name == "AWS_REGION" { ("AWS_DEFAULT_REGION", value) } else { (name, value) })
        .chain([("S3_USER_VIRTUAL_BUCKET", "false".to_owned()), ("S3_USE_HTTPS", "0".to_owned())])
        .collect()
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_of_a_location_fetches_the_files_of_its_version() {
    let (pod, store) = (Pod::start().await, S3Server::start().await.unwrap());
    for version in ["1", "2"] {
        let directory = store.bucket().join("iris").join(version).join("data");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("weights.bin"), format!("weights {version}")).unwrap();
        fs::write(directory.parent().unwrap().join("config.json"), "{}").unwrap();
    }
    // A sibling whose name begins alike.
    fs::create_dir_all(store.bucket().join("iris/1-old")).unwrap();
    fs::write(store.bucket().join("iris/1-old/x"), "x").unwrap();
    pod.register("iris", "v1", &artifact(&format!("s3://{S3_BUCKET}/iris/1"))).await;
    let second = pod.register("iris", "v2", &artifact(&format!("s3://{S3_BUCKET}/iris/2"))).await;
    // Neither an archived version nor a newer document counts.
    let archived = pod.register("iris", "v3", &artifact("s3://nothing/here")).await;
    let id = archived["modelVersion"]["id"].as_str().unwrap();
    let patched =
        pod.client.call("PATCH", &format!("model_versions/{id}"), &[], Some(&json!({"state": "ARCHIVED"}))).await;
    assert_eq!(patched.unwrap().status, 200);
    let id = second["modelVersion"]["id"].as_str().unwrap();
    let document = json!({"artifactType": "doc-artifact", "name": "card", "uri": "s3://nothing/card.md"});
    pod.client.create(&format!("model_versions/{id}/artifacts"), &document).await;

    let variables = as_kserve(&store);
    let host = pod.host();
    for (at, (location, version)) in [
        ("iris/v1".to_owned(), "1"),
        ("iris".to_owned(), "2"),
        (format!("{host}/iris"), "2"),
        (format!("{host}/iris/v1"), "1"),
        ("iris/v%31".to_owned(), "1"),
    ]
    .into_iter()
    .enumerate()
    {
        let destination = format!("models-{at}");
        let run = pod.run(&format!("model-registry://{location}"), &destination, &borrowed(&variables)).await;
        assert_eq!(run.code, Some(0), "{location}: {run:?}");
        assert!(!run.errors.contains(S3_SECRET_KEY), "{run:?}");
        assert_eq!(pod.read(&format!("{destination}/data/weights.bin")), format!("weights {version}"), "{location}");
        let names: Vec<_> =
            fs::read_dir(pod.path(&destination)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        // The server of the model runs as another user.
        let mode = fs::metadata(pod.path(&format!("{destination}/config.json"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o444, 0o444, "{mode:o}");
        assert!(!pod.path("termination-log").exists());
    }
    // Without a default registry, the first of two names is the registry.
    let elsewhere = [("MODEL_REGISTRY_BASE_URL", "")];
    let variables = [borrowed(&variables), elsewhere.to_vec()].concat();
    let run = pod.run(&format!("model-registry://{host}/iris"), "from-host", &variables).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(pod.read("from-host/data/weights.bin"), "weights 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_location_is_refused_before_any_request() {
    let (pod, listener) = (Pod::start().await, FileServer::start().await.unwrap());
    let base = listener.url("").replace("http://", "");
    for location in [
        "model-registry://",
        "model-registry://?namespace=x",
        "model-registry:///iris",
        "model-registry:///iris/v1",
        &format!("model-registry://{base}/"),
        "model-registry://iris/",
        &format!("model-registry://{base}/iris/"),
        &format!("model-registry://{base}/iris/v1/"),
        "model-registry://iris?namespace=../x",
    ] {
        let reason = pod.fail(location, &[("MODEL_REGISTRY_BASE_URL", &base)]).await;
        let beginning =
            "invalid model registry URI, use like model-registry://{dnsName}/{registeredModelName}/{versionName}";
        assert!(reason.starts_with(beginning), "{location}: {reason}");
    }
    assert_eq!(listener.requests(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_and_unlisted_endpoints_are_refused_in_artifacts_locations_and_redirects() {
    let (pod, web) = (Pod::start().await, FileServer::start().await.unwrap());
    web.publish("/model.bin", "weights");
    let blocked = "artifact URI validation failed: artifact URI targets a blocked endpoint: host \"";
    for (at, uri) in
        ["http://169.254.169.254/latest/", "http://2852039166/x", "s3://b/k?endpoint=http://[::ffff:a9fe:a9fe]/"]
            .into_iter()
            .enumerate()
    {
        pod.register("blocked", &format!("v{at}"), &artifact(uri)).await;
        let reason = pod.fail(&format!("model-registry://blocked/v{at}"), &[]).await;
        assert!(reason.starts_with(blocked), "{uri}: {reason}");
        assert!(pod.fail(uri, &[]).await.starts_with(blocked), "{uri}");
    }
    let reason = pod.fail("model-registry://169.254.169.254/iris/v1", &[]).await;
    assert!(reason.starts_with(blocked), "{reason}");
    // An endpoint behind an allowed one.
    for target in
        ["http://169.254.169.254/latest/meta-data", "http://0251.0376.0251.0376/", "http://metadata.google.internal/"]
    {
        web.plan("/moved.bin", WebFault::Redirect(target.to_owned()));
        let reason = pod.fail(&web.url("/moved.bin"), &[]).await;
        assert!(
            reason.contains("is a known cloud metadata or link-local endpoint") || reason.contains("credentials"),
            "{reason}"
        );
    }
    let listed = web.url("/");
    let prefixes = [("ALLOWED_ARTIFACT_URI_PREFIXES", listed.as_str())];
    let run = pod.run(&web.url("/model.bin"), "allowed", &prefixes).await;
    assert_eq!((run.code, pod.read("allowed/model.bin").as_str()), (Some(0), "weights"), "{run:?}");
    let reason =
        pod.fail(&web.url("/model.bin"), &[("ALLOWED_ARTIFACT_URI_PREFIXES", "http://127.0.0.1,s3://x")]).await;
    assert!(reason.contains("does not match any entry in allowlist [http://127.0.0.1 s3://x]"), "{reason}");
    let reason = pod.fail(&web.url("/model.bin"), &[("ALLOWED_ARTIFACT_URI_PREFIXES", " , ")]).await;
    assert!(reason.starts_with("ALLOWED_ARTIFACT_URI_PREFIXES: "), "{reason}");
    assert!(!pod.path("failed/model.bin").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_those_of_the_registered_digest_are_a_failure() {
    let (pod, web) = (Pod::start().await, FileServer::start().await.unwrap());
    web.publish("/model.bin", "weights");
    let mut own = artifact(&web.url("/model.bin"));
    // The digest of `weights`.
    let digest = "sha256:9a2b4ffb13b9b1ac9ba0acb4f5c6e7c7a3ae5ddd6ad0f5fca6ab4d22bd0e4a26";
    own["customProperties"] = json!({DIGEST: {"metadataType": "MetadataStringValue", "string_value": digest}});
    pod.register("iris", "wrong", &own).await;
    let reason = pod.fail("model-registry://iris/wrong", &[]).await;
    assert!(reason.contains("was expected"), "{reason}");
    let right = reason.split("SHA-256 digest ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    own["customProperties"][DIGEST]["string_value"] = json!(format!("sha256:{right}"));
    pod.register("iris", "right", &own).await;
    let run = pod.run("model-registry://iris/right", "models", &[]).await;
    assert_eq!((run.code, pod.read("models/model.bin").as_str()), (Some(0), "weights"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_says_what_is_missing() {
    let (pod, web) = (Pod::start().await, FileServer::start().await.unwrap());
    pod.register("empty", "v1", &json!({"artifactType": "doc-artifact", "name": "card", "uri": "s3://b/card"})).await;
    pod.register("nested", "v1", &artifact("model-registry://other/v1")).await;
    pod.register("local", "v1", &artifact("file:///etc/passwd")).await;
    pod.register("gone", "v1", &artifact(&web.url("/gone.bin"))).await;
    for (location, part) in [
        ("model-registry://iris", "no model named `iris`"),
        ("model-registry://empty/v2", "has no version named `v2`"),
        ("model-registry://empty/v1", "its artifacts: 1 of other kinds"),
        ("model-registry://nested/v1", "protocol not supported for storageUri"),
        ("model-registry://local/v1", "protocol not supported for storageUri"),
        ("model-registry://gone/v1", "404"),
        ("model-registry://iris/v1", "neither a model of"),
        ("ftp://host/x", "protocol not supported for storageUri"),
    ] {
        let reason = pod.fail(location, &[]).await;
        assert!(reason.contains(part), "{location}: {reason}");
    }
    // A registry that does not respond is not passed over for a host with the name of the model.
    let reason = pod.fail("model-registry://iris/v1", &[("MODEL_REGISTRY_BASE_URL", "127.0.0.1:1")]).await;
    assert!(reason.starts_with("127.0.0.1:1: "), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_executable_is_the_program_under_its_other_name() {
    let (pod, web) = (Pod::start().await, FileServer::start().await.unwrap());
    web.publish("/model.bin", "weights");
    let program = pod.path("mr-storage-initializer");
    symlink(PROGRAM, &program).unwrap();
    let run = async |arguments: &[&str]| run_program(&program, pod.home.path(), arguments).await;
    let fetched = run(&[&web.url("/model.bin"), "models"]).await;
    assert_eq!((fetched.code, pod.read("models/model.bin").as_str()), (Some(0), "weights"), "{fetched:?}");
    for arguments in [&[][..], &["a"], &["a", "b", "c"]] {
        let wrong = run(arguments).await;
        assert_eq!(wrong.code, Some(1), "{wrong:?}");
        assert_eq!(wrong.errors, "Usage: ./mr-storage-initializer <src-uri> <dest-path>\n");
    }
    let help = run(&["--help"]).await;
    assert!(help.code == Some(0) && help.output.contains("ALLOWED_ARTIFACT_URI_PREFIXES"), "{help:?}");
}

async fn run_program(program: &Path, home: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("HOME", home).current_dir(home).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(TIME_LIMIT, command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_with_tls_and_tokens_is_used_and_only_named_hosts_get_the_token() {
    let (home, web) = (tempfile::tempdir().unwrap(), FileServer::start().await.unwrap());
    web.publish("/model.bin", "weights");
    let authority = Authority::new("clusters");
    let files = authority.issue("127.0.0.1").write(home.path(), "server").unwrap();
    let ca = home.path().join("ca.pem");
    fs::write(&ca, authority.certificate()).unwrap();
    let created = run_in(home.path(), &["token", "create", "--user", "pod", "--file", "tokens.toml"], &[]).await;
    let token = created.output.trim().to_owned();
    let tokens = home.path().join("tokens.toml");
    let server = role_on("server", "sqlite:x.db")
        .arguments(["--auth-mode", "token", "--auth-tokens-file", tokens.to_str().unwrap()])
        .arguments(["--tls-cert", files.certificate.to_str().unwrap(), "--tls-key", files.key.to_str().unwrap()])
        .ready(model_registry_testkit::Ready::Listening)
        .start()
        .await
        .unwrap();
    let host = format!("127.0.0.1:{}", server.port());
    let (url, uri) = (format!("https://{host}"), web.url("/model.bin"));
    let client = [("MR_TOKEN", token.as_str()), ("MR_CA_FILE", ca.to_str().unwrap())];
    let registered = run_in(home.path(), &["register", "iris", "v1", "--uri", &uri, "--server", &url], &client).await;
    assert_eq!(registered.code, Some(0), "{registered:?}");

    let base = [("MODEL_REGISTRY_BASE_URL", host.as_str()), ("MODEL_REGISTRY_SCHEME", "https")];
    let run = async |location: &str, variables: &[(&str, &str)]| {
        run_in(home.path(), &["storage-initializer", location, "models"], variables).await
    };
    let fetched = run("model-registry://iris/v1", &[base.as_slice(), &client].concat()).await;
    assert_eq!(fetched.code, Some(0), "{fetched:?}");
    assert!(!fetched.errors.contains(&token), "{fetched:?}");
    for (variables, part) in
        [(vec![base[0], base[1], client[0]], "set MR_CA_FILE"), (vec![base[0], base[1], client[1]], "set MR_TOKEN")]
    {
        let refused = run("model-registry://iris/v1", &variables).await;
        assert!(refused.code == Some(1) && refused.errors.contains(part), "{refused:?}");
    }
    // The host of a location does not get the token of the default registry.
    let other = [("MODEL_REGISTRY_SCHEME", "https"), client[0], client[1]];
    let location = format!("model-registry://{host}/iris/v1");
    let refused = run(&location, &other).await;
    assert!(refused.code == Some(1), "{refused:?}");
    let named = run(&location, &[other.as_slice(), &[("MR_TOKEN_HOSTS", "127.0.0.1")]].concat()).await;
    assert_eq!(named.code, Some(0), "{named:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_fetched_through_the_registry() {
    let (pod, data) = (Pod::start().await, tempfile::tempdir().unwrap());
    let authority = Authority::new("images");
    let images = OciRegistry::start(&data.path().join("registry"), Some(&authority.issue("127.0.0.1"))).await.unwrap();
    let ca = data.path().join("ca.pem");
    fs::write(&ca, authority.certificate()).unwrap();
    let config = docker_config(&images.host());
    let variables = [(".dockerconfigjson", config.as_str()), ("SSL_CERT_FILE", ca.to_str().unwrap())];
    fs::create_dir_all(pod.path("model/data")).unwrap();
    fs::write(pod.path("model/data/weights.bin"), "weights").unwrap();
    let uri = format!("oci://{}/org/iris:1", images.host());
    let arguments = ["transfer", "model", &uri, "--oci-ca-file", ca.to_str().unwrap()];
    let pushed = run_in(pod.home.path(), &arguments, &variables).await;
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    pod.register("iris", "v1", &artifact(&uri)).await;
    let run = pod.run("model-registry://iris/v1", "models", &variables).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((run.code, pod.read("models/data/weights.bin").as_str()), (Some(0), "weights"), "{run:?}");
}

/// A docker configuration with the password of the registry.
fn docker_config(host: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use model_registry_testkit::{REGISTRY_PASSWORD, REGISTRY_USER};
    let auth = STANDARD.encode(format!("{REGISTRY_USER}:{REGISTRY_PASSWORD}"));
    json!({"auths": {host: {"auth": auth}}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headers_for_a_host_go_to_that_host_only() {
    let (pod, web) = (Pod::start().await, FileServer::start().await.unwrap());
    web.publish("/model.bin", "weights");
    let headers = [("127.0.0.1-headers", r#"{"Authorization": "Bearer secret-of-the-host"}"#)];
    let run = pod.run(&web.url("/model.bin"), "models", &headers).await;
    assert_eq!((run.code, pod.read("models/model.bin").as_str()), (Some(0), "weights"), "{run:?}");
    let sent = web.authorizations();
    assert!(
        !sent.is_empty() && sent.iter().all(|sent| sent.as_deref() == Some("Bearer secret-of-the-host")),
        "{sent:?}"
    );
    web.plan("/moved.bin", WebFault::Redirect(web.url("/model.bin").replace("127.0.0.1", "localhost")));
    let reason = pod.fail(&web.url("/moved.bin"), &headers).await;
    assert!(reason.contains("a redirect to another host is not followed") && !reason.contains("secret"), "{reason}");
    assert_eq!(web.requests().iter().filter(|request| request.starts_with("/model.bin")).count(), sent.len());
}

//! Debian's `docker-registry` with a password and TLS, and skopeo.

use std::path::Path;
use std::process::Command;

use model_registry_oci::{
    CredentialStore, DockerConfig, Error, ImageFormat, ImageOptions, ImageReference, Registries, RegistrySettings,
};
use model_registry_testkit::{Authority, OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, skopeo};
use tempfile::TempDir;

use crate::support::{files, pull, push, settings, with_password};

struct Server {
    registry: OciRegistry,
    authority: Authority,
    directory: TempDir,
}

async fn start() -> Server {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new("Test authority of a registry");
    let issued = authority.issue("127.0.0.1");
    let registry = OciRegistry::start(&directory.path().join("registry"), Some(&issued)).await.unwrap();
    Server { registry, authority, directory }
}

impl Server {
    fn registries(&self) -> Registries {
        self.with(with_password(REGISTRY_USER, REGISTRY_PASSWORD))
    }

    fn with(&self, credentials: CredentialStore) -> Registries {
        let root_certificates = self.authority.certificate().into_bytes();
        let part_size = 100_000;
        Registries::new(RegistrySettings { root_certificates, part_size, ..settings() }, credentials)
    }

    fn image(&self, rest: &str) -> ImageReference {
        format!("oci://{}/{rest}", self.registry.host()).parse().unwrap()
    }

    /// Runs skopeo with the credentials and the certificate; fails with its output.
    fn skopeo(&self, arguments: &[&str]) -> String {
        let certificates = self.directory.path().join("certificates");
        std::fs::create_dir_all(&certificates).unwrap();
        std::fs::write(certificates.join("ca.crt"), self.authority.certificate()).unwrap();
        let login = format!("{REGISTRY_USER}:{REGISTRY_PASSWORD}");
        let mut command = Command::new(skopeo().unwrap_or_else(|missing| panic!("{missing}")));
        command.arg("--insecure-policy").arg(arguments[0]);
        match arguments[0] {
            "inspect" => command.args(["--creds", &login]).arg("--cert-dir").arg(&certificates),
            _ => command.args(["--src-creds", &login, "--dest-creds", &login]).args(
                ["--src-cert-dir", "--dest-cert-dir"]
                    .iter()
                    .flat_map(|flag| [Path::new(*flag), certificates.as_path()]),
            ),
        };
        let output = command.args(&arguments[1..]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    fn docker(&self, rest: &str) -> String {
        format!("docker://{}/{rest}", self.registry.host())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_pushed_in_parts_and_skopeo_reads_it() {
    let server = start().await;
    let model = files(&[("model.bin", 350_000), ("empty", 0), ("tokenizer/vocab.json", 40)]);
    for format in [ImageFormat::ModelCar, ImageFormat::ModelPack] {
        let name = format!("org/{format:?}").to_lowercase();
        let target = server.image(&format!("{name}:1"));
        let options = ImageOptions { format, ..ImageOptions::default() };
        let image = push(&server.registries(), &target, &model, options).await.unwrap();
        assert_eq!(pull(&server.registries(), &target).await.unwrap(), model);
        let by_digest = target.with_digest(image.digest.clone());
        assert_eq!(pull(&server.registries(), &by_digest).await.unwrap(), model);

        let raw = server.skopeo(&["inspect", "--raw", &server.docker(&format!("{name}:1"))]);
        assert_eq!(model_registry_oci::Digest::of(raw.as_bytes()), image.digest);
        // Skopeo verifies the digest of every blob.
        let copy = server.directory.path().join(&name);
        std::fs::create_dir_all(&copy).unwrap();
        server.skopeo(&["copy", &server.docker(&format!("{name}:1")), &format!("dir:{}", copy.display())]);
        assert_eq!(server.registry.pending_uploads(&name), 0);
        if format == ImageFormat::ModelCar {
            let manifest: serde_json::Value = serde_json::from_str(&raw).unwrap();
            for layer in manifest["layers"].as_array().unwrap() {
                let blob = copy.join(layer["digest"].as_str().unwrap().trim_start_matches("sha256:"));
                untar(&blob, &server.directory.path().join("unpacked"));
            }
            for (path, content) in &model {
                let found = std::fs::read(server.directory.path().join("unpacked/models").join(path)).unwrap();
                assert!(found == *content, "{path}");
            }
        }
    }
}

fn untar(archive: &Path, directory: &Path) {
    std::fs::create_dir_all(directory).unwrap();
    let output = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Writes an image with one layer per directory as an OCI layout, its layers made by GNU tar.
fn layout(directory: &Path, archives: &[&Path]) {
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        let digest = model_registry_oci::Digest::of(bytes);
        std::fs::write(blobs.join(digest.hex()), bytes).unwrap();
        digest
    };
    let mut layers = Vec::new();
    let mut diff_ids = Vec::new();
    for archive in archives {
        let bytes = std::fs::read(archive).unwrap();
        let digest = put(&bytes);
        diff_ids.push(digest.clone());
        layers.push(serde_json::json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": bytes.len(),
        }));
    }
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
    .to_string();
    let config_digest = put(config.as_bytes());
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config.len()},
        "layers": layers,
    })
    .to_string();
    let digest = put(manifest.as_bytes());
    let index = serde_json::json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": manifest.len(),
            "annotations": {"org.opencontainers.image.ref.name": "1"},
        }],
    });
    std::fs::write(directory.join("index.json"), index.to_string()).unwrap();
    std::fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_skopeo_pushes_is_read_and_used_as_a_base() {
    let server = start().await;
    let work = server.directory.path().join("work");
    let long = format!("deep/{}/{}.bin", "d".repeat(90), "n".repeat(90));
    let model = files(&[("model.bin", 300_000), (&long, 20), ("ü.json", 3)]);
    for (path, content) in &model {
        let path = work.join("models").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let mut archives = Vec::new();
    for format in ["gnu", "pax"] {
        let archive = server.directory.path().join(format!("{format}.tar"));
        let output = Command::new("tar")
            .arg(format!("--format={format}"))
            .arg("-cf")
            .arg(&archive)
            .arg("-C")
            .arg(&work)
            .arg("models")
            .output();
        assert!(output.unwrap().status.success());
        archives.push(archive);
    }
    let directory = server.directory.path().join("layout");
    layout(&directory, &[&archives[0], &archives[1]]);
    let source = format!("oci:{}:1", directory.display());
    server.skopeo(&["copy", &source, &server.docker("org/plain:1")]);
    assert_eq!(pull(&server.registries(), &server.image("org/plain:1")).await.unwrap(), model);
    for algorithm in ["gzip", "zstd"] {
        let target = format!("org/{algorithm}:1");
        server.skopeo(&[
            "copy",
            "--dest-compress",
            "--dest-compress-format",
            algorithm,
            &source,
            &server.docker(&target),
        ]);
        assert_eq!(pull(&server.registries(), &server.image(&target)).await.unwrap(), model, "{algorithm}");
    }

    // The files of the new layers hide those of the base.
    let more = files(&[("model.bin", 10), ("new.bin", 20)]);
    let options = ImageOptions { base: Some(server.image("org/gzip:1")), ..ImageOptions::default() };
    let target = server.image("org/derived:1");
    push(&server.registries(), &target, &more, options).await.unwrap();
    let mut expected = model;
    expected.extend(more);
    assert_eq!(pull(&server.registries(), &target).await.unwrap(), expected);
    let inspected = server.skopeo(&["inspect", "--config", &server.docker("org/derived:1")]);
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(inspected["config"]["Cmd"], serde_json::json!(["sh"]));
    assert_eq!(server.registry.pending_uploads("org/derived"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_credentials_are_required_and_found_where_tools_keep_them() {
    let server = start().await;
    let target = server.image("org/m:1");
    let model = files(&[("a", 10)]);
    let untrusting = Registries::new(settings(), CredentialStore::none());
    let error = push(&untrusting, &target, &model, ImageOptions::default()).await.unwrap_err().to_string();
    assert!(error.contains("an authority that is not trusted"), "{error}");

    let wrong = server.with(with_password(REGISTRY_USER, "wrong"));
    let error = push(&wrong, &target, &model, ImageOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { has_credentials: true, .. }), "{error}");
    let error =
        push(&server.with(CredentialStore::none()), &target, &model, ImageOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { has_credentials: false, .. }), "{error}");

    let directory = server.directory.path().join("certs.d");
    let of_host = directory.join(server.registry.host());
    std::fs::create_dir_all(&of_host).unwrap();
    std::fs::write(of_host.join("ca.crt"), server.authority.certificate()).unwrap();
    let found = RegistrySettings { certificate_directories: vec![directory], ..settings() };
    let text = format!(
        r#"{{"auths":{{"https://{}":{{"username":"{REGISTRY_USER}","password":"{REGISTRY_PASSWORD}"}}}}}}"#,
        server.registry.host()
    );
    let store = CredentialStore::from_config(DockerConfig::parse(&text, "test").unwrap());
    push(&Registries::new(found, store.clone()), &target, &model, ImageOptions::default()).await.unwrap();
    let unverified = RegistrySettings { verify_certificates: false, ..settings() };
    assert_eq!(pull(&Registries::new(unverified, store), &target).await.unwrap(), model);
}

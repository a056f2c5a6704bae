//! The other tools: boto3 and skopeo.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use model_registry_testkit::{OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, S3_BUCKET, find_program, skopeo};
use serde_json::json;
use tokio::process::Command;

use super::tool::{Measured, measure};

/// The Python with boto3 that `cargo xtask bench --transfer` prepares.
const PYTHON: &str = "MR_TEST_MOTO";
const SCRIPT: &str = include_str!("reference.py");

/// boto3 between a prefix of the bucket and a directory.
pub(super) async fn boto3(
    command: &str,
    prefix: &str,
    directory: &Path,
    variables: &[(&'static str, String)],
) -> Result<Measured> {
    let python = std::env::var_os(PYTHON)
        .with_context(|| format!("{PYTHON} is not set: run `cargo xtask bench --transfer`, which prepares boto3"))?;
    let program = Path::new(&python).with_file_name("python");
    fs::create_dir_all(directory)?;
    let mut run = Command::new(program);
    run.args(["-c", SCRIPT, command, S3_BUCKET, prefix]).arg(directory);
    run.env_clear().env("AWS_DEFAULT_REGION", "us-east-1").envs(variables.iter().map(|(name, value)| (name, value)));
    Ok(measure(run).await?.0)
}

/// `skopeo copy` from an OCI layout to a registry, as it is.
pub(super) async fn skopeo_copy(layout: &Path, registry: &OciRegistry) -> Result<Measured> {
    let program: PathBuf = skopeo()?;
    let mut run = Command::new(program);
    run.args(["--insecure-policy", "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"]);
    run.arg(format!("--dest-creds={REGISTRY_USER}:{REGISTRY_PASSWORD}"));
    run.arg(format!("oci:{}:1", layout.display())).arg(format!("docker://{}/skopeo/model:1", registry.host()));
    Ok(measure(run).await?.0)
}

/// Makes an OCI layout of an image of a registry: hard links to its blobs, so that it takes no space and no time.
pub(super) fn layout(registry: &OciRegistry, image: &str, layout: &Path) -> Result<()> {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    for group in fs::read_dir(registry.blobs())? {
        for blob in fs::read_dir(group?.path())? {
            let blob = blob?;
            fs::hard_link(blob.path().join("data"), blobs.join(blob.file_name()))?;
        }
    }
    let digest = registry.tagged(image, "1")?;
    let hex = digest.strip_prefix("sha256:").context("the registry uses another algorithm")?;
    let size = fs::metadata(blobs.join(hex))?.len();
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest,
            "size": size,
            "annotations": {"org.opencontainers.image.ref.name": "1"},
        }],
    });
    fs::write(layout.join("index.json"), index.to_string())?;
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(())
}

/// The program that the measurements without any tool use.
pub(super) fn curl() -> Result<PathBuf> {
    find_program("curl", &[]).context("curl is not installed: apt-get install -y --no-install-recommends curl")
}

/// Fails early if a program of the measurements is missing.
pub(super) fn check() -> Result<()> {
    curl()?;
    skopeo()?;
    ensure!(std::env::var_os(PYTHON).is_some(), "{PYTHON} is not set: run `cargo xtask bench --transfer`");
    Ok(())
}

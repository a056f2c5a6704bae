//! Signs files and image with the programs that do this: `model_signing` and `cosign`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use model_registry_base::Environment;
use model_registry_transfer::ImageReference;
use tokio::process::Command;

use super::JobError;
use super::settings::ImageAccess;
use super::settings::Signing;

/// The signature of the files, a bundle, next to them.
const SIGNATURE: &str = "model.sig";
/// Time limit of one program.
const LIMIT: Duration = Duration::from_mins(30);
/// How much of the output of a failed program a message shows.
const SHOWN: usize = 500;

/// Signs all files of a directory, and verifies the signature, which is then one of the files.
pub(super) async fn sign_files(signing: &Signing, directory: &Path) -> Result<(), JobError> {
    let signature = directory.join(SIGNATURE);
    let Signing { model_signer, token, identity, issuer, .. } = signing;
    if signature.exists() {
        // Of an earlier run: it would be signed as a file of the model.
        fs::remove_file(&signature).map_err(|error| JobError::Signing(format!("{}: {error}", signature.display())))?;
    }
    let mut sign = Command::new(model_signer);
    sign.args(["sign", "sigstore", "--signature"]).arg(&signature).args(["--identity_token", token]).arg(directory);
    run("sign the model", sign, token).await?;
    let mut verify = Command::new(model_signer);
    verify.args(["verify", "sigstore", "--signature"]).arg(&signature);
    verify.args(["--identity", identity, "--identity_provider", issuer]).arg(directory);
    run("verify the signature of the model", verify, token).await?;
    if signature.is_file() {
        return Ok(());
    }
    Err(JobError::Signing(format!("{} has written no {}", model_signer.display(), signature.display())))
}

/// Signs an image at its registry, and verifies the signature.
pub(super) async fn sign_image(
    signing: &Signing,
    image: &ImageReference,
    access: &ImageAccess,
    environment: &Environment,
    storage: &Path,
) -> Result<(), JobError> {
    let Some(program) = &signing.image_signer else { return Ok(()) };
    let Signing { token, identity, issuer, .. } = signing;
    let reference = image.to_string();
    let reference = reference.strip_prefix("oci://").unwrap_or(&reference);
    let docker = docker_directory(access, environment, storage)?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("COSIGN_IDENTITY_TOKEN", token);
        if let Some(directory) = &docker {
            command.env("DOCKER_CONFIG", directory);
        }
        command
    };
    let home = environment.get("HOME").unwrap_or_default();
    if let Some(tuf) = &signing.tuf_url
        && !Path::new(home).join(".sigstore").exists()
    {
        let root = format!("{tuf}/root.json");
        run("initialize sigstore", command(&["initialize", "--mirror", tuf, "--root", &root]), token).await?;
    }
    let help = command(&["sign", "--help"]).stdin(Stdio::null()).output().await;
    let knows_configurations = help.is_ok_and(|help| {
        [help.stdout, help.stderr].iter().any(|text| String::from_utf8_lossy(text).contains("--use-signing-config"))
    });
    let mut sign = command(&["sign", "-y"]);
    for (option, url) in [("--fulcio-url", &signing.fulcio_url), ("--rekor-url", &signing.rekor_url)] {
        if let Some(url) = url {
            sign.args([option, url]);
        }
    }
    if knows_configurations {
        // Since cosign 3, addresses of services are refused otherwise.
        sign.arg("--use-signing-config=false");
    }
    sign.args(["--oidc-client-id", issuer]);
    if !access.verifies_tls {
        sign.arg("--allow-insecure-registry");
    }
    sign.arg(reference);
    run(&format!("sign image {reference}"), sign, token).await?;
    let mut verify = command(&["verify", "--certificate-identity", identity, "--certificate-oidc-issuer", issuer]);
    if !access.verifies_tls {
        verify.arg("--allow-insecure-registry");
    }
    verify.arg(reference);
    run(&format!("verify image {reference}"), verify, token).await.map(drop)
}

/// A directory with the docker configuration of the job, so that the program reaches private registries, too.
fn docker_directory(
    access: &ImageAccess,
    _environment: &Environment,
    storage: &Path,
) -> Result<Option<std::path::PathBuf>, JobError> {
    let failed = |error: std::io::Error| JobError::Signing(format!("cannot write credentials: {error}"));
    let content = match (&access.credentials.content, &access.credentials.file) {
        (Some(content), _) => content.clone(),
        (None, Some(file)) => fs::read_to_string(file).map_err(failed)?,
        (None, None) => return Ok(None),
    };
    let directory = storage.join("docker");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
    let file = directory.join("config.json");
    let mut options = fs::OpenOptions::new();
    let mut opened = options.write(true).create(true).truncate(true).mode(0o600).open(&file).map_err(failed)?;
    opened.write_all(content.as_bytes()).map_err(failed)?;
    Ok(Some(directory))
}

/// Runs a program; its output is in the message of a failure, without the token.
async fn run(what: &str, mut command: Command, token: &str) -> Result<Output, JobError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let failed = |reason: String| JobError::Signing(format!("Failed to {what} {reason}"));
    let output = tokio::time::timeout(LIMIT, command.output()).await;
    let output = output.map_err(|_| failed(format!("(no end within {} minutes)", LIMIT.as_secs() / 60)))?;
    let output = output.map_err(|error| failed(format!("({error})")))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr).replace(token, model_registry_base::REDACTED);
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(SHOWN);
    let end: String = text.chars().skip(skipped).collect();
    let code = output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    Err(failed(format!("(exit code {code}): {end}")))
}

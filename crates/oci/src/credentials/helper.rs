//! Credential helpers: programs `docker-credential-NAME` that know the credentials of registries.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::Credentials;
use crate::error::{Error, Result};

/// Time limit of a helper, which may have to reach a service of its own.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest output of a helper.
const LONGEST: u64 = 1 << 20;
/// The user name that marks a refresh token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Runs `docker-credential-NAME get` for a registry.
pub(super) async fn run(name: &str, registry: &str) -> Result<Credentials> {
    let program = format!("docker-credential-{name}");
    let failed = |reason: String| Error::Credentials { place: format!("the credential helper `{program}`"), reason };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(failed("its name has other characters than letters, digits, `-`, `_` and `.`".to_owned()));
    }
    let work = async {
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Helpers may print secrets while they fail.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A helper that does not read its input ends early, and its status says so.
            let _ = input.write_all(registry.as_bytes()).await;
        }
        let mut output = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            pipe.take(LONGEST).read_to_end(&mut output).await?;
        }
        Ok::<_, std::io::Error>((child.wait().await?, output))
    };
    let (status, output) = match tokio::time::timeout(LIMIT, work).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(failed("is not installed: install it, or remove it from the configuration".to_owned()));
        }
        Ok(Err(error)) => return Err(failed(format!("cannot be run: {error}"))),
        Err(_) => return Err(failed(format!("did not end within {} s", LIMIT.as_secs()))),
    };
    if !status.success() {
        // The words with which every helper says that it has none.
        if String::from_utf8_lossy(&output).contains("credentials not found") {
            return Ok(Credentials::Anonymous);
        }
        return Err(failed(format!("failed for {registry} with {status}: run it by hand to see why")));
    }
    let output: Output = serde_json::from_slice(&output)
        .map_err(|_| failed(format!("returned no JSON with `Username` and `Secret` for {registry}")))?;
    Ok(match output.user.as_str() {
        TOKEN_USER => Credentials::IdentityToken(output.secret),
        _ => Credentials::Basic { user: output.user, password: output.secret },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_helper_with_a_path_in_its_name_is_not_run() {
        for name in ["", "../x", "a b", "/bin/sh"] {
            let error = run(name, "quay.io").await.unwrap_err().to_string();
            assert!(error.contains("its name has other characters"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_is_not_installed_is_named() {
        let error = run("no-such-helper", "quay.io").await.unwrap_err().to_string();
        assert!(error.contains("docker-credential-no-such-helper") && error.contains("is not installed"), "{error}");
    }
}

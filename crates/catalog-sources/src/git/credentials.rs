//! Credentials of repositories, from environment variables that the configuration names.
//!
//! `authSecretName: ops-git` names the variable `GIT_CREDENTIALS_OPS_GIT`. The prefix prevents that a sources file makes the
//! server send another of its secrets to a host.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use model_registry_base::Environment;

const PREFIX: &str = "GIT_CREDENTIALS_";
/// The user of a token without one: GitHub, GitLab, Gitea and Forgejo accept any.
const TOKEN_USER: &str = "x-access-token";

/// The variable of a secret: capital letters, and `_` for all that is neither a letter nor a digit.
pub(crate) fn variable(secret: &str) -> String {
    let name = secret.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' });
    format!("{PREFIX}{}", name.collect::<String>().to_ascii_uppercase())
}

/// The header `Authorization` for a secret: its variable holds `USER:PASSWORD`, or a token alone.
pub(super) fn authorization(secret: &str, environment: &Environment) -> Result<HeaderValue, String> {
    let variable = variable(secret);
    let value = environment.get(&variable).map(str::trim).filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| format!("authSecretName `{secret}`: the variable {variable} is not set"))?;
    let pair = if value.contains(':') { value.to_owned() } else { format!("{TOKEN_USER}:{value}") };
    let header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)));
    let mut header = header.map_err(|_| format!("the variable {variable} cannot be sent in a header"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_variable_with_a_user_and_password_or_a_token() {
        let environment: Environment =
            [("GIT_CREDENTIALS_OPS_GIT", "me:pa:ss\n"), ("GIT_CREDENTIALS_TOKEN", "t0ken"), ("PGPASSWORD", "x")]
                .into_iter()
                .collect();
        let decoded = |secret: &str| {
            let header = authorization(secret, &environment)?;
            assert!(header.is_sensitive() && !format!("{header:?}").contains("Basic"));
            let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
            Ok::<_, String>(String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap())
        };
        assert_eq!(decoded("ops-git").unwrap(), "me:pa:ss");
        assert_eq!(decoded("token").unwrap(), "x-access-token:t0ken");
        let error = decoded("PGPASSWORD").unwrap_err();
        assert!(error.contains("GIT_CREDENTIALS_PGPASSWORD is not set"), "{error}");
    }
}

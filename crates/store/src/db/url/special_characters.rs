//! Detects special characters in the user or password of a URL that are not percent-encoded.
//!
//! A parser of URLs takes `postgres://u:12/secret@host/models` for the database `secret@host/models` at the host `u`:
//! the message would be misleading, and a part of the password would be shown as the name of the database.

/// Parameters whose values may contain `@`.
const WITH_AT: [&str; 5] = ["user", "password", "application_name", "options", "sslpassword"];

const REMEDY: &str = "in the user and the password, special characters have to be percent-encoded: `/` as %2F, `@` as %40, \
                      `?` as %3F, `#` as %23, `:` as %3A, `%` as %25";

/// Returns the error message for a URL with an `@` after the end of its host.
pub(super) fn check(url: &str) -> Result<(), String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end_of_authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (path, query) = match rest[end_of_authority..].split_once('?') {
        Some((path, query)) => (path, query),
        None => (&rest[end_of_authority..], ""),
    };
    let may_have_at = |parameter: &str| parameter.split_once('=').is_some_and(|(key, _)| WITH_AT.contains(&key));
    let is_misplaced = path.contains('@')
        || path.contains('#')
        || query.split('&').any(|parameter| parameter.contains('@') && !may_have_at(parameter));
    if is_misplaced { Err(format!("{REMEDY}; nothing after the host may contain `@` or `#`")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unencoded_characters_of_a_password_are_detected() {
        for password in ["12/secret", "12?secret", "12#secret", "secret/b?c=d", "p@s/secret", "/", "12/secret?b&c"] {
            let error = check(&format!("postgres://u:{password}@host/models")).unwrap_err();
            assert!(error.contains("`/` as %2F") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn other_urls_are_accepted() {
        for url in [
            "postgres://u:p@host/models?sslmode=disable",
            "postgres://u:p%2Fs%40@host/models",
            "postgres://u:p@ss@host/models",
            "postgres://host/models?user=a@b&password=c@d",
            "postgres:///models?host=/run/postgresql",
            "mysql://u:p@host",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
    }
}

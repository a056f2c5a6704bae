//! URLs of Git repositories: which are accepted, and which mean the same repository.

use reqwest::Url;

/// What can be wrong with the URL of a repository. The message never has the URL's credentials.
pub(super) fn check(url: &str) -> Result<(), String> {
    if is_scp_form(url) {
        return Ok(());
    }
    let parsed: Url = url.parse().map_err(|error| format!("`{url}` is not a URL: {error}"))?;
    let host = parsed.host_str().unwrap_or_default();
    if parsed.password().is_some() || (!parsed.username().is_empty() && parsed.scheme() != "ssh") {
        let scheme = parsed.scheme();
        return Err(format!(
            "the URL {scheme}://{host}/… has credentials in it: remove them, and name them with authSecretName"
        ));
    }
    match parsed.scheme() {
        _ if host.is_empty() => Err(format!("`{url}` has no host: use an https URL")),
        "https" | "ssh" | "http" => Ok(()),
        other => Err(format!("`{url}`: repositories are read over https, not {other}")),
    }
}

/// Whether a URL has the short form of ssh, `git@host:path`.
pub(crate) fn is_scp_form(url: &str) -> bool {
    !url.contains("://") && url.split_once(':').is_some_and(|(host, _)| !host.contains('/') && host.contains('@'))
}

/// Equal for URLs of the same repository: scheme and host without regard to case, without a trailing slash and `.git`.
pub(crate) fn comparison_key(url: &str) -> String {
    let trimmed = url.trim_end_matches('/');
    let trimmed = trimmed.strip_suffix(".git").unwrap_or(trimmed);
    match trimmed.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{}://{}{path}", scheme.to_lowercase(), host.to_lowercase())
        }
        None => trimmed.to_owned(),
    }
}

/// The name of a repository: the last part of its URL.
pub(crate) fn repository_name(url: &str) -> String {
    let key = comparison_key(url);
    key.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_one_repository_have_one_key() {
        for (first, second, is_same) in [
            ("https://Host/o/x.git", "https://host/o/x/", true),
            ("https://host/O/x", "https://host/o/x", false),
            ("git@host:o/x.git", "git@host:o/x", true),
            ("https://host/o/x", "git@host:o/x", false),
            ("HTTPS://host/o/x", "https://host/o/x.git/", true),
            ("https://host/o/x.git.git", "https://host/o/x.git", false),
        ] {
            assert_eq!(comparison_key(first) == comparison_key(second), is_same, "{first} {second}");
        }
        assert_eq!(repository_name("https://host/o/x.git/"), "x");
        assert_eq!(repository_name("git@host:x.git"), "x");
    }

    #[test]
    fn only_urls_of_remote_repositories_without_credentials_are_accepted() {
        for url in ["https://host/x", "ssh://git@host/x", "git@host:o/x.git", "http://127.0.0.1:8080/x"] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in ["file:///etc", "/srv/x", "x", "git://host/x", "host:x", "data:x", "javascript:1"] {
            assert!(check(url).is_err(), "{url}");
        }
        for url in ["https://me:geheim@host/x", "https://geheim@host/x", "ssh://git:geheim@host/x"] {
            let error = check(url).unwrap_err();
            assert!(error.contains("authSecretName") && !error.contains("geheim"), "{error}");
        }
    }
}

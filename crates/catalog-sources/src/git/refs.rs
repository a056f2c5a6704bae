//! Which commit a configured branch, tag or commit means, and how skills show it.

use super::error::GitError;
use super::protocol::Refs;

/// What skills of a branch show as their version.
const LATEST: &str = "latest";
const HEAD: &str = "HEAD";

/// A configured reference, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// As it is configured; empty for the default branch.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) commit: String,
}

/// The names that the server is requested to list.
pub(super) fn prefixes(names: &[String]) -> Vec<String> {
    if names.is_empty() {
        return vec![HEAD.to_owned()];
    }
    let mut prefixes = Vec::new();
    for name in names.iter().filter(|name| !is_commit(name)) {
        if name.starts_with("refs/") {
            prefixes.push(name.clone());
        } else {
            prefixes.extend(["refs/heads/", "refs/tags/"].map(|kind| format!("{kind}{name}")));
        }
    }
    prefixes
}

/// Resolves the configured names, each alone. A tag wins over a branch of the same name, as in Git. The first branch is shown
/// as `latest`, further ones under their names.
pub(super) fn resolve(names: &[String], refs: &Refs) -> Vec<(String, Result<Resolved, GitError>)> {
    let default = [String::new()];
    let names = if names.is_empty() { &default[..] } else { names };
    let mut has_latest = false;
    let mut resolved = Vec::new();
    for name in names {
        let found = if name.is_empty() {
            refs.get(HEAD).map(|commit| (commit.clone(), None))
        } else if is_commit(name) {
            Some((name.to_ascii_lowercase(), Some(name.clone())))
        } else {
            find(name, refs)
        };
        let result = found.map(|(commit, version)| {
            let version = version.unwrap_or_else(|| {
                let is_further = std::mem::replace(&mut has_latest, true);
                if is_further { name.strip_prefix("refs/heads/").unwrap_or(name).to_owned() } else { LATEST.to_owned() }
            });
            Resolved { name: name.clone(), version, commit }
        });
        let shown = if name.is_empty() { HEAD } else { name };
        resolved.push((name.clone(), result.ok_or_else(|| GitError::RefNotFound(shown.to_owned()))));
    }
    resolved
}

/// The commit of a name, and its version; `None` for a branch.
fn find(name: &str, refs: &Refs) -> Option<(String, Option<String>)> {
    let tag = |full: &str| Some((refs.get(full)?.clone(), Some(full.strip_prefix("refs/tags/")?.to_owned())));
    let branch = |full: &str| refs.get(full).map(|commit| (commit.clone(), None));
    if name.starts_with("refs/") {
        return tag(name).or_else(|| branch(name));
    }
    tag(&format!("refs/tags/{name}")).or_else(|| branch(&format!("refs/heads/{name}")))
}

/// Whether a name is the full digest of a commit.
pub(super) fn is_commit(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_tags_and_commits_are_resolved_with_their_versions() {
        let commit = "0123456789abcdef0123456789ABCDEF01234567";
        let refs: Refs = [
            ("HEAD", "1"),
            ("refs/heads/main", "1"),
            ("refs/heads/dev", "2"),
            ("refs/tags/v2.1", "3"),
            ("refs/heads/v2.1", "4"),
        ]
        .map(|(name, object)| (name.to_owned(), object.to_owned()))
        .into();
        let resolve = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let all = resolve(&names, &refs).into_iter().map(|(_, result)| match result {
                Ok(resolved) => format!("{} {}", resolved.version, resolved.commit),
                Err(error) => error.to_string(),
            });
            all.collect::<Vec<_>>()
        };
        assert_eq!(resolve(&[]), ["latest 1"]);
        assert_eq!(
            resolve(&["main", "v2.1", "dev", "gone"]),
            ["latest 1", "v2.1 3", "dev 2", "no branch or tag `gone`"]
        );
        assert_eq!(resolve(&["refs/heads/v2.1", "refs/tags/v2.1"]), ["latest 4", "v2.1 3"]);
        assert_eq!(resolve(&[commit]), [format!("{commit} {}", commit.to_ascii_lowercase())]);
    }

    #[test]
    fn only_what_is_needed_is_listed() {
        assert_eq!(prefixes(&[]), ["HEAD"]);
        let names = ["main".to_owned(), "refs/tags/v1".to_owned(), "0".repeat(40)];
        assert_eq!(prefixes(&names), ["refs/heads/main", "refs/tags/main", "refs/tags/v1"]);
    }
}

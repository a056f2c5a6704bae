//! Which version of a server is its newest.

use std::cmp::Ordering;
use std::collections::HashMap;

use semver::Version;

/// What decides about the age of a version.
#[derive(Clone, Debug)]
struct Candidate {
    version: String,
    semantic: Option<Version>,
    /// RFC 3339, in UTC or with the offset that all times of a registry have.
    published: Option<String>,
    /// Whether its registry says that it is the newest.
    is_marked: bool,
}

/// The versions of each server of a source.
#[derive(Debug, Default)]
pub(super) struct Versions(HashMap<String, Vec<Candidate>>);

impl Versions {
    pub(super) fn add(&mut self, name: &str, version: &str, published: Option<&str>, is_marked: bool) {
        // A prefix is common in tags: `v1.2.0`.
        let semantic = Version::parse(version.strip_prefix('v').unwrap_or(version)).ok();
        let published = published.map(str::to_owned);
        let candidate = Candidate { version: version.to_owned(), semantic, published, is_marked };
        self.0.entry(name.to_owned()).or_default().push(candidate);
    }

    /// The newest version of each server: the one that the registry marked; otherwise by semantic version if all versions of the
    /// server are semantic ones, and by the time of publication if not.
    pub(super) fn newest(&self) -> HashMap<&str, &str> {
        let newest = self.0.iter().filter_map(|(name, candidates)| {
            let are_semantic = candidates.iter().all(|candidate| candidate.semantic.is_some());
            let newest = candidates.iter().max_by(|a, b| older(a, b, are_semantic))?;
            Some((name.as_str(), newest.version.as_str()))
        });
        newest.collect()
    }
}

/// A total order, so that the result does not depend on the order in the file.
fn older(a: &Candidate, b: &Candidate, are_semantic: bool) -> Ordering {
    let semantic = || a.semantic.cmp(&b.semantic);
    let published = || a.published.cmp(&b.published);
    let by_age = if are_semantic { semantic().then_with(published) } else { published().then_with(semantic) };
    a.is_marked.cmp(&b.is_marked).then(by_age).then_with(|| a.version.cmp(&b.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(versions: &[(&str, Option<&str>, bool)]) -> String {
        let forwards = versions.iter();
        let backwards = versions.iter().rev();
        let of = |versions: &mut dyn Iterator<Item = &(&str, Option<&str>, bool)>| {
            let mut all = Versions::default();
            for (version, published, is_marked) in versions {
                all.add("server", version, *published, *is_marked);
            }
            all.newest()["server"].to_owned()
        };
        let newest = of(&mut forwards.into_iter());
        assert_eq!(of(&mut backwards.into_iter()), newest, "the order in the file does not matter");
        newest
    }

    #[test]
    fn semantic_versions_are_compared_as_such() {
        assert_eq!(newest(&[("1.9.0", Some("2025-03-01"), false), ("1.10.0", Some("2025-01-01"), false)]), "1.10.0");
        assert_eq!(newest(&[("2.0.0-rc.1", None, false), ("2.0.0", None, false), ("v1.0.0", None, false)]), "2.0.0");
    }

    #[test]
    fn other_versions_are_compared_by_their_publication() {
        assert_eq!(newest(&[("2025-01", Some("2025-01-09"), false), ("9.0.0", Some("2024-12-01"), false)]), "2025-01");
        assert_eq!(newest(&[("a", None, false), ("b", Some("2024-12-01"), false)]), "b");
    }

    #[test]
    fn the_mark_of_the_registry_counts_first() {
        assert_eq!(newest(&[("1.0.0", None, true), ("2.0.0", None, false)]), "1.0.0");
    }
}

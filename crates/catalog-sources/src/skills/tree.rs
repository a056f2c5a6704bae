//! Skills in a tree of files: each directory with a `SKILL.md`, and its other files.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SKILL_FILE: &str = "SKILL.md";
/// Supporting files that are listed of one skill.
const MOST_SUPPORTING_FILES: usize = 1_000;

/// A skill in a tree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FoundSkill<F> {
    /// Path of its directory from the root of the tree; `.` for the root.
    pub(crate) directory: String,
    pub(crate) skill_file: F,
    /// Paths from its directory, sorted; those in the directory of another skill are not its own.
    pub(crate) supporting_files: Vec<String>,
}

/// Finds the skills among the files of a tree; paths have slashes.
pub(crate) fn find_skills<F>(files: Vec<(String, F)>) -> Vec<FoundSkill<F>> {
    let mut skills: BTreeMap<String, FoundSkill<F>> = BTreeMap::new();
    let mut others = BTreeSet::new();
    for (path, file) in files {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == SKILL_FILE {
            let directory = directory.to_owned();
            let shown = if directory.is_empty() { ".".to_owned() } else { directory.clone() };
            skills.insert(directory, FoundSkill { directory: shown, skill_file: file, supporting_files: Vec::new() });
        } else {
            others.insert(path);
        }
    }
    for path in others {
        let mut directory = path.as_str();
        while !directory.is_empty() {
            directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
            let Some(skill) = skills.get_mut(directory) else { continue };
            if skill.supporting_files.len() < MOST_SUPPORTING_FILES {
                let start = if directory.is_empty() { 0 } else { directory.len() + 1 };
                skill.supporting_files.push(path.get(start..).unwrap_or_default().to_owned());
            }
            break;
        }
    }
    skills.into_values().collect()
}

/// Whether a directory is one of the paths to search, or below one; without paths, all are.
pub(crate) fn is_scanned(directory: &str, scan_paths: &[String]) -> bool {
    scan_paths.is_empty() || scan_paths.iter().any(|path| is_at_or_below(directory, path))
}

/// Whether a path to search may be below the directory.
pub(crate) fn leads_to_scanned(directory: &str, scan_paths: &[String]) -> bool {
    is_scanned(directory, scan_paths) || scan_paths.iter().any(|path| is_at_or_below(path, directory))
}

fn is_at_or_below(path: &str, ancestor: &str) -> bool {
    ancestor.is_empty() || path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The name of a directory; that of the root is given.
pub(crate) fn directory_name<'a>(directory: &'a str, root: &'a str) -> &'a str {
    if directory == "." { root } else { directory.rsplit('/').next().unwrap_or(directory) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_with_a_skill_file_is_a_skill_with_the_other_files_as_support() {
        let files =
            ["README.md", "a/SKILL.md", "a/run.sh", "a/refs/x.md", "a/sub/SKILL.md", "a/sub/y.md", "b/skill.md"];
        let found = find_skills(files.map(|path| (path.to_owned(), path)).into());
        let shown: Vec<_> =
            found.iter().map(|skill| (skill.directory.as_str(), skill.supporting_files.join(" "))).collect();
        assert_eq!(shown, [("a", "refs/x.md run.sh".to_owned()), ("a/sub", "y.md".to_owned())]);
        let root = find_skills(vec![("SKILL.md".to_owned(), ()), ("x/y".to_owned(), ())]);
        assert_eq!((root[0].directory.as_str(), root[0].supporting_files.join(" ")), (".", "x/y".to_owned()));
        assert_eq!((directory_name(".", "repo"), directory_name("a/sub", "repo")), ("repo", "sub"));
    }

    #[test]
    fn scan_paths_select_directories_and_lead_to_them() {
        let paths = ["skills/ops".to_owned()];
        assert!(is_scanned("skills/ops", &paths) && is_scanned("skills/ops/a", &paths) && is_scanned("x", &[]));
        assert!(!is_scanned("skills", &paths) && !is_scanned("skills/opsec", &paths));
        assert!(
            leads_to_scanned("", &paths) && leads_to_scanned("skills", &paths) && !leads_to_scanned("docs", &paths)
        );
    }
}

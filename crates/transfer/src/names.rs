//! Names of a listing that cannot exist together.

use std::collections::{HashMap, HashSet};

use crate::endpoint::{Entry, Result};
use crate::error::TransferError;

/// Refuses two files of the same name, and a file whose name is also that of a directory.
pub(crate) fn check(entries: &[Entry], source: &str) -> Result<()> {
    let mut files = HashSet::with_capacity(entries.len());
    for entry in entries {
        if !files.insert(entry.path.as_str()) {
            return Err(TransferError::Names(format!("{source} has two files with the name `{}`", entry.path)));
        }
    }
    for entry in entries {
        if let Some(parent) = entry.path.parents().find(|parent| files.contains(parent)) {
            return Err(TransferError::Names(format!(
                "{source} has a file `{parent}` and a file `{}` below the same name: a directory cannot contain both",
                entry.path
            )));
        }
    }
    Ok(())
}

/// Two names that a file system that ignores case takes for one: files, or directories above them.
pub(crate) fn equal_but_for_case(entries: &[Entry]) -> Option<(&str, &str)> {
    let mut seen: HashMap<String, &str> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let names = entry.path.parents().chain([entry.path.as_str()]);
        for name in names {
            let first = seen.entry(name.to_lowercase()).or_insert(name);
            if *first != name {
                return Some((first, name));
            }
        }
    }
    None
}

/// The error for them.
pub(crate) fn case_error(first: &str, second: &str, at: &str) -> TransferError {
    TransferError::Names(format!(
        "the names `{first}` and `{second}` differ only in case, and the file system of {at} does not distinguish them: \
         use another destination"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relative_path::RelativePath;

    fn entries(paths: &[&str]) -> Vec<Entry> {
        let entry = |path: &&str| Entry {
            path: RelativePath::parse(path).unwrap(),
            size: Some(0),
            version: None,
            digest: None,
        };
        paths.iter().map(entry).collect()
    }

    #[test]
    fn names_that_cannot_exist_together_are_refused() {
        let error = |paths: &[&str]| check(&entries(paths), "s3://b/m").unwrap_err().to_string();
        assert!(error(&["a", "b", "a"]).contains("two files with the name `a`"));
        assert!(error(&["a/b/c", "a/b"]).contains("a file `a/b`"));
        assert!(check(&entries(&["a/b", "a/c", "ab"]), "s3://b/m").is_ok());
    }

    #[test]
    fn names_that_differ_only_in_case_are_found() {
        let found = |paths: &[&str]| equal_but_for_case(&entries(paths)).is_some();
        assert!(found(&["a", "A"]) && found(&["x/a", "X/b"]) && found(&["ü/a", "Ü/a"]));
        assert!(!found(&["a", "b/a", "b/c", "c/A"]));
    }
}

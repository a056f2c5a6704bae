//! Names of files below a source or a destination.

use std::fmt;

/// Longest name of a directory or file that common file systems accept, in bytes.
pub(crate) const LONGEST_NAME: usize = 255;
/// Longest key of the object stores, in bytes.
pub(crate) const LONGEST_PATH: usize = 1024;

/// A path below a directory or prefix: names separated by `/`. It cannot leave the directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelativePath(String);

/// Why a name is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    #[error("it is empty")]
    Empty,
    #[error("it is absolute")]
    Absolute,
    #[error("it contains `..`, which could leave the directory")]
    Parent,
    #[error("it contains an empty name or `.`")]
    NotNormal,
    #[error("it contains a NUL or another control character")]
    ControlCharacter,
    #[error("it contains a backslash, which separates directories on some systems")]
    Backslash,
    #[error("a name in it is longer than {LONGEST_NAME} bytes")]
    LongName,
    #[error("it is longer than {LONGEST_PATH} bytes")]
    LongPath,
    #[error("it is not valid UTF-8")]
    NotText,
}

impl RelativePath {
    pub fn parse(path: &str) -> Result<Self, NameProblem> {
        if path.is_empty() {
            return Err(NameProblem::Empty);
        }
        if path.starts_with('/') {
            return Err(NameProblem::Absolute);
        }
        if path.len() > LONGEST_PATH {
            return Err(NameProblem::LongPath);
        }
        if path.chars().any(char::is_control) {
            return Err(NameProblem::ControlCharacter);
        }
        if path.contains('\\') {
            return Err(NameProblem::Backslash);
        }
        for name in path.split('/') {
            match name {
                ".." => return Err(NameProblem::Parent),
                "" | "." => return Err(NameProblem::NotNormal),
                _ if name.len() > LONGEST_NAME => return Err(NameProblem::LongName),
                _ => {}
            }
        }
        Ok(Self(path.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The directories above, the nearest first.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at]).collect::<Vec<_>>().into_iter().rev()
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_of_bad_name_has_its_own_reason() {
        for (path, problem) in [
            ("", NameProblem::Empty),
            ("/etc/passwd", NameProblem::Absolute),
            ("../x", NameProblem::Parent),
            ("a/../../x", NameProblem::Parent),
            ("a/..", NameProblem::Parent),
            ("a//b", NameProblem::NotNormal),
            ("a/", NameProblem::NotNormal),
            ("./a", NameProblem::NotNormal),
            ("a\0b", NameProblem::ControlCharacter),
            ("a\nb", NameProblem::ControlCharacter),
            ("a\\..\\b", NameProblem::Backslash),
            (&"x".repeat(256), NameProblem::LongName),
            (&"x/".repeat(600), NameProblem::LongPath),
            (&"x".repeat(10_000), NameProblem::LongPath),
        ] {
            assert_eq!(RelativePath::parse(path), Err(problem), "{path:?}");
        }
    }

    #[test]
    fn an_ordinary_name_is_kept_as_it_is() {
        for path in ["a", "a/b.bin", "..a/b..", "a b/ü/模型", &"x".repeat(255), "...", "a:b"] {
            assert_eq!(RelativePath::parse(path).unwrap().as_str(), path);
        }
        let path = RelativePath::parse("a/b/c").unwrap();
        assert_eq!(path.file_name(), "c");
        assert_eq!(path.parents().collect::<Vec<_>>(), ["a/b", "a"]);
    }

    proptest! {
        #[test]
        fn an_accepted_path_never_leaves_its_directory(path in "[a./\\\\\u{0}b]{0,12}") {
            if let Ok(accepted) = RelativePath::parse(&path) {
                let joined = std::path::Path::new("/base").join(accepted.as_str());
                let is_normal = |part| matches!(part, std::path::Component::Normal(_) | std::path::Component::RootDir);
                prop_assert!(joined.components().all(is_normal) && joined.starts_with("/base"), "{path:?}");
            }
        }
    }
}

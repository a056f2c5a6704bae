//! The files of a commit, read from its objects: nothing is checked out.

use gix_hash::ObjectId;
use gix_object::{CommitRefIter, Kind, TreeRefIter};
use gix_pack::Bundle;

use super::error::GitError;
use super::protocol::chain;
use crate::skills::{SKILL_FILE, is_scanned, leads_to_scanned};

/// Most entries of the trees that are searched.
const MOST_ENTRIES: usize = 100_000;
/// Levels of nested directories.
const DEEPEST: usize = 32;

/// The objects that were fetched.
pub(super) struct Objects {
    bundle: Bundle,
    inflate: gix_zlib::Inflate,
    buffer: Vec<u8>,
}

/// The files below the paths to search.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) files: Vec<(String, ObjectId)>,
    /// What is left out, and why.
    pub(super) left_out: Vec<String>,
}

impl Objects {
    pub(super) fn new(bundle: Bundle) -> Self {
        Self { bundle, inflate: gix_zlib::Inflate::default(), buffer: Vec::new() }
    }

    /// The type and content of an object; `None` if the server left it out.
    pub(super) fn find(&mut self, id: &ObjectId) -> Result<Option<(Kind, &[u8])>, GitError> {
        let found = self.bundle.find(id, &mut self.buffer, &mut self.inflate, &mut gix_pack::cache::Never);
        let found = found.map_err(|error| GitError::Unreadable(chain(&error)))?;
        Ok(found.map(|(data, _)| (data.kind, data.data)))
    }

    fn tree(&mut self, id: &ObjectId) -> Result<&[u8], GitError> {
        match self.find(id)? {
            Some((Kind::Tree, data)) => Ok(data),
            _ => Err(GitError::Unreadable(format!("the tree {id} is missing"))),
        }
    }

    /// The files of a commit below the paths to search. Symbolic links and submodules are not followed.
    pub(super) fn files(&mut self, commit: &str, scan_paths: &[String]) -> Result<Tree, GitError> {
        let id = ObjectId::from_hex(commit.as_bytes()).map_err(|error| GitError::Unreadable(chain(&error)))?;
        let root = match self.find(&id)? {
            Some((Kind::Commit, data)) => CommitRefIter::from_bytes(data, gix_hash::Kind::Sha1).tree_id(),
            Some((kind, _)) => return Err(GitError::Unreadable(format!("{commit} is a {kind}, not a commit"))),
            None => return Err(GitError::Unreadable(format!("the commit {commit} is missing"))),
        };
        let root = root.map_err(|error| GitError::Unreadable(chain(&error)))?;
        let mut tree = Tree::default();
        let mut directories = vec![(String::new(), root, 0)];
        let mut entries = 0;
        while let Some((directory, id, depth)) = directories.pop() {
            let is_searched = is_scanned(&directory, scan_paths);
            for entry in TreeRefIter::from_bytes(self.tree(&id)?, gix_hash::Kind::Sha1) {
                let entry = entry.map_err(|error| GitError::Unreadable(chain(&error)))?;
                entries += 1;
                if entries > MOST_ENTRIES {
                    return Err(GitError::TooManyFiles(MOST_ENTRIES));
                }
                let Ok(name) = std::str::from_utf8(entry.filename) else { continue };
                let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
                if entry.mode.is_tree() {
                    if depth < DEEPEST && leads_to_scanned(&path, scan_paths) {
                        directories.push((path, entry.oid.to_owned(), depth + 1));
                    }
                } else if entry.mode.is_blob() && is_searched {
                    tree.files.push((path, entry.oid.to_owned()));
                } else if entry.mode.is_link() && is_searched && name == SKILL_FILE {
                    tree.left_out.push(format!("{path} is left out: it is a symbolic link"));
                }
            }
        }
        Ok(tree)
    }
}

//! Links between the members of an archive.

use std::fs;
use std::path::Path;

use crate::endpoint::Result;
use crate::error::TransferError;
use crate::relative_path::{NameProblem, RelativePath};

/// A link to another member.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) path: RelativePath,
    /// The path of the other member.
    pub(super) target: RelativePath,
}

/// The member that a link leads to: a symbolic link is relative to its directory, a hard link to the archive.
pub(super) fn target(
    path: &RelativePath,
    link: &str,
    is_symbolic: bool,
) -> std::result::Result<RelativePath, NameProblem> {
    if link.starts_with('/') {
        return Err(NameProblem::Absolute);
    }
    let directory = if is_symbolic { path.parents().next().unwrap_or_default() } else { "" };
    let mut names: Vec<&str> = directory.split('/').filter(|name| !name.is_empty()).collect();
    for name in link.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop().ok_or(NameProblem::Parent)?;
            }
            name => names.push(name),
        }
    }
    RelativePath::parse(&names.join("/"))
}

/// Turns links into files with the same content. A link may lead to another one.
pub(super) fn resolve(directory: &Path, archive: &str, mut links: Vec<Link>) -> Result<()> {
    while !links.is_empty() {
        let before = links.len();
        let mut left = Vec::new();
        for link in links {
            let target = directory.join(link.target.as_str());
            if !fs::symlink_metadata(&target).is_ok_and(|metadata| metadata.is_file()) {
                left.push(link);
                continue;
            }
            let path = directory.join(link.path.as_str());
            let failed = |error: &std::io::Error| TransferError::io(path.display().to_string(), error);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(|error| failed(&error))?;
            }
            let _ = fs::remove_file(&path);
            fs::hard_link(&target, &path)
                .or_else(|_| fs::copy(&target, &path).map(drop))
                .map_err(|error| failed(&error))?;
        }
        if left.len() == before {
            let Link { path, target } = &left[0];
            let reason =
                format!("the archive contains the link `{path}` to `{target}`, which is not a file of the archive");
            return Err(TransferError::failed(archive, reason));
        }
        links = left;
    }
    Ok(())
}

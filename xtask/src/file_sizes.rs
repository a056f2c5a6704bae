//! No source file grows past the size at which nobody reads it to the end.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cargo;

const LIMIT: usize = 800;

/// Files that may be longer, each with the reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

pub(crate) fn check() -> Result<()> {
    let root = cargo::root();
    let mut files = Vec::new();
    for directory in ["crates", "xtask"] {
        collect(&root.join(directory), &mut files)?;
    }
    files.sort();
    let mut problems: Vec<String> = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&root).unwrap_or(file).to_string_lossy().into_owned();
        let lines = fs::read_to_string(file)?.lines().count();
        let is_exception = EXCEPTIONS.iter().any(|(exception, _)| *exception == name);
        match (lines > LIMIT, is_exception) {
            (true, false) => problems.push(format!("  {name} has {lines} lines: split it")),
            (false, true) => problems.push(format!("  {name} has {lines} lines: it needs no exception any more")),
            _ => {}
        }
    }
    for (name, _) in EXCEPTIONS {
        if !root.join(name).exists() {
            problems.push(format!("  {name} is an exception but does not exist"));
        }
    }
    if !problems.is_empty() {
        let list = problems.join("\n");
        bail!(
            "a file may have {LIMIT} lines at most:\n{list}\nExceptions, with a reason, are in xtask/src/file_sizes.rs"
        );
    }
    Ok(())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

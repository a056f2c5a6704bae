//! Checks that no source file has more than 800 lines.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process;

const LIMIT: usize = 800;

/// Files that may have more lines, with the reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

pub(crate) fn check() -> Result<()> {
    let root = process::root();
    let mut files = Vec::new();
    for directory in ["bench", "crates", "xtask"] {
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
            (false, true) => problems.push(format!("  {name} has {lines} lines: remove its exception")),
            _ => {}
        }
    }
    for (name, _) in EXCEPTIONS {
        if !root.join(name).exists() {
            problems.push(format!("  {name} has an exception but does not exist"));
        }
    }
    if !problems.is_empty() {
        let list = problems.join("\n");
        bail!(
            "the maximum is {LIMIT} lines per file:\n{list}\nxtask/src/file_sizes.rs lists the exceptions with their reasons"
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

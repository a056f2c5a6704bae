//! The journal of an import through the API: the new ids of imported lines, in a file next to the imported one. An interrupted
//! import resumes from it, and users find the new ids in it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use model_registry_api::Kind;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Header {
    /// Of the imported file.
    sha256: String,
    server: String,
}

/// A line that was imported.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

/// Ids of the file and their new ids, of entities or of artifacts.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub(super) resources: HashMap<i64, (Kind, String)>,
    pub(super) artifacts: HashMap<i64, String>,
}

pub(super) struct Journal {
    pub(super) path: PathBuf,
    file: File,
    /// The lines that are done.
    done: std::collections::HashSet<u64>,
    pub(super) ids: Ids,
}

impl Journal {
    /// Opens the journal of a file for a server.
    pub(super) fn open(file: &Path, sha256: &str, server: &str) -> anyhow::Result<Self> {
        let mut path = OsString::from(file);
        path.push(".progress");
        let path = PathBuf::from(path);
        let header = Header { sha256: sha256.to_owned(), server: server.trim_end_matches('/').to_owned() };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let cannot = || format!("cannot write the progress of the import to {}", path.display());
        let opened = options.open(&path).with_context(cannot)?;
        let mut journal =
            Self { path: path.clone(), file: opened, done: std::collections::HashSet::new(), ids: Ids::default() };
        if journal.file.metadata().with_context(cannot)?.len() == 0 {
            journal.append(&serde_json::to_string(&header)?)?;
        } else {
            journal.load(&header)?;
        }
        Ok(journal)
    }

    fn load(&mut self, expected: &Header) -> anyhow::Result<()> {
        let path = self.path.display();
        let text = BufReader::new(File::open(&self.path)?);
        let mut whole = 0;
        let mut lines = text.split(b'\n');
        let first = lines.next().transpose()?.unwrap_or_default();
        let header: Header =
            serde_json::from_slice(&first).with_context(|| format!("{path} is not the progress of an import"))?;
        if header != *expected {
            bail!(
                "{path} is the progress of another file or of an import to {}: move it away to start anew",
                header.server
            );
        }
        whole += first.len() as u64 + 1;
        for line in lines {
            let line = line?;
            // A process that was killed may have written half a line, which is the last one.
            let Ok(entry) = serde_json::from_slice::<Entry>(&line) else { break };
            whole += line.len() as u64 + 1;
            self.done.insert(entry.line);
            let kind = entry.kind.as_deref().and_then(Kind::from_name);
            if let (Some(kind), Some(old), Some(new)) = (kind, entry.old, entry.new) {
                self.remember(kind, old, new);
            }
        }
        self.file.set_len(whole)?;
        Ok(())
    }

    fn remember(&mut self, kind: Kind, old: i64, new: String) {
        if kind.spec().artifact_type.is_some() {
            self.ids.artifacts.insert(old, new);
        } else {
            self.ids.resources.insert(old, (kind, new));
        }
    }

    pub(super) fn is_done(&self, line: u64) -> bool {
        self.done.contains(&line)
    }

    /// Records that an entity was imported.
    pub(super) fn entity(&mut self, line: u64, kind: Kind, old: i64, new: String) -> anyhow::Result<()> {
        let entry = Entry { line, kind: Some(kind.name().to_owned()), old: Some(old), new: Some(new.clone()) };
        self.append(&serde_json::to_string(&entry)?)?;
        self.done.insert(line);
        self.remember(kind, old, new);
        Ok(())
    }

    /// Records that a line without an id of its own was imported.
    pub(super) fn line(&mut self, line: u64) -> anyhow::Result<()> {
        self.append(&serde_json::to_string(&Entry { line, kind: None, old: None, new: None })?)?;
        self.done.insert(line);
        Ok(())
    }

    fn append(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.file, "{line}").with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_resumed_without_its_torn_last_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("models.jsonl");
        let mut journal = Journal::open(&file, "abc", "http://a/").unwrap();
        journal.entity(2, Kind::RegisteredModel, 7, "70".to_owned()).unwrap();
        journal.entity(3, Kind::ModelArtifact, 7, "71".to_owned()).unwrap();
        journal.line(4).unwrap();
        write!(journal.file, "{{\"line\":5,\"ki").unwrap();
        let path = journal.path.clone();
        for _ in 0..2 {
            let journal = Journal::open(&file, "abc", "http://a").unwrap();
            assert_eq!([2, 3, 4, 5].map(|line| journal.is_done(line)), [true, true, true, false]);
            assert_eq!(journal.ids.resources[&7], (Kind::RegisteredModel, "70".to_owned()));
            assert_eq!(journal.ids.artifacts[&7], "71");
            assert!(std::fs::read_to_string(&path).unwrap().ends_with("{\"line\":4}\n"));
        }
        assert!(Journal::open(&file, "abd", "http://a").is_err());
        assert!(Journal::open(&file, "abc", "http://b").is_err());
    }
}

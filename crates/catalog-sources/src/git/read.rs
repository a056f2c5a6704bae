//! Reads the skills of one commit.

use std::path::Path;

use model_registry_catalog_store::CatalogItem;

use super::error::GitError;
use super::protocol::Connection;
use super::refs::Resolved;
use super::tree::Objects;
use crate::hub::Progress;
use crate::skills::{self, LONGEST_SKILL_FILE, MOST_SKILLS, Provenance, Repository, SkillReading};

/// The skills of a commit.
#[derive(Default)]
pub(super) struct ReadCommit {
    pub(super) items: Vec<CatalogItem>,
    /// What was left out, and warnings.
    pub(super) problems: Vec<String>,
    pub(super) skipped: usize,
    /// Keys of skills that were left out: what was published of them before stays.
    pub(super) left_out: Vec<String>,
    /// Names of skills that the name patterns exclude.
    pub(super) excluded: Vec<String>,
}

pub(super) fn read_commit(
    connection: &Connection<'_>,
    repository: &Repository,
    resolved: &Resolved,
    source_id: &str,
    progress: &Progress,
) -> Result<ReadCommit, GitError> {
    let directory = tempfile::Builder::new().prefix("model-registry-git-").tempdir();
    let directory = directory.map_err(GitError::NoTemporaryDirectory)?;
    let mut objects = Objects::new(connection.fetch(&resolved.commit, LONGEST_SKILL_FILE, directory.path())?);
    let selection = &repository.selection;
    let tree = objects.files(&resolved.commit, &selection.scan_paths)?;
    let mut read = ReadCommit { skipped: tree.left_out.len(), problems: tree.left_out, ..ReadCommit::default() };
    let found = skills::find_skills(tree.files);
    if found.len() > MOST_SKILLS {
        return Err(GitError::TooManySkills(MOST_SKILLS));
    }
    progress.found.inc_by(i64::try_from(found.len()).unwrap_or_default());
    let root = skills::repository_name(&repository.canonical_url);
    let filter = selection.filter();
    for skill in found {
        progress.done.inc();
        let file = Path::new(&skill.directory).join(skills::SKILL_FILE);
        let bytes = objects.find(&skill.skill_file)?.map(|(_, bytes)| bytes);
        let provenance = Provenance {
            repository: Some(&repository.canonical_url),
            path: &skill.directory,
            version: Some(&resolved.version),
            resolved_commit: Some(&resolved.commit),
        };
        let name = skills::directory_name(&skill.directory, &root).to_owned();
        // A server that filters leaves large files out.
        let bytes = bytes.filter(|bytes| bytes.len() <= LONGEST_SKILL_FILE);
        match skills::read_skill(bytes, &name, provenance, skill.supporting_files, selection, &filter, source_id) {
            SkillReading::Excluded(name) => read.excluded.push(name),
            SkillReading::Item(item, warnings) => {
                read.items.push(*item);
                read.problems.extend(warnings.iter().map(|warning| format!("{}: {warning}", file.display())));
            }
            SkillReading::LeftOut(reason) => {
                read.skipped += 1;
                read.left_out.push(provenance.key());
                read.problems.push(format!("{}: {reason}", file.display()));
            }
        }
    }
    Ok(read)
}
